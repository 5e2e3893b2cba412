/* fast.h -- arithmetic on immediates, inline, for the evaluator.
 *
 * fix_*: both operands are immediate ints.  Each returns the result, or NULL (no exception) when
 * it is no immediate or the operation must raise: the caller then takes the slow way.  They work
 * on the words themselves: 2 * n + 1.
 *
 * flo_*: both operands are immediate floats.  The result is an immediate or NULL, as above.
 */
#ifndef OBJECTS_NUMBER_FAST_H
#define OBJECTS_NUMBER_FAST_H

#include "base/attrs.h"
#include "objects/number/float_encode.h"

/* Writes n in decimal so that it ends before `end` (20 characters at most); where it begins. */
char *int_digits_before(char *end, int64_t n);

/* Whether both words are immediate ints: bit 0 of both is set. */
ALWAYS_INLINE bool
both_fix(Value a, Value b)
{
    return (value_bits(a) & value_bits(b) & VALUE_INT_BIT) != 0;
}

/* Whether both are immediate floats: the two low bits of both are 10. */
ALWAYS_INLINE bool
both_flo(Value a, Value b)
{
    return (((value_bits(a) ^ VALUE_FLOAT_TAG) | (value_bits(b) ^ VALUE_FLOAT_TAG)) &
            VALUE_TAG_MASK) == 0;
}

ALWAYS_INLINE Value
fix_add(Value a, Value b)
{
    int64_t r;
    if (UNLIKELY(__builtin_add_overflow((int64_t)value_bits(a), (int64_t)value_bits(b) - 1, &r)))
        return NULL;
    return value_from_bits((uintptr_t)r);
}

ALWAYS_INLINE Value
fix_subtract(Value a, Value b)
{
    int64_t r;
    if (UNLIKELY(__builtin_sub_overflow((int64_t)value_bits(a), (int64_t)value_bits(b) - 1, &r)))
        return NULL;
    return value_from_bits((uintptr_t)r);
}

ALWAYS_INLINE Value
fix_multiply(Value a, Value b)
{
    int64_t r;
    if (UNLIKELY(__builtin_mul_overflow((int64_t)value_bits(a) - 1, value_fixnum(b), &r)))
        return NULL;
    return value_from_bits((uintptr_t)r + 1);
}

ALWAYS_INLINE Value
fix_floor_divide(Value a, Value b)
{
    int64_t x = value_fixnum(a), y = value_fixnum(b);
    if (UNLIKELY(y == 0 || y == -1)) /* zero division; the least int divided by -1 */
        return NULL;
    if (LIKELY((uint64_t)(x | y) >> 32 == 0))
        return value_from_fixnum((int64_t)((uint32_t)x / (uint32_t)y));
    int64_t q = x / y, r = x - q * y;
    return value_from_fixnum(q - (r != 0 && (r ^ y) < 0));
}

ALWAYS_INLINE Value
fix_remainder(Value a, Value b)
{
    int64_t x = value_fixnum(a), y = value_fixnum(b);
    if (UNLIKELY(y == 0))
        return NULL;
    if (LIKELY((uint64_t)(x | y) >> 32 == 0))
        return value_from_fixnum((int64_t)((uint32_t)x % (uint32_t)y));
    int64_t r = x % y;
    return value_from_fixnum(r != 0 && (r ^ y) < 0 ? r + y : r);
}

ALWAYS_INLINE Value
fix_true_divide(Value a, Value b)
{
    int64_t x = value_fixnum(a), y = value_fixnum(b);
    const int64_t exact = (int64_t)1 << 53;
    if (UNLIKELY(y == 0 || x > exact || x < -exact || y > exact || y < -exact))
        return NULL;
    return float_encode((double)x / (double)y);
}

ALWAYS_INLINE Value
fix_and(Value a, Value b)
{
    return value_from_bits(value_bits(a) & value_bits(b));
}

ALWAYS_INLINE Value
fix_or(Value a, Value b)
{
    return value_from_bits(value_bits(a) | value_bits(b));
}

ALWAYS_INLINE Value
fix_xor(Value a, Value b)
{
    return value_from_bits((value_bits(a) ^ value_bits(b)) | VALUE_INT_BIT);
}

ALWAYS_INLINE Value
fix_lshift(Value a, Value b)
{
    int64_t x = value_fixnum(a), n = value_fixnum(b);
    if (UNLIKELY((uint64_t)n >= 62 || (x >> (62 - n)) != (x >> 63)))
        return NULL;
    return value_from_fixnum((int64_t)((uint64_t)x << n));
}

ALWAYS_INLINE Value
fix_rshift(Value a, Value b)
{
    int64_t n = value_fixnum(b);
    if (UNLIKELY(n < 0))
        return NULL;
    return value_from_fixnum(value_fixnum(a) >> (n > 63 ? 63 : n));
}

ALWAYS_INLINE Value
fix_negative(Value a)
{
    if (UNLIKELY(value_fixnum(a) == FIXNUM_MIN))
        return NULL;
    return value_from_fixnum(-value_fixnum(a));
}

ALWAYS_INLINE Value
fix_invert(Value a)
{
    return value_from_fixnum(~value_fixnum(a));
}

/* The words are ordered as the ints are. */
ALWAYS_INLINE bool fix_lt(Value a, Value b) { return (intptr_t)a < (intptr_t)b; }
ALWAYS_INLINE bool fix_le(Value a, Value b) { return (intptr_t)a <= (intptr_t)b; }
ALWAYS_INLINE bool fix_gt(Value a, Value b) { return (intptr_t)a > (intptr_t)b; }
ALWAYS_INLINE bool fix_ge(Value a, Value b) { return (intptr_t)a >= (intptr_t)b; }
ALWAYS_INLINE bool fix_eq(Value a, Value b) { return a == b; }

ALWAYS_INLINE Value
flo_add(Value a, Value b)
{
    return float_encode(float_decode(a) + float_decode(b));
}

ALWAYS_INLINE Value
flo_subtract(Value a, Value b)
{
    return float_encode(float_decode(a) - float_decode(b));
}

ALWAYS_INLINE Value
flo_multiply(Value a, Value b)
{
    return float_encode(float_decode(a) * float_decode(b));
}

/* An immediate float is never 0. */
ALWAYS_INLINE Value
flo_true_divide(Value a, Value b)
{
    return float_encode(float_decode(a) / float_decode(b));
}

/* An immediate float with its sign turned: the sign is bit 2 of the word. */
ALWAYS_INLINE Value
flo_negative(Value a)
{
    return value_from_bits(value_bits(a) ^ 4);
}

ALWAYS_INLINE bool flo_lt(Value a, Value b) { return float_decode(a) < float_decode(b); }
ALWAYS_INLINE bool flo_le(Value a, Value b) { return float_decode(a) <= float_decode(b); }
ALWAYS_INLINE bool flo_gt(Value a, Value b) { return float_decode(a) > float_decode(b); }
ALWAYS_INLINE bool flo_ge(Value a, Value b) { return float_decode(a) >= float_decode(b); }
ALWAYS_INLINE bool flo_eq(Value a, Value b) { return a == b; } /* no zeros, no NaN */

#endif
