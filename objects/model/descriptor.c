/* descriptor.c -- what the dict of a type written in C holds: method, class method, getset and
 * member descriptors.
 *
 * All of them are a type, a definition and a name, constant, so they need no locks.  A
 * member that is a Value is a Field of the instance and is read and replaced as such;
 * numbers are atomics.
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <limits.h>

/* What all four kinds share. */
typedef struct Descr {
    struct Object head;
    Type *type;
    const void *def;
    Value name;
} Descr;

_Static_assert(sizeof(Descr) == sizeof(MethodDescr) && sizeof(Descr) == sizeof(GetsetDescr) &&
                   sizeof(Descr) == sizeof(MemberDescr),
               "descriptors have one layout");

static inline Descr *
as_descr(Value v)
{
    return (Descr *)(void *)value_object(v);
}

static inline const MethodDef *
method_def(Value v)
{
    return as_descr(v)->def;
}

static Value
descr_new(Thread *th, uint32_t shape, Type *type, const void *def, const char *name)
{
    Value text = str_intern_c(th, name);
    if (text == NULL)
        return NULL;
    Object *o = object_new_fast(th, shape, sizeof(Descr), true);
    if (o == NULL) {
        drop(th, text);
        return NULL;
    }
    Descr *d = (Descr *)(void *)o;
    retain(th, value_of_type(type));
    d->type = type;
    d->def = def;
    d->name = text;
    return value_of(d);
}

Value
method_descr_new(Thread *th, Type *type, const MethodDef *def)
{
    return descr_new(th, SHAPE_METHOD_DESCR, type, def, def->name);
}

Value
classmethod_descr_new(Thread *th, Type *type, const MethodDef *def)
{
    return descr_new(th, SHAPE_CLASSMETHOD_DESCR, type, def, def->name);
}

Value
getset_descr_new(Thread *th, Type *type, const GetterDef *def)
{
    return descr_new(th, SHAPE_GETSET_DESCR, type, def, def->name);
}

Value
member_descr_new(Thread *th, Type *type, const MemberDef *def)
{
    return descr_new(th, SHAPE_MEMBER_DESCR, type, def, def->name);
}

/* Whether `object` may be handed to the descriptor's functions. */
static inline bool
descr_check(Thread *th, const Descr *d, Value object)
{
    if (LIKELY(is_instance_of(object, d->type)))
        return true;
    raise_type_error(th, "descriptor '%V' for '%N' objects doesn't apply to a '%T' object", d->name,
                     d->type, object);
    return false;
}

/* -- methods -- */

static Value
method_descr_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    if (object == NULL)
        return retain(th, self);
    const Descr *d = as_descr(self);
    if (!descr_check(th, d, object))
        return NULL;
    return native_function_new(th, d->def, object, NULL);
}

static Value
method_descr_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    const Descr *d = as_descr(self);
    if (UNLIKELY(nargs == 0))
        return raise_type_error(th, "unbound method %N.%V() needs an argument", d->type, d->name);
    Value object = arg(args, 0);
    if (!descr_check(th, d, object))
        return NULL;
    return native_call(th, d->def, object, args + 1, nargs - 1, kwnames);
}

/* -- class methods -- */

/* The class that a class method gets: `type`, checked. */
static bool
class_check(Thread *th, const Descr *d, Value type)
{
    if (!is_type(type)) {
        raise_type_error(th, "descriptor '%V' for type '%N' needs a type, not a '%T' as arg 2",
                         d->name, d->type, type);
        return false;
    }
    if (!type_is_subtype(as_type(type), d->type)) {
        raise_type_error(th, "descriptor '%V' requires a subtype of '%N' but received '%N'",
                         d->name, d->type, as_type(type));
        return false;
    }
    return true;
}

static Value
classmethod_descr_get(Thread *th, Value self, Value object, Value type)
{
    const Descr *d = as_descr(self);
    if (type == NULL) {
        if (object == NULL)
            return raise_type_error(th, "descriptor '%V' for type '%N' needs either an object or a "
                                        "type",
                                    d->name, d->type);
        type = value_of_type(type_of(object));
    }
    if (!class_check(th, d, type))
        return NULL;
    Value f = native_function_new(th, d->def, type, NULL);
    if (f != NULL) {
        ((NativeFunction *)(void *)value_object(f))->owner = d->type;
        retain(th, value_of_type(d->type));
    }
    return f;
}

static Value
classmethod_descr_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    const Descr *d = as_descr(self);
    if (nargs == 0)
        return raise_type_error(th, "descriptor '%V' of '%N' object needs an argument", d->name,
                                d->type);
    Value type = arg(args, 0);
    if (!class_check(th, d, type))
        return NULL;
    return native_call(th, d->def, type, args + 1, nargs - 1, kwnames);
}

/* -- getset -- */

static Value
getset_descr_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    if (object == NULL)
        return retain(th, self);
    const Descr *d = as_descr(self);
    if (!descr_check(th, d, object))
        return NULL;
    const GetterDef *def = d->def;
    if (def->get == NULL)
        return raise_error(th, &exc_AttributeError,
                           "attribute '%V' of '%N' objects is not readable", d->name, d->type);
    return def->get(th, object, def->closure);
}

static bool
getset_descr_set(Thread *th, Value self, Value object, Value value)
{
    const Descr *d = as_descr(self);
    if (!descr_check(th, d, object))
        return false;
    const GetterDef *def = d->def;
    if (def->set == NULL) {
        raise_error(th, &exc_AttributeError, "attribute '%V' of '%N' objects is not writable",
                    d->name, d->type);
        return false;
    }
    return def->set(th, object, value, def->closure);
}

Value
getter_dict(Thread *th, Value self, void *closure)
{
    (void)closure;
    return instance_dict(th, self);
}

bool
setter_dict(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    if (value == NULL) {
        raise_type_error(th, "cannot delete __dict__");
        return false;
    }
    if (!is_dict(value)) {
        raise_type_error(th, "__dict__ must be set to a dictionary, not a '%T'", value);
        return false;
    }
    return instance_set_dict(th, self, value);
}

/* -- members -- */

static Value
member_get(Thread *th, Object *o, const MemberDef *def)
{
    void *at = (char *)o + def->offset;
    Value v;
    switch (def->kind) {
    case MEMBER_VALUE:
        v = field_read(th, o, at);
        if (UNLIKELY(v == NULL))
            return raise_error(th, &exc_AttributeError, "'%T' object has no attribute '%s'",
                               value_of(o), def->name);
        return v;
    case MEMBER_VALUE_NONE:
        v = field_read(th, o, at);
        return v ? v : NONE;
    case MEMBER_CONST_VALUE:
        /* acquire: a type's base can be assigned to; what was there lives until the next
         * safepoint [type.base] */
        v = __atomic_load_n((Value *)at, __ATOMIC_ACQUIRE);
        return v ? retain(th, v) : NONE;
    case MEMBER_DICT:
        return instance_dict(th, value_of(o));
    case MEMBER_INT:
        return value_from_fixnum(__atomic_load_n((int32_t *)at, __ATOMIC_RELAXED));
    case MEMBER_UINT:
        return value_from_fixnum(__atomic_load_n((uint32_t *)at, __ATOMIC_RELAXED));
    case MEMBER_LONG:
    case MEMBER_SIZE:
        return int_from_i64(th, __atomic_load_n((int64_t *)at, __ATOMIC_RELAXED));
    case MEMBER_BOOL:
        return bool_from(__atomic_load_n((uint8_t *)at, __ATOMIC_RELAXED) != 0);
    case MEMBER_DOUBLE: {
        uint64_t bits = __atomic_load_n((uint64_t *)at, __ATOMIC_RELAXED);
        double d;
        __builtin_memcpy(&d, &bits, sizeof d);
        return float_from(th, d);
    }
    }
    return raise_system_error(th, "bad memberdescr type");
}

static bool
member_set_number(Thread *th, void *at, const MemberDef *def, Value value)
{
    int64_t n;
    double d;
    uint64_t bits;
    switch (def->kind) {
    case MEMBER_BOOL:
        if (!is_bool(value)) {
            raise_type_error(th, "attribute value type must be bool");
            return false;
        }
        __atomic_store_n((uint8_t *)at, value == TRUE, __ATOMIC_RELAXED);
        return true;
    case MEMBER_DOUBLE:
        if (!arg_double(th, value, &d))
            return false;
        __builtin_memcpy(&bits, &d, sizeof bits);
        __atomic_store_n((uint64_t *)at, bits, __ATOMIC_RELAXED);
        return true;
    case MEMBER_INT:
    case MEMBER_UINT:
        if (!arg_long(th, value, &n))
            return false;
        __atomic_store_n((uint32_t *)at, (uint32_t)n, __ATOMIC_RELAXED);
        return true;
    default:
        if (!is_int(value)) {
            raise_type_error(th, "an integer is required");
            return false;
        }
        if (!arg_ssize(th, value, &n))
            return false;
        __atomic_store_n((int64_t *)at, n, __ATOMIC_RELAXED);
        return true;
    }
}

static bool
member_set(Thread *th, Object *o, const MemberDef *def, Value value)
{
    void *at = (char *)o + def->offset;
    if (def->readonly || def->kind == MEMBER_CONST_VALUE || def->kind == MEMBER_DICT) {
        raise_error(th, &exc_AttributeError, "readonly attribute");
        return false;
    }
    if (def->kind == MEMBER_VALUE || def->kind == MEMBER_VALUE_NONE) {
        if (value != NULL || def->kind == MEMBER_VALUE_NONE) {
            field_replace(th, o, at, retain_null(th, value));
            return true;
        }
        Value old = field_exchange(th, o, at, NULL);
        if (old == NULL) {
            raise_error(th, &exc_AttributeError, "%s", def->name);
            return false;
        }
        drop(th, old);
        return true;
    }
    if (value == NULL) {
        raise_type_error(th, "can't delete numeric/char attribute");
        return false;
    }
    return member_set_number(th, at, def, value);
}

static Value
member_descr_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    if (object == NULL)
        return retain(th, self);
    const Descr *d = as_descr(self);
    if (!descr_check(th, d, object))
        return NULL;
    return member_get(th, value_object(object), d->def);
}

static bool
member_descr_set(Thread *th, Value self, Value object, Value value)
{
    const Descr *d = as_descr(self);
    if (!descr_check(th, d, object))
        return false;
    return member_set(th, value_object(object), d->def, value);
}

/* -- attributes of the descriptors themselves -- */

static Value
get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, as_descr(self)->name);
}

static Value
get_objclass(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, value_of_type(as_descr(self)->type));
}

static Value
get_qualname(Thread *th, Value self, void *closure)
{
    (void)closure;
    const Descr *d = as_descr(self);
    Value type_qualname = get_attr(th, value_of_type(d->type), NAME(__qualname__));
    if (type_qualname == NULL)
        return NULL;
    Value r;
    if (is_str(type_qualname))
        r = str_format_c(th, "%V.%V", type_qualname, d->name);
    else
        r = raise_type_error(th, "<descriptor>.__objclass__.__qualname__ is not a unicode object");
    drop(th, type_qualname);
    return r;
}

static Value
get_method_doc(Thread *th, Value self, void *closure)
{
    (void)closure;
    const MethodDef *def = method_def(self);
    return native_doc(th, def->name, def->doc);
}

static Value
get_method_signature(Thread *th, Value self, void *closure)
{
    (void)closure;
    const MethodDef *def = method_def(self);
    return native_signature(th, def->name, def->doc);
}

static Value
get_getset_doc(Thread *th, Value self, void *closure)
{
    (void)closure;
    const GetterDef *def = as_descr(self)->def;
    return def->doc ? str_from_c(th, def->doc) : NONE;
}

static Value
get_member_doc(Thread *th, Value self, void *closure)
{
    (void)closure;
    const MemberDef *def = as_descr(self)->def;
    return def->doc ? str_from_c(th, def->doc) : NONE;
}

static Value
method_repr(Thread *th, Value self)
{
    const Descr *d = as_descr(self);
    return str_format_c(th, "<method '%V' of '%N' objects>", d->name, d->type);
}

static Value
getset_repr(Thread *th, Value self)
{
    const Descr *d = as_descr(self);
    return str_format_c(th, "<attribute '%V' of '%N' objects>", d->name, d->type);
}

static Value
member_repr(Thread *th, Value self)
{
    const Descr *d = as_descr(self);
    return str_format_c(th, "<member '%V' of '%N' objects>", d->name, d->type);
}

static Value
descr_reduce(Thread *th, Value self)
{
    const Descr *d = as_descr(self);
    const char *name = str_utf8(th, d->name, NULL);
    return name ? reduce_as_attribute(th, value_of_type(d->type), name) : NULL;
}

static const MethodDef reduce_methods[] = {
    NATIVE_0("__reduce__", descr_reduce, NULL),
    NATIVE_END,
};

#define COMMON_GETTERS                                                         \
    {"__objclass__", get_objclass, NULL, NULL, NULL},                          \
    {"__name__", get_name, NULL, NULL, NULL},                                  \
    {"__qualname__", get_qualname, NULL, NULL, NULL}

static const GetterDef method_getters[] = {
    COMMON_GETTERS,
    {"__doc__", get_method_doc, NULL, NULL, NULL},
    {"__text_signature__", get_method_signature, NULL, NULL, NULL},
    {.name = NULL},
};

static const GetterDef getset_getters[] = {
    COMMON_GETTERS,
    {"__doc__", get_getset_doc, NULL, NULL, NULL},
    {.name = NULL},
};

static const GetterDef member_getters[] = {
    COMMON_GETTERS,
    {"__doc__", get_member_doc, NULL, NULL, NULL},
    {.name = NULL},
};

/* -- memory -- */

static void
visit(Object *o, VisitFn fn, void *arg)
{
    Descr *d = (Descr *)(void *)o;
    if (d->type)
        fn(value_of_type(d->type), arg);
    value_visit(d->name, fn, arg);
}

static void
dealloc(Thread *th, Object *o)
{
    Descr *d = (Descr *)(void *)o;
    if (d->type)
        drop(th, value_of_type(d->type));
    drop_null(th, d->name);
}

#define DESCR_SPEC(symbol, name_, flags_, methods_, getters_, ...)             \
    Type symbol##_type;                                                        \
    const TypeSpec symbol##_spec = {                                           \
        .name = name_,                                                         \
        .size = sizeof(Descr),                                                 \
        .flags = TYPE_DISALLOW_NEW | (flags_),                                 \
        .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,                              \
        .methods = methods_,                                                   \
        .getters = getters_,                                                   \
        .slots = {__VA_ARGS__, .getattr = generic_get_attr},                   \
        .visit = visit,                                                        \
        .dealloc = dealloc,                                                    \
    }

DESCR_SPEC(method_descr, "method_descriptor", TYPE_METHOD_DESCR, reduce_methods, method_getters,
           .repr = method_repr, .call = method_descr_call, .descr_get = method_descr_get);
DESCR_SPEC(classmethod_descr, "classmethod_descriptor", 0, NULL, method_getters,
           .repr = method_repr, .call = classmethod_descr_call,
           .descr_get = classmethod_descr_get);
DESCR_SPEC(getset_descr, "getset_descriptor", 0, NULL, getset_getters, .repr = getset_repr,
           .descr_get = getset_descr_get, .descr_set = getset_descr_set);
DESCR_SPEC(member_descr, "member_descriptor", 0, reduce_methods, member_getters,
           .repr = member_repr, .descr_get = member_descr_get, .descr_set = member_descr_set);
