/* mappingproxy.c -- a read-only view of a mapping.
 *
 * The mapping is constant; every operation is handed on to it.
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

typedef struct MappingProxy {
    struct Object head;
    Value mapping; /* [const] */
} MappingProxy;

static inline Value
mapping_of(Value self)
{
    return ((MappingProxy *)(void *)value_object(self))->mapping;
}

Value
mappingproxy_new(Thread *th, Value mapping)
{
    if (!is_mapping(mapping) || is_list(mapping) || is_tuple(mapping))
        return raise_type_error(th, "mappingproxy() argument must be a mapping, not %T", mapping);
    Object *o = object_new_fast(th, SHAPE_MAPPINGPROXY, sizeof(MappingProxy), true);
    if (o == NULL)
        return NULL;
    ((MappingProxy *)(void *)o)->mapping = retain(th, mapping);
    return value_of(o);
}

static Value
proxy_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "mappingproxy", .names = {"mapping"}, .positional = 1, .required = 1};
    (void)type;
    Value v[1];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    return mappingproxy_new(th, v[0]);
}

static int64_t
proxy_length(Thread *th, Value self)
{
    return length_of(th, mapping_of(self));
}

static Value
proxy_getitem(Thread *th, Value self, Value key)
{
    return get_item(th, mapping_of(self), key);
}

static Answer
proxy_contains(Thread *th, Value self, Value key)
{
    Value mapping = mapping_of(self);
    if (is_exact(mapping, SHAPE_DICT))
        return dict_contains(th, mapping, key);
    return contains(th, mapping, key);
}

static Value
proxy_iter(Thread *th, Value self)
{
    return get_iter(th, mapping_of(self));
}

static Value
proxy_repr(Thread *th, Value self)
{
    return str_format_c(th, "mappingproxy(%R)", mapping_of(self));
}

static Value
proxy_str(Thread *th, Value self)
{
    return to_str(th, mapping_of(self));
}

static Value
proxy_compare(Thread *th, Value a, Value b, int op)
{
    return compare(th, mapping_of(a), b, op);
}

static Value
unwrap(Value v)
{
    return is_exact(v, SHAPE_MAPPINGPROXY) ? mapping_of(v) : v;
}

static Value
proxy_or(Thread *th, Value a, Value b)
{
    return number_or(th, unwrap(a), unwrap(b));
}

static Value
proxy_ior(Thread *th, Value a, Value b)
{
    (void)b;
    return raise_type_error(th, "'|=' is not supported by %T; use '|' instead", a);
}

static Value
proxy_get(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value v[2] = {arg(args, 0), nargs > 1 ? arg(args, 1) : NONE};
    return call_method(th, mapping_of(self), NAME(get), args_of(v), 2, NULL);
}

#define FORWARD(name)                                                          \
    static Value proxy_##name(Thread *th, Value self)                          \
    {                                                                          \
        return call_method_0(th, mapping_of(self), NAME(name));                \
    }
FORWARD(keys)
FORWARD(values)
FORWARD(items)
FORWARD(copy)
FORWARD(__reversed__)
#undef FORWARD

static Value
proxy_class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

static const MethodDef methods[] = {
    NATIVE_N("get", proxy_get, 1, 2,
             "get($self, key, default=None, /)\n--\n\n"
             "Return the value for key if key is in the mapping, else default."),
    NATIVE_0("keys", proxy_keys, "D.keys() -> a set-like object providing a view on D's keys"),
    NATIVE_0("values", proxy_values, "D.values() -> an object providing a view on D's values"),
    NATIVE_0("items", proxy_items, "D.items() -> a set-like object providing a view on D's items"),
    NATIVE_0("copy", proxy_copy, "D.copy() -> a shallow copy of D"),
    {.name = "__class_getitem__", .f1 = proxy_class_getitem, .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1, .nmax = 1, .doc = "See PEP 585"},
    NATIVE_0("__reversed__", proxy___reversed__, "D.__reversed__() -> reverse iterator"),
    NATIVE_END,
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    value_visit(((MappingProxy *)(void *)o)->mapping, fn, arg);
}

static void
dealloc(Thread *th, Object *o)
{
    drop_null(th, ((MappingProxy *)(void *)o)->mapping);
}

Type mappingproxy_type;
const TypeSpec mappingproxy_spec = {
    .name = "mappingproxy",
    .size = sizeof(MappingProxy),
    .flags = TYPE_MAPPING,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .methods = methods,
    .slots = {.repr = proxy_repr,
              .str = proxy_str,
              .hash = hash_unhashable,
              .getattr = generic_get_attr,
              .compare = proxy_compare,
              .iter = proxy_iter,
              .length = proxy_length,
              .getitem = proxy_getitem,
              .contains = proxy_contains,
              .or_ = proxy_or,
              .ior = proxy_ior,
              .new = proxy_type_new},
    .visit = visit,
    .dealloc = dealloc,
};
