/* type_mro.c -- the order of bases: C3, the deciding base, assignment to __bases__.
 *
 * The MRO is a tuple whose first item is the type itself (a custom mro() may say
 * otherwise); it keeps all its types alive.  No lock is held while mro() methods run:
 * a result is stored only if nobody stored another meanwhile.
 */
#include "objects/model/type_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

/* Whether `t` adds words to the instances of its base (dict and weak references aside). */
static bool
adds_layout(const Type *t)
{
    const Type *b = type_base(t);
    if (b == NULL)
        return true;
    if (t->spec == NULL)
        return t->slots_count != 0;
    return t->basic_size != b->basic_size || t->item_size != b->item_size ||
           t->extra->own_dict != b->extra->own_dict;
}

Type *
type_solid(Type *t)
{
    Type *base;
    while ((base = type_base(t)) != NULL && !adds_layout(t))
        t = base;
    return t;
}

Type *
type_best_base(Thread *th, Value bases)
{
    Type *base = NULL, *winner = NULL;
    int64_t n = tuple_length(bases);
    for (int64_t i = 0; i < n; i++) {
        Value v = tuple_item(bases, i);
        if (!is_type(v))
            return raise_type_error(th, "bases must be types");
        Type *t = as_type(v);
        if (!(type_flags(t) & TYPE_BASE))
            return raise_type_error(th, "type '%N' is not an acceptable base type", t);
        Type *candidate = type_solid(t);
        if (winner == NULL || (candidate != winner && type_is_subtype(candidate, winner))) {
            winner = candidate;
            base = t;
        } else if (!type_is_subtype(winner, candidate)) {
            return raise_type_error(th, "multiple bases have instance lay-out conflict");
        }
    }
    return base;
}

/* -- C3 -- */

static Value
raise_no_order(Thread *th, Value *lists, const int64_t *at, int64_t n)
{
    StrBuilder b;
    str_builder_init(&b);
    bool ok = true, first = true;
    for (int64_t i = 0; i < n && ok; i++) {
        if (at[i] >= tuple_length(lists[i]))
            continue;
        Value head = tuple_item(lists[i], at[i]);
        bool seen = false;
        for (int64_t j = 0; j < i && !seen; j++)
            seen = at[j] < tuple_length(lists[j]) && tuple_item(lists[j], at[j]) == head;
        if (seen)
            continue;
        Value name = field_read(th, value_object(head), &as_type(head)->name_value);
        ok = (first || str_builder_ascii(th, &b, ", ", 2)) &&
             (name == NULL || str_builder_str(th, &b, name));
        drop_null(th, name);
        first = false;
    }
    Value names_text = ok ? str_builder_finish(th, &b) : NULL;
    if (names_text == NULL) {
        str_builder_free(&b);
        return NULL;
    }
    raise_type_error(th, "Cannot create a consistent method resolution\norder (MRO) for bases %V",
                     names_text);
    drop(th, names_text);
    return NULL;
}

/* Whether `v` is in the part of `list` behind its head. */
static bool
in_tail(Value list, int64_t at, Value v)
{
    for (int64_t i = at + 1; i < tuple_length(list); i++) {
        if (tuple_item(list, i) == v)
            return true;
    }
    return false;
}

Value
mro_c3(Thread *th, Type *type, Value bases)
{
    int64_t n = tuple_length(bases);
    int64_t total = 1;
    for (int64_t i = 0; i < n; i++) {
        Type *b = as_type(tuple_item(bases, i));
        Value m = field_peek(&b->mro);
        if (m == NULL)
            return raise_type_error(th, "Cannot extend an incomplete type '%N'", b);
        total += tuple_length(m);
        for (int64_t j = i + 1; j < n; j++) {
            if (tuple_item(bases, j) == value_of_type(b))
                return raise_type_error(th, "duplicate base class %N", b);
        }
    }
    Value *lists = calloc((size_t)n + 1, sizeof *lists);
    int64_t *at = calloc((size_t)n + 1, sizeof *at);
    Value *out = calloc((size_t)total, sizeof *out);
    Value result = NULL;
    if (lists == NULL || at == NULL || out == NULL) {
        raise_memory(th);
        goto done;
    }
    for (int64_t i = 0; i < n; i++) {
        Type *b = as_type(tuple_item(bases, i));
        lists[i] = field_read(th, &b->ops.head, &b->mro);
    }
    lists[n] = retain(th, bases);
    int64_t count = 0;
    out[count++] = value_of_type(type);
    for (;;) {
        bool empty = true;
        Value next = NULL;
        for (int64_t i = 0; i <= n && next == NULL; i++) {
            if (at[i] >= tuple_length(lists[i]))
                continue;
            empty = false;
            Value head = tuple_item(lists[i], at[i]);
            bool good = true;
            for (int64_t j = 0; j <= n && good; j++)
                good = !in_tail(lists[j], at[j], head);
            if (good)
                next = head;
        }
        if (empty)
            break;
        if (next == NULL || count == total) {
            raise_no_order(th, lists, at, n + 1);
            goto done;
        }
        out[count++] = next;
        for (int64_t i = 0; i <= n; i++) {
            if (at[i] < tuple_length(lists[i]) && tuple_item(lists[i], at[i]) == next)
                at[i]++;
        }
    }
    result = tuple_of(th, out, (size_t)count);
done:
    for (int64_t i = 0; lists && i <= n; i++)
        drop_null(th, lists[i]);
    free(lists);
    free(at);
    free(out);
    return result;
}

static Value name_mro;

Value
mro_compute(Thread *th, Type *type, Value bases)
{
    Type *meta = type_of(value_of_type(type));
    if (meta == &type_type)
        return mro_c3(th, type, bases);
    if (name_mro == NULL) {
        Value s = str_intern_immortal(th, "mro");
        if (s == NULL)
            return NULL;
        name_mro = s;
    }
    Value found;
    Type *where = type_lookup_where(th, meta, name_mro, &found);
    drop_null(th, found);
    if (UNLIKELY(error_set(th)))
        error_clear(th);
    if (where == &type_type || where == NULL)
        return mro_c3(th, type, bases);
    Value result = call_special(th, value_of_type(type), name_mro, NULL, 0, NULL);
    if (result == NULL)
        return NULL;
    Value mro = sequence_tuple(th, result);
    drop(th, result);
    if (mro == NULL)
        return NULL;
    if (tuple_length(mro) == 0) {
        drop(th, mro);
        return raise_type_error(th, "type MRO must not be empty");
    }
    Type *solid = type_solid(type);
    for (int64_t i = 0; i < tuple_length(mro); i++) {
        Value v = tuple_item(mro, i);
        if (!is_type(v)) {
            raise_type_error(th, "mro() returned a non-class ('%T')", v);
        } else if (as_type(v) != type && !type_is_subtype(solid, type_solid(as_type(v)))) {
            raise_type_error(th, "mro() returned base with unsuitable layout ('%N')", as_type(v));
        } else {
            continue;
        }
        drop(th, mro);
        return NULL;
    }
    return mro;
}

/* -- layouts that can stand for one another -- */

static bool
has_attrs(const Type *t)
{
    return t->attrs_offset != 0;
}

/* Whether `t` differs from its base in anything an instance is made of. */
static bool
contributes(const Type *t)
{
    const Type *b = type_base(t);
    if (b == NULL || t->spec != NULL)
        return b == NULL || adds_layout(t) || has_attrs(t) != has_attrs(b) ||
               t->ops.dealloc != b->ops.dealloc;
    return t->slots_count != 0 || has_attrs(t) != has_attrs(b) ||
           ((type_flags(t) ^ type_flags(b)) & TYPE_WEAKREFS) != 0;
}

static bool
same_slots(const Type *a, const Type *b)
{
    if (type_base(a) != type_base(b) || a->spec || b->spec || a->slots_count != b->slots_count ||
        has_attrs(a) != has_attrs(b) || ((type_flags(a) ^ type_flags(b)) & TYPE_WEAKREFS))
        return false;
    for (uint32_t i = 0; i < a->slots_count; i++) {
        if (!str_equal(tuple_item(a->slots_names, i), tuple_item(b->slots_names, i)))
            return false;
    }
    return true;
}

bool
layout_compatible(Thread *th, Type *old, Type *new_, const char *what)
{
    if ((type_flags(old) ^ type_flags(new_)) & TYPE_GC) {
        raise_type_error(th, "%s assignment: '%N' deallocator differs from '%N'", what, new_, old);
        return false;
    }
    const Type *a = old, *b = new_;
    while (!contributes(a))
        a = type_base(a);
    while (!contributes(b))
        b = type_base(b);
    if (a == b || same_slots(a, b))
        return true;
    raise_type_error(th, "%s assignment: '%N' object layout differs from '%N'", what, new_, old);
    return false;
}

/* -- __bases__ = ... -- */

typedef struct MroChange {
    Type *type;      /* counted */
    Value old, fresh;/* counted */
} MroChange;
typedef VEC(MroChange) MroChanges;

/* Computes the mro of `type` and of all below it anew. */
static bool
mro_recompute(Thread *th, Type *type, MroChanges *changes)
{
    if (thread_stack_low(th)) {
        raise_recursion(th, "");
        return false;
    }
    Object *o = &type->ops.head;
    Value old = field_read(th, o, &type->mro);
    Value bases = field_read(th, o, &type->bases);
    Value fresh = mro_compute(th, type, bases);
    drop(th, bases);
    bool same = field_peek(&type->mro) == old;
    if (fresh == NULL || !same) { /* not same: a mro() method assigned bases itself */
        drop_null(th, old);
        drop_null(th, fresh);
        return fresh != NULL;
    }
    if (!vec_reserve(changes, 1)) {
        drop(th, old);
        drop(th, fresh);
        raise_memory(th);
        return false;
    }
    retain(th, value_of_type(type));
    vec_push(changes, ((MroChange){type, old, retain(th, fresh)}));
    type_modify_begin(th, type, NULL);
    field_replace(th, o, &type->mro, fresh);
    type_modify_end(th);

    Value subs = type_subclasses_list(th, type);
    if (subs == NULL)
        return false;
    bool ok = true;
    for (int64_t i = 0; ok && i < list_length(subs); i++) {
        Value sub = list_get(th, subs, i);
        if (sub == NULL)
            break;
        ok = mro_recompute(th, as_type(sub), changes);
        drop(th, sub);
    }
    drop(th, subs);
    return ok;
}

static void
set_base(Thread *th, Type *type, Type *base)
{
    retain(th, value_of_type(base));
    /* An exchange, as others may assign, too; pairs with type_base() [type.base] */
    retire(th, value_of_type(__atomic_exchange_n(&type->base, base, __ATOMIC_ACQ_REL)));
}

/* While mro() methods run an MRO may be older than the chain of bases. */
static bool
derives_by_base(const Type *t, const Type *base)
{
    while (t && t != base)
        t = type_base(t);
    return t != NULL;
}

bool
type_assign_bases(Thread *th, Type *type, Value bases)
{
    if (!is_tuple(bases)) {
        raise_type_error(th, "can only assign tuple to %N.__bases__, not %T", type, bases);
        return false;
    }
    int64_t n = tuple_length(bases);
    if (n == 0) {
        raise_type_error(th, "can only assign non-empty tuple to %N.__bases__, not ()", type);
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        Value v = tuple_item(bases, i);
        if (!is_type(v)) {
            raise_type_error(th, "%N.__bases__ must be tuple of classes, not '%T'", type, v);
            return false;
        }
        if (type_is_subtype(as_type(v), type) || derives_by_base(as_type(v), type)) {
            raise_type_error(th, "a __bases__ item causes an inheritance cycle");
            return false;
        }
    }
    Type *base = type_best_base(th, bases);
    if (base == NULL || !layout_compatible(th, type_base(type), base, "__bases__"))
        return false;

    Object *o = &type->ops.head;
    Type *old_base = type_base(type);
    retain(th, value_of_type(old_base));
    Value old_bases = field_read(th, o, &type->bases);
    field_replace(th, o, &type->bases, retain(th, bases));
    set_base(th, type, base);

    MroChanges changes = VEC_INIT;
    bool ok = mro_recompute(th, type, &changes) && type_subclass_relink(th, type);
    if (ok) {
        type_modified(th, type, NULL);
    } else {
        Value error = error_take(th);
        for (size_t i = changes.count; i-- > 0;) {
            MroChange *c = &changes.items[i];
            if (field_peek(&c->type->mro) == c->fresh) {
                type_modify_begin(th, c->type, NULL);
                field_replace(th, &c->type->ops.head, &c->type->mro, retain_null(th, c->old));
                type_modify_end(th);
            }
        }
        if (field_peek(&type->bases) == bases) {
            field_replace(th, o, &type->bases, retain(th, old_bases));
            set_base(th, type, old_base);
        }
        error_restore(th, error);
    }
    for (size_t i = 0; i < changes.count; i++) {
        drop(th, value_of_type(changes.items[i].type));
        drop_null(th, changes.items[i].old);
        drop(th, changes.items[i].fresh);
    }
    vec_free(&changes);
    drop(th, old_bases);
    drop(th, value_of_type(old_base));
    return ok;
}
