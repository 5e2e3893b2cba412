/* int_arith.c -- ints added, multiplied, divided, shifted.
 *
 * Immediates are worked on as machine words; everything else on GMP's mpn functions, with the
 * result's limbs written into the new object itself.  Ints never change: no locks.  Work on more
 * than INT_HEAVY limbs is done offline; the operands are held meanwhile, and the unpublished
 * result belongs to this thread.
 */
#include "objects/number/int_priv.h"

#include <math.h>

#include "threads/safepoint.h"

/* -- sums -- */

/* a + b or a - b of views, as magnitudes with signs. */
static Value
add_views(Thread *th, const IntView *v, const IntView *w, bool w_negative)
{
    const Limb *p = v->p, *q = w->p;
    mp_size_t n = v->n, m = w->n;
    bool negative = v->negative;
    if (v->negative == w_negative || m == 0) {
        if (n < m) {
            p = w->p, q = v->p;
            n = w->n, m = v->n;
            negative = w_negative;
        }
        Int *r = int_alloc(th, n + 1);
        if (r == NULL)
            return NULL;
        r->limbs[n] = m ? mpn_add(r->limbs, p, n, q, m) : (mpn_copyi(r->limbs, p, n), (Limb)0);
        return int_finish(th, r, n + 1, negative);
    }
    int order = n != m ? (n < m ? -1 : 1) : mpn_cmp(p, q, n);
    if (order == 0)
        return value_from_fixnum(0);
    if (order < 0) {
        p = w->p, q = v->p;
        n = w->n, m = v->n;
        negative = w_negative;
    }
    if (n <= 2) { /* often small again */
        Limb two[2];
        if (m)
            mpn_sub(two, p, n, q, m);
        else
            mpn_copyi(two, p, n);
        return int_from_limbs(th, two, n, negative);
    }
    Int *r = int_alloc(th, n);
    if (r == NULL)
        return NULL;
    if (m)
        mpn_sub(r->limbs, p, n, q, m);
    else
        mpn_copyi(r->limbs, p, n);
    return int_finish(th, r, n, negative);
}

Value
int_add(Thread *th, Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b))
        return int_from_i64(th, value_fixnum(a) + value_fixnum(b)); /* 63 bits each: no overflow */
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    return add_views(th, &v, &w, w.negative);
}

Value
int_subtract(Thread *th, Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b))
        return int_from_i64(th, value_fixnum(a) - value_fixnum(b));
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    return add_views(th, &v, &w, !w.negative);
}

Value
int_negative(Thread *th, Value a)
{
    if (value_is_fixnum(a))
        return int_from_i64(th, -value_fixnum(a));
    IntView w;
    int_view(&w, a);
    return int_from_limbs(th, w.p, w.n, !w.negative);
}

/* -- products -- */

static Value
multiply_views(Thread *th, const IntView *v, const IntView *w)
{
    if (v->n == 0 || w->n == 0)
        return value_from_fixnum(0);
    const IntView *longer = v->n >= w->n ? v : w, *shorter = v->n >= w->n ? w : v;
    mp_size_t n = longer->n, m = shorter->n;
    bool negative = v->negative != w->negative;
    Int *r = int_alloc(th, n + m);
    if (r == NULL)
        return NULL;
    bool ok = true;
    heavy_begin(th, m > 64 ? n : n / 8);
    if (m == 1)
        r->limbs[n] = mpn_mul_1(r->limbs, longer->p, n, shorter->p[0]);
    else if (longer->p == shorter->p && n == m)
        ok = big_sqr(r->limbs, longer->p, n);
    else
        ok = big_mul(r->limbs, longer->p, n, shorter->p, m);
    heavy_end(th, m > 64 ? n : n / 8);
    if (UNLIKELY(!ok)) {
        drop(th, value_of(r));
        return raise_memory(th);
    }
    return int_finish(th, r, n + m, negative);
}

Value
int_multiply(Thread *th, Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b)) {
        int64_t x = value_fixnum(a), y = value_fixnum(b), product;
        if (LIKELY(!__builtin_mul_overflow(x, y, &product)))
            return int_from_i64(th, product);
        return int_from_wide(th, (SignedWide)x * y);
    }
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    return multiply_views(th, &v, &w);
}

/* -- quotients -- */

static void *
raise_zero_division(Thread *th, const char *message)
{
    return raise_error(th, &exc_ZeroDivisionError, "%s", message);
}

/* Floor division of views, w not zero.  Either of q, r may be NULL. */
static bool
divide_views(Thread *th, const IntView *v, const IntView *w, Value *q, Value *r)
{
    bool mixed = v->negative != w->negative;
    mp_size_t n = v->n, m = w->n;
    Value quotient = NULL, rest = NULL;
    if (n < m || (n == m && mpn_cmp(v->p, w->p, n) < 0)) {
        /* Quotient 0 or -1. */
        bool down = mixed && n != 0;
        if (r) {
            rest = down ? add_views(th, v, w, w->negative)
                        : int_from_limbs(th, v->p, n, v->negative);
            if (rest == NULL)
                return false;
            *r = rest;
        }
        if (q)
            *q = value_from_fixnum(down ? -1 : 0);
        return true;
    }
    Int *qi = int_alloc(th, n - m + 2); /* one more for the step down */
    Limbs space;
    if (qi == NULL)
        return false;
    if (m == 1) {
        Limb left = mpn_divrem_1(qi->limbs, 0, v->p, n, w->p[0]);
        qi->limbs[n] = 0;
        if (mixed && left != 0) {
            qi->limbs[n] = mpn_add_1(qi->limbs, qi->limbs, n, 1);
            left = w->p[0] - left;
        }
        if (r && (rest = int_from_limbs(th, &left, 1, w->negative)) == NULL)
            goto fail;
    } else {
        if (!limbs_get(th, &space, m))
            goto fail;
        heavy_begin(th, m > 64 ? n : n / 8);
        bool ok = big_divide(qi->limbs, space.p, v->p, n, w->p, m);
        heavy_end(th, m > 64 ? n : n / 8);
        if (UNLIKELY(!ok)) {
            limbs_free(&space);
            raise_memory(th);
            goto fail;
        }
        qi->limbs[n - m + 1] = 0;
        if (mixed && limbs_used(space.p, m) != 0) {
            qi->limbs[n - m + 1] = mpn_add_1(qi->limbs, qi->limbs, n - m + 1, 1);
            mpn_sub_n(space.p, w->p, space.p, m);
        }
        if (r)
            rest = int_from_limbs(th, space.p, m, w->negative);
        limbs_free(&space);
        if (r && rest == NULL)
            goto fail;
    }
    if (q) {
        quotient = int_finish(th, qi, n - m + 2, mixed);
        if (quotient == NULL) {
            drop_null(th, rest);
            return false;
        }
        *q = quotient;
    } else
        drop(th, value_of(qi));
    if (r)
        *r = rest;
    return true;
fail:
    drop(th, value_of(qi));
    return false;
}

/* Floor division of machine ints; y is neither 0 nor, with the least x, -1. */
static inline int64_t
floor_quotient(int64_t x, int64_t y)
{
    int64_t q = x / y;
    return q - ((x % y != 0) & ((x < 0) != (y < 0)));
}

static inline int64_t
floor_rest(int64_t x, int64_t y)
{
    int64_t r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

Value
int_floor_divide(Thread *th, Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b)) {
        int64_t y = value_fixnum(b);
        if (UNLIKELY(y == 0))
            return raise_zero_division(th, "integer division or modulo by zero");
        return int_from_i64(th, floor_quotient(value_fixnum(a), y));
    }
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    if (w.n == 0)
        return raise_zero_division(th, "integer division or modulo by zero");
    Value q;
    return divide_views(th, &v, &w, &q, NULL) ? q : NULL;
}

Value
int_remainder(Thread *th, Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b)) {
        int64_t y = value_fixnum(b);
        if (UNLIKELY(y == 0))
            return raise_zero_division(th, "integer modulo by zero");
        return value_from_fixnum(floor_rest(value_fixnum(a), y));
    }
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    if (w.n == 0)
        return raise_zero_division(th, "integer modulo by zero");
    if (w.n == 1 && v.n > 0) {
        Limb left = mpn_mod_1(v.p, v.n, w.p[0]);
        if (left != 0 && v.negative != w.negative)
            left = w.p[0] - left;
        return int_from_limbs(th, &left, 1, w.negative);
    }
    Value r;
    return divide_views(th, &v, &w, NULL, &r) ? r : NULL;
}

bool
int_divmod(Thread *th, Value a, Value b, Value *q, Value *r)
{
    if (value_is_fixnum(a) && value_is_fixnum(b)) {
        int64_t x = value_fixnum(a), y = value_fixnum(b);
        if (UNLIKELY(y == 0)) {
            raise_zero_division(th, "integer division or modulo by zero");
            return false;
        }
        *r = value_from_fixnum(floor_rest(x, y));
        *q = int_from_i64(th, floor_quotient(x, y));
        return *q != NULL;
    }
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    if (w.n == 0) {
        raise_zero_division(th, "integer division or modulo by zero");
        return false;
    }
    return divide_views(th, &v, &w, q, r);
}

/* a / b to the nearest int, half to even; b is not 0. */
Value
int_divide_nearest(Thread *th, Value a, Value b)
{
    Value q, r, twice = NULL;
    if (!int_divmod(th, a, b, &q, &r))
        return NULL;
    /* r has b's sign and |r| < |b|: one up if 2|r| > |b|, or equal and q is odd. */
    twice = int_lshift(th, r, 1);
    drop(th, r);
    if (twice == NULL)
        goto fail;
    int order = int_compare(twice, b);
    if (int_sign(b) < 0)
        order = -order;
    drop(th, twice);
    if (order > 0 || (order == 0 && (int_to_u64_wrap(q) & 1))) {
        Value up = int_add(th, q, value_from_fixnum(1));
        drop(th, q);
        return up;
    }
    return q;
fail:
    drop(th, q);
    return NULL;
}

/* The magnitudes' quotient, correctly rounded: an integer quotient of at least 55 bits with the
 * rest folded into its last bit, then rounded once to the bits a double has at that exponent. */
static bool
true_quotient(Thread *th, const IntView *v, const IntView *w, double *out)
{
    int64_t v_bits = (int64_t)v->n * 64 - __builtin_clzll(v->p[v->n - 1]);
    int64_t w_bits = (int64_t)w->n * 64 - __builtin_clzll(w->p[w->n - 1]);
    int64_t difference = v_bits - w_bits;
    if (difference > 1025)
        return false;
    if (difference < -1080) {
        *out = 0.0;
        return true;
    }
    /* (v << shift) / w has 63 or 64 bits. */
    int64_t shift = 63 - difference;
    Limbs numerator, divisor, quotient, rest;
    bool done = false;
    numerator.p = numerator.local;
    divisor.p = divisor.local;
    quotient.p = quotient.local;
    rest.p = rest.local;
    const Limb *d = w->p;
    mp_size_t m = w->n, n;
    if (shift >= 0) {
        n = v->n + shift / 64 + 1;
        if (!limbs_get(th, &numerator, n))
            goto end;
        mpn_zero(numerator.p, n);
        if (shift % 64)
            numerator.p[n - 1] = mpn_lshift(numerator.p + shift / 64, v->p, v->n,
                                            (unsigned)(shift % 64));
        else
            mpn_copyi(numerator.p + shift / 64, v->p, v->n);
        n = limbs_used(numerator.p, n);
    } else {
        /* Shift the divisor instead: exact. */
        n = v->n;
        if (!limbs_get(th, &numerator, n))
            goto end;
        mpn_copyi(numerator.p, v->p, n);
        int64_t up = -shift;
        m = w->n + up / 64 + 1;
        if (!limbs_get(th, &divisor, m))
            goto end;
        mpn_zero(divisor.p, m);
        if (up % 64)
            divisor.p[m - 1] = mpn_lshift(divisor.p + up / 64, w->p, w->n, (unsigned)(up % 64));
        else
            mpn_copyi(divisor.p + up / 64, w->p, w->n);
        m = limbs_used(divisor.p, m);
        d = divisor.p;
    }
    if (!limbs_get(th, &quotient, n - m + 1) || !limbs_get(th, &rest, m))
        goto end;
    heavy_begin(th, n);
    bool ok = big_divide(quotient.p, rest.p, numerator.p, n, d, m);
    heavy_end(th, n);
    if (UNLIKELY(!ok)) {
        raise_memory(th);
        goto end;
    }
    Limb q = quotient.p[0];
    Limb sticky = limbs_used(rest.p, m) != 0;
    int q_bits = 64 - __builtin_clzll(q);
    /* The value is (q + fraction) * 2^-shift; it has q_bits - shift bits before the point. */
    int64_t exponent = q_bits - shift; /* value in [2^(exponent-1), 2^exponent) */
    int64_t kept = exponent - 1 >= -1022 ? 53 : exponent + 1074;
    if (kept < 0) { /* below half of the least double */
        *out = 0.0;
        done = true;
        goto end;
    }
    int64_t cut = q_bits - kept;
    Limb m53 = cut >= 64 ? 0 : q >> cut;
    Limb half = (Limb)1 << (cut - 1);
    Limb low = cut >= 64 ? q : q & (((Limb)1 << cut) - 1);
    if (low > half || (low == half && (sticky || (m53 & 1))))
        m53++;
    *out = ldexp((double)m53, (int)(cut - shift));
    done = true;
end:
    limbs_free(&numerator);
    limbs_free(&divisor);
    limbs_free(&quotient);
    limbs_free(&rest);
    return done;
}

Value
int_true_divide(Thread *th, Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b)) {
        int64_t x = value_fixnum(a), y = value_fixnum(b);
        const int64_t exact = (int64_t)1 << 53;
        if (LIKELY(x <= exact && x >= -exact && y <= exact && y >= -exact && y != 0))
            return float_from(th, (double)x / (double)y);
    }
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    if (w.n == 0)
        return raise_zero_division(th, "division by zero");
    if (v.n == 0)
        return float_from(th, w.negative ? -0.0 : 0.0);
    double d;
    if (!true_quotient(th, &v, &w, &d)) {
        if (error_set(th))
            return NULL;
        d = HUGE_VAL;
    }
    if (isinf(d))
        return raise_overflow(th, "integer division result too large for a float");
    return float_from(th, v.negative != w.negative ? -d : d);
}

/* -- shifts -- */

Value
int_lshift(Thread *th, Value a, int64_t n)
{
    if (value_is_fixnum(a)) {
        int64_t x = value_fixnum(a);
        if (x == 0)
            return a;
        if (n < 62 && (x >> (62 - n)) == (x >> 63))
            return value_from_fixnum((int64_t)((uint64_t)x << n));
    }
    IntView v;
    int_view(&v, a);
    if (v.n == 0)
        return value_from_fixnum(0);
    mp_size_t words = n / 64;
    unsigned bits = (unsigned)(n % 64);
    if (words >= INT_LIMBS_MAX - v.n - 1)
        return raise_memory(th);
    Int *r = int_alloc(th, v.n + words + 1);
    if (r == NULL)
        return NULL;
    mpn_zero(r->limbs, words);
    if (bits)
        r->limbs[v.n + words] = mpn_lshift(r->limbs + words, v.p, v.n, bits);
    else {
        mpn_copyi(r->limbs + words, v.p, v.n);
        r->limbs[v.n + words] = 0;
    }
    return int_finish(th, r, v.n + words + 1, v.negative);
}

Value
int_rshift(Thread *th, Value a, int64_t n)
{
    if (value_is_fixnum(a))
        return value_from_fixnum(value_fixnum(a) >> (n > 63 ? 63 : n));
    IntView v;
    int_view(&v, a);
    mp_size_t words = n / 64;
    unsigned bits = (unsigned)(n % 64);
    if (words >= v.n)
        return value_from_fixnum(v.negative && v.n ? -1 : 0);
    mp_size_t left = v.n - words;
    Int *r = int_alloc(th, left + 1);
    if (r == NULL)
        return NULL;
    bool lost = limbs_used(v.p, words) != 0;
    if (bits)
        lost |= mpn_rshift(r->limbs, v.p + words, left, bits) != 0;
    else
        mpn_copyi(r->limbs, v.p + words, left);
    r->limbs[left] = 0;
    if (v.negative && lost) /* towards minus infinity */
        r->limbs[left] = mpn_add_1(r->limbs, r->limbs, left, 1);
    return int_finish(th, r, left + 1, v.negative);
}

/* -- the greatest common divisor -- */

static uint64_t
gcd_words(uint64_t x, uint64_t y)
{
    if (x == 0 || y == 0)
        return x | y;
    int twos = __builtin_ctzll(x | y);
    x >>= __builtin_ctzll(x);
    while (y != 0) {
        y >>= __builtin_ctzll(y);
        if (x > y) {
            uint64_t t = x;
            x = y;
            y = t;
        }
        y -= x;
    }
    return x << twos;
}

/* How many zero bits end a number that is not 0. */
static int64_t
trailing_zeros(const Limb *p)
{
    mp_size_t i = 0;
    while (p[i] == 0)
        i++;
    return (int64_t)i * 64 + __builtin_ctzll(p[i]);
}

/* Copies p >> zeros to r; returns the limbs used. */
static mp_size_t
copy_shifted(Limb *r, const Limb *p, mp_size_t n, int64_t zeros)
{
    mp_size_t words = zeros / 64;
    if (zeros % 64)
        mpn_rshift(r, p + words, n - words, (unsigned)(zeros % 64));
    else
        mpn_copyi(r, p + words, n - words);
    return limbs_used(r, n - words);
}

Value
int_gcd(Thread *th, Value a, Value b)
{
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    if (v.n <= 1 && w.n <= 1) {
        Limb g = gcd_words(v.n ? v.p[0] : 0, w.n ? w.p[0] : 0);
        return int_from_limbs(th, &g, 1, false);
    }
    if (v.n == 0)
        return int_from_limbs(th, w.p, w.n, false);
    if (w.n == 0)
        return int_from_limbs(th, v.p, v.n, false);
    const IntView *longer = &v, *shorter = &w;
    if (v.n < w.n)
        longer = &w, shorter = &v;
    if (shorter->n == 1) {
        Limb rest = mpn_mod_1(longer->p, longer->n, shorter->p[0]);
        Limb g = gcd_words(rest, shorter->p[0]);
        return int_from_limbs(th, &g, 1, false);
    }
    /* mpn_gcd() wants odd numbers and the one with more bits first. */
    Limbs x, y, g;
    Value result = NULL;
    x.p = x.local;
    y.p = y.local;
    g.p = g.local;
    if (!limbs_get(th, &x, longer->n) || !limbs_get(th, &y, shorter->n))
        goto end;
    int64_t x_zeros = trailing_zeros(longer->p), y_zeros = trailing_zeros(shorter->p);
    int64_t twos = x_zeros < y_zeros ? x_zeros : y_zeros;
    mp_size_t xn = copy_shifted(x.p, longer->p, longer->n, x_zeros);
    mp_size_t yn = copy_shifted(y.p, shorter->p, shorter->n, y_zeros);
    Limb *xp = x.p, *yp = y.p;
    if (xn < yn || (xn == yn && mpn_cmp(xp, yp, xn) < 0)) {
        Limb *t = xp;
        xp = yp;
        yp = t;
        mp_size_t k = xn;
        xn = yn;
        yn = k;
    }
    if (!limbs_get(th, &g, yn))
        goto end;
    heavy_begin(th, yn * 4);
    mp_size_t gn;
    bool ok = big_gcd(g.p, &gn, xp, xn, yp, yn);
    heavy_end(th, yn * 4);
    if (UNLIKELY(!ok)) {
        raise_memory(th);
        goto end;
    }
    result = int_from_limbs(th, g.p, gn, false);
    if (result != NULL && twos != 0) {
        Value shifted = int_lshift(th, result, twos);
        drop(th, result);
        result = shifted;
    }
end:
    limbs_free(&x);
    limbs_free(&y);
    limbs_free(&g);
    return result;
}
