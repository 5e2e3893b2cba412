/* type_ready.c -- making types that C code declares: static ones, and those of native modules.
 *
 * The built-in types need each other, so types_init() goes twice over shapes.def: first
 * every type gets what C needs (header, shape, slots, sizes, flags); then objects can be
 * made, and each gets its dict, MRO, descriptors and doc.  After that static types never
 * change; what hangs on them is immortal.
 *
 * Runs on one thread at start (types_init) or under the import lock of the module.
 */
#include "objects/model/type_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

_Static_assert(SHAPE_FIXED_END <= SHAPE_DYNAMIC_FIRST, "room for the shapes of shapes.def");

enum { STATIC_TYPES_MAX = 1024 };
static Type *static_types[STATIC_TYPES_MAX + 1];
static size_t static_type_count;
Type **const all_static_types = static_types;

static const char *
short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

const char *
type_name(const Type *type)
{
    return __atomic_load_n(&type->name, __ATOMIC_ACQUIRE);
}

TypeExtra *
type_extra_new(void)
{
    return calloc(1, sizeof(TypeExtra));
}

/* -- flags that follow from which type it is -- */

static uint32_t
known_flags(const Type *t)
{
    static const struct {
        const Type *type;
        uint32_t flags;
    } known[] = {
        {&object_type, TYPE_BASE},
        {&type_type, TYPE_BASE | TYPE_TYPE_SUBCLASS | TYPE_WEAKREFS},
        {&int_type, TYPE_BASE | TYPE_INT_SUBCLASS | TYPE_MATCH_SELF},
        {&bool_type, TYPE_MATCH_SELF},
        {&float_type, TYPE_BASE | TYPE_MATCH_SELF},
        {&complex_type, TYPE_BASE},
        {&str_type, TYPE_BASE | TYPE_STR_SUBCLASS | TYPE_MATCH_SELF},
        {&bytes_type, TYPE_BASE | TYPE_BYTES_SUBCLASS | TYPE_MATCH_SELF},
        {&bytearray_type, TYPE_BASE | TYPE_MATCH_SELF},
        {&tuple_type, TYPE_BASE | TYPE_TUPLE_SUBCLASS | TYPE_MATCH_SELF | TYPE_SEQUENCE},
        {&list_type, TYPE_BASE | TYPE_LIST_SUBCLASS | TYPE_MATCH_SELF | TYPE_SEQUENCE},
        {&dict_type, TYPE_BASE | TYPE_DICT_SUBCLASS | TYPE_MATCH_SELF | TYPE_MAPPING},
        {&set_type, TYPE_BASE | TYPE_MATCH_SELF | TYPE_WEAKREFS},
        {&frozenset_type, TYPE_BASE | TYPE_MATCH_SELF | TYPE_WEAKREFS},
        {&memoryview_type, TYPE_SEQUENCE | TYPE_WEAKREFS},
        {&range_type, TYPE_SEQUENCE},
        {&mappingproxy_type, TYPE_MAPPING},
        {&native_function_type, TYPE_WEAKREFS},
        {&method_descr_type, TYPE_METHOD_DESCR},
        {&wrapper_descr_type, TYPE_METHOD_DESCR},
        {&method_type, TYPE_WEAKREFS},
        {&module_type, TYPE_BASE | TYPE_WEAKREFS},
        {&generic_alias_type, TYPE_BASE | TYPE_WEAKREFS},
        {&exc_BaseException, TYPE_BASE | TYPE_EXCEPTION_SUBCLASS},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].type == t)
            return known[i].flags;
    }
    return 0;
}

/* The same for types that only levels above define. */
static uint32_t
known_flags_by_shape(uint32_t shape)
{
    switch (shape) {
    case SHAPE_FUNCTION: return TYPE_METHOD_DESCR | TYPE_WEAKREFS;
    case SHAPE_CODE:
    case SHAPE_GENERATOR:
    case SHAPE_COROUTINE:
    case SHAPE_ASYNC_GEN: return TYPE_WEAKREFS;
    default: return 0;
    }
}

#define INHERITED_FLAGS                                                        \
    (TYPE_INT_SUBCLASS | TYPE_LIST_SUBCLASS | TYPE_TUPLE_SUBCLASS |            \
     TYPE_BYTES_SUBCLASS | TYPE_STR_SUBCLASS | TYPE_DICT_SUBCLASS |            \
     TYPE_EXCEPTION_SUBCLASS | TYPE_TYPE_SUBCLASS | TYPE_MATCH_SELF | TYPE_WEAKREFS)

void
type_inherit_flags(Type *type)
{
    uint32_t flags = type_flags(type);
    if (type->base)
        flags |= type_flags(type->base) & INHERITED_FLAGS;
    if (!(flags & (TYPE_SEQUENCE | TYPE_MAPPING))) {
        Value mro = field_peek(&type->mro); /* not yet published */
        for (int64_t i = 1; mro && i < tuple_length(mro); i++) {
            uint32_t kind = type_flags(as_type(tuple_item(mro, i))) &
                            (TYPE_SEQUENCE | TYPE_MAPPING);
            if (kind) {
                flags |= kind;
                break;
            }
        }
    }
    if (type->ops.ops_flags & OPS_TRACKED)
        flags |= TYPE_GC;
    store_relaxed(&type->flags, flags);
}

/* -- memory -- */

void
type_set_memory(Type *type, Type *base, const TypeSpec *spec)
{
    TypeExtra *x = type->extra;
    const TypeExtra *bx = base ? base->extra : NULL;
    type->basic_size = base ? base->basic_size : (uint32_t)sizeof(struct Object);
    type->item_size = base ? base->item_size : 0;
    x->own_dict = bx ? bx->own_dict : OWN_DICT_NONE;
    x->tail = bx && bx->tail;
    x->tail_slots = bx ? bx->tail_slots : 0;
    x->slots_start = bx ? bx->slots_start : type->basic_size;
    bool attrs = base && base->attrs_offset != 0;
    if (bx) {
        x->native_visit = bx->native_visit;
        x->native_clear = bx->native_clear;
        x->native_finalize = bx->native_finalize;
        x->native_dealloc = bx->native_dealloc;
        type->ops.ops_flags |=
            ops_flags_of(&base->ops) & (OPS_TRACKED | OPS_FINALIZER | OPS_BORN_SHARED);
    }
    if (spec) {
        type->ops.ops_flags |= spec->ops_flags;
        if (spec->size > type->basic_size) {
            type->basic_size = (uint32_t)spec->size;
            x->slots_start = (type->basic_size + 7) & ~7u;
        }
        if (spec->item_size)
            type->item_size = (uint32_t)spec->item_size;
        if (spec->visit)
            x->native_visit = spec->visit;
        if (spec->clear)
            x->native_clear = spec->clear;
        if (spec->finalize)
            x->native_finalize = spec->finalize;
        if (spec->dealloc)
            x->native_dealloc = spec->dealloc;
        attrs = attrs || spec->has_dict;
        if (type == &module_type)
            x->own_dict = OWN_DICT_MODULE;
        else if (type == &type_type)
            x->own_dict = OWN_DICT_TYPE;
    }
    x->tail = x->tail || type->item_size != 0 || type == &str_type;
    if (attrs) {
        if (!x->tail)
            type->basic_size = (type->basic_size + 7) & ~7u;
        type->attrs_offset = x->tail ? ATTRS_TAIL : type->basic_size;
        type->ops.ops_flags |= OPS_TRACKED;
        type->ops.ops_flags &= ~OPS_IMMUTABLE;
    }
    if (x->native_finalize)
        type->ops.ops_flags |= OPS_FINALIZER;
    bool slots = !x->tail && x->slots_start < type->basic_size;
    if (attrs || slots || x->tail_slots) {
        type->ops.visit = instance_visit;
        type->ops.clear = instance_clear;
        type->ops.dealloc = instance_dealloc;
    } else {
        type->ops.visit = x->native_visit;
        type->ops.clear = x->native_clear;
        type->ops.dealloc = x->native_dealloc;
    }
    type->ops.finalize = x->native_finalize;
    uint32_t size = type->basic_size;
    if (attrs && !x->tail)
        size += (uint32_t)sizeof(AttrPart) + x->inline_capacity * (uint32_t)sizeof(Field);
    type->ops.cell_size = size + (x->tail_slots + (attrs && x->tail)) * (uint32_t)sizeof(Value);
}

bool
type_make_root(Thread *th, Type *type)
{
    /* Instances of types written in C keep attributes in a dict only (instance.c). */
    bool dict_mode = type->spec != NULL && type->attrs_offset != 0;
    Shape *s = shape_root_first(th, type, type->extra->inline_capacity, dict_mode);
    if (s == NULL) {
        raise_memory(th);
        return false;
    }
    type->root_shape = s->number;
    return true;
}

/* -- what a spec puts into a dict -- */

/* `name` -> v unless it is there; v NULL: fails. */
static bool
add_entry(Thread *th, Value dict, const char *name, Value STEALS v, bool replace)
{
    if (v == NULL)
        return false;
    Value key = str_intern_c(th, name);
    if (key == NULL) {
        drop(th, v);
        return false;
    }
    Answer there = replace ? NO : dict_contains(th, dict, key);
    if (there == NO)
        return dict_set_steal(th, dict, key, v);
    drop(th, key);
    drop(th, v);
    return there == YES;
}

static Value
method_entry(Thread *th, Type *type, const MethodDef *def)
{
    if (def->flags & METHOD_CLASS)
        return classmethod_descr_new(th, type, def);
    if (def->flags & METHOD_STATIC) {
        Value f = native_function_new(th, def, value_of_type(type), NULL);
        if (f == NULL)
            return NULL;
        Value s = staticmethod_new(th, f);
        drop(th, f);
        return s;
    }
    return method_descr_new(th, type, def);
}

bool
type_add_spec(Thread *th, Type *type, const TypeSpec *spec, Value dict)
{
    if (spec->slots.new != NULL &&
        !add_entry(th, dict, "__new__",
                   native_function_new(th, &type_new_def, value_of_type(type), NULL), false))
        return false;
    TypeSlots own = spec->slots;
    if (own.hash == NULL && own.compare != NULL)
        own.hash = hash_unhashable;
    if (!slots_add_wrappers(th, type, &own, dict))
        return false;
    for (const MethodDef *m = spec->methods; m && m->name; m++) {
        if (!add_entry(th, dict, m->name, method_entry(th, type, m),
                       (m->flags & METHOD_COEXIST) != 0))
            return false;
    }
    for (const MemberDef *m = spec->members; m && m->name; m++) {
        if (!add_entry(th, dict, m->name, member_descr_new(th, type, m), false))
            return false;
    }
    for (const GetterDef *g = spec->getters; g && g->name; g++) {
        if (!add_entry(th, dict, g->name, getset_descr_new(th, type, g), false))
            return false;
    }
    if (spec->has_dict &&
        !add_entry(th, dict, "__dict__", getset_descr_new(th, type, &instance_dict_getter), false))
        return false;
    Value doc = spec->doc ? str_from_c(th, doc_body(spec->name, spec->doc)) : retain(th, NONE);
    return add_entry(th, dict, "__doc__", doc, false);
}

/* -- static types -- */

/* What C needs to know of a type. */
static void
ready_for_c(Type *type, uint32_t shape, const TypeSpec *spec)
{
    struct Object head = STATIC_OBJECT(SHAPE_TYPE);
    memset(type, 0, sizeof *type);
    type->ops.head = head;
    object_set_bits(&type->ops.head, BIT_DEFERRED);
    type->extra = type_extra_new();
    CHECK(type->extra != NULL && static_type_count < STATIC_TYPES_MAX);
    static_types[static_type_count++] = type;
    type->spec = spec;
    type->name = spec->name;
    type->own_shape = SHAPE_TYPE;
    Type *base = spec->base ? spec->base : type == &object_type ? NULL : &object_type;
    type->base = base;
    store_relaxed(&type->flags, spec->flags | known_flags(type) | known_flags_by_shape(shape) |
                                    TYPE_IMMUTABLE);
    type_set_memory(type, base, spec);
    type->s = spec->slots;
    if (base)
        slots_inherit(type, base);
    type_inherit_flags(type);
    if (shape != 0) {
        shape_root_fixed(type, shape);
    } else {
        Shape *s = shape_root_first(thread_current, type, 0, type->attrs_offset != 0);
        CHECK(s != NULL);
        shape = s->number;
    }
    type->root_shape = shape;
}

static void
make_immortal(Value v)
{
    if (v && value_is_object(v)) {
        object_make_immortal(value_object(v));
        object_set_bits(value_object(v), BIT_SHARED);
    }
}

/* What Python sees of a type. */
static bool
ready_for_python(Thread *th, Type *type)
{
    const TypeSpec *spec = type->spec;
    const char *name = short_name(spec->name);
    Value name_value = str_intern_immortal(th, name);
    if (name_value == NULL)
        return false;
    field_init(&type->name_value, name_value);
    field_init(&type->qualname, retain(th, name_value));
    Value dict = dict_new(th);
    if (dict == NULL)
        return false;
    field_init(&type->dict, dict);

    Value bases, mro;
    if (type->base) {
        Value base_mro = field_peek(&type->base->mro);
        int64_t n = tuple_length(base_mro);
        bases = tuple_pack(th, 1, value_of_type(type->base));
        mro = tuple_new(th, (size_t)n + 1);
        if (bases == NULL || mro == NULL)
            return false;
        tuple_init_item(mro, 0, value_of_type(type));
        for (int64_t i = 0; i < n; i++)
            tuple_init_item(mro, i + 1, retain(th, tuple_item(base_mro, i)));
    } else {
        bases = retain(th, tuple_empty);
        mro = tuple_pack(th, 1, value_of_type(type));
        if (mro == NULL)
            return false;
    }
    field_init(&type->bases, bases);
    field_init(&type->mro, mro);
    if (!type_subclass_relink(th, type))
        return false;
    type_inherit_flags(type);
    if (!type_add_spec(th, type, spec, dict))
        return false;
    make_immortal(dict);
    make_immortal(bases);
    make_immortal(mro);
    Value key, v;
    for (size_t pos = 0; dict_next(th, dict, &pos, &key, &v);) {
        make_immortal(key);
        make_immortal(v);
        drop(th, key);
        drop(th, v);
    }
    store_relaxed(&type->flags, type_flags(type) | TYPE_READY);
    return true;
}

bool
type_ready_static(Thread *th, Type *type, uint32_t shape, const TypeSpec *spec)
{
    if (type_flags(type) & TYPE_READY)
        return true;
    ready_for_c(type, shape, spec);
    return ready_for_python(th, type);
}

bool
type_set_static(Thread *th, Type *type, const char *name, Value STEALS v)
{
    if (v == NULL)
        return false;
    make_immortal(v);
    Value key = str_intern_immortal(th, name);
    if (key == NULL)
        return false;
    Value dict = field_peek(&type->dict);
    bool ok = dict_set_steal(th, dict, key, v);
    type_modified(th, type, NULL);
    return ok;
}

#define ROW_objects(type, shape, spec) {type, shape, spec},
#define ROW_vm(type, shape, spec)
#define ROW_modules(type, shape, spec)
#define SHAPE(number, symbol, where)                                           \
    ROW_##where(&symbol##_type, SHAPE_##number, &symbol##_spec)
static const struct {
    Type *type;
    uint32_t shape;
    const TypeSpec *spec;
} built_in[] = {
#include "objects/model/shapes.def"
};
#undef SHAPE

void
types_init_c(void)
{
    if (static_type_count != 0)
        return;
    /* `type` comes before its base: object's sizes and slots are needed first. */
    ready_for_c(&object_type, SHAPE_OBJECT, &object_spec);
    for (size_t i = 0; i < ARRAY_LEN(built_in); i++) {
        if (built_in[i].type != &object_type)
            ready_for_c(built_in[i].type, built_in[i].shape, built_in[i].spec);
    }
}

bool
types_init(Thread *th)
{
    int_space_init();
    types_init_c();
    if (!text_init(th) || !names_fill(th) || !slots_init(th))
        return false;
    if (!ready_for_python(th, &object_type))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(built_in); i++) {
        if (built_in[i].type != &object_type && !ready_for_python(th, built_in[i].type))
            return false;
    }
    return true;
}

/* -- types of native modules -- */

Type *
type_object_new(Thread *th, Type *meta)
{
    Value v = type_alloc(th, meta, 0);
    if (v == NULL)
        return NULL;
    Type *type = as_type(v);
    object_set_bits(&type->ops.head, BIT_SHARED | BIT_DEFERRED);
    type->own_shape = object_shape(&type->ops.head);
    type->extra = type_extra_new();
    if (type->extra == NULL) {
        drop(th, v);
        raise_memory(th);
        return NULL;
    }
    type->extra->interp = th->interp;
    return type;
}

static bool
spec_names(Thread *th, Type *type, const TypeSpec *spec, Value module, Value dict)
{
    type->extra->owned_name = strdup(spec->name);
    if (type->extra->owned_name == NULL) {
        raise_memory(th);
        return false;
    }
    type->name = type->extra->owned_name;
    const char *name = short_name(spec->name);
    Value text = str_intern_c(th, name);
    if (text == NULL)
        return false;
    field_init(&type->name_value, text);
    field_init(&type->qualname, retain(th, text));
    Value home = NULL;
    if (name != spec->name) {
        home = str_from_utf8(th, spec->name, (size_t)(name - 1 - spec->name));
    } else if (module) {
        home = dict_get_str(th, module_dict(module), NAME(__name__));
        if (home == NULL)
            home = str_intern_c(th, "builtins");
    } else {
        home = str_intern_c(th, "builtins");
    }
    if (home == NULL)
        return false;
    return dict_set_steal(th, dict, retain(th, NAME(__module__)), home);
}

Type *
type_from_spec(Thread *th, const TypeSpec *spec, Value module, Value bases)
{
    Type *only = spec->base ? spec->base : &object_type;
    Value own_bases = bases ? retain(th, bases) : tuple_pack(th, 1, value_of_type(only));
    if (own_bases == NULL)
        return NULL;
    Type *base = type_best_base(th, own_bases);
    Type *meta = base ? metatype_derive(th, &type_type, own_bases) : NULL;
    Type *type = meta ? type_object_new(th, meta) : NULL;
    if (type == NULL) {
        drop(th, own_bases);
        return NULL;
    }
    field_init(&type->bases, own_bases);
    type->spec = spec;
    type->base = as_type(retain(th, value_of_type(base)));
    store_relaxed(&type->flags, spec->flags | TYPE_HEAP);
    /* Tracked whatever they hold: the collector has to see which types instances name. */
    type->ops.ops_flags = OPS_HEAP_TYPE | OPS_TRACKED;
    type_set_memory(type, base, spec);
    Value dict = dict_new(th);
    if (dict == NULL)
        goto fail;
    object_set_bits(value_object(dict), BIT_SHARED);
    field_init(&type->dict, dict);
    if (!spec_names(th, type, spec, module, dict))
        goto fail;
    Value mro = mro_compute(th, type, own_bases);
    if (mro == NULL)
        goto fail;
    field_init(&type->mro, mro);
    type->s = spec->slots;
    for (int64_t i = 1; i < tuple_length(mro); i++)
        slots_inherit(type, as_type(tuple_item(mro, i)));
    type_inherit_flags(type);
    if (!type_add_spec(th, type, spec, dict) || !type_make_root(th, type) ||
        !type_subclass_relink(th, type))
        goto fail;
    store_relaxed(&type->flags, type_flags(type) | TYPE_READY);
    return type;
fail:
    drop(th, value_of_type(type));
    return NULL;
}
