/* slot_update.c -- which function a class has in each slot.
 *
 * A slot of a class follows from what the MRO has under the slot's dunders.  If all that
 * are found come from types written in C, the slot is the C function of those; so a class
 * that derives from a built-in type and overrides nothing runs at the built-in's speed.
 * Else the slot is the function of type_slots.c that calls the dunders.
 *
 * Locks: updates run one at a time under update_mutex (its holder may come again: keys of
 * odd namespaces run Python code); a slot is stored as one word and read without locks.
 */
#include "objects/model/type_priv.h"

#include <string.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/at_fork.h"
#include "threads/lock_rank.h"

static Mutex update_mutex = MUTEX_INIT(RANK_NONE);
static ATOMIC(Thread *) update_owner; /* who holds update_mutex */

/* In the child of a fork, whose other threads may have been in the middle of a key's Python code. */
static void
reset_in_child(void)
{
    if (load_relaxed(&update_owner) == thread_current)
        return; /* that code has forked */
    store_relaxed(&update_owner, (Thread *)NULL);
    mutex_reset(&update_mutex);
}

static const ForkHooks fork_hooks = {.child = reset_in_child};

bool
slots_init(Thread *th)
{
    static bool registered;
    if (!registered)
        fork_register_hooks(&fork_hooks);
    registered = true;
    for (size_t i = 0; i < slot_def_count; i++) {
        slot_names[i] = str_intern_immortal(th, slot_defs[i].name);
        if (slot_names[i] == NULL)
            return false;
    }
    return true;
}

bool
slot_name_is_dunder(Value name)
{
    const Str *s = as_str(name);
    if (LIKELY(s->length < 6 || str_char(s, 0) != '_' || str_char(s, 1) != '_'))
        return false;
    for (size_t i = 0; i < slot_def_count; i++) {
        if (slot_names[i] == name)
            return true;
    }
    return false;
}

static inline SlotFn
slot_load(Type *t, size_t offset)
{
    return __atomic_load_n(slot_at(t, offset), __ATOMIC_RELAXED);
}

static inline void
slot_store(Type *t, size_t offset, SlotFn fn)
{
    __atomic_store_n(slot_at(t, offset), fn, __ATOMIC_RELAXED);
}

enum Source { SOURCE_NOTHING, SOURCE_C, SOURCE_PYTHON };

/* What `v`, found under a dunder of row `def`, says about the slot; SOURCE_C: *fn. */
static enum Source
slot_source(Type *type, const SlotDef *def, Value v, SlotFn *fn)
{
    Type *owner = NULL;
    if (is_exact(v, SHAPE_WRAPPER_DESCR)) {
        WrapperDescr *w = (WrapperDescr *)(void *)value_object(v);
        if (strcmp(w->def->name, def->name) != 0)
            return SOURCE_PYTHON;
        if (w->def == def && type_is_subtype(type, w->type)) {
            *fn = w->fn;
            return SOURCE_C;
        }
        owner = w->type;
    } else if (is_exact(v, SHAPE_METHOD_DESCR)) {
        MethodDescr *m = (MethodDescr *)(void *)value_object(v);
        if (!(m->def->flags & METHOD_COEXIST) || strcmp(m->def->name, def->name) != 0)
            return SOURCE_PYTHON;
        owner = m->type;
    } else if (is_exact(v, SHAPE_NATIVE_FUNCTION) && def->offset == offsetof(TypeSlots, new)) {
        NativeFunction *f = (NativeFunction *)(void *)value_object(v);
        if (f->def != &type_new_def)
            return SOURCE_PYTHON;
        /* As in CPython the base that decides the layout says how instances are made, also
         * if the class names another type's __new__. */
        *fn = type->spec && type->spec->slots.new ? (SlotFn)type->spec->slots.new
                                                  : slot_load(type_base(type), def->offset);
        return SOURCE_C;
    } else if (v == NONE && def->offset == offsetof(TypeSlots, hash)) {
        *fn = (SlotFn)hash_unhashable;
        return SOURCE_C;
    }
    if (owner == NULL || !type_is_subtype(type, owner))
        return SOURCE_PYTHON;
    *fn = slot_load(owner, def->offset);
    return *fn ? SOURCE_C : SOURCE_NOTHING;
}

static void
update_finalizer(Thread *th, Type *type)
{
    Value v = type_lookup(th, type, NAME(__del__));
    void (*fn)(Thread *th, Object *o) = type->extra->native_finalize;
    if (v != NULL && !is_exact(v, SHAPE_WRAPPER_DESCR))
        fn = slot_finalize;
    drop_null(th, v);
    __atomic_store_n(&type->ops.finalize, fn, __ATOMIC_RELEASE);
    uint32_t flags = __atomic_load_n(&type->ops.ops_flags, __ATOMIC_RELAXED);
    flags = fn ? flags | OPS_FINALIZER : flags & ~OPS_FINALIZER;
    flags = fn == slot_finalize ? flags | OPS_DEL : flags & ~OPS_DEL;
    __atomic_store_n(&type->ops.ops_flags, flags, __ATOMIC_RELEASE);
}

/* Decides the slot whose rows begin at `first`; returns the row behind them. */
static size_t
update_slot(Thread *th, Type *type, size_t first)
{
    size_t offset = slot_defs[first].offset;
    size_t end = first;
    while (end < slot_def_count && slot_defs[end].offset == offset)
        end++;
    if (offset == SLOT_FINALIZE) {
        update_finalizer(th, type);
        return end;
    }
    SlotFn specific = NULL, generic = slot_defs[first].generic;
    bool python = false;
    for (size_t i = first; i < end; i++) {
        Value v = type_lookup(th, type, slot_names[i]);
        if (v == NULL)
            continue;
        SlotFn fn = NULL;
        switch (slot_source(type, &slot_defs[i], v, &fn)) {
        case SOURCE_C:
            python = python || (specific != NULL && specific != fn);
            specific = fn;
            break;
        case SOURCE_PYTHON:
            python = true;
            if (slot_defs[i].generic == (SlotFn)slot_getattr_hook)
                generic = slot_defs[i].generic;
            break;
        case SOURCE_NOTHING:
            break;
        }
        drop(th, v);
    }
    slot_store(type, offset, python ? generic : specific);
    return end;
}

/* Slots that no dunder speaks for come from the first type of the MRO that has them. */
static void
update_silent(Thread *th, Type *type)
{
    static const size_t silent[] = {
        offsetof(TypeSlots, send), offsetof(TypeSlots, get_buffer),
        offsetof(TypeSlots, release_buffer),
    };
    Value mro = field_read(th, &type->ops.head, &type->mro);
    for (size_t s = 0; mro && s < ARRAY_LEN(silent); s++) {
        SlotFn fn = type->spec ? *(const SlotFn *)(const void *)((const char *)&type->spec->slots + silent[s])
                               : NULL;
        for (int64_t i = 1; i < tuple_length(mro) && fn == NULL; i++)
            fn = slot_load(as_type(tuple_item(mro, i)), silent[s]);
        slot_store(type, silent[s], fn);
    }
    drop_null(th, mro);
}

static void
update_name(Thread *th, Type *type, Value name)
{
    for (size_t i = 0; i < slot_def_count; i++) {
        if (slot_names[i] != name)
            continue;
        size_t first = i; /* the first row of that slot */
        while (first > 0 && slot_defs[first - 1].offset == slot_defs[i].offset)
            first--;
        update_slot(th, type, first);
    }
}

/* The interned name of the slots that a namespace's key is the name of, or NULL.  Keys need not
 * be interned: names may be put together. */
static Value
slot_name_of(Value key)
{
    if (LIKELY(is_exact(key, SHAPE_STR) && str_is_interned(key)))
        return key;
    if (!is_str(key) || str_length(key) < 6 || str_char(as_str(key), 0) != '_')
        return NULL;
    for (size_t i = 0; i < slot_def_count; i++) {
        if (str_equal(slot_names[i], key))
            return slot_names[i];
    }
    return NULL;
}

/* A class with one base: the base's slots, then those it has dunders for. */
static void
update_from_base(Thread *th, Type *type)
{
    Type *base = type_base(type);
    for (size_t offset = 0; offset < sizeof(TypeSlots); offset += sizeof(SlotFn))
        slot_store(type, offset, slot_load(base, offset));
    update_finalizer(th, type);
    Value d = field_read(th, &type->ops.head, &type->dict);
    Value key, v;
    size_t pos = 0;
    while (d && dict_next(th, d, &pos, &key, &v)) {
        Value name = slot_name_of(key);
        if (name != NULL)
            update_name(th, type, name);
        drop(th, key);
        drop(th, v);
    }
    drop_null(th, d);
}

void
slots_update(Thread *th, Type *type, Value name)
{
    bool again = load_relaxed(&update_owner) == th;
    if (!again) {
        mutex_lock(th, &update_mutex);
        store_relaxed(&update_owner, th);
    }
    if (name != NULL) {
        update_name(th, type, name);
    } else {
        Value bases = field_read(th, &type->ops.head, &type->bases);
        Value mro = field_peek(&type->mro);
        bool plain = bases && tuple_length(bases) == 1 && mro &&
                     type_of(value_of_type(type)) == &type_type &&
                     tuple_item(mro, 0) == value_of_type(type);
        if (plain) {
            update_from_base(th, type);
        } else {
            for (size_t i = 0; i < slot_def_count;)
                i = update_slot(th, type, i);
            update_silent(th, type);
        }
        drop_null(th, bases);
    }
    if (!again) {
        store_relaxed(&update_owner, (Thread *)NULL);
        mutex_unlock(&update_mutex);
    }
}

void
slots_update_tree(Thread *th, Type *type, Value name)
{
    slots_update(th, type, name);
    if (__atomic_load_n(&type->extra->sub_count, __ATOMIC_RELAXED) == 0 || thread_stack_low(th)) /* a hint: read without lock */
        return;
    Value error = th->error;
    th->error = NULL;
    Value subs = type_subclasses_list(th, type);
    for (int64_t i = 0; subs; i++) {
        Value sub = list_get(th, subs, i);
        if (sub == NULL)
            break;
        slots_update_tree(th, as_type(sub), name);
        drop(th, sub);
    }
    drop_null(th, subs);
    if (th->error != NULL)
        error_clear(th);
    th->error = error;
}

/* -- static types -- */

void
slots_inherit(Type *type, const Type *base)
{
    bool own_equality = type->s.compare != NULL || type->s.hash != NULL;
    bool own_new = type->s.new != NULL;
    for (size_t offset = 0; offset < sizeof(TypeSlots); offset += sizeof(SlotFn)) {
        SlotFn *to = slot_at(type, offset);
        const SlotFn *from = (const SlotFn *)(const void *)((const char *)&base->s + offset);
        if (*to == NULL)
            *to = *from;
    }
    if (own_equality && type->spec) {
        /* Equality and hash come from one type. */
        if (type->spec->slots.hash == NULL && type->spec->slots.compare != NULL)
            type->s.hash = hash_unhashable;
    }
    if (!own_new && ((type_flags(type) & TYPE_DISALLOW_NEW) ||
                     (base == &object_type && !(type_flags(type) & TYPE_HEAP))))
        type->s.new = NULL;
}

bool
slots_add_wrappers(Thread *th, Type *type, const TypeSlots *own, Value dict)
{
    for (size_t i = 0; i < slot_def_count; i++) {
        const SlotDef *def = &slot_defs[i];
        if (def->wrap == WRAP_NONE)
            continue;
        SlotFn fn;
        if (def->offset == SLOT_FINALIZE) {
            fn = type->spec && type->spec->finalize ? (SlotFn)slot_finalize : NULL;
        } else {
            fn = *(const SlotFn *)(const void *)((const char *)own + def->offset);
        }
        if (fn == NULL)
            continue;
        Answer there = dict_contains(th, dict, slot_names[i]);
        if (there == FAILED)
            return false;
        if (there == YES)
            continue;
        if (fn == (SlotFn)hash_unhashable) {
            if (!dict_set(th, dict, slot_names[i], NONE))
                return false;
            continue;
        }
        Value w = wrapper_descr_new(th, type, def, fn);
        if (w == NULL || !dict_set_steal(th, dict, retain(th, slot_names[i]), w))
            return false;
    }
    return true;
}
