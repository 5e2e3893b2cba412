/* singleton.c -- None, NotImplemented and Ellipsis: static objects that never die. */
#include "objects/number/number.h"

#include "objects/error/error.h"
#include "objects/model/native.h"
#include "objects/text/str.h"

#define SINGLETON __attribute__((aligned(16)))
SINGLETON struct Object none_object = STATIC_OBJECT(SHAPE_NONE);
SINGLETON struct Object not_implemented_object = STATIC_OBJECT(SHAPE_NOT_IMPLEMENTED);
SINGLETON struct Object ellipsis_object = STATIC_OBJECT(SHAPE_ELLIPSIS);

static bool
takes_nothing(Thread *th, const char *name, size_t nargs, Value kwnames)
{
    if (nargs == 0 && kwnames == NULL)
        return true;
    raise_type_error(th, "%s takes no arguments", name);
    return false;
}

/* -- None -- */

static Value
none_repr(Thread *th, Value self)
{
    (void)self;
    return str_intern_c(th, "None");
}

static Answer
none_truth(Thread *th, Value self)
{
    (void)th;
    (void)self;
    return NO;
}

static Value
none_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    (void)args;
    return takes_nothing(th, "NoneType", nargs, kwnames) ? NONE : NULL;
}

Type none_type;
const TypeSpec none_spec = {
    .name = "NoneType",
    .ops_flags = OPS_IMMUTABLE,
    .slots = {.repr = none_repr, .truth = none_truth, .new = none_new},
};

/* -- NotImplemented -- */

static Value
not_implemented_repr(Thread *th, Value self)
{
    (void)self;
    return str_intern_c(th, "NotImplemented");
}

static Answer
not_implemented_truth(Thread *th, Value self)
{
    (void)self;
    return warn(th, &exc_DeprecationWarning, 1,
                "NotImplemented should not be used in a boolean context")
               ? YES
               : FAILED;
}

static Value
not_implemented_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    (void)args;
    return takes_nothing(th, "NotImplementedType", nargs, kwnames) ? NOT_IMPLEMENTED : NULL;
}

static Value
not_implemented_reduce(Thread *th, Value self)
{
    return not_implemented_repr(th, self);
}

static const MethodDef not_implemented_methods[] = {
    NATIVE_0("__reduce__", not_implemented_reduce, NULL),
    NATIVE_END,
};

Type not_implemented_type;
const TypeSpec not_implemented_spec = {
    .name = "NotImplementedType",
    .ops_flags = OPS_IMMUTABLE,
    .methods = not_implemented_methods,
    .slots = {.repr = not_implemented_repr,
              .truth = not_implemented_truth,
              .new = not_implemented_new},
};

/* -- Ellipsis -- */

static Value
ellipsis_repr(Thread *th, Value self)
{
    (void)self;
    return str_intern_c(th, "Ellipsis");
}

static Value
ellipsis_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    (void)args;
    return takes_nothing(th, "EllipsisType", nargs, kwnames) ? ELLIPSIS : NULL;
}

static Value
ellipsis_reduce(Thread *th, Value self)
{
    return ellipsis_repr(th, self);
}

static const MethodDef ellipsis_methods[] = {
    NATIVE_0("__reduce__", ellipsis_reduce, NULL),
    NATIVE_END,
};

Type ellipsis_type;
const TypeSpec ellipsis_spec = {
    .name = "ellipsis",
    .ops_flags = OPS_IMMUTABLE,
    .methods = ellipsis_methods,
    .slots = {.repr = ellipsis_repr, .new = ellipsis_new},
};
