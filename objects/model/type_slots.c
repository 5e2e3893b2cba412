/* type_slots.c -- the slots of classes written in Python: C functions that call dunders.
 *
 * Each finds its dunder on the type (never on the instance) and calls it with self in
 * front; a plain function is called without making a bound method.  What is called is
 * counted while it runs.  No state, no locks.
 *
 * Binary operators follow the language's order: the right operand's reflected method is
 * tried first if its type is a proper subclass of the left one's that overrides it.
 */
#include "objects/model/type_priv.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

/* Calls f, found on the type of args[0], with args[0 .. n-1]. */
static inline Value
found_call(Thread *th, Value f, const Value *args, size_t n)
{
    if (LIKELY(value_has_flag(f, TYPE_METHOD_DESCR)))
        return call(th, f, args_of(args), n, NULL);
    DescrGetFn get = SLOT(type_of(f), descr_get);
    if (get == NULL)
        return call(th, f, args_of(args + 1), n - 1, NULL);
    Value bound = get(th, f, args[0], value_of_type(type_of(args[0])));
    if (bound == NULL)
        return NULL;
    Value r = call(th, bound, args_of(args + 1), n - 1, NULL);
    drop(th, bound);
    return r;
}

Value
dunder_call(Thread *th, Value name, const Value *args, size_t n, bool *missing)
{
    Value f = type_lookup(th, type_of(args[0]), name);
    if (UNLIKELY(f == NULL)) {
        if (missing)
            *missing = true;
        else
            raise_value(th, &exc_AttributeError, name);
        return NULL;
    }
    if (missing)
        *missing = false;
    Value r = found_call(th, f, args, n);
    drop(th, f);
    return r;
}

/* The same with a missing dunder read as NotImplemented. */
static Value
try_dunder(Thread *th, Value self, Value name, Value other)
{
    Value args[2] = {self, other};
    bool missing;
    Value r = dunder_call(th, name, args, 2, &missing);
    return missing ? NOT_IMPLEMENTED : r;
}

/* -- operators -- */

/* Whether type `sub` has another `name` than its base `t`. */
static bool
overrides(Thread *th, Type *sub, Type *t, Value name)
{
    Value a = type_lookup(th, sub, name);
    Value b = type_lookup(th, t, name);
    bool differs = a != NULL && a != b;
    drop_null(th, a);
    drop_null(th, b);
    return differs;
}

static Value
binary(Thread *th, Value a, Value b, size_t offset, BinaryFn self_fn, Value name, Value reflected)
{
    Type *ta = type_of(a), *tb = type_of(b);
    bool other = ta != tb && slot_binary(tb, offset) == self_fn;
    if (slot_binary(ta, offset) == self_fn) {
        if (other && type_is_subtype(tb, ta) && overrides(th, tb, ta, reflected)) {
            Value r = try_dunder(th, b, reflected, a);
            if (r != NOT_IMPLEMENTED)
                return r;
            other = false;
        }
        Value r = try_dunder(th, a, name, b);
        if (r != NOT_IMPLEMENTED || ta == tb)
            return r;
    }
    return other ? try_dunder(th, b, reflected, a) : NOT_IMPLEMENTED;
}

#define BINARY(field, name, reflected)                                         \
    static Value slot_##field(Thread *th, Value a, Value b)                    \
    {                                                                          \
        return binary(th, a, b, offsetof(TypeSlots, field), slot_##field,      \
                      NAME(name), NAME(reflected));                            \
    }

BINARY(add, __add__, __radd__)
BINARY(subtract, __sub__, __rsub__)
BINARY(multiply, __mul__, __rmul__)
BINARY(remainder, __mod__, __rmod__)
BINARY(divmod, __divmod__, __rdivmod__)
BINARY(lshift, __lshift__, __rlshift__)
BINARY(rshift, __rshift__, __rrshift__)
BINARY(and_, __and__, __rand__)
BINARY(xor_, __xor__, __rxor__)
BINARY(or_, __or__, __ror__)
BINARY(floor_divide, __floordiv__, __rfloordiv__)
BINARY(true_divide, __truediv__, __rtruediv__)
BINARY(matrix_multiply, __matmul__, __rmatmul__)

static Value slot_power(Thread *th, Value a, Value b, Value modulus);

static Value
power_two(Thread *th, Value a, Value b)
{
    Type *ta = type_of(a), *tb = type_of(b);
    bool other = ta != tb && SLOT(tb, power) == slot_power;
    if (SLOT(ta, power) == slot_power) {
        if (other && type_is_subtype(tb, ta) && overrides(th, tb, ta, NAME(__rpow__))) {
            Value r = try_dunder(th, b, NAME(__rpow__), a);
            if (r != NOT_IMPLEMENTED)
                return r;
            other = false;
        }
        Value r = try_dunder(th, a, NAME(__pow__), b);
        if (r != NOT_IMPLEMENTED || ta == tb)
            return r;
    }
    return other ? try_dunder(th, b, NAME(__rpow__), a) : NOT_IMPLEMENTED;
}

static Value
slot_power(Thread *th, Value a, Value b, Value modulus)
{
    if (modulus == NONE)
        return power_two(th, a, b);
    if (SLOT(type_of(a), power) != slot_power) /* there is no reflected form with modulus */
        return NOT_IMPLEMENTED;
    Value args[3] = {a, b, modulus};
    return dunder_call(th, NAME(__pow__), args, 3, NULL);
}

#define INPLACE(field, name)                                                   \
    static Value slot_##field(Thread *th, Value a, Value b)                    \
    {                                                                          \
        return try_dunder(th, a, NAME(name), b);                               \
    }
INPLACE(iadd, __iadd__)
INPLACE(isubtract, __isub__)
INPLACE(imultiply, __imul__)
INPLACE(iremainder, __imod__)
INPLACE(ilshift, __ilshift__)
INPLACE(irshift, __irshift__)
INPLACE(iand, __iand__)
INPLACE(ixor, __ixor__)
INPLACE(ior, __ior__)
INPLACE(ifloor_divide, __ifloordiv__)
INPLACE(itrue_divide, __itruediv__)
INPLACE(imatrix_multiply, __imatmul__)

static Value
slot_ipower(Thread *th, Value a, Value b, Value modulus)
{
    (void)modulus;
    return try_dunder(th, a, NAME(__ipow__), b);
}

#define UNARY(field, name)                                                     \
    static Value slot_##field(Thread *th, Value self)                          \
    {                                                                          \
        return dunder_call(th, NAME(name), &self, 1, NULL);                    \
    }
UNARY(negative, __neg__)
UNARY(positive, __pos__)
UNARY(absolute, __abs__)
UNARY(invert, __invert__)
UNARY(to_int, __int__)
UNARY(to_float, __float__)
UNARY(index, __index__)
UNARY(aiter, __aiter__)
UNARY(anext, __anext__)
UNARY(await, __await__)
UNARY(next, __next__)

static Answer
slot_truth(Thread *th, Value self)
{
    bool missing;
    Value r = dunder_call(th, NAME(__bool__), &self, 1, &missing);
    if (missing) {
        r = dunder_call(th, NAME(__len__), &self, 1, &missing);
        if (missing)
            return YES;
        int64_t n = 0;
        if (r == NULL)
            return FAILED;
        bool ok = to_ssize(th, r, &n, &exc_OverflowError);
        drop(th, r);
        return ok ? (n != 0 ? YES : NO) : FAILED;
    }
    if (r == NULL)
        return FAILED;
    if (r == TRUE)
        return YES;
    if (r == FALSE)
        return NO;
    raise_type_error(th, "__bool__ should return bool, returned %T", r);
    drop(th, r);
    return FAILED;
}

/* -- text, hash, comparison -- */

static Value
slot_repr(Thread *th, Value self)
{
    bool missing;
    Value r = dunder_call(th, NAME(__repr__), &self, 1, &missing);
    return missing ? object_repr(th, self) : r;
}

static Value
slot_str(Thread *th, Value self)
{
    bool missing;
    Value r = dunder_call(th, NAME(__str__), &self, 1, &missing);
    return missing ? to_repr(th, self) : r;
}

static bool
slot_hash(Thread *th, Value self, int64_t *hash)
{
    Value f = type_lookup(th, type_of(self), NAME(__hash__));
    if (f == NULL || f == NONE) {
        drop_null(th, f);
        return hash_unhashable(th, self, hash);
    }
    Value r = found_call(th, f, &self, 1);
    drop(th, f);
    if (r == NULL)
        return false;
    if (!is_int(r)) {
        raise_type_error(th, "__hash__ method should return an integer");
        drop(th, r);
        return false;
    }
    if (!int_fits_i64(r, hash))
        *hash = int_hash(r);
    if (*hash == -1)
        *hash = -2;
    drop(th, r);
    return true;
}

static Value
compare_name(int op)
{
    switch (op) {
    case OP_LT: return NAME(__lt__);
    case OP_LE: return NAME(__le__);
    case OP_EQ: return NAME(__eq__);
    case OP_NE: return NAME(__ne__);
    case OP_GT: return NAME(__gt__);
    default: return NAME(__ge__);
    }
}

/* A dunder whose descriptor fails counts as missing here, as in no other slot. */
static Value
slot_compare(Thread *th, Value a, Value b, int op)
{
    Value f = type_lookup(th, type_of(a), compare_name(op));
    if (f == NULL)
        return NOT_IMPLEMENTED;
    Value r;
    DescrGetFn get;
    if (LIKELY(value_has_flag(f, TYPE_METHOD_DESCR))) {
        r = call_2(th, f, a, b);
    } else if ((get = SLOT(type_of(f), descr_get)) == NULL) {
        r = call_1(th, f, b);
    } else {
        Value bound = get(th, f, a, value_of_type(type_of(a)));
        if (bound == NULL) {
            error_clear(th);
            r = NOT_IMPLEMENTED;
        } else {
            r = call_1(th, bound, b);
            drop(th, bound);
        }
    }
    drop(th, f);
    return r;
}

/* -- calls -- */

/* Calls what `name` finds on the type with self in front of any arguments. */
static Value
call_with_self(Thread *th, Value self, Value name, const Arg *args, size_t nargs, Value kwnames)
{
    Value f = type_lookup(th, type_of(self), name);
    if (f == NULL)
        return raise_value(th, &exc_AttributeError, name);
    Value r;
    DescrGetFn get;
    if (value_has_flag(f, TYPE_METHOD_DESCR)) {
        r = call_prepend(th, f, self, args, nargs, kwnames);
    } else if ((get = SLOT(type_of(f), descr_get)) != NULL) {
        Value bound = get(th, f, self, value_of_type(type_of(self)));
        r = NULL;
        if (bound) {
            r = call(th, bound, args, nargs, kwnames);
            drop(th, bound);
        }
    } else {
        r = call(th, f, args, nargs, kwnames);
    }
    drop(th, f);
    return r;
}

static Value
slot_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return call_with_self(th, self, NAME(__call__), args, nargs, kwnames);
}

bool
slot_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Value r = call_with_self(th, self, NAME(__init__), args, nargs, kwnames);
    if (r == NULL)
        return false;
    if (r != NONE) {
        raise_type_error(th, "__init__() should return None, not '%T'", r);
        drop(th, r);
        return false;
    }
    return true;
}

Value
slot_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    Value f = get_attr(th, value_of_type(type), NAME(__new__));
    if (f == NULL)
        return NULL;
    Value r = call_prepend(th, f, value_of_type(type), args, nargs, kwnames);
    drop(th, f);
    return r;
}

void
slot_finalize(Thread *th, Object *o)
{
    Value self = value_of(o);
    Value error = error_take(th);
    Value f = type_lookup(th, type_of(self), NAME(__del__));
    if (f != NULL) {
        Value r = found_call(th, f, &self, 1);
        if (r == NULL)
            error_unraisable(th, NULL, f);
        else
            drop(th, r);
        drop(th, f);
    }
    error_restore(th, error);
}

/* -- attributes -- */

Value
slot_getattribute(Thread *th, Value self, Value name)
{
    Value args[2] = {self, name};
    return dunder_call(th, NAME(__getattribute__), args, 2, NULL);
}

/* Classes with __getattr__: what __getattribute__ does not find is asked of it. */
Value
slot_getattr_hook(Thread *th, Value self, Value name)
{
    Type *t = type_of(self);
    Value hook = type_lookup(th, t, NAME(__getattr__));
    if (hook == NULL)
        return slot_getattribute(th, self, name);
    Value r = NULL;
    Answer found;
    Value f = type_lookup_borrowed(th, t, NAME(__getattribute__));
    SlotFn native = f && is_exact(f, SHAPE_WRAPPER_DESCR)
                        ? ((WrapperDescr *)(void *)value_object(f))->fn
                        : NULL;
    if (native == (SlotFn)generic_get_attr) {
        found = generic_get_attr_optional(th, self, name, &r);
    } else if (native == (SlotFn)type_get_attr) {
        found = type_get_attr_optional(th, self, name, &r);
    } else {
        Value args[2] = {self, name};
        r = dunder_call(th, NAME(__getattribute__), args, 2, NULL);
        found = r ? YES : FAILED;
    }
    if (found == FAILED && error_matches(th, &exc_AttributeError)) {
        error_clear(th);
        found = NO;
    }
    if (found == NO) {
        Value args[2] = {self, name};
        r = found_call(th, hook, args, 2);
    }
    drop(th, hook);
    return r;
}

static bool
done(Thread *th, Value r)
{
    if (r == NULL)
        return false;
    drop(th, r);
    return true;
}

static bool
slot_setattr(Thread *th, Value self, Value name, Value value)
{
    Value args[3] = {self, name, value};
    if (value == NULL)
        return done(th, dunder_call(th, NAME(__delattr__), args, 2, NULL));
    return done(th, dunder_call(th, NAME(__setattr__), args, 3, NULL));
}

static Value
slot_descr_get(Thread *th, Value self, Value object, Value type)
{
    Value args[3] = {self, object ? object : NONE, type ? type : NONE};
    bool missing;
    Value r = dunder_call(th, NAME(__get__), args, 3, &missing);
    return missing ? retain(th, self) : r;
}

static bool
slot_descr_set(Thread *th, Value self, Value object, Value value)
{
    Value args[3] = {self, object, value};
    if (value == NULL)
        return done(th, dunder_call(th, NAME(__delete__), args, 2, NULL));
    return done(th, dunder_call(th, NAME(__set__), args, 3, NULL));
}

/* -- containers -- */

static Value
slot_iter(Thread *th, Value self)
{
    Value f = type_lookup(th, type_of(self), NAME(__iter__));
    if (f == NONE) {
        drop(th, f);
        return raise_type_error(th, "'%T' object is not iterable", self);
    }
    if (f == NULL) {
        f = type_lookup(th, type_of(self), NAME(__getitem__));
        if (f == NULL)
            return raise_type_error(th, "'%T' object is not iterable", self);
        drop(th, f);
        return seq_iter_new(th, self);
    }
    Value r = found_call(th, f, &self, 1);
    drop(th, f);
    return r;
}

static int64_t
slot_length(Thread *th, Value self)
{
    bool missing;
    Value r = dunder_call(th, NAME(__len__), &self, 1, &missing);
    if (missing) /* deleted since the slot was read */
        raise_type_error(th, "object of type '%T' has no len()", self);
    if (r == NULL)
        return -1;
    Value n = to_index(th, r);
    drop(th, r);
    if (n == NULL)
        return -1;
    int64_t length;
    if (int_sign(n) < 0) {
        raise_value_error(th, "__len__() should return >= 0");
        length = -1;
    } else if (!to_ssize(th, n, &length, &exc_OverflowError)) {
        length = -1;
    }
    drop(th, n);
    return length;
}

static Value
slot_getitem(Thread *th, Value self, Value key)
{
    Value args[2] = {self, key};
    return dunder_call(th, NAME(__getitem__), args, 2, NULL);
}

static Value
slot_item(Thread *th, Value self, int64_t i)
{
    Value n = int_from_i64(th, i);
    if (n == NULL)
        return NULL;
    Value r = slot_getitem(th, self, n);
    drop(th, n);
    return r;
}

static bool
slot_setitem(Thread *th, Value self, Value key, Value value)
{
    Value args[3] = {self, key, value};
    if (value == NULL)
        return done(th, dunder_call(th, NAME(__delitem__), args, 2, NULL));
    return done(th, dunder_call(th, NAME(__setitem__), args, 3, NULL));
}

/* Membership by iteration, for classes whose __contains__ went away. */
static Answer
contains_by_iteration(Thread *th, Value self, Value item)
{
    Value it = get_iter(th, self);
    if (it == NULL)
        return FAILED;
    Answer answer = NO;
    while (answer == NO) {
        Value v = iter_next(th, it);
        if (v == NULL) {
            if (error_set(th))
                answer = FAILED;
            break;
        }
        answer = values_equal(th, v, item);
        drop(th, v);
    }
    drop(th, it);
    return answer;
}

static Answer
slot_contains(Thread *th, Value self, Value item)
{
    Value f = type_lookup(th, type_of(self), NAME(__contains__));
    if (f == NONE) {
        raise_type_error(th, "'%T' object is not a container", self);
        return FAILED;
    }
    if (f == NULL)
        return contains_by_iteration(th, self, item);
    Value args[2] = {self, item};
    Value r = found_call(th, f, args, 2);
    drop(th, f);
    if (r == NULL)
        return FAILED;
    Answer answer = is_true(th, r);
    drop(th, r);
    return answer;
}

/* -- the table -- */

#define SLOT_ROW(field, name, wrap, generic, doc)                              \
    {name, offsetof(TypeSlots, field), wrap, (SlotFn)(generic), doc},

const SlotDef slot_defs[] = {
#undef SLOT
#define SLOT SLOT_ROW
#define SLOT_DEL(name) {name, SLOT_FINALIZE, WRAP_DEL, (SlotFn)slot_finalize, NULL},
#include "objects/model/slots.def"
};
const size_t slot_def_count = ARRAY_LEN(slot_defs);
Value slot_names[ARRAY_LEN(slot_defs)];
