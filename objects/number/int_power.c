/* int_power.c -- powers of ints, with and without a modulus; square roots.
 *
 * Without one: squares and products in two buffers of the final size, with the base's factors of
 * two taken out first.  With one: odd moduli go to GMP's Montgomery power, words are worked on as
 * 128-bit products, the rest is squared and reduced with a window of 4 bits.  Ints never change:
 * no locks.
 */
#include "objects/number/int_priv.h"

#include "threads/safepoint.h"

static int
bit_of(const Limb *p, int64_t i)
{
    return (int)(p[i / 64] >> (i % 64)) & 1;
}

/* base ** exponent for machine words while the result fits; false when it does not. */
static bool
power_word(uint64_t base, uint64_t exponent, uint64_t *out)
{
    uint64_t result = 1;
    for (;;) {
        if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
            return false;
        exponent >>= 1;
        if (exponent == 0)
            break;
        if (__builtin_mul_overflow(base, base, &base))
            return false;
    }
    *out = result;
    return true;
}

/* The magnitude of base (odd, above 1) to `exponent` (at least 1), shifted left by `shift`. */
static Value
power_limbs(Thread *th, const Limb *base, mp_size_t n, uint64_t exponent, int64_t shift,
            bool negative)
{
    int64_t bits = (int64_t)n * 64 - __builtin_clzll(base[n - 1]);
    int64_t total;
    if (__builtin_mul_overflow(bits, (int64_t)exponent, &total) || total < 0 ||
        total / 64 + shift / 64 > INT_LIMBS_MAX - 8)
        return raise_memory(th);
    mp_size_t words = shift / 64;
    mp_size_t room = total / 64 + 3;
    Int *r = int_alloc(th, room + words + 1);
    if (r == NULL)
        return NULL;
    Limbs other;
    if (!limbs_get(th, &other, room)) {
        drop(th, value_of(r));
        return NULL;
    }
    Limb *now = r->limbs + words, *next = other.p;
    mp_size_t used = n;
    mpn_copyi(now, base, n);
    for (int i = 62 - __builtin_clzll(exponent); i >= 0; i--) {
        mp_size_t worked = used;
        heavy_begin(th, worked);
        bool ok = big_sqr(next, now, used);
        used = ok ? limbs_used(next, 2 * used) : 0;
        Limb *t = now;
        now = next;
        next = t;
        if (ok && (exponent >> i & 1)) {
            if (n == 1) {
                Limb carry = mpn_mul_1(now, now, used, base[0]);
                if (carry)
                    now[used++] = carry;
            } else {
                ok = big_mul(next, now, used, base, n);
                used = ok ? limbs_used(next, used + n) : 0;
                t = now;
                now = next;
                next = t;
            }
        }
        heavy_end(th, worked);
        if (UNLIKELY(!ok))
            raise_memory(th);
        if (!ok || (used > 500 && !safepoint_poll(th))) {
            limbs_free(&other);
            drop(th, value_of(r));
            return NULL;
        }
    }
    if (now != r->limbs + words)
        mpn_copyi(r->limbs + words, now, used);
    limbs_free(&other);
    mpn_zero(r->limbs, words);
    Limb *high = r->limbs + words;
    unsigned low = (unsigned)(shift % 64);
    high[used] = low ? mpn_lshift(high, high, used, low) : 0;
    return int_finish(th, r, words + used + 1, negative);
}

static Value
power_plain(Thread *th, Value a, Value b)
{
    IntView v, w;
    int_view(&v, a);
    int_view(&w, b);
    if (w.n == 0)
        return value_from_fixnum(1);
    bool odd = w.p[0] & 1;
    bool negative = v.negative && odd;
    if (v.n == 0)
        return value_from_fixnum(0);
    if (v.n == 1 && v.p[0] == 1)
        return value_from_fixnum(negative ? -1 : 1);
    if (w.n > 1)
        return raise_memory(th);
    uint64_t exponent = w.p[0];
    if (v.n == 1) {
        uint64_t word;
        if (power_word(v.p[0], exponent, &word))
            return int_from_limbs(th, &word, 1, negative);
    }
    /* Take the factors of two out. */
    mp_size_t skip = 0;
    while (v.p[skip] == 0)
        skip++;
    unsigned low = (unsigned)__builtin_ctzll(v.p[skip]);
    int64_t zeros = (int64_t)skip * 64 + low, shift;
    if (exponent >> 62 || __builtin_mul_overflow(zeros, (int64_t)exponent, &shift))
        return raise_memory(th);
    if (zeros == 0)
        return power_limbs(th, v.p, v.n, exponent, 0, negative);
    mp_size_t n = v.n - skip;
    Limbs base;
    if (!limbs_get(th, &base, n))
        return NULL;
    if (low)
        mpn_rshift(base.p, v.p + skip, n, low);
    else
        mpn_copyi(base.p, v.p + skip, n);
    n = limbs_used(base.p, n);
    Value result;
    if (n == 1 && base.p[0] == 1) {
        result = int_lshift(th, value_from_fixnum(1), shift);
        if (result != NULL && negative) {
            Value positive = result;
            result = int_negative(th, positive);
            drop(th, positive);
        }
    } else
        result = power_limbs(th, base.p, n, exponent, shift, negative);
    limbs_free(&base);
    return result;
}

Value
int_isqrt(Thread *th, Value a)
{
    IntView w;
    int_view(&w, a);
    if (w.n == 0)
        return value_from_fixnum(0);
    mp_size_t n = (w.n + 1) / 2;
    Int *r = int_alloc(th, n);
    if (r == NULL)
        return NULL;
    heavy_begin(th, w.n);
    bool ok = big_sqrt(r->limbs, w.p, w.n);
    heavy_end(th, w.n);
    if (UNLIKELY(!ok)) {
        drop(th, value_of(r));
        return raise_memory(th);
    }
    return int_finish(th, r, n, false);
}

/* -- modular -- */

/* The inverse of a modulo m (m > 1, 0 <= a < m): an int, or NULL with ValueError. */
static Value
inverse_modulo(Thread *th, Value a, Value m)
{
    IntView v, w;
    int_view(&v, a);
    int_view(&w, m);
    Limbs u, q, g, s;
    Value result = NULL;
    u.p = u.local;
    q.p = q.local;
    g.p = g.local;
    s.p = s.local;
    if (v.n == 0)
        return raise_value_error(th, "base is not invertible for the given modulus");
    /* mpn_gcdext(U, V) gives S with G = U*S + V*T; it wants U >= V: m = U, a = V gives the wrong
     * cofactor, so U = a + m, which is a modulo m. */
    mp_size_t un = w.n + 1;
    if (!limbs_get(th, &u, un + 1) || !limbs_get(th, &q, w.n + 1) ||
        !limbs_get(th, &g, w.n + 1) || !limbs_get(th, &s, w.n + 2))
        goto end;
    u.p[w.n] = mpn_add(u.p, w.p, w.n, v.p, v.n);
    un = limbs_used(u.p, un);
    mpn_copyi(q.p, w.p, w.n);
    mp_size_t sn = 0;
    heavy_begin(th, w.n * 4);
    mp_size_t gn;
    bool ok = big_gcdext(g.p, &gn, s.p, &sn, u.p, un, q.p, w.n);
    heavy_end(th, w.n * 4);
    if (UNLIKELY(!ok)) {
        raise_memory(th);
        goto end;
    }
    if (gn != 1 || g.p[0] != 1) {
        raise_value_error(th, "base is not invertible for the given modulus");
        goto end;
    }
    Value inverse = int_from_limbs(th, s.p, sn < 0 ? -sn : sn, sn < 0);
    if (inverse != NULL) {
        result = int_remainder(th, inverse, m);
        drop(th, inverse);
    }
end:
    limbs_free(&u);
    limbs_free(&q);
    limbs_free(&g);
    limbs_free(&s);
    return result;
}

static Limb
power_modulo_word(Limb base, const IntView *e, Limb m)
{
    Limb result = 1 % m;
    int64_t bits = (int64_t)e->n * 64 - __builtin_clzll(e->p[e->n - 1]);
    if (m >> 32 == 0) {
        for (int64_t i = bits - 1; i >= 0; i--) {
            result = result * result % m;
            if (bit_of(e->p, i))
                result = result * base % m;
        }
        return result;
    }
    for (int64_t i = bits - 1; i >= 0; i--) {
        result = (Limb)((Wide)result * result % m);
        if (bit_of(e->p, i))
            result = (Limb)((Wide)result * base % m);
    }
    return result;
}

/* Even moduli of several limbs, and long ones, for which multiplying and dividing apart is faster and can
 * be interrupted: 0 <= base < m in exactly n limbs (leading zeros allowed). */
static Value
power_modulo_window(Thread *th, const Limb *base, const IntView *e, const Limb *m, mp_size_t n)
{
    enum { WINDOW = 4, ENTRIES = 1 << WINDOW };
    Limb *memory = buffer_new(th, (size_t)(ENTRIES * n + n + 2 * n + n + 2) * sizeof(Limb));
    if (memory == NULL)
        return NULL;
    Limb *table = memory, *now = table + ENTRIES * n, *product = now + n,
         *quotient = product + 2 * n;
    Value result = NULL;
    mpn_zero(table, n);
    table[0] = 1;
    mpn_copyi(table + n, base, n);
    for (int i = 2; i < ENTRIES; i++) {
        if (!big_mul(product, table + (i - 1) * n, n, base, n) ||
            !big_divide(quotient, table + i * n, product, 2 * n, m, n))
            goto no_memory;
    }
    mpn_copyi(now, table, n);
    int64_t bits = (int64_t)e->n * 64;
    bool started = false;
    for (int64_t at = bits - WINDOW; at >= 0; at -= WINDOW) {
        unsigned digit = (unsigned)(e->p[at / 64] >> (at % 64)) & (ENTRIES - 1);
        if (started) {
            for (int i = 0; i < WINDOW; i++) {
                if (!big_sqr(product, now, n) || !big_divide(quotient, now, product, 2 * n, m, n))
                    goto no_memory;
            }
        }
        if (digit) {
            if (!big_mul(product, now, n, table + (mp_size_t)digit * n, n) ||
                !big_divide(quotient, now, product, 2 * n, m, n))
                goto no_memory;
            started = true;
        }
        if ((at % 64 == 0 || n >= 64) && !safepoint_poll(th))
            goto end;
    }
    result = int_from_limbs(th, now, n, false);
    goto end;
no_memory:
    raise_memory(th);
end:
    buffer_free(memory);
    return result;
}

/* base ** e modulo m, for 0 <= base < m, e >= 0, m > 1. */
static Value
power_modulo(Thread *th, Value base, Value exponent, Value modulus)
{
    IntView v, e, m;
    int_view(&v, base);
    int_view(&e, exponent);
    int_view(&m, modulus);
    if (e.n == 0)
        return value_from_fixnum(1);
    if (v.n == 0)
        return value_from_fixnum(0);
    if (m.n == 1) {
        Limb r = power_modulo_word(v.p[0], &e, m.p[0]);
        return int_from_limbs(th, &r, 1, false);
    }
    mp_size_t n = m.n;
    int64_t bits = (int64_t)e.n * 64 - __builtin_clzll(e.p[e.n - 1]);
    Limbs padded;
    if (!limbs_get(th, &padded, n))
        return NULL;
    mpn_copyi(padded.p, v.p, v.n);
    mpn_zero(padded.p + v.n, n - v.n);
    Value result = NULL;
    if (!(m.p[0] & 1) || n >= 150) {
        result = power_modulo_window(th, padded.p, &e, m.p, n);
        goto end;
    }
    mp_size_t scratch = mpn_sec_powm_itch(n, (mp_bitcnt_t)bits, n);
    Limb *memory = buffer_new(th, (size_t)(scratch + n) * sizeof(Limb));
    if (memory == NULL)
        goto end;
    bool heavy = n > 64;
    if (heavy)
        blocking_begin(th);
    mpn_sec_powm(memory, padded.p, n, e.p, (mp_bitcnt_t)bits, m.p, n, memory + n);
    if (heavy)
        blocking_end(th);
    result = int_from_limbs(th, memory, n, false);
    buffer_free(memory);
end:
    limbs_free(&padded);
    return result;
}

static Value
power_with_modulus(Thread *th, Value a, Value b, Value c)
{
    int sign = int_sign(c);
    if (sign == 0)
        return raise_value_error(th, "pow() 3rd argument cannot be 0");
    Value m = sign < 0 ? int_negative(th, c) : int_plain(th, c);
    Value base = NULL, exponent = NULL, result = NULL;
    if (m == NULL)
        return NULL;
    if (m == value_from_fixnum(1)) {
        drop(th, m);
        return value_from_fixnum(0);
    }
    base = int_remainder(th, a, m);
    if (base == NULL)
        goto end;
    exponent = int_sign(b) < 0 ? int_negative(th, b) : int_plain(th, b);
    if (exponent == NULL)
        goto end;
    if (int_sign(b) < 0) {
        Value inverse = inverse_modulo(th, base, m);
        if (inverse == NULL)
            goto end;
        drop(th, base);
        base = inverse;
    }
    result = power_modulo(th, base, exponent, m);
    /* The result has the modulus's sign. */
    if (result != NULL && sign < 0 && int_sign(result) != 0) {
        Value positive = result;
        result = int_subtract(th, positive, m);
        drop(th, positive);
    }
end:
    drop(th, m);
    drop_null(th, base);
    drop_null(th, exponent);
    return result;
}

Value
int_power(Thread *th, Value a, Value b, Value modulus)
{
    if (modulus != NULL && modulus != NONE)
        return power_with_modulus(th, a, b, modulus);
    if (int_sign(b) < 0) {
        double x, y;
        if (!int_to_double(th, a, &x) || !int_to_double(th, b, &y))
            return NULL;
        return float_power(th, x, y);
    }
    return power_plain(th, a, b);
}
