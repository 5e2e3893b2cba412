/* instance.c -- the attributes of instances: inline slots, overflow array, dictionary mode.
 *
 * An instance starts with its attributes in slots that its shape names.  `extra` of the
 * AttrPart is 0, an Overflow (bit 0 set), or in dictionary mode a dict, for good.
 *
 * Invariants:
 *  - while an object has shape S, slot i holds the value of S's name i or NULL (deleted);
 *    a slot never changes its name.  Shapes change by appending a name (the value is
 *    stored before the shape), or once to dictionary mode (the shape is stored after
 *    the dict, then the slots are emptied; what they held is retired if shared).
 *  - a reader loads shape, then slot; a value found is right.  NULL with a changed shape
 *    means: look again.  Between load and count there is no safepoint.
 *  - in dictionary mode the dict is all there is: `o.__dict__` is that dict itself.
 *    Instances of types written in C are in this mode from the start, and get the dict
 *    with the first attribute: a function has one shape, whatever hangs on it.
 *
 * Locks: writers hold the object's lock; nothing is made, dropped or called under it.
 */
#include "objects/model/model.h"

#include <string.h>

#include "gc/weakref.h"
#include "objects/container/container.h"
#include "objects/container/fast.h"
#include "objects/error/error.h"
#include "objects/model/type_priv.h"
#include "objects/number/number.h"
#include "objects/text/str.h"

typedef struct Overflow {
    int64_t capacity;  /* [const] */
    Field slots[];     /* [lock], read without */
} Overflow;

AttrPart *
attr_part_tail(Object *o, const Type *t)
{
    size_t behind = ((size_t)t->extra->tail_slots + 1) * sizeof(Value);
    return (AttrPart *)(void *)((char *)o + object_cell_size(o) - behind);
}

static inline Overflow *
overflow_of(const AttrPart *part)
{
    uintptr_t extra = load_acquire(&part->extra); /* pairs with the stores under the lock */
    return (extra & 1) ? (Overflow *)(extra - 1) : NULL;
}

/* Where slot i is; NULL if the overflow array is not there (any more). */
static inline Field *
slot_of(AttrPart *part, const Shape *s, uint32_t i)
{
    if (LIKELY(i < s->inline_capacity))
        return &part->slots[i];
    i -= s->inline_capacity;
    Overflow *over = overflow_of(part);
    return over && (int64_t)i < over->capacity ? &over->slots[i] : NULL;
}

/* The dict of an instance in dictionary mode; a new reference, NULL while it has none. */
static inline Value
part_dict(Thread *th, AttrPart *part)
{
    uintptr_t extra = load_acquire(&part->extra); /* pairs with the stores under the lock */
    return extra ? retain(th, value_from_bits(extra)) : NULL;
}

/* The same, made if there is none; NULL: exception. */
static Value
part_dict_make(Thread *th, Object *o, AttrPart *part)
{
    for (;;) {
        Value d = part_dict(th, part);
        if (LIKELY(d != NULL))
            return d;
        d = dict_new(th);
        if (d == NULL)
            return NULL;
        bool held = object_lock(o);
        bool empty = load_relaxed(&part->extra) == 0;
        if (empty)
            store_release(&part->extra, value_bits(retain(th, d))); /* pairs with part_dict() */
        object_unlock(o, held);
        if (empty)
            return d;
        drop(th, d);
    }
}

/* The dict of an object whose type keeps one of its own: a new reference, NULL if none. */
static Value
own_dict(Thread *th, Object *o, const Type *t)
{
    Value d = NULL;
    if (t->extra->own_dict == OWN_DICT_MODULE)
        d = module_dict(value_of(o));
    else if (t->extra->own_dict == OWN_DICT_TYPE)
        d = field_peek(&((Type *)(void *)o)->dict);
    return retain_null(th, d);
}

bool
instance_has_dict(Value o)
{
    if (!value_is_object(o))
        return false;
    Type *t = type_of(o);
    return t->attrs_offset != 0 || t->extra->own_dict == OWN_DICT_MODULE;
}

Value
instance_get(Thread *th, Value v, Value name)
{
    if (UNLIKELY(!value_is_object(v)))
        return NULL;
    Object *o = value_object(v);
    for (;;) {
        uint32_t number = load_acquire(&o->shape); /* pairs with the stores under the lock */
        const Shape *s = shape_at(number);
        const Type *t = s->type;
        Value found;
        if (UNLIKELY(t->attrs_offset == 0)) {
            Value d = own_dict(th, o, t);
            if (d == NULL)
                return NULL;
            (void)dict_get_name(th, d, name, &found);
            drop(th, d);
            return found;
        }
        object_touch(th, o);
        AttrPart *part = attr_part(o, t);
        if (s->dict_mode) {
            uintptr_t extra = load_acquire(&part->extra); /* pairs with the stores under the lock */
            if (extra == 0)
                return NULL;
            Value d = value_from_bits(extra);
            object_touch(th, value_object(d));
            found = dict_peek_str(d, name); /* no safepoint: neither needs to be kept */
            if (LIKELY(found != NULL))
                return retain(th, found);
            retain(th, d);
            (void)dict_get_name(th, d, name, &found);
            drop(th, d);
            return found;
        }
        int i = shape_find(s, name);
        if (i < 0)
            return NULL;
        Field *f = slot_of(part, s, (uint32_t)i);
        if (LIKELY(f != NULL)) {
            found = load_acquire(f); /* pairs with instance_set() */
            if (LIKELY(found != NULL))
                return retain(th, found);
        }
        if (load_acquire(&o->shape) == number)
            return NULL;
    }
}

/* Moves an instance to dictionary mode.  False: exception. */
static bool
to_dict_mode(Thread *th, Object *o)
{
    object_touch(th, o);
    for (;;) {
        uint32_t number = load_acquire(&o->shape);
        const Shape *s = shape_at(number);
        Type *t = s->type;
        if (s->dict_mode)
            return true;
        Shape *target = shape_dict_mode(th, t);
        if (target == NULL)
            return false;
        AttrPart *part = attr_part(o, t);
        Value d = dict_new_sized(th, s->count);
        if (d == NULL)
            return false;
        Value seen[SHAPE_NAMES_MAX];
        bool ok = true;
        for (uint32_t i = 0; i < s->count; i++) {
            Field *f = slot_of(part, s, i);
            Value v = f ? load_acquire(f) : NULL;
            seen[i] = retain_null(th, v);
            if (v && ok && !dict_set(th, d, s->keys->names[i], v))
                ok = false;
        }
        bool done = false, shared = false;
        Overflow *over = NULL;
        if (ok) {
            bool held = object_lock(o);
            done = load_relaxed(&o->shape) == number;
            for (uint32_t i = 0; i < s->count && done; i++) {
                Field *f = slot_of(part, s, i);
                done = (f ? load_relaxed(f) : NULL) == seen[i];
            }
            if (done) {
                over = overflow_of(part);
                store_release(&part->extra, value_bits(d)); /* pairs with part_dict() */
                store_release(&o->shape, target->number);
                for (uint32_t i = 0; i < s->inline_capacity; i++)
                    store_relaxed(&part->slots[i], (Value)NULL);
                shared = (object_bits(o) & BIT_SHARED) != 0;
            }
            object_unlock(o, held);
        }
        for (uint32_t i = 0; i < s->count; i++) {
            if (seen[i] == NULL)
                continue;
            if (done) /* the slot's own reference */
                drop_from(th, shared, seen[i]);
            drop(th, seen[i]);
        }
        if (done) {
            if (over)
                retire_buffer(th, over, sizeof *over + (size_t)over->capacity * sizeof(Field));
            return true;
        }
        drop(th, d);
        if (!ok)
            return false;
    }
}

/* A bigger overflow array in place of the present one.  False: exception. */
static bool
grow_overflow(Thread *th, Object *o, AttrPart *part, uint32_t number, uint32_t need)
{
    int64_t capacity = 4;
    while (capacity < (int64_t)need)
        capacity *= 2;
    size_t bytes = sizeof(Overflow) + (size_t)capacity * sizeof(Field);
    Overflow *fresh = buffer_new_zeroed(th, bytes);
    if (fresh == NULL)
        return false;
    fresh->capacity = capacity;
    Overflow *old = NULL;
    bool used = false;
    bool held = object_lock(o);
    if (load_relaxed(&o->shape) == number) {
        old = overflow_of(part);
        if (old == NULL || old->capacity < capacity) {
            for (int64_t i = 0; old && i < old->capacity; i++)
                plain_store(&fresh->slots[i], load_relaxed(&old->slots[i])); /* unpublished */
            store_release(&part->extra, (uintptr_t)fresh + 1); /* pairs with overflow_of() */
            used = true;
        }
    }
    object_unlock(o, held);
    if (!used)
        buffer_free(fresh);
    else if (old)
        retire_buffer(th, old, sizeof *old + (size_t)old->capacity * sizeof(Field));
    return true;
}

/* Whether a slot of the instance behind slot i is in use. */
static bool
has_later(AttrPart *part, const Shape *s, uint32_t i)
{
    for (i++; i < s->count; i++) {
        Field *f = slot_of(part, s, i);
        if (f && load_relaxed(f))
            return true;
    }
    return false;
}

bool
instance_set(Thread *th, Value self, Value name, Value v)
{
    Object *o = value_object(self);
    for (;;) {
        uint32_t number = load_acquire(&o->shape);
        Shape *s = shape_at(number);
        Type *t = s->type;
        if (UNLIKELY(t->attrs_offset == 0)) {
            Value d = own_dict(th, o, t);
            if (d == NULL) {
                raise_attribute_error(th, self, name);
                return false;
            }
            bool ok = dict_set(th, d, name, v);
            drop(th, d);
            return ok;
        }
        object_touch(th, o);
        AttrPart *part = attr_part(o, t);
        if (s->dict_mode) {
            Value d = part_dict_make(th, o, part);
            bool ok = d != NULL && dict_set(th, d, name, v);
            drop_null(th, d);
            return ok;
        }
        int at = shape_find(s, name);
        Shape *next = s;
        if (at < 0) {
            at = (int)s->count;
            next = shape_child(th, s, name);
            if (next == NULL) {
                if (!to_dict_mode(th, o))
                    return false;
                continue;
            }
        }
        if ((uint32_t)at >= s->inline_capacity) {
            if ((uint32_t)at == s->inline_capacity)
                shape_outgrown(th, s);
            if (slot_of(part, s, (uint32_t)at) == NULL) {
                if (!grow_overflow(th, o, part, number, (uint32_t)at - s->inline_capacity + 1))
                    return false;
                if (slot_of(part, s, (uint32_t)at) == NULL)
                    continue;
            }
        }
        bool held = object_lock(o);
        Field *f = NULL;
        if (load_relaxed(&o->shape) == number)
            f = slot_of(part, s, (uint32_t)at);
        if (f == NULL) {
            object_unlock(o, held);
            continue;
        }
        Value old = load_relaxed(f);
        if (old == NULL && next == s && has_later(part, s, (uint32_t)at)) {
            /* Deleted and set again: its place in the order is the last one now. */
            object_unlock(o, held);
            if (!to_dict_mode(th, o))
                return false;
            continue;
        }
        store_release(f, retain(th, v)); /* pairs with instance_get() */
        if (next != s)
            store_release(&o->shape, next->number); /* pairs with instance_get() */
        bool shared = (object_bits(o) & BIT_SHARED) != 0;
        object_unlock(o, held);
        drop_from(th, shared, old);
        return true;
    }
}

Answer
instance_delete(Thread *th, Value self, Value name)
{
    Object *o = value_object(self);
    for (;;) {
        uint32_t number = load_acquire(&o->shape);
        const Shape *s = shape_at(number);
        const Type *t = s->type;
        if (UNLIKELY(t->attrs_offset == 0)) {
            Value d = own_dict(th, o, t);
            if (d == NULL)
                return NO;
            Answer a = dict_delete(th, d, name);
            drop(th, d);
            return a;
        }
        object_touch(th, o);
        AttrPart *part = attr_part(o, t);
        if (s->dict_mode) {
            Value d = part_dict(th, part);
            if (d == NULL)
                return NO;
            Answer a = dict_delete(th, d, name);
            drop(th, d);
            return a;
        }
        int i = shape_find(s, name);
        if (i < 0)
            return NO;
        bool held = object_lock(o);
        if (load_relaxed(&o->shape) != number) {
            object_unlock(o, held);
            continue;
        }
        Field *f = slot_of(part, s, (uint32_t)i);
        Value old = f ? load_relaxed(f) : NULL;
        if (old)
            store_release(f, (Value)NULL); /* pairs with instance_get() */
        bool shared = (object_bits(o) & BIT_SHARED) != 0;
        object_unlock(o, held);
        drop_from(th, shared, old);
        return old ? YES : NO;
    }
}

Value
instance_dict(Thread *th, Value v)
{
    if (!instance_has_dict(v))
        return raise_attribute_error(th, v, NAME(__dict__));
    Object *o = value_object(v);
    Type *t = type_of(v);
    if (t->attrs_offset == 0)
        return own_dict(th, o, t);
    if (!to_dict_mode(th, o))
        return NULL;
    return part_dict_make(th, o, attr_part(o, type_of(v)));
}

Value
instance_dict_copy(Thread *th, Value v, bool *has_none)
{
    *has_none = !instance_has_dict(v);
    if (*has_none)
        return NULL;
    Object *o = value_object(v);
    object_touch(th, o);
    for (;;) {
        uint32_t number = load_acquire(&o->shape);
        const Shape *s = shape_at(number);
        const Type *t = s->type;
        if (s->dict_mode || t->attrs_offset == 0) {
            Value d = instance_dict(th, v);
            if (d == NULL)
                return NULL;
            Value copy = dict_copy(th, d);
            drop(th, d);
            return copy;
        }
        AttrPart *part = attr_part(o, t);
        Value copy = dict_new_sized(th, s->count);
        for (uint32_t i = 0; copy && i < s->count; i++) {
            Field *f = slot_of(part, s, i);
            Value item = f ? load_acquire(f) : NULL;
            if (item && !dict_set(th, copy, s->keys->names[i], item))
                DROP_CLEAR(th, copy);
        }
        if (copy == NULL || !shape_at(load_acquire(&o->shape))->dict_mode)
            return copy;
        drop(th, copy);
    }
}

bool
instance_set_dict(Thread *th, Value self, Value dict)
{
    if (dict != NULL && !is_dict(dict)) {
        raise_type_error(th, "__dict__ must be set to a dictionary, not a '%T'", dict);
        return false;
    }
    if (!instance_has_dict(self) || type_of(self)->attrs_offset == 0) {
        raise_attribute_error(th, self, NAME(__dict__));
        return false;
    }
    Value fresh = dict ? retain(th, dict) : dict_new(th);
    Object *o = value_object(self);
    if (fresh == NULL || !to_dict_mode(th, o)) {
        drop_null(th, fresh);
        return false;
    }
    bool held = object_lock(o);
    AttrPart *part = attr_part(o, type_of(self));
    Value old = value_from_bits(load_relaxed(&part->extra));
    store_release(&part->extra, value_bits(fresh)); /* pairs with part_dict() */
    bool shared = (object_bits(o) & BIT_SHARED) != 0;
    object_unlock(o, held);
    if (old)
        drop_from(th, shared, old);
    return true;
}

bool
instance_rebase(Thread *th, Object *o, Type *to)
{
    object_touch(th, o);
    for (;;) {
        uint32_t number = load_acquire(&o->shape);
        const Shape *s = shape_at(number);
        Shape *target;
        if (s->dict_mode) {
            target = shape_dict_mode(th, to);
        } else {
            target = shape_root_for(th, to, s->inline_capacity);
            if (target == NULL) {
                if (!to_dict_mode(th, o))
                    return false;
                continue;
            }
            for (uint32_t i = 0; target && i < s->count; i++) {
                Shape *child = shape_child(th, target, s->keys->names[i]);
                if (child == NULL) { /* too many: through dictionary mode */
                    if (!to_dict_mode(th, o))
                        return false;
                    break;
                }
                target = child;
            }
            if (target && target->count != s->count)
                continue;
        }
        if (target == NULL)
            return false;
        bool held = object_lock(o);
        bool same = load_relaxed(&o->shape) == number;
        if (same)
            store_release(&o->shape, target->number);
        object_unlock(o, held);
        if (same)
            return true;
    }
}

/* -- memory -- */

static inline Field *
tail_slots(Object *o, uint32_t count)
{
    return (Field *)(void *)((char *)o + object_cell_size(o)) - count;
}

void
instance_visit(Object *o, VisitFn visit, void *arg)
{
    const Shape *s = shape_at(object_shape(o));
    Type *t = s->type;
    const TypeExtra *x = t->extra;
    if (x->native_visit)
        x->native_visit(o, visit, arg);
    if (x->tail) {
        Field *f = tail_slots(o, x->tail_slots);
        for (uint32_t i = 0; i < x->tail_slots; i++)
            field_visit(&f[i], visit, arg);
    } else {
        for (uint32_t at = x->slots_start; at < t->basic_size; at += sizeof(Field))
            field_visit((Field *)(void *)((char *)o + at), visit, arg);
    }
    if (t->attrs_offset == 0)
        return;
    AttrPart *part = attr_part(o, t);
    for (uint32_t i = 0; i < s->inline_capacity; i++)
        field_visit(&part->slots[i], visit, arg);
    uintptr_t extra = plain_load(&part->extra); /* stopped or dying */
    if (extra & 1) {
        Overflow *over = (Overflow *)(extra - 1);
        for (int64_t i = 0; i < over->capacity; i++)
            field_visit(&over->slots[i], visit, arg);
    } else if (extra) {
        visit(value_from_bits(extra), arg);
    }
}

void
instance_clear(Thread *th, Object *o)
{
    const Shape *s = shape_at(object_shape(o));
    Type *t = s->type;
    const TypeExtra *x = t->extra;
    if (x->tail) {
        Field *f = tail_slots(o, x->tail_slots);
        for (uint32_t i = 0; i < x->tail_slots; i++)
            field_replace(th, o, &f[i], NULL);
    } else {
        for (uint32_t at = x->slots_start; at < t->basic_size; at += sizeof(Field))
            field_replace(th, o, (Field *)(void *)((char *)o + at), NULL);
    }
    if (t->attrs_offset != 0 && s->dict_mode) { /* the dict may be the object itself */
        AttrPart *part = attr_part(o, t);
        bool held = object_touch_lock(th, o);
        Value d = value_from_bits(load_relaxed(&part->extra));
        store_release(&part->extra, 0); /* pairs with part_dict() */
        bool shared = (object_bits(o) & BIT_SHARED) != 0;
        object_unlock(o, held);
        drop_from(th, shared, d);
    } else if (t->attrs_offset != 0) {
        AttrPart *part = attr_part(o, t);
        for (uint32_t i = 0; i < s->count; i++) {
            Field *f = slot_of(part, s, i);
            if (f)
                field_replace(th, o, f, NULL);
        }
    }
    if (x->native_clear)
        x->native_clear(th, o);
}

void
instance_dealloc(Thread *th, Object *o)
{
    const Shape *s = shape_at(object_shape(o));
    Type *t = s->type;
    const TypeExtra *x = t->extra;
    if (x->tail) {
        Field *f = tail_slots(o, x->tail_slots);
        for (uint32_t i = 0; i < x->tail_slots; i++)
            field_drop(th, &f[i]);
    } else {
        for (uint32_t at = x->slots_start; at < t->basic_size; at += sizeof(Field))
            field_drop(th, (Field *)(void *)((char *)o + at));
    }
    if (t->attrs_offset != 0) {
        AttrPart *part = attr_part(o, t);
        for (uint32_t i = 0; i < s->inline_capacity; i++)
            field_drop(th, &part->slots[i]);
        uintptr_t extra = plain_load(&part->extra); /* dying */
        plain_store(&part->extra, 0);
        if (extra & 1) {
            Overflow *over = (Overflow *)(extra - 1);
            for (int64_t i = 0; i < over->capacity; i++)
                field_drop(th, &over->slots[i]);
            buffer_free(over);
        } else if (extra) {
            drop(th, value_from_bits(extra));
        }
    }
    if (x->native_dealloc)
        x->native_dealloc(th, o);
}

Value
type_alloc(Thread *th, Type *type, size_t items)
{
    uint32_t root = __atomic_load_n(&type->root_shape, __ATOMIC_ACQUIRE);
    TypeExtra *x = type->extra;
    bool tracked = (ops_flags_of(&type->ops) & OPS_TRACKED) != 0;
    if (LIKELY(!x->tail)) {
        size_t size = type->basic_size;
        if (type->attrs_offset != 0)
            size += sizeof(AttrPart) + shape_at(root)->inline_capacity * sizeof(Field);
        else if (type->item_size != 0)
            size += items * type->item_size;
        return value_of(object_new_kind(th, root, size, tracked));
    }
    size_t item_size = type->item_size ? type->item_size : 1;
    if (items > (SIZE_MAX / 4) / item_size)
        return raise_memory(th);
    size_t words = x->tail_slots + (type->attrs_offset ? 1 : 0);
    size_t size = (type->basic_size + items * item_size + 7) & ~(size_t)7;
    Object *o = object_new_kind(th, root, size + words * sizeof(Value), tracked);
    if (o != NULL && words != 0) {
        char *tail = (char *)o + object_cell_size(o) - words * sizeof(Value);
        memory_allow(tail, words * sizeof(Value)); /* perhaps in the cell's slack */
        memset(tail, 0, words * sizeof(Value));
    }
    return value_of(o);
}

/* -- the descriptors __dict__ and __weakref__ of classes -- */

static Value
get_dict(Thread *th, Value self, void *closure)
{
    (void)closure;
    if (is_type(self))
        return type_dict_proxy(th, as_type(self));
    return instance_dict(th, self);
}

static bool
set_dict(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    Type *t = type_of(self);
    if (t->extra->own_dict) {
        raise_type_error(th, "this __dict__ descriptor does not support '%T' objects", self);
        return false;
    }
    while (t->spec == NULL)
        t = type_base(t);
    if (value == NULL && t->attrs_offset != 0) { /* the C type's own does not allow it */
        raise_type_error(th, "cannot delete __dict__");
        return false;
    }
    return instance_set_dict(th, self, value);
}

static void
first_weakref(Thread *th, WeakCell *cell, void *arg)
{
    Value *out = arg;
    if (*out == NULL && object_try_retain(th, &cell->head))
        *out = value_of(cell);
}

static Value
get_weakref(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value found = NULL;
    if (value_is_object(self))
        weak_cells_of(value_object(self), first_weakref, th, &found);
    return found ? found : retain(th, NONE);
}

const GetterDef instance_dict_getter = {
    .name = "__dict__", .get = get_dict, .set = set_dict,
    .doc = "dictionary for instance variables"};
const GetterDef instance_weakref_getter = {
    .name = "__weakref__", .get = get_weakref,
    .doc = "list of weak references to the object"};
