/* type_new.c -- class statements: type(name, bases, namespace, **kwargs).
 *
 * The new type is filled by the thread that makes it; others see it once its cell,
 * __set_name__ methods or its bases' lists of subclasses tell of it, and by then all
 * that C needs is there.  Nothing of it is cached before TYPE_READY is set.
 */
#include "objects/model/type_priv.h"

#include <stdlib.h>
#include <string.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

enum { DEFAULT_INLINE = 3, MAX_INLINE = 30 };

/* What is found out before the type is made. */
typedef struct Plan {
    Type *meta, *base;
    Value name, bases, dict; /* bases, dict: counted */
    Value slots;             /* list of mangled names, counted; NULL: no __slots__ */
    bool has_slots;          /* __slots__ is given */
    bool add_dict, add_weak;
    uint32_t attributes;     /* what instances are expected to have */
} Plan;

Type *
metatype_derive(Thread *th, Type *meta, Value bases)
{
    Type *winner = meta;
    for (int64_t i = 0; i < tuple_length(bases); i++) {
        Type *t = type_of(tuple_item(bases, i));
        if (type_is_subtype(winner, t))
            continue;
        if (!type_is_subtype(t, winner))
            return raise_type_error(th, "metaclass conflict: the metaclass of a derived class must "
                                        "be a (non-strict) subclass of the metaclasses of all its "
                                        "bases");
        winner = t;
    }
    return winner;
}

/* -- __slots__ -- */

/* `name` as the class `cls` sees it: "__x" becomes "_Cls__x".  A new interned str. */
static Value
mangle(Thread *th, Value cls, Value name)
{
    size_t n = str_length(name);
    const Str *s = as_str(name), *c = as_str(cls);
    bool plain = n < 3 || str_char(s, 0) != '_' || str_char(s, 1) != '_' ||
                 (str_char(s, n - 1) == '_' && str_char(s, n - 2) == '_') ||
                 str_contains_char(name, '.');
    size_t start = 0, length = str_length(cls);
    while (start < length && str_char(c, start) == '_')
        start++;
    if (plain || start == length)
        return name_interned(th, name);
    StrBuilder b;
    str_builder_init(&b);
    if (!str_builder_ascii(th, &b, "_", 1) || !str_builder_sub(th, &b, cls, start, length) ||
        !str_builder_str(th, &b, name)) {
        str_builder_free(&b);
        return NULL;
    }
    Value mangled = str_builder_finish(th, &b);
    return mangled ? str_intern(th, mangled) : NULL;
}

/* Reads one name of __slots__ into the plan. */
static bool
plan_slot(Thread *th, Plan *p, Value slot, bool may_dict, bool may_weak)
{
    if (!is_str(slot)) {
        raise_type_error(th, "__slots__ items must be strings, not '%T'", slot);
        return false;
    }
    if (!str_is_identifier(slot)) {
        raise_type_error(th, "__slots__ must be identifiers");
        return false;
    }
    if (str_equal(slot, NAME(__dict__))) {
        if (!may_dict || p->add_dict) {
            raise_type_error(th, "__dict__ slot disallowed: we already got one");
            return false;
        }
        p->add_dict = true;
        return true;
    }
    if (str_equal(slot, NAME(__weakref__))) {
        if (!may_weak || p->add_weak) {
            raise_type_error(th, "__weakref__ slot disallowed: either we already got one, or "
                                 "__itemsize__ != 0");
            return false;
        }
        p->add_weak = true;
        return true;
    }
    Value name = mangle(th, p->name, slot);
    if (name == NULL)
        return false;
    Answer there = dict_contains(th, p->dict, name);
    if (there == YES && name != NAME(__qualname__) && name != NAME(__classcell__)) {
        raise_value_error(th, "%R in __slots__ conflicts with class variable", name);
        there = FAILED;
    }
    if (there == FAILED) {
        drop(th, name);
        return false;
    }
    return list_append_steal(th, p->slots, name);
}

static bool
varies(const Type *t) /* CPython's __itemsize__ != 0 */
{
    return t->item_size != 0 && !(type_flags(t) & TYPE_STR_SUBCLASS);
}

static bool
plan_slots(Thread *th, Plan *p)
{
    bool may_dict = p->base->attrs_offset == 0 && p->base->extra->own_dict == OWN_DICT_NONE;
    bool may_weak = !(type_flags(p->base) & TYPE_WEAKREFS) && !varies(p->base);
    Value slots = dict_get_str(th, p->dict, NAME(__slots__));
    if (slots == NULL) {
        if (error_set(th))
            return false;
        p->add_dict = may_dict;
        p->add_weak = may_weak;
        return true;
    }
    p->has_slots = true;
    Value items = is_str(slots) ? tuple_pack(th, 1, slots) : sequence_tuple(th, slots);
    drop(th, slots);
    if (items == NULL)
        return false;
    bool ok = true;
    int64_t n = tuple_length(items);
    if (n > 0 && (varies(p->base) || p->base->extra->own_dict == OWN_DICT_TYPE)) {
        raise_type_error(th, "nonempty __slots__ not supported for subtype of '%N'", p->base);
        ok = false;
    }
    p->slots = ok ? list_new(th, (size_t)n) : NULL;
    ok = p->slots != NULL;
    for (int64_t i = 0; ok && i < n; i++)
        ok = plan_slot(th, p, tuple_item(items, i), may_dict, may_weak);
    drop(th, items);
    if (!ok || !list_sort(th, p->slots, NULL, false))
        return false;
    /* What the other bases have, too, the class must have. */
    for (int64_t i = 0; i < tuple_length(p->bases); i++) {
        Type *t = as_type(tuple_item(p->bases, i));
        if (t == p->base)
            continue;
        p->add_dict = p->add_dict || (may_dict && t->attrs_offset != 0);
        p->add_weak = p->add_weak || (may_weak && (type_flags(t) & TYPE_WEAKREFS));
    }
    return true;
}

/* How many attributes the instances are likely to get. */
static void
plan_attributes(Thread *th, Plan *p)
{
    int most = 0;
    Value key, v;
    for (size_t pos = 0; dict_next(th, p->dict, &pos, &key, &v);) {
        if (is_exact(v, SHAPE_FUNCTION)) {
            int n = upcalls.self_attribute_count(v);
            most = n > most ? n : most;
        }
        drop(th, key);
        drop(th, v);
    }
    uint32_t total = (uint32_t)most;
    for (int64_t i = 0; i < tuple_length(p->bases); i++)
        total += as_type(tuple_item(p->bases, i))->extra->attributes;
    p->attributes = total < MAX_INLINE ? total : MAX_INLINE;
}

/* -- the namespace -- */

/* Takes `name` out of the dict: a new reference or NULL. */
static Value
take_entry(Thread *th, Value dict, Value name)
{
    Value v;
    return dict_pop(th, dict, name, &v) == YES ? v : NULL;
}

static bool
wrap_entry(Thread *th, Value dict, Value name, Value (*wrap)(Thread *, Value))
{
    Value f = dict_get_str(th, dict, name);
    if (f == NULL)
        return !error_set(th);
    bool ok = true;
    if (is_exact(f, SHAPE_FUNCTION)) {
        Value w = wrap(th, f);
        ok = w != NULL && dict_set_steal(th, dict, retain(th, name), w);
    }
    drop(th, f);
    return ok;
}

static bool
set_default(Thread *th, Value dict, Value name, Value v)
{
    Answer there = dict_contains(th, dict, name);
    return there == YES || (there == NO && dict_set(th, dict, name, v));
}

/* A plain dict of the namespace's items, in the order in which a subclass of dict shows them. */
static Value
namespace_copy(Thread *th, Value namespace)
{
    if (is_exact(namespace, SHAPE_DICT))
        return dict_copy(th, namespace);
    Value copy = dict_new(th);
    if (copy && !dict_merge(th, copy, namespace, 1))
        DROP_CLEAR(th, copy);
    return copy;
}

/* The docstring is text that UTF-8 can hold, if it is text. */
static bool
namespace_check_doc(Thread *th, Value dict)
{
    Value doc = dict_get_str(th, dict, NAME(__doc__));
    bool ok = doc ? !is_str(doc) || str_utf8(th, doc, NULL) != NULL : !error_set(th);
    drop_null(th, doc);
    return ok;
}

static bool
namespace_set_module(Thread *th, Value dict)
{
    Answer there = dict_contains(th, dict, NAME(__module__));
    if (there != NO)
        return there == YES;
    Value globals = upcalls.frame_globals(th);
    if (globals == NULL)
        return !error_set(th);
    Value module = dict_get_str(th, globals, NAME(__name__));
    drop(th, globals);
    if (module == NULL)
        return !error_set(th);
    return dict_set_steal(th, dict, retain(th, NAME(__module__)), module);
}

static bool
namespace_set_qualname(Thread *th, Type *type, Plan *p)
{
    Value q = take_entry(th, p->dict, NAME(__qualname__));
    if (q != NULL && !is_str(q)) {
        raise_type_error(th, "type __qualname__ must be a str, not %T", q);
        drop(th, q);
        return false;
    }
    if (q == NULL) {
        if (error_set(th))
            return false;
        q = retain(th, p->name);
    }
    field_init(&type->qualname, q);
    return true;
}

/* Hands the class to the cell that zero-argument super() and __class__ read. */
static bool
namespace_fill_cell(Thread *th, Type *type, Value dict)
{
    Value cell = take_entry(th, dict, NAME(__classcell__));
    if (cell == NULL)
        return !error_set(th);
    bool ok = is_exact(cell, SHAPE_CELL);
    if (ok)
        field_replace(th, value_object(cell), &((Cell *)(void *)value_object(cell))->content,
                      retain(th, value_of_type(type)));
    else
        raise_type_error(th, "__classcell__ must be a nonlocal cell, not %R",
                         value_of_type(type_of(cell)));
    drop(th, cell);
    return ok;
}

static Value
make_classmethod(Thread *th, Value f)
{
    return classmethod_new(th, f);
}

static Value
make_staticmethod(Thread *th, Value f)
{
    return staticmethod_new(th, f);
}

static bool
namespace_finish(Thread *th, Type *type, Plan *p)
{
    Value dict = p->dict;
    if (!namespace_set_module(th, dict) || !namespace_check_doc(th, dict) || !namespace_set_qualname(th, type, p) ||
        !wrap_entry(th, dict, NAME(__new__), make_staticmethod) ||
        !wrap_entry(th, dict, NAME(__init_subclass__), make_classmethod) ||
        !wrap_entry(th, dict, NAME(__class_getitem__), make_classmethod))
        return false;
    Answer equal = dict_contains(th, dict, NAME(__eq__));
    if (equal == FAILED || (equal == YES && !set_default(th, dict, NAME(__hash__), NONE)))
        return false;
    return true;
}

/* -- members -- */

static Value
get_tail_slot(Thread *th, Value self, void *closure)
{
    Object *o = value_object(self);
    Field *f = (Field *)(void *)((char *)o + object_cell_size(o)) - (uintptr_t)closure;
    Value v = field_read(th, o, f);
    return v ? v : raise_none(th, &exc_AttributeError);
}

static bool
set_tail_slot(Thread *th, Value self, Value value, void *closure)
{
    Object *o = value_object(self);
    Field *f = (Field *)(void *)((char *)o + object_cell_size(o)) - (uintptr_t)closure;
    if (value == NULL && field_peek(f) == NULL) {
        raise_none(th, &exc_AttributeError);
        return false;
    }
    field_replace(th, o, f, retain_null(th, value));
    return true;
}

/* Lays out the words of __slots__; the descriptors come later. */
static bool
layout_slots(Thread *th, Type *type, Plan *p)
{
    TypeExtra *x = type->extra;
    int64_t n = p->slots ? list_length(p->slots) : 0;
    Value slot_tuple = p->slots ? list_to_tuple(th, p->slots) : retain(th, tuple_empty);
    if (slot_tuple == NULL)
        return false;
    type->slots_names = slot_tuple;
    n = tuple_length(slot_tuple);
    type->slots_count = (uint32_t)n;
    if (n == 0)
        return true;
    x->slot_texts = calloc((size_t)n + 1, sizeof *x->slot_texts);
    if (x->tail)
        x->slot_getters = calloc((size_t)n + 1, sizeof *x->slot_getters);
    else
        x->slot_members = calloc((size_t)n + 1, sizeof *x->slot_members);
    if (x->slot_texts == NULL || (x->slot_getters == NULL && x->slot_members == NULL)) {
        raise_memory(th);
        return false;
    }
    type->basic_size = (type->basic_size + 7) & ~7u;
    type->slots_offset = type->basic_size;
    for (int64_t i = 0; i < n; i++) {
        size_t size;
        const char *text = str_utf8(th, tuple_item(slot_tuple, i), &size);
        char *copy = text ? strdup(text) : NULL;
        if (copy == NULL) {
            if (!error_set(th))
                raise_memory(th);
            return false;
        }
        x->slot_texts[i] = copy;
        if (x->tail) {
            x->tail_slots++;
            x->slot_getters[i] = (GetterDef){.name = copy, .get = get_tail_slot,
                                             .set = set_tail_slot,
                                             .closure = (void *)(uintptr_t)x->tail_slots};
        } else {
            x->slot_members[i] = (MemberDef){.name = copy, .kind = MEMBER_VALUE,
                                             .offset = type->basic_size};
            type->basic_size += (uint32_t)sizeof(Field);
        }
    }
    return true;
}

/* Sizes, and what memory management calls. */
static bool
layout(Thread *th, Type *type, Plan *p)
{
    TypeExtra *x = type->extra;
    type->ops.ops_flags = OPS_HEAP_TYPE | OPS_TRACKED;
    type_set_memory(type, p->base, NULL);
    bool attrs = p->base->attrs_offset != 0 || p->add_dict;
    if (!x->tail && attrs)
        type->basic_size = (type->basic_size + 7) & ~7u;
    if (!layout_slots(th, type, p))
        return false;
    x->attributes = p->attributes;
    uint32_t words = 0;
    type->attrs_offset = 0;
    if (attrs && x->tail) {
        type->attrs_offset = ATTRS_TAIL;
    } else if (attrs) {
        type->attrs_offset = type->basic_size;
        words = p->attributes ? p->attributes : DEFAULT_INLINE;
        /* Sizes are multiples of 16: what is left over becomes a slot. */
        if ((type->basic_size + sizeof(AttrPart) + words * sizeof(Field)) % 16 != 0)
            words++;
        x->inline_capacity = words;
    }
    type->ops.visit = instance_visit;
    type->ops.clear = instance_clear;
    type->ops.dealloc = instance_dealloc;
    type->ops.wants_finalize = NULL;
    uint32_t size = type->basic_size + (attrs ? (uint32_t)sizeof(AttrPart) : 0);
    type->ops.cell_size = size + (words + x->tail_slots) * (uint32_t)sizeof(Value);
    type->ops.ops_flags |= OPS_TRACKED;
    type->ops.ops_flags &= ~OPS_IMMUTABLE;
    return type_make_root(th, type);
}

static bool
add_descriptor(Thread *th, Value dict, Value name, Value STEALS v)
{
    return v != NULL && dict_set_steal(th, dict, retain(th, name), v);
}

static bool
add_descriptors(Thread *th, Type *type, Plan *p)
{
    TypeExtra *x = type->extra;
    for (uint32_t i = 0; i < type->slots_count; i++) {
        Value d = x->slot_members ? member_descr_new(th, type, &x->slot_members[i])
                                  : getset_descr_new(th, type, &x->slot_getters[i]);
        if (!add_descriptor(th, p->dict, tuple_item(type->slots_names, i), d))
            return false;
    }
    if (p->add_dict && dict_contains(th, p->dict, NAME(__dict__)) == NO &&
        !add_descriptor(th, p->dict, NAME(__dict__),
                        getset_descr_new(th, type, &instance_dict_getter)))
        return false;
    if (p->add_weak && dict_contains(th, p->dict, NAME(__weakref__)) == NO &&
        !add_descriptor(th, p->dict, NAME(__weakref__),
                        getset_descr_new(th, type, &instance_weakref_getter)))
        return false;
    return set_default(th, p->dict, NAME(__doc__), NONE);
}

/* -- putting it together -- */

static Type *
build(Thread *th, Plan *p)
{
    size_t size;
    const char *text = str_utf8(th, p->name, &size);
    if (text == NULL)
        return NULL;
    if (strlen(text) != size) {
        raise_value_error(th, "type name must not contain null characters");
        return NULL;
    }
    if (!plan_slots(th, p))
        return NULL;
    plan_attributes(th, p);
    Type *type = type_object_new(th, p->meta);
    if (type == NULL)
        return NULL;
    type->name = text; /* lives as long as the str */
    field_init(&type->name_value, retain(th, p->name));
    field_init(&type->bases, retain(th, p->bases));
    field_init(&type->dict, retain(th, p->dict));
    object_set_bits(value_object(p->dict), BIT_SHARED);
    type->base = as_type(retain(th, value_of_type(p->base)));
    store_relaxed(&type->flags, TYPE_HEAP | TYPE_BASE | (p->add_weak ? TYPE_WEAKREFS : 0));
    if (!namespace_finish(th, type, p) || !layout(th, type, p) ||
        !namespace_fill_cell(th, type, p->dict) || !add_descriptors(th, type, p))
        goto fail;
    /* Lookups meanwhile -- a mro() method may ask -- go by the base. */
    for (size_t offset = 0; offset < sizeof(TypeSlots); offset += sizeof(SlotFn))
        *slot_at(type, offset) = __atomic_load_n(slot_at(p->base, offset), __ATOMIC_RELAXED);
    Value mro = mro_compute(th, type, p->bases);
    if (mro == NULL)
        goto fail;
    if (field_peek(&type->mro) == NULL) {
        field_init(&type->mro, mro);
    } else { /* mro() assigned to __bases__ */
        drop(th, mro);
    }
    type_inherit_flags(type);
    if (!type_subclass_relink(th, type))
        goto fail;
    slots_update(th, type, NULL);
    fetch_or_seq_cst(&type->flags, TYPE_READY);
    return type;
fail:
    drop(th, value_of_type(type));
    return NULL;
}

bool
type_call_set_names(Thread *th, Type *type)
{
    Value dict = field_read(th, &type->ops.head, &type->dict);
    Value copy = dict_copy(th, dict);
    drop(th, dict);
    if (copy == NULL)
        return false;
    bool ok = true;
    Value key, v;
    for (size_t pos = 0; ok && dict_next(th, copy, &pos, &key, &v);) {
        Value args[2] = {value_of_type(type), key};
        bool missing;
        Value r = call_special(th, v, NAME(__set_name__), args_of(args), 2, &missing);
        if (r != NULL) {
            drop(th, r);
        } else if (!missing) {
            raise_from_current(th, &exc_RuntimeError,
                               "Error calling __set_name__ on '%T' instance %R in '%N'", v, key,
                               type);
            ok = false;
        }
        drop(th, key);
        drop(th, v);
    }
    drop(th, copy);
    return ok;
}

/* A custom mro() may leave the type out. */
static bool
in_own_mro(Type *type)
{
    Value mro = field_peek(&type->mro); /* no safepoint below */
    for (int64_t i = 0; mro && i < tuple_length(mro); i++) {
        if (tuple_item(mro, i) == value_of_type(type))
            return true;
    }
    return false;
}

bool
type_call_init_subclass(Thread *th, Type *type, const Arg *kwargs, Value kwnames)
{
    Value f = type_lookup_after(th, type, type, NAME(__init_subclass__));
    if (f == NULL && !error_set(th) && !in_own_mro(type)) {
        raise_type_error(th, "super(type, obj): obj must be an instance or subtype of type");
        return false;
    }
    if (f == NULL) {
        /* A custom MRO has nothing behind the type: the super object's own is object's. */
        if (!error_set(th) && kwnames && tuple_length(kwnames) != 0)
            raise_type_error(th, "super.__init_subclass__() takes no keyword arguments");
        return !error_set(th);
    }
    if (is_exact(f, SHAPE_CLASSMETHOD_DESCR) && (kwnames == NULL || tuple_length(kwnames) == 0) &&
        ((MethodDescr *)(void *)value_object(f))->type == &object_type) {
        drop(th, f); /* object's: does nothing */
        return true;
    }
    DescrGetFn get = SLOT(type_of(f), descr_get);
    Value bound = get ? get(th, f, NULL, value_of_type(type)) : retain(th, f);
    drop(th, f);
    Value r = bound ? call(th, bound, kwargs, 0, kwnames) : NULL;
    drop_null(th, bound);
    if (r == NULL)
        return false;
    drop(th, r);
    return true;
}

/* Bases that are no classes must have been resolved before. */
static bool
check_entries(Thread *th, Value bases)
{
    for (int64_t i = 0; i < tuple_length(bases); i++) {
        Value b = tuple_item(bases, i);
        if (is_type(b))
            continue;
        Answer has = has_attr(th, b, NAME(__mro_entries__));
        if (has == YES)
            raise_type_error(th, "type() doesn't support MRO entry resolution; "
                                 "use types.new_class()");
        if (has != NO)
            return false;
    }
    return true;
}

/* The metaclass of a base makes the class: its own __new__. */
static Value
call_other_new(Thread *th, Type *meta, Value name, Value bases, Value namespace,
               const Arg *kwargs, Value kwnames)
{
    size_t n = kwnames ? (size_t)tuple_length(kwnames) : 0;
    Value *args = calloc(n + 3, sizeof *args);
    if (args == NULL)
        return raise_memory(th);
    args[0] = name;
    args[1] = bases;
    args[2] = namespace;
    for (size_t i = 0; i < n; i++)
        args[3 + i] = arg(kwargs, i);
    NewFn new_fn = SLOT(meta, new);
    Value r = new_fn(th, meta, args_of(args), 3, kwnames);
    free(args);
    return r;
}

Value
type_create(Thread *th, Type *metatype, Value name, Value bases, Value namespace,
            const Arg *kwargs, Value kwnames)
{
    if (!check_entries(th, bases))
        return NULL;
    Type *winner = metatype_derive(th, metatype, bases);
    if (winner == NULL)
        return NULL;
    if (winner != metatype && SLOT(winner, new) != type_new)
        return call_other_new(th, winner, name, bases, namespace, kwargs, kwnames);
    Plan p = {.meta = winner, .name = name};
    p.bases = tuple_length(bases) ? retain(th, bases)
                                  : tuple_pack(th, 1, value_of_type(&object_type));
    if (p.bases == NULL)
        return NULL;
    Type *type = NULL;
    p.base = type_best_base(th, p.bases);
    if (p.base) {
        p.dict = namespace_copy(th, namespace);
        if (p.dict)
            type = build(th, &p);
    }
    drop(th, p.bases);
    drop_null(th, p.dict);
    drop_null(th, p.slots);
    if (type == NULL)
        return NULL;
    if (!type_call_set_names(th, type) || !type_call_init_subclass(th, type, kwargs, kwnames)) {
        drop(th, value_of_type(type));
        return NULL;
    }
    return value_of_type(type);
}

Value
type_new(Thread *th, Type *meta, const Arg *args, size_t nargs, Value kwnames)
{
    if (nargs != 3)
        return raise_type_error(th, "type.__new__() takes exactly 3 arguments (%zu given)", nargs);
    Value name = arg(args, 0), bases = arg(args, 1), namespace = arg(args, 2);
    if (!is_str(name))
        return raise_type_error(th, "type.__new__() argument 1 must be str, not %B", name);
    if (!is_tuple(bases))
        return raise_type_error(th, "type.__new__() argument 2 must be tuple, not %B", bases);
    if (!is_dict(namespace))
        return raise_type_error(th, "type.__new__() argument 3 must be dict, not %B", namespace);
    return type_create(th, meta, name, bases, namespace, args + 3, kwnames);
}
