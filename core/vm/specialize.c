/* specialize.c -- replacing an instruction by a faster sibling, while others may be running it.
 *
 * Rules C2-C4: the cache word is stored whole, before the opcode; a reader that meets a word of
 * another family takes the general way.  A filler reads the guard first, looks up, and stores
 * only if the guard is still valid then.  Called in a generic instruction with its operands in
 * registers; runs no Python code: where only a key's __eq__ could tell what a name is, the
 * instruction stays as it is.
 */
#include "core/vm/internal.h"

#include "objects/container/dict_priv.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/shape.h"
#include "objects/model/type_priv.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "threads/interp.h"

#include <stdlib.h>
#include <string.h>

static void
install(Instr *pc, CacheWord *way, uint8_t op, unsigned family, uint32_t guard, uint32_t payload)
{
    if (way != NULL) {
        __atomic_store_n(way, cache_word(guard, family, payload), __ATOMIC_RELEASE);
        return;
    }
    cache_store(pc, cache_word(guard, family, payload));
    instr_set_op(pc, op);
}

uint32_t
member_offset(Value d, const Type *t)
{
    if (!is_exact(d, SHAPE_MEMBER_DESCR))
        return 0;
    const MemberDescr *m = (MemberDescr *)(void *)value_object(d);
    if (m->def->kind != MEMBER_VALUE || m->def->offset > CACHE_PAYLOAD_MAX ||
        m->def->offset < sizeof(struct Object) || !type_is_subtype((Type *)(uintptr_t)t, m->type) ||
        t->attrs_offset == ATTRS_TAIL)
        return 0;
    return (uint32_t)m->def->offset;
}

bool
member_writable(Value d)
{
    return !((MemberDescr *)(void *)value_object(d))->def->readonly;
}

Value
property_function(Thread *th, Value d)
{
    if (!is_exact(d, SHAPE_PROPERTY))
        return NULL;
    Property *p = (Property *)(void *)value_object(d);
    Value get = field_read(th, &p->head, &p->get);
    if (get != NULL && !is_function(get))
        DROP_CLEAR(th, get);
    return get;
}

/* Where staticmethod and classmethod keep what they wrap. */
static size_t
wrapper_offset(void)
{
    const MemberDef *m = staticmethod_spec.members;
    while (m != NULL && m->name != NULL && strcmp(m->name, "__func__") != 0)
        m++;
    return m != NULL && m->name != NULL ? m->offset : 0;
}

Value
wrapper_function(Thread *th, Value w)
{
    size_t offset = wrapper_offset();
    if (offset == 0)
        return NULL;
    Object *o = value_object(w);
    Value f = reg_from_field(th, o, (Field *)(void *)((char *)o + offset));
    if (f != NULL && !reg_is_function(f)) {
        reg_drop(th, f);
        return NULL;
    }
    return f;
}

/* Whether instances of shape `number` surely have no attribute `name` of their own. */
static bool
shape_lacks(uint32_t number, Value name)
{
    const Shape *s = shape_at(number);
    if (s == NULL || s->dict_mode || s->type->extra->own_dict != OWN_DICT_NONE)
        return false;
    return s->type->attrs_offset == 0 || shape_find(s, name) < 0;
}

static bool
has_get(Value v)
{
    return SLOT(type_of(v), descr_get) != NULL;
}

static bool
has_set(Value v)
{
    return SLOT(type_of(v), descr_set) != NULL;
}

/* Puts `v`, an attribute found on the type under `guard`, into the instruction. */
static bool
install_value(Thread *th, Instr *pc, CacheWord *way, uint8_t op, unsigned family, uint32_t guard, Value name,
              Value v)
{
    uint32_t index = attr_cache_index(th, guard, name, v);
    if (index == 0 || index > CACHE_PAYLOAD_MAX)
        return false;
    install(pc, way, op, family, guard, index);
    return true;
}

/* Attribute `name` of a type object as Cls.name gives it, if that needs no code: new or NULL.
 * `wrappers`: a staticmethod or classmethod of a Python function will do as it is. */
static Value
type_plain_attr(Thread *th, Value type, Value name, bool wrappers)
{
    Type *meta = type_of(type);
    if (SLOT(meta, getattr) != type_get_attr)
        return NULL;
    Value m, v;
    if (!type_lookup_quiet(th, meta, name, &m))
        return NULL;
    if (m != NULL) {
        bool data = has_set(m);
        drop(th, m);
        if (data)
            return NULL;
    }
    if (!type_lookup_quiet(th, as_type(type), name, &v) || v == NULL)
        return NULL;
    if (is_function(v) || !has_get(v) || (wrappers && is_wrapper(v)))
        return v;
    drop(th, v);
    return NULL;
}

static bool
load_module_attr(Thread *th, Instr *pc, Value o, Value name, uint8_t op, unsigned family)
{
    if (SLOT(type_of(o), getattr) != SLOT(&module_type, getattr) || !is_exact(o, SHAPE_MODULE))
        return false;
    Value t;
    if (!type_lookup_quiet(th, &module_type, name, &t) || t != NULL) { /* __dict__ and the like */
        drop_null(th, t);
        return false;
    }
    uint32_t guard;
    int64_t i = dict_entry_index(th, module_dict(o), name, &guard);
    if (i < 0 || guard == 0 || i > (int64_t)CACHE_PAYLOAD_MAX)
        return false;
    install(pc, NULL, op, family, guard, (uint32_t)i);
    return true;
}

static bool
load_type_attr(Thread *th, Instr *pc, Value o, Value name, uint8_t op, unsigned family)
{
    uint32_t guard = type_guard(th, as_type(o));
    Value v = type_plain_attr(th, o, name, op == OP_LOAD_METHOD_TYPE);
    if (v == NULL)
        return false;
    bool done = guard != 0 && load_acquire(&as_type(o)->version) == guard &&
                install_value(th, pc, NULL, op, family, guard, name, v);
    drop(th, v);
    return done;
}

void
specialize_load_attr(Thread *th, Instr *pc, Value o, Value name, CacheWord *way)
{
    bool done = false;
    uint32_t shape = shape_of(o);
    Type *t = type_at(shape);
    if (way != NULL && (shape == SHAPE_MODULE || is_type(o))) {
        /* their guards are no shapes' */
    } else if (shape == SHAPE_MODULE) {
        done = load_module_attr(th, pc, o, name, OP_LOAD_ATTR_MODULE, FAMILY_LOAD_ATTR_MODULE);
    } else if (is_type(o)) {
        done = load_type_attr(th, pc, o, name, OP_LOAD_ATTR_TYPE, FAMILY_LOAD_ATTR_TYPE);
    } else if (SLOT(t, getattr) == generic_get_attr) {
        uint32_t guard = shape_guard(th, shape);
        Value d = NULL;
        if (guard == 0 || !type_lookup_quiet(th, t, name, &d)) {
            /* not to be cached */
        } else if (d == NULL || !has_set(d)) {
            uint32_t offset = shape_slot_offset(shape, name);
            if (offset != 0) {
                if (load_acquire(&shape_version[shape]) == guard) {
                    install(pc, way, OP_LOAD_ATTR_SLOT, FAMILY_LOAD_ATTR_SLOT, guard, offset);
                    done = true;
                }
            } else if (d != NULL && !has_get(d) && shape_lacks(shape, name)) {
                done = load_acquire(&shape_version[shape]) == guard &&
                       install_value(th, pc, way, OP_LOAD_ATTR_CLASS, FAMILY_LOAD_ATTR_CLASS, guard,
                                     name, d);
            }
        } else {
            uint32_t offset = member_offset(d, t);
            Value getter = property_function(th, d);
            if (load_acquire(&shape_version[shape]) != guard) {
                /* changed meanwhile */
            } else if (offset != 0) {
                install(pc, way, OP_LOAD_ATTR_MEMBER, FAMILY_LOAD_ATTR_MEMBER, guard, offset);
                done = true;
            } else if (getter != NULL) {
                done = install_value(th, pc, way, OP_LOAD_ATTR_PROPERTY, FAMILY_LOAD_ATTR_PROPERTY,
                                     guard, name, d);
            }
            drop_null(th, getter);
        }
        drop_null(th, d);
    }
    if (!done && way == NULL)
        cache_back_off(pc, OP_LOAD_ATTR);
}

void
specialize_store_attr(Thread *th, Instr *pc, Value o, Value name, CacheWord *way)
{
    bool done = false;
    uint32_t shape = shape_of(o);
    Type *t = type_at(shape);
    if (value_is_object(o) && SLOT(t, setattr) == generic_set_attr) {
        uint32_t guard = shape_guard(th, shape);
        Value d = NULL;
        uint32_t offset;
        if (guard == 0 || !type_lookup_quiet(th, t, name, &d)) {
            /* not to be cached */
        } else if (d == NULL || !has_set(d)) {
            if ((offset = shape_slot_offset(shape, name)) != 0) {
                if (load_acquire(&shape_version[shape]) == guard) {
                    install(pc, way, OP_STORE_ATTR_SLOT, FAMILY_STORE_ATTR_SLOT, guard, offset);
                    done = true;
                }
            } else {
                uint32_t next = shape_transition(th, shape, name, &offset);
                if (next != 0 && next < SHAPE_MAX && offset < 256 * 8 &&
                    load_acquire(&shape_version[shape]) == guard) {
                    install(pc, way, OP_STORE_ATTR_ADD, FAMILY_STORE_ATTR_ADD, guard,
                            next | (offset / 8) << 20);
                    done = true;
                }
            }
        } else if ((offset = member_offset(d, t)) != 0 && member_writable(d) &&
                   load_acquire(&shape_version[shape]) == guard) {
            install(pc, way, OP_STORE_ATTR_MEMBER, FAMILY_STORE_ATTR_MEMBER, guard, offset);
            done = true;
        }
        drop_null(th, d);
    }
    if (!done && way == NULL)
        cache_back_off(pc, OP_STORE_ATTR);
}

void
specialize_load_method(Thread *th, Instr *pc, Value o, Value name, CacheWord *way)
{
    bool done = false;
    uint32_t shape = shape_of(o);
    Type *t = type_at(shape);
    if (way != NULL && (shape == SHAPE_MODULE || is_type(o))) {
        /* their guards are no shapes' */
    } else if (shape == SHAPE_MODULE) {
        done = load_module_attr(th, pc, o, name, OP_LOAD_METHOD_MODULE,
                                FAMILY_LOAD_METHOD_MODULE);
    } else if (is_type(o)) {
        done = load_type_attr(th, pc, o, name, OP_LOAD_METHOD_TYPE, FAMILY_LOAD_METHOD_TYPE);
    } else if (SLOT(t, getattr) == generic_get_attr) {
        uint32_t guard = shape_guard(th, shape);
        Value d = NULL;
        if (guard != 0 && type_lookup_quiet(th, t, name, &d) && d != NULL &&
            shape_lacks(shape, name) && load_acquire(&shape_version[shape]) == guard) {
            if (value_has_flag(d, TYPE_METHOD_DESCR))
                done = install_value(th, pc, way, OP_LOAD_METHOD_CLASS, FAMILY_LOAD_METHOD_CLASS,
                                     guard, name, d);
            else if (!has_get(d) || is_wrapper(d))
                done = install_value(th, pc, way, OP_LOAD_METHOD_PLAIN, FAMILY_LOAD_METHOD_PLAIN,
                                     guard, name, d);
        }
        drop_null(th, d);
    }
    if (!done && way == NULL)
        cache_back_off(pc, OP_LOAD_METHOD);
}

/* Where a global name is: family 1 or 2, 0 if it cannot be cached. */
static unsigned
find_global(Thread *th, Frame *f, Value name, uint32_t *guard, uint32_t *payload)
{
    Function *fn = frame_function(f);
    Value globals = function_globals(fn), builtins = function_builtins(fn);
    if (!is_exact(globals, SHAPE_DICT) || !is_exact(builtins, SHAPE_DICT))
        return 0;
    object_touch(th, value_object(globals));
    int64_t i = dict_entry_index(th, globals, name, guard);
    if (i >= 0 && *guard != 0 && i <= (int64_t)CACHE_PAYLOAD_MAX) {
        *payload = (uint32_t)i;
        return 1;
    }
    if (builtins != th->interp->builtins)
        return 0;
    uint32_t absent = dict_guard(th, globals), unused;
    if (i >= 0 || absent == 0)
        return 0;
    Value own;
    Answer there = dict_get_str_quiet(th, globals, name, &own);
    i = dict_entry_index(th, builtins, name, &unused);
    drop_null(th, own);
    if (there != NO || i < 0 || i > (int64_t)CACHE_PAYLOAD_MAX)
        return 0;
    /* Builtins hardly ever change: as a shared dict they are read without counting. */
    object_share(value_object(builtins));
    *guard = absent;
    *payload = (uint32_t)i;
    return 2;
}

void
specialize_load_global(Thread *th, Instr *pc, Frame *f, Value name, CacheWord *way)
{
    uint32_t guard, payload;
    unsigned family = find_global(th, f, name, &guard, &payload);
    if (family == 0) {
        if (way == NULL)
            cache_back_off(pc, OP_LOAD_GLOBAL);
        return;
    }
    /* Functions of one code object that run in several modules would take the word from each other,
     * and threads the line it lies in. */
    const void *globals = value_object(function_globals(frame_function(f))), *seen = NULL;
    if (way == NULL && !cas_relaxed(&f->code->globals_seen, &seen, globals) && seen != globals)
        poly_begin(f->code, pc, OP_LOAD_GLOBAL_POLY, FAMILY_LOAD_GLOBAL_POLY, OP_LOAD_GLOBAL);
    else
        install(pc, way, family == 1 ? OP_LOAD_GLOBAL_MODULE : OP_LOAD_GLOBAL_BUILTIN, family, guard,
                payload);
}

void
specialize_load_name(Thread *th, Instr *pc, Frame *f, Value name)
{
    uint32_t guard, payload;
    unsigned family = 0;
    if (f->locals == function_globals(frame_function(f)))
        family = find_global(th, f, name, &guard, &payload);
    if (family == 0)
        cache_back_off(pc, OP_LOAD_NAME);
    else
        install(pc, NULL, family == 1 ? OP_LOAD_NAME_MODULE : OP_LOAD_NAME_BUILTIN, family, guard,
                payload);
}

static void
store_module(Thread *th, Instr *pc, Frame *f, Value name, uint8_t op, uint8_t generic)
{
    Value globals = function_globals(frame_function(f));
    int64_t i = -1;
    uint32_t guard = 0;
    if (is_exact(globals, SHAPE_DICT) && (generic == OP_STORE_GLOBAL || f->locals == globals)) {
        object_touch(th, value_object(globals));
        i = dict_entry_index(th, globals, name, &guard);
    }
    if (i < 0 || guard == 0 || i > (int64_t)CACHE_PAYLOAD_MAX)
        cache_back_off(pc, generic); /* the first store makes the entry */
    else
        install(pc, NULL, op, FAMILY_STORE_GLOBAL_MODULE, guard, (uint32_t)i);
}

void
specialize_store_global(Thread *th, Instr *pc, Frame *f, Value name)
{
    store_module(th, pc, f, name, OP_STORE_GLOBAL_MODULE, OP_STORE_GLOBAL);
}

void
specialize_store_name(Thread *th, Instr *pc, Frame *f, Value name)
{
    _Static_assert((int)FAMILY_STORE_NAME_MODULE == (int)FAMILY_STORE_GLOBAL_MODULE, "one body for both");
    store_module(th, pc, f, name, OP_STORE_NAME_MODULE, OP_STORE_NAME);
}

/* A class whose instances are made by object.__new__ and a Python __init__. */
void
specialize_call(Thread *th, Instr *pc, Value callee, uint8_t op)
{
    bool done = false;
    if (SLOT(type_of(callee), call) == type_call) {
        Type *t = as_type(callee);
        uint32_t root = __atomic_load_n(&t->root_shape, __ATOMIC_ACQUIRE);
        uint32_t guard = root ? shape_guard(th, root) : 0;
        if (guard != 0 && SLOT(t, init) == slot_init && SLOT(t, new) == object_new_instance &&
            (type_flags(t) & (TYPE_ABSTRACT | TYPE_HEAP)) == TYPE_HEAP && t->item_size == 0) {
            Value init;
            if (type_lookup_quiet(th, t, NAME(__init__), &init) && init != NULL &&
                is_function(init) && load_acquire(&shape_version[root]) == guard)
                done = install_value(th, pc, NULL,
                                     op == OP_CALL ? OP_CALL_CLASS : OP_CALL_METHOD_CLASS, 1,
                                     guard, NAME(__init__), init);
            drop_null(th, init);
        }
    }
    if (!done)
        cache_back_off(pc, op);
}

/* `with` of an object whose class has both methods as plain ones. */
void
specialize_with(Thread *th, Instr *pc, Value o)
{
    bool async = (pc->flags & FLAG_X) != 0;
    Value methods[2] = {async ? NAME(__aenter__) : NAME(__enter__),
                        async ? NAME(__aexit__) : NAME(__exit__)};
    uint32_t shape = shape_of(o), index[2] = {0, 0};
    uint32_t guard = value_is_object(o) ? shape_guard(th, shape) : 0;
    bool done = guard != 0;
    for (int i = 0; done && i < 2; i++) {
        Value f;
        done = type_lookup_quiet(th, type_at(shape), methods[i], &f) && f != NULL &&
               value_has_flag(f, TYPE_METHOD_DESCR) && load_acquire(&shape_version[shape]) == guard;
        if (done) {
            index[i] = attr_cache_index(th, guard, methods[i], f);
            done = index[i] != 0 && index[i] <= CACHE_PAYLOAD_MAX;
        }
        drop_null(th, f);
    }
    if (!done) {
        cache_back_off(pc, OP_WITH_PREPARE);
        return;
    }
    cache_store(pc + 1, cache_word(guard, FAMILY_WITH_PREPARE_CLASS, index[1]));
    install(pc, NULL, OP_WITH_PREPARE_CLASS, FAMILY_WITH_PREPARE_CLASS, guard, index[0]);
}

/* -- several classes or modules at one instruction -- */

/* The index of the instruction at pc among those that may have ways. */
static uint32_t
poly_number(const Code *c, const Instr *pc, uint32_t *count)
{
    uint32_t n = 0, number = 0;
    for (uint32_t i = 0; i < c->instr_count;) {
        uint8_t op = opcode_generic(instr_op(&c->instrs[i]));
        if (&c->instrs[i] == pc)
            number = n;
        n += op == OP_LOAD_GLOBAL || op == OP_LOAD_ATTR || op == OP_STORE_ATTR || op == OP_LOAD_METHOD;
        i += 1 + (uint32_t)opcode_words(op);
    }
    *count = n;
    return number;
}

void
poly_begin(Code *c, Instr *pc, uint8_t op, unsigned family, uint8_t generic)
{
    uint32_t count, number = poly_number(c, pc, &count);
    PolyTable *t = load_acquire(&c->poly);
    if (t == NULL) {
        PolyTable *made = calloc(1, sizeof *made + (size_t)count * POLY_WAYS * sizeof(CacheWord));
        if (made == NULL) {
            cache_back_off(pc, generic);
            return;
        }
        made->count = count;
        /* release: pairs with poly_find() [code.poly]; acquire: another thread's is used */
        if (cas_acq_rel(&c->poly, &t, made))
            t = made;
        else
            free(made);
    }
    CacheWord w = cache_load(pc);
    CacheWord *ways = t->words + (size_t)number * POLY_WAYS;
    if (w >> 60 != 0 && w >> 60 != family && (uint32_t)w != 0)
        __atomic_store_n(&ways[0], w, __ATOMIC_RELEASE); /* what it knew */
    cache_store(pc, cache_word(0, family, number));
    instr_set_op(pc, op);
}

CacheWord *
poly_victim(Thread *th, Code *c, const Instr *pc, unsigned family)
{
    CacheWord w = cache_load(pc);
    PolyTable *t = load_acquire(&c->poly); /* pairs with poly_begin() [code.poly] */
    if (w >> 60 != family || t == NULL)
        return NULL;
    CacheWord *ways = t->words + (size_t)cache_payload(w) * POLY_WAYS;
    uint32_t n = cache_lot(th) >> 20; /* not a count: the table is what all threads read */
    if ((n & 3) == 0) {
        for (int i = 0; i < POLY_WAYS; i++) {
            if (__atomic_load_n(&ways[i], __ATOMIC_RELAXED) == 0)
                return &ways[i];
        }
    }
    return (n & 31) == 0 ? &ways[(n >> 5) % POLY_WAYS] : NULL;
}
