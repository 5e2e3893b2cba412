/* int_core.c -- ints: made, measured, compared, hashed, turned into C numbers and back.
 *
 * An int that fits 63 bits is always an immediate; only instances of subclasses keep small
 * values in an Int.  Ints never change after publication: no locks.
 */
#include "objects/number/int_priv.h"

#include <float.h>
#include <math.h>

#include "threads/safepoint.h"

Int *
int_alloc(Thread *th, mp_size_t n)
{
    if (UNLIKELY(n > INT_LIMBS_MAX))
        return raise_overflow(th, "too many digits in integer");
    return (Int *)(void *)object_new_kind(th, SHAPE_INT, sizeof(Int) + (size_t)n * sizeof(Limb),
                                          false);
}

/* The immediate for sign and one limb, or NULL if it does not fit. */
static inline Value
fixnum_of(Limb magnitude, bool negative)
{
    if (magnitude <= (Limb)FIXNUM_MAX)
        return value_from_fixnum(negative ? -(int64_t)magnitude : (int64_t)magnitude);
    if (negative && magnitude == (Limb)FIXNUM_MAX + 1)
        return value_from_fixnum(FIXNUM_MIN);
    return NULL;
}

Value
int_finish(Thread *th, Int *r, mp_size_t n, bool negative)
{
    mp_size_t room = n;
    n = limbs_used(r->limbs, n);
    if (n <= 1) {
        Value small = fixnum_of(n ? r->limbs[0] : 0, negative);
        if (small != NULL) {
            drop(th, value_of(r));
            return small;
        }
    }
    if (UNLIKELY(room - n > 16 && n < room / 2)) {
        Value copy = int_from_limbs(th, r->limbs, n, negative);
        drop(th, value_of(r));
        return copy;
    }
    r->size = negative ? -n : n;
    return value_of(r);
}

Value
int_from_limbs(Thread *th, const Limb *p, mp_size_t n, bool negative)
{
    n = limbs_used(p, n);
    if (n <= 1) {
        Value small = fixnum_of(n ? p[0] : 0, negative);
        if (small != NULL)
            return small;
    }
    Int *r = int_alloc(th, n);
    if (r == NULL)
        return NULL;
    memcpy(r->limbs, p, (size_t)n * sizeof(Limb));
    r->size = negative ? -n : n;
    return value_of(r);
}

Value
int_from_wide(Thread *th, SignedWide n)
{
    if (n >= FIXNUM_MIN && n <= FIXNUM_MAX)
        return value_from_fixnum((int64_t)n);
    bool negative = n < 0;
    Wide magnitude = negative ? -(Wide)n : (Wide)n;
    Limb two[2] = {(Limb)magnitude, (Limb)(magnitude >> 64)};
    return int_from_limbs(th, two, 2, negative);
}

Value
int_from_i64_slow(Thread *th, int64_t n)
{
    Limb one = magnitude_of(n);
    return int_from_limbs(th, &one, 1, n < 0);
}

Value
int_from_u64(Thread *th, uint64_t n)
{
    if (LIKELY(n <= (uint64_t)FIXNUM_MAX))
        return value_from_fixnum((int64_t)n);
    Limb one = n;
    return int_from_limbs(th, &one, 1, false);
}

Value
int_from_double(Thread *th, double d)
{
    if (isnan(d))
        return raise_value_error(th, "cannot convert float NaN to integer");
    if (isinf(d))
        return raise_overflow(th, "cannot convert float infinity to integer");
    if (fabs(d) < 0x1p62)
        return value_from_fixnum((int64_t)d);
    int exponent;
    double fraction = frexp(fabs(d), &exponent); /* |d| = fraction * 2^exponent */
    Limb significand = (Limb)ldexp(fraction, 64);
    int shift = exponent - 64;
    if (shift < 0) { /* 2^62 <= |d| < 2^64 */
        Limb one = significand >> -shift;
        return int_from_limbs(th, &one, 1, d < 0);
    }
    mp_size_t n = shift / 64 + 2;
    Int *r = int_alloc(th, n);
    if (r == NULL)
        return NULL;
    memset(r->limbs, 0, (size_t)n * sizeof(Limb));
    int low = shift % 64;
    r->limbs[shift / 64] = significand << low;
    r->limbs[shift / 64 + 1] = low ? significand >> (64 - low) : 0;
    return int_finish(th, r, n, d < 0);
}

bool
int_fits_i64(Value v, int64_t *out)
{
    IntView w;
    int_view(&w, v);
    if (w.n > 1)
        return false;
    Limb m = w.n ? w.p[0] : 0;
    if (w.negative) {
        if (m > (Limb)1 << 63)
            return false;
        *out = (int64_t)(-m);
    } else {
        if (m >> 63)
            return false;
        *out = (int64_t)m;
    }
    return true;
}

bool
int_to_i64(Thread *th, Value v, int64_t *out)
{
    if (LIKELY(int_fits_i64(v, out)))
        return true;
    raise_overflow(th, "Python int too large to convert to C long");
    return false;
}

bool
int_to_u64(Thread *th, Value v, uint64_t *out)
{
    IntView w;
    int_view(&w, v);
    if (w.negative) {
        raise_overflow(th, "can't convert negative value to unsigned int");
        return false;
    }
    if (w.n > 1) {
        raise_overflow(th, "int too big to convert");
        return false;
    }
    *out = w.n ? w.p[0] : 0;
    return true;
}

uint64_t
int_to_u64_wrap(Value v)
{
    IntView w;
    int_view(&w, v);
    Limb m = w.n ? w.p[0] : 0;
    return w.negative ? -m : m;
}

/* The double nearest to the magnitude; HUGE_VAL when it is too large. */
static double
limbs_to_double(const Limb *p, mp_size_t n)
{
    if (n == 0)
        return 0.0;
    Limb top = p[n - 1];
    int zeros = __builtin_clzll(top);
    int64_t bits = (int64_t)n * 64 - zeros;
    if (bits > DBL_MAX_EXP)
        return HUGE_VAL;
    Limb m = top << zeros; /* the 64 highest bits */
    bool rest = false;
    if (n > 1) {
        if (zeros) {
            m |= p[n - 2] >> (64 - zeros);
            rest = (p[n - 2] << zeros) != 0;
        } else
            rest = p[n - 2] != 0;
        for (mp_size_t i = n - 2; !rest && i-- > 0;)
            rest = p[i] != 0;
    }
    m |= rest; /* below the rounding bit */
    Limb half = (Limb)1 << 10;
    Limb low = m & (2 * half - 1);
    m >>= 11;
    if (low > half || (low == half && (m & 1)))
        m++;
    return ldexp((double)m, (int)(bits - 53)); /* HUGE_VAL if rounding overflows */
}

bool
int_to_double(Thread *th, Value v, double *out)
{
    if (LIKELY(value_is_fixnum(v))) {
        *out = (double)value_fixnum(v); /* the conversion rounds to nearest even */
        return true;
    }
    IntView w;
    int_view(&w, v);
    double d = limbs_to_double(w.p, w.n);
    if (isinf(d)) {
        raise_overflow(th, "int too large to convert to float");
        return false;
    }
    *out = w.negative ? -d : d;
    return true;
}

double
int_frexp(Value v, int64_t *exponent)
{
    IntView w;
    int_view(&w, v);
    *exponent = 0;
    if (w.n == 0)
        return 0.0;
    /* The upper limbs alone, with what is below them folded into the last bit. */
    mp_size_t skip = w.n > 4 ? w.n - 4 : 0;
    Limb top[4];
    mpn_copyi(top, w.p + skip, w.n - skip);
    if (limbs_used(w.p, skip) != 0)
        top[0] |= 1;
    int64_t bits = (int64_t)(w.n - skip) * 64 - __builtin_clzll(top[w.n - skip - 1]);
    double f = ldexp(limbs_to_double(top, w.n - skip), (int)-bits);
    *exponent = bits + (int64_t)skip * 64;
    return w.negative ? -f : f;
}

int
int_sign(Value v)
{
    if (value_is_fixnum(v))
        return (value_fixnum(v) > 0) - (value_fixnum(v) < 0);
    IntView w;
    int_view(&w, v);
    return w.n == 0 ? 0 : w.negative ? -1 : 1;
}

int64_t
int_bit_length(Value v)
{
    IntView w;
    int_view(&w, v);
    return w.n == 0 ? 0 : (int64_t)w.n * 64 - __builtin_clzll(w.p[w.n - 1]);
}

Value
int_plain(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_INT))
        return retain(th, v);
    IntView w;
    int_view(&w, v);
    return int_from_limbs(th, w.p, w.n, w.negative);
}

int
int_compare(Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b)) {
        int64_t x = value_fixnum(a), y = value_fixnum(b);
        return (x > y) - (x < y);
    }
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    int order;
    if (v.n == 0 && w.n == 0)
        return 0;
    if (v.n == 0)
        return w.negative ? 1 : -1;
    if (w.n == 0 || v.negative != w.negative)
        return v.negative ? -1 : 1;
    if (v.n != w.n)
        order = v.n < w.n ? -1 : 1;
    else
        order = mpn_cmp(v.p, w.p, v.n);
    order = (order > 0) - (order < 0);
    return v.negative ? -order : order;
}

#define HASH_MODULUS (((Limb)1 << 61) - 1)

int64_t
int_hash(Value v)
{
    IntView w;
    int_view(&w, v);
    if (w.n == 0)
        return 0;
    Limb m = w.n == 1 ? w.p[0] % HASH_MODULUS : mpn_mod_1(w.p, w.n, HASH_MODULUS);
    int64_t h = w.negative ? -(int64_t)m : (int64_t)m;
    return h == -1 ? -2 : h;
}

Value
int_from_bytes(Thread *th, const uint8_t *p, size_t n, bool little, bool is_signed)
{
    bool negative = is_signed && n > 0 && (little ? p[n - 1] : p[0]) >= 0x80;
    /* Bytes that only repeat the sign are left out. */
    uint8_t filler = negative ? 0xff : 0;
    while (n > 0 && (little ? p[n - 1] : p[0]) == filler) {
        n--;
        p += !little;
    }
    mp_size_t count = (mp_size_t)(n / 8) + 1;
    Limbs space;
    if (!limbs_get(th, &space, count))
        return NULL;
    Limb *limbs = space.p;
    for (mp_size_t i = 0; i < count; i++) {
        Limb word = negative ? ~(Limb)0 : 0;
        for (size_t j = 0; j < 8; j++) {
            size_t at = (size_t)i * 8 + j;
            if (at >= n)
                break;
            uint8_t byte = little ? p[at] : p[n - 1 - at];
            word = (word & ~((Limb)0xff << (8 * j))) | (Limb)byte << (8 * j);
        }
        limbs[i] = word;
    }
    if (negative)
        mpn_neg(limbs, limbs, count);
    Value r = int_from_limbs(th, limbs, count, negative);
    limbs_free(&space);
    return r;
}

bool
int_to_bytes(Thread *th, Value v, uint8_t *p, size_t n, bool little, bool is_signed)
{
    IntView w;
    int_view(&w, v);
    if (w.negative && !is_signed) {
        raise_overflow(th, "can't convert negative int to unsigned");
        return false;
    }
    uint8_t last = 0;
    bool carry = w.negative; /* of the two's complement */
    for (size_t i = 0; i < n; i++) {
        size_t at = i / 8;
        uint8_t byte = at < (size_t)w.n ? (uint8_t)(w.p[at] >> (8 * (i % 8))) : 0;
        if (w.negative) {
            unsigned sum = (uint8_t)~byte + (unsigned)carry;
            byte = (uint8_t)sum;
            carry = sum >> 8;
        }
        p[little ? i : n - 1 - i] = byte;
        last = byte;
    }
    int64_t bits = int_bit_length(v);
    bool fits;
    if (!is_signed)
        fits = bits <= (int64_t)n * 8;
    else if (w.n == 0)
        fits = true;
    else if (n == 0)
        fits = w.negative && w.n == 1 && w.p[0] == 1; /* -1 is all sign */
    else {
        /* The magnitude fits, and the sign bit came out right. */
        fits = bits <= (int64_t)n * 8 && (last >= 0x80) == w.negative;
    }
    if (!fits) {
        raise_overflow(th, "int too big to convert");
        return false;
    }
    return true;
}
