/* math_int.c -- module math: functions of integers.
 *
 * Stateless; all operands are immutable: no locks.
 */
#include "modules/math_priv.h"

#include "objects/protocol/protocol.h"
#include "threads/safepoint.h"

/* n * (n-1) * ... of `count` factors, by splitting in halves. */
static Value
falling_product(Thread *th, Value n, int64_t count)
{
    if (count <= 12) {
        Value r = value_from_fixnum(1), factor = retain(th, n);
        for (int64_t i = 0; i < count; i++) {
            Value product = int_multiply(th, r, factor);
            drop(th, r);
            Value next = product ? int_subtract(th, factor, value_from_fixnum(1)) : NULL;
            drop(th, factor);
            r = product;
            factor = next;
            if (factor == NULL) {
                drop_null(th, r);
                return NULL;
            }
        }
        drop(th, factor);
        return r;
    }
    if (count > 2000 && !safepoint_poll(th))
        return NULL;
    int64_t half = count / 2;
    Value high = falling_product(th, n, half);
    if (high == NULL)
        return NULL;
    Value rest = int_subtract(th, n, value_from_fixnum(half));
    Value low = rest ? falling_product(th, rest, count - half) : NULL;
    drop_null(th, rest);
    Value r = low ? int_multiply(th, high, low) : NULL;
    drop_null(th, low);
    drop(th, high);
    return r;
}

static Value
factorial(Thread *th, Value n)
{
    int64_t count;
    if (int_sign(n) < 0)
        return raise_value_error(th, "factorial() not defined for negative values");
    if (!int_fits_i64(n, &count))
        return raise_error(th, &exc_OverflowError,
                           "factorial() argument should not exceed %lld", (long long)INT64_MAX);
    if (count <= 20) {
        int64_t r = 1;
        for (int64_t i = 2; i <= count; i++)
            r *= i;
        return value_from_fixnum(r);
    }
    return falling_product(th, n, count);
}

Value
math_factorial(Thread *th, Value self, Value v)
{
    (void)self;
    Value n = to_index(th, v);
    if (n == NULL)
        return NULL;
    Value r = factorial(th, n);
    drop(th, n);
    return r;
}

/* n over k for 0 <= k <= n / 2: in machine words while every step fits. */
static bool
small_binomial(uint64_t n, uint64_t k, uint64_t *out)
{
    unsigned __int128 r = 1;
    for (uint64_t i = 0; i < k; i++) {
        r = r * (n - i) / (i + 1); /* exact: r is a binomial coefficient after each step */
        if (r >> 64)
            return false;
    }
    *out = (uint64_t)r;
    return true;
}

static Value
binomial(Thread *th, Value n, int64_t k)
{
    int64_t word;
    uint64_t small;
    if (int_fits_i64(n, &word) && small_binomial((uint64_t)word, (uint64_t)k, &small))
        return int_from_u64(th, small);
    Value above = falling_product(th, n, k);
    Value below = above ? factorial(th, value_from_fixnum(k)) : NULL;
    Value r = below ? int_floor_divide(th, above, below) : NULL;
    drop_null(th, above);
    drop_null(th, below);
    return r;
}

Value
math_comb(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    Value n = to_index(th, arg(args, 0)), k = NULL, other = NULL, r = NULL;
    if (n == NULL || (k = to_index(th, arg(args, 1))) == NULL)
        goto end;
    if (int_sign(n) < 0) {
        raise_value_error(th, "n must be a non-negative integer");
        goto end;
    }
    if (int_sign(k) < 0) {
        raise_value_error(th, "k must be a non-negative integer");
        goto end;
    }
    other = int_subtract(th, n, k);
    if (other == NULL)
        goto end;
    if (int_sign(other) < 0) {
        r = value_from_fixnum(0);
        goto end;
    }
    int64_t count;
    if (!int_fits_i64(int_compare(other, k) < 0 ? other : k, &count) || !fixnum_fits(count)) {
        raise_error(th, &exc_OverflowError, "min(n - k, k) must not exceed %lld",
                    (long long)INT64_MAX);
        goto end;
    }
    r = binomial(th, n, count);
end:
    drop_null(th, n);
    drop_null(th, k);
    drop_null(th, other);
    return r;
}

Value
math_perm(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (nargs == 1 || arg(args, 1) == NONE)
        return math_factorial(th, self, arg(args, 0));
    Value n = to_index(th, arg(args, 0)), k = NULL, r = NULL;
    int64_t count;
    if (n == NULL || (k = to_index(th, arg(args, 1))) == NULL)
        goto end;
    if (int_sign(n) < 0)
        raise_value_error(th, "n must be a non-negative integer");
    else if (int_sign(k) < 0)
        raise_value_error(th, "k must be a non-negative integer");
    else if (int_compare(n, k) < 0)
        r = value_from_fixnum(0);
    else if (!int_fits_i64(k, &count))
        raise_error(th, &exc_OverflowError, "k must not exceed %lld", (long long)INT64_MAX);
    else
        r = falling_product(th, n, count);
end:
    drop_null(th, n);
    drop_null(th, k);
    return r;
}

/* Folds the arguments, read with __index__, with fn, beginning with `start`. */
static Value
fold(Thread *th, const Arg *args, size_t nargs, int64_t start,
     Value (*fn)(Thread *th, Value a, Value b))
{
    Value r = value_from_fixnum(start);
    for (size_t i = 0; i < nargs; i++) {
        Value x = to_index(th, arg(args, i));
        Value next = x ? fn(th, r, x) : NULL;
        drop_null(th, x);
        drop(th, r);
        if (next == NULL)
            return NULL;
        r = next;
    }
    return r;
}

Value
math_gcd(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    return fold(th, args, nargs, 0, int_gcd);
}

static Value
least_multiple(Thread *th, Value a, Value b)
{
    if (int_sign(a) == 0 || int_sign(b) == 0)
        return value_from_fixnum(0);
    Value g = int_gcd(th, a, b);
    Value part = g ? int_floor_divide(th, a, g) : NULL;
    drop_null(th, g);
    Value r = part ? int_multiply(th, part, b) : NULL;
    drop_null(th, part);
    if (r != NULL && int_sign(r) < 0) {
        Value negative = r;
        r = int_negative(th, negative);
        drop(th, negative);
    }
    return r;
}

Value
math_lcm(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    return fold(th, args, nargs, 1, least_multiple);
}

Value
math_isqrt(Thread *th, Value self, Value v)
{
    (void)self;
    Value n = to_index(th, v), r;
    if (n == NULL)
        return NULL;
    if (int_sign(n) < 0)
        r = raise_value_error(th, "isqrt() argument must be nonnegative");
    else
        r = int_isqrt(th, n);
    drop(th, n);
    return r;
}
