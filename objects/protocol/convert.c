/* convert.c -- truth, index, length, bytes of any value.  No state, no locks. */
#include "objects/protocol/protocol.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/native.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/slot.h"
#include "objects/text/bytes.h"

Answer
is_true(Thread *th, Value v)
{
    if (v == TRUE)
        return YES;
    if (v == FALSE || v == NONE)
        return NO;
    if (value_is_fixnum(v))
        return value_fixnum(v) != 0 ? YES : NO;
    Type *t = type_of(v);
    if (!stack_check(th))
        return FAILED;
    AnswerFn truth = SLOT(t, truth);
    if (truth != NULL)
        return truth(th, v);
    LengthFn length = SLOT(t, length);
    if (length != NULL) {
        int64_t n = length(th, v);
        return n < 0 ? FAILED : n > 0 ? YES : NO;
    }
    return YES;
}

Value
to_index(Thread *th, Value v)
{
    if (LIKELY(is_exact(v, SHAPE_INT)))
        return retain(th, v);
    if (is_int(v))
        return int_plain(th, v);
    UnaryFn fn = SLOT(type_of(v), index);
    if (fn == NULL)
        return raise_type_error(th, "'%T' object cannot be interpreted as an integer", v);
    Value r = fn(th, v);
    if (r == NULL || is_exact(r, SHAPE_INT))
        return r;
    if (!is_int(r)) {
        raise_type_error(th, "__index__ returned non-int (type %T)", r);
        drop(th, r);
        return NULL;
    }
    bool ok = warn(th, &exc_DeprecationWarning, 1,
                   "__index__ returned non-int (type %T).  The ability to return an instance of a "
                   "strict subclass of int is deprecated, and may be removed in a future "
                   "version of Python.",
                   r);
    Value plain = ok ? int_plain(th, r) : NULL;
    drop(th, r);
    return plain;
}

bool
to_ssize(Thread *th, Value v, int64_t *out, Type *overflow)
{
    if (LIKELY(value_is_fixnum(v))) {
        *out = value_fixnum(v);
        return true;
    }
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    bool ok = true;
    if (!int_fits_i64(n, out)) {
        if (overflow == NULL) {
            *out = int_sign(n) < 0 ? INT64_MIN : INT64_MAX;
        } else {
            raise_error(th, overflow, "cannot fit '%T' into an index-sized integer", v);
            ok = false;
        }
    }
    drop(th, n);
    return ok;
}

int64_t
length_of(Thread *th, Value v)
{
    LengthFn fn = SLOT(type_of(v), length);
    if (LIKELY(fn != NULL))
        return stack_check(th) ? fn(th, v) : -1;
    raise_type_error(th, "object of type '%T' has no len()", v);
    return -1;
}

int64_t
length_hint(Thread *th, Value v, int64_t fallback)
{
    LengthFn fn = SLOT(type_of(v), length);
    if (fn != NULL) {
        int64_t n = fn(th, v);
        if (n >= 0)
            return n;
        if (!error_matches(th, &exc_TypeError))
            return -1;
        error_clear(th);
    }
    bool missing;
    Value hint = call_special(th, v, NAME(__length_hint__), NULL, 0, &missing);
    if (hint == NULL) {
        if (missing)
            return fallback;
        if (!error_matches(th, &exc_TypeError))
            return -1;
        error_clear(th);
        return fallback;
    }
    int64_t n = fallback;
    if (hint != NOT_IMPLEMENTED) {
        if (!is_int(hint)) {
            raise_type_error(th, "__length_hint__ must be an integer, not %T", hint);
            n = -1;
        } else if (!arg_ssize(th, hint, &n)) {
            n = -1;
        } else if (n < 0) {
            raise_value_error(th, "__length_hint__() should return >= 0");
            n = -1;
        }
    }
    drop(th, hint);
    return n;
}

Value
to_bytes(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_BYTES))
        return retain(th, v);
    bool missing;
    Value r = call_special(th, v, NAME(__bytes__), NULL, 0, &missing);
    if (r != NULL) {
        if (is_bytes(r))
            return r;
        raise_type_error(th, "__bytes__ returned non-bytes (type %T)", r);
        drop(th, r);
        return NULL;
    }
    if (!missing)
        return NULL;
    return bytes_from_value(th, v);
}
