/* to_number.c -- int(v) and float(v) of any value.
 *
 * The constructors of int and float come here for one plain argument.  Text is read by
 * objects/number; this file decides who is asked, in which order.  No state, no locks.
 */
#include "objects/protocol/protocol.h"

#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/slot.h"

/* The plain int that a conversion method `what` returned in `r` (given up). */
static Value
check_int(Thread *th, Value STEALS r, const char *what)
{
    if (r == NULL || is_exact(r, SHAPE_INT))
        return r;
    if (!is_int(r)) {
        raise_type_error(th, "%s returned non-int (type %T)", what, r);
        drop(th, r);
        return NULL;
    }
    if (!warn(th, &exc_DeprecationWarning, 1,
              "%s returned non-int (type %T).  The ability to return an instance of a strict "
              "subclass of int is deprecated, and may be removed in a future version of "
              "Python.",
              what, r)) {
        drop(th, r);
        return NULL;
    }
    Value plain = int_plain(th, r);
    drop(th, r);
    return plain;
}

/* int(bytes-like): the text in it. */
static Value
int_of_bytes(Thread *th, Value v)
{
    Buffer b;
    if (!buffer_read(th, v, &b, BUFFER_SIMPLE))
        return NULL;
    Value r = int_from_buffer(th, b.data, (size_t)b.length, NULL, 10);
    buffer_release(th, &b);
    return r;
}

static Value
int_by_trunc(Thread *th, Value v, Value STEALS method)
{
    if (!warn(th, &exc_DeprecationWarning, 1,
              "The delegation of int() to __trunc__ is deprecated.")) {
        drop(th, method);
        return NULL;
    }
    Value r = call_0(th, method);
    drop(th, method);
    if (r == NULL)
        return NULL;
    if (is_int(r)) {
        Value plain = int_plain(th, r);
        drop(th, r);
        return plain;
    }
    if (SLOT(type_of(r), index) == NULL) {
        raise_type_error(th, "__trunc__ returned non-Integral (type %T)", r);
        drop(th, r);
        return NULL;
    }
    (void)v;
    Value n = to_index(th, r);
    drop(th, r);
    return n;
}

Value
number_to_int(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_INT))
        return retain(th, v);
    Type *t = type_of(v);
    UnaryFn fn = SLOT(t, to_int);
    if (fn != NULL)
        return check_int(th, fn(th, v), "__int__");
    if (SLOT(t, index) != NULL)
        return to_index(th, v);
    Value trunc = lookup_special(th, v, NAME(__trunc__));
    if (trunc != NULL)
        return int_by_trunc(th, v, trunc);
    if (error_set(th))
        return NULL;
    if (is_str(v))
        return int_from_str(th, v, 10);
    if (SLOT(t, get_buffer) != NULL)
        return int_of_bytes(th, v);
    return raise_type_error(th,
                            "int() argument must be a string, a bytes-like object or a real "
                            "number, not '%T'",
                            v);
}

Value
number_to_float(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_FLOAT))
        return retain(th, v);
    Type *t = type_of(v);
    UnaryFn fn = SLOT(t, to_float);
    if (fn != NULL) {
        Value r = fn(th, v);
        if (r == NULL || is_exact(r, SHAPE_FLOAT))
            return r;
        if (!is_float(r)) {
            raise_type_error(th, "%N.__float__ returned non-float (type %T)", t, r);
            drop(th, r);
            return NULL;
        }
        bool ok = warn(th, &exc_DeprecationWarning, 1,
                       "%N.__float__ returned non-float (type %T).  The ability to return an "
                       "instance of a strict subclass of float is deprecated, and may be "
                       "removed in a future version of Python.",
                       t, r);
        Value plain = ok ? float_from(th, float_value(r)) : NULL;
        drop(th, r);
        return plain;
    }
    if (SLOT(t, index) != NULL) {
        Value n = to_index(th, v);
        if (n == NULL)
            return NULL;
        double d;
        bool ok = int_to_double(th, n, &d);
        drop(th, n);
        return ok ? float_from(th, d) : NULL;
    }
    if (is_float(v))
        return float_from(th, float_value(v));
    if (is_str(v))
        return float_from_str(th, v);
    if (SLOT(t, get_buffer) != NULL)
        return float_from_buffer(th, v);
    return raise_type_error(th, "float() argument must be a string or a real number, not '%T'", v);
}
