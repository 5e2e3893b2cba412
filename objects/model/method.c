/* method.c -- bound methods: a callable and the object it gets as first argument.
 *
 * Both are constant.  Attributes that a method does not have itself are those of its
 * function.
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

#include <stddef.h>

static inline Method *
as_method(Value v)
{
    return (Method *)(void *)value_object(v);
}

Value
method_new(Thread *th, Value function, Value self)
{
    Object *o = object_new_fast(th, SHAPE_METHOD, sizeof(Method), true);
    if (o == NULL)
        return NULL;
    Method *m = (Method *)(void *)o;
    m->function = retain(th, function);
    m->self = retain(th, self);
    return value_of(m);
}

static Value
method_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "method", kwnames) || !args_count(th, "method", nargs, 2, 2))
        return NULL;
    if (is_callable(arg(args, 0)) != YES)
        return raise_type_error(th, "first argument must be callable");
    if (arg(args, 1) == NONE)
        return raise_type_error(th, "instance must not be None");
    return method_new(th, arg(args, 0), arg(args, 1));
}

static Value
method_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    const Method *m = as_method(self);
    return call_prepend(th, m->function, m->self, args, nargs, kwnames);
}

static Value
method_getattr(Thread *th, Value self, Value name)
{
    Value descr = type_lookup(th, &method_type, name);
    if (descr == NULL)
        return get_attr(th, as_method(self)->function, name);
    DescrGetFn get = SLOT(type_of(descr), descr_get);
    if (get == NULL)
        return descr;
    Value r = get(th, descr, self, value_of_type(&method_type));
    drop(th, descr);
    return r;
}

static Value
method_compare(Thread *th, Value a, Value b, int op)
{
    if ((op != OP_EQ && op != OP_NE) || !is_exact(a, SHAPE_METHOD) || !is_exact(b, SHAPE_METHOD))
        return NOT_IMPLEMENTED;
    const Method *x = as_method(a);
    const Method *y = as_method(b);
    Answer equal = values_equal(th, x->function, y->function);
    if (equal == FAILED)
        return NULL;
    if (equal == YES)
        equal = x->self == y->self ? YES : NO;
    return bool_from((equal == YES) == (op == OP_EQ));
}

static bool
method_hash(Thread *th, Value self, int64_t *hash)
{
    const Method *m = as_method(self);
    int64_t function_hash;
    if (!to_hash(th, m->function, &function_hash))
        return false;
    uintptr_t bits = value_bits(m->self);
    int64_t h = function_hash ^ (int64_t)((bits >> 4) | (bits << 60));
    *hash = h == -1 ? -2 : h;
    return true;
}

static Value
method_repr(Thread *th, Value self)
{
    const Method *m = as_method(self);
    Value name;
    Answer has = get_attr_optional(th, m->function, NAME(__qualname__), &name);
    if (has == NO)
        has = get_attr_optional(th, m->function, NAME(__name__), &name);
    if (has == FAILED)
        return NULL;
    if (has == YES && !is_str(name)) {
        drop(th, name);
        has = NO;
    }
    Value r = has == YES ? str_format_c(th, "<bound method %V of %R>", name, m->self) :
                           str_format_c(th, "<bound method ? of %R>", m->self);
    if (has == YES)
        drop(th, name);
    return r;
}

static Value
method_reduce(Thread *th, Value self)
{
    const Method *m = as_method(self);
    Value name = get_attr(th, m->function, NAME(__name__));
    if (name == NULL)
        return NULL;
    const char *text = is_str(name) ? str_utf8(th, name, NULL) : NULL;
    Value r = NULL;
    if (text != NULL)
        r = reduce_as_attribute(th, m->self, text);
    else if (!error_set(th))
        raise_type_error(th, "__name__ must be a string");
    drop(th, name);
    return r;
}

static Value
get_doc(Thread *th, Value self, void *closure)
{
    (void)closure;
    return get_attr(th, as_method(self)->function, NAME(__doc__));
}

static const MethodDef methods[] = {
    NATIVE_0("__reduce__", method_reduce, NULL),
    NATIVE_END,
};

static const GetterDef getters[] = {
    {"__doc__", get_doc, NULL, NULL, NULL},
    {.name = NULL},
};

static const MemberDef members[] = {
    {"__func__", MEMBER_CONST_VALUE, offsetof(Method, function), true,
     "the function (or other callable) implementing a method"},
    {"__self__", MEMBER_CONST_VALUE, offsetof(Method, self), true,
     "the instance to which a method is bound"},
    {.name = NULL},
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    Method *m = (Method *)(void *)o;
    value_visit(m->function, fn, arg);
    value_visit(m->self, fn, arg);
}

static void
dealloc(Thread *th, Object *o)
{
    Method *m = (Method *)(void *)o;
    drop_null(th, m->function);
    drop_null(th, m->self);
}

Type method_type;
const TypeSpec method_spec = {
    .name = "method",
    .size = sizeof(Method),
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .doc = "method(function, instance)\n--\n\nCreate a bound instance method object.",
    .methods = methods,
    .getters = getters,
    .members = members,
    .slots = {.repr = method_repr,
              .hash = method_hash,
              .call = method_call,
              .getattr = method_getattr,
              .setattr = generic_set_attr,
              .compare = method_compare,
              .new = method_type_new},
    .visit = visit,
    .dealloc = dealloc,
};
