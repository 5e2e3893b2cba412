/* math_sum.c -- module math: sums, products and distances.
 *
 * fsum() adds exactly: every double is a whole number of 2^-1088, and a row of bins, 32 bits apart
 * and 64 bits wide, holds the sum; it is rounded once, at the end.  hypot() and dist() add squares
 * in pairs of doubles and correct the root.  Stateless: no locks.
 */
#include "modules/math_priv.h"

#include <math.h>

#include "objects/container/container.h"
#include "objects/protocol/protocol.h"
#include "threads/safepoint.h"

/* -- fsum -- */

#define BIN_LOWEST (-1088)
#define BINS 70

typedef struct ExactSum {
    int64_t bins[BINS];  /* bin i is worth 2^(32 i + BIN_LOWEST) */
    uint32_t additions;  /* since the last carry */
} ExactSum;

/* Leaves 32 bits in every bin but the last. */
static void
exact_carry(ExactSum *s)
{
    int64_t carry = 0;
    for (int i = 0; i < BINS - 1; i++) {
        int64_t t = s->bins[i] + carry;
        carry = t >> 32;
        s->bins[i] = t & 0xffffffff;
    }
    s->bins[BINS - 1] += carry;
    s->additions = 0;
}

static void
exact_add(ExactSum *s, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    int field = (int)(bits >> 52) & 0x7ff;
    uint64_t m = bits & (((uint64_t)1 << 52) - 1);
    if (field)
        m |= (uint64_t)1 << 52;
    else
        field = 1;
    int at = field - 1075 - BIN_LOWEST;
    unsigned __int128 wide = (unsigned __int128)m << (at % 32);
    int64_t *bin = &s->bins[at / 32];
    int64_t low = (int64_t)(uint32_t)wide, middle = (int64_t)(uint32_t)(wide >> 32),
            high = (int64_t)(wide >> 64);
    if (bits >> 63) {
        bin[0] -= low;
        bin[1] -= middle;
        bin[2] -= high;
    } else {
        bin[0] += low;
        bin[1] += middle;
        bin[2] += high;
    }
    if (++s->additions == (uint32_t)1 << 30)
        exact_carry(s);
}

static double
exact_result(ExactSum *s)
{
    exact_carry(s);
    bool negative = s->bins[BINS - 1] < 0;
    if (negative) {
        for (int i = 0; i < BINS; i++)
            s->bins[i] = -s->bins[i];
        exact_carry(s);
    }
    int top = BINS - 1;
    while (top >= 0 && s->bins[top] == 0)
        top--;
    if (top < 0)
        return 0.0;
    if (top >= 66) /* 2^(32 * 66 - 1088) is 2^1024 */
        return negative ? -HUGE_VAL : HUGE_VAL;
    /* Three bins hold at least 65 bits. */
    unsigned __int128 wide = (unsigned __int128)(uint64_t)s->bins[top] << 64;
    int lowest = top;
    for (int i = 1; i <= 2 && top - i >= 0; i++) {
        wide |= (unsigned __int128)(uint64_t)s->bins[top - i] << (64 - 32 * i);
        lowest = top - i;
    }
    bool rest = false;
    for (int i = 0; i < lowest; i++)
        rest |= s->bins[i] != 0;
    int64_t exponent = 32 * (int64_t)(top - 2) + BIN_LOWEST;
    int bits = 128 - __builtin_clzll((uint64_t)(wide >> 64)); /* 65 .. 96: the top bin is not 0 */
    rest |= (wide & (((unsigned __int128)1 << (bits - 64)) - 1)) != 0;
    uint64_t m = (uint64_t)(wide >> (bits - 64));
    exponent += bits - 64;
    double d = double_from_scaled(m, rest, exponent);
    return negative ? -d : d;
}

Value
math_fsum(Thread *th, Value self, Value iterable)
{
    (void)self;
    ExactSum sum;
    memset(&sum, 0, sizeof sum);
    double special = 0.0, infinities = 0.0;
    bool any_special = false;
    Value it = get_iter(th, iterable), item;
    if (it == NULL)
        return NULL;
    uint32_t steps = 0;
    while ((item = iter_next(th, it)) != NULL) {
        double d;
        bool good = value_is_flonum(item) ? (d = float_decode(item), true)
                                          : arg_double(th, item, &d);
        drop(th, item);
        if (!good || (++steps % 4096 == 0 && !safepoint_poll(th)))
            goto fail;
        if (isfinite(d))
            exact_add(&sum, d);
        else {
            any_special = true;
            special += d;
            if (isinf(d))
                infinities += d;
        }
    }
    drop(th, it);
    if (error_set(th))
        return NULL;
    if (any_special) {
        if (isnan(infinities))
            return raise_value_error(th, "-inf + inf in fsum");
        return float_from(th, special);
    }
    double d = exact_result(&sum);
    if (isinf(d))
        return raise_overflow(th, "intermediate overflow in fsum");
    return float_from(th, d);
fail:
    drop(th, it);
    return NULL;
}

/* -- prod -- */

Value
math_prod(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "prod",
                                     .names = {"", "start"},
                                     .positional = 1,
                                     .posonly = 1,
                                     .required = 1};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value it = get_iter(th, v[0]), item;
    if (it == NULL)
        return NULL;
    Value r = v[1] ? retain(th, v[1]) : value_from_fixnum(1);
    while ((item = iter_next(th, it)) != NULL) {
        Value next;
        if (value_is_flonum(item) && value_is_flonum(r))
            next = float_from(th, float_decode(r) * float_decode(item));
        else if (value_is_fixnum(item) && value_is_fixnum(r))
            next = int_multiply(th, r, item);
        else
            next = number_multiply(th, r, item);
        drop(th, item);
        drop(th, r);
        r = next;
        if (r == NULL || !safepoint_poll(th)) {
            drop_null(th, r);
            drop(th, it);
            return NULL;
        }
    }
    drop(th, it);
    if (error_set(th)) {
        drop(th, r);
        return NULL;
    }
    return r;
}

/* -- distances -- */

/* The root of the sum of the squares of x[0 .. n), none of them negative; max is the largest. */
static double
vector_norm(const double *x, size_t n, double max, bool any_nan)
{
    if (isinf(max))
        return max;
    if (any_nan)
        return (double)NAN;
    if (max == 0.0 || n <= 1)
        return max;
    int exponent;
    frexp(max, &exponent);
    double sum = 0.0, low = 0.0;
    bool plain = exponent >= -1021 && exponent <= 1022;
    double scale = plain ? ldexp(1.0, -exponent) : 1.0;
    for (size_t i = 0; i < n; i++) {
        double v = plain ? x[i] * scale : ldexp(x[i], -exponent); /* exact, or far too small */
        double square = v * v;
        low += fma(v, v, -square);
        double total = sum + square; /* both parts of the rounding error are kept */
        double back = total - sum;
        low += (sum - (total - back)) + (square - back);
        sum = total;
    }
    double root = sqrt(sum + low);
    /* One step of Newton's method with the residue in twice the precision. */
    double square = root * root;
    double residue = ((sum - square) - fma(root, root, -square)) + low;
    root += residue / (2.0 * root);
    return ldexp(root, exponent);
}

/* Working space for coordinates. */
typedef struct Coordinates {
    double *x;
    double local[16];
} Coordinates;

static bool
coordinates_get(Thread *th, Coordinates *c, size_t n)
{
    c->x = c->local;
    if (n > ARRAY_LEN(c->local))
        c->x = buffer_new(th, n * sizeof(double));
    return c->x != NULL;
}

static void
coordinates_free(Coordinates *c)
{
    if (c->x != c->local)
        buffer_free(c->x);
}

Value
math_hypot(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    Coordinates c;
    if (!coordinates_get(th, &c, nargs))
        return NULL;
    double max = 0.0;
    bool any_nan = false;
    for (size_t i = 0; i < nargs; i++) {
        double d;
        if (!arg_double(th, arg(args, i), &d)) {
            coordinates_free(&c);
            return NULL;
        }
        c.x[i] = d = fabs(d);
        any_nan |= isnan(d);
        if (d > max)
            max = d;
    }
    double r = vector_norm(c.x, nargs, max, any_nan);
    coordinates_free(&c);
    return float_from(th, r);
}

Value
math_dist(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    Value p = sequence_tuple(th, arg(args, 0)), q = NULL, r = NULL;
    if (p == NULL || (q = sequence_tuple(th, arg(args, 1))) == NULL)
        goto end;
    int64_t n = tuple_length(p);
    if (n != tuple_length(q)) {
        raise_value_error(th, "both points must have the same number of dimensions");
        goto end;
    }
    Coordinates c;
    if (!coordinates_get(th, &c, (size_t)n))
        goto end;
    double max = 0.0;
    bool any_nan = false, good = true;
    for (int64_t i = 0; good && i < n; i++) {
        double x, y;
        good = arg_double(th, tuple_item(p, i), &x) && arg_double(th, tuple_item(q, i), &y);
        if (!good)
            break;
        double d = c.x[i] = fabs(x - y);
        any_nan |= isnan(d);
        if (d > max)
            max = d;
    }
    if (good)
        r = float_from(th, vector_norm(c.x, (size_t)n, max, any_nan));
    coordinates_free(&c);
end:
    drop_null(th, p);
    drop_null(th, q);
    return r;
}
