/* decimal.c -- double to the shortest text that reads back the same, and exact back.
 *
 * The shortest digits are found with the method of Raffaello Giulietti, "The Schubfach way to
 * render doubles": the rounding interval of the double is scaled by a power of ten, so that it
 * holds at least one and at most a few integers; three products with a 128-bit power of ten, each
 * rounded to odd, decide which of them is wanted.
 *
 * Reading multiplies up to 19 digits with the same table.  Each entry is too large by at most one
 * unit of its last place, so the product is known up to a small error; when both ends of that
 * error round to the same double, that is the answer.  Otherwise libc's exact strtod() decides.
 *
 * No locks: the one C locale object is published by compare-and-swap.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* strtod_l */
#endif

#include "base/decimal.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/attrs.h"

#define POWER_LOWEST (-342)
#define POWER_HIGHEST 324

typedef struct Power {
    uint64_t high, low;
} Power;

static const Power powers[] = {
#define POWER(k, high, low) {high, low},
#include "base/decimal_powers.def"
#undef POWER
};

typedef unsigned __int128 Wide;

static const Power *
power_of_ten(int k)
{
    return &powers[k - POWER_LOWEST];
}

/* floor(log10(2^e)); exact for |e| < 1100. */
static int
log10_pow2(int e)
{
    return (e * 315653) >> 20;
}

/* floor(log10(3/4 * 2^e)). */
static int
log10_three_quarters_pow2(int e)
{
    return (e * 315653 - 131072) >> 20;
}

/* floor(log2(10^k)); exact for |k| < 345. */
static int
log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

/* The upper 64 bits of g * c / 2^64, with the last bit set if anything was cut off that is more
 * than the error of g. */
static uint64_t
scaled_round_to_odd(const Power *g, uint64_t c)
{
    Wide low = (Wide)g->low * c;
    Wide high = (Wide)g->high * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The shortest significand and its power of ten for c * 2^q; the significand may end in zeros. */
static uint64_t
shortest(uint64_t c, int q, bool lower_is_closer, int *exponent)
{
    bool odd = c & 1;
    uint64_t middle = 4 * c;
    uint64_t left = middle - 2 + lower_is_closer;
    uint64_t right = middle + 2;
    int k = lower_is_closer ? log10_three_quarters_pow2(q) : log10_pow2(q);
    int shift = q + log2_pow10(-k) + 1;
    const Power *g = power_of_ten(-k);
    uint64_t vl = scaled_round_to_odd(g, left << shift) + odd;
    uint64_t v = scaled_round_to_odd(g, middle << shift);
    uint64_t vr = scaled_round_to_odd(g, right << shift) - odd;
    uint64_t s = v / 4;
    *exponent = k;
    if (s >= 10) {
        /* One digit less: at most one multiple of ten lies in the interval. */
        uint64_t tens = s / 10;
        bool under = vl <= 40 * tens;
        bool over = 40 * tens + 40 <= vr;
        if (under != over) {
            *exponent = k + 1;
            return tens + over;
        }
    }
    bool under = vl <= 4 * s;
    bool over = 4 * s + 4 <= vr;
    if (under != over)
        return s + over;
    uint64_t half = 4 * s + 2;
    return s + (v > half || (v == half && (s & 1)));
}

int
decimal_shortest(double v, char digits[DECIMAL_SHORTEST_MAX], int *point)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int field = (int)(bits >> 52) & 0x7ff;
    uint64_t significand;
    int exponent;
    if (field == 0)
        significand = shortest(fraction, -1074, false, &exponent);
    else {
        uint64_t c = fraction | (uint64_t)1 << 52;
        int q = field - 1075;
        if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0) {
            significand = c >> -q; /* a small integer: its own digits */
            exponent = 0;
        } else
            significand = shortest(c, q, fraction == 0 && field > 1, &exponent);
    }
    char text[20];
    int n = 0;
    while (significand) {
        text[n++] = (char)('0' + significand % 10);
        significand /= 10;
    }
    *point = exponent + n;
    int zeros = 0;
    while (zeros < n - 1 && text[zeros] == '0')
        zeros++;
    int count = n - zeros;
    for (int i = 0; i < count; i++)
        digits[i] = text[n - 1 - i];
    return count;
}

/* The locale "C"; it lives as long as the process. */
static locale_t
c_locale(void)
{
    static ATOMIC(locale_t) cached;
    locale_t known = load_acquire(&cached); /* pairs with the exchange below */
    if (LIKELY(known != NULL))
        return known;
    locale_t made = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (made == NULL)
        return NULL;
    if (!cas_acq_rel(&cached, &known, made)) {
        freelocale(made);
        return known;
    }
    return made;
}

int
decimal_print(char *buf, size_t size, char kind, int precision, double v)
{
    static const char formats[][5] = {"%.*e", "%.*f", "%.*g", "%.*a"};
    const char *format = formats[kind == 'e' ? 0 : kind == 'f' ? 1 : kind == 'g' ? 2 : 3];
    locale_t before = uselocale(c_locale());
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int n = snprintf(buf, size, format, precision, v);
#pragma GCC diagnostic pop
    uselocale(before);
    return n;
}

static const double exact_tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* significand * 10^k, if a product with the table decides the rounding.  Only normal results. */
static bool
parse_by_product(uint64_t significand, int k, double *out)
{
    if (k < POWER_LOWEST || k > POWER_HIGHEST - 1)
        return false;
    int zeros = __builtin_clzll(significand);
    uint64_t w = significand << zeros;
    const Power *g = power_of_ten(k);
    /* 192 bits: top, mid, and the upper 64 bits of the rest are not needed beyond a carry. */
    Wide low = (Wide)g->low * w;
    Wide high = (Wide)g->high * w + (uint64_t)(low >> 64);
    /* The true product lies in (product - w, product]: one unit of `high` covers that. */
    Wide least = high - 1;
    int drop = (high >> 127) ? 128 - 54 : 127 - 54; /* leaves 54 bits: 53 and the rounding bit */
    uint64_t upper = (uint64_t)(high >> drop), lower = (uint64_t)(least >> drop);
    if (upper != lower || (Wide)upper << drop == high)
        return false; /* too near to a boundary to say */
    /* 10^k = g * 2^(log2_pow10(k) - 127); the value is upper * 2^e2, inexact. */
    int e2 = drop + 64 + log2_pow10(k) - 127 - zeros;
    uint64_t rounded = (upper + 1) >> 1; /* never a tie: something was cut off */
    e2 += 1;
    if (rounded >> 53) {
        rounded >>= 1;
        e2 += 1;
    }
    int field = e2 + 1075;
    if (field < 1 || field > 2046)
        return false;
    uint64_t bits = (uint64_t)field << 52 | (rounded & (((uint64_t)1 << 52) - 1));
    memcpy(out, &bits, sizeof *out);
    return true;
}

static bool
parse_by_libc(const char *p, size_t n, double *out)
{
    char local[128];
    char *copy = n < sizeof local ? local : malloc(n + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, p, n);
    copy[n] = 0;
    *out = strtod_l(copy, NULL, c_locale());
    if (copy != local)
        free(copy);
    return true;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t
decimal_parse(const char *p, size_t n, double *out)
{
    size_t i = 0;
    bool negative = false;
    if (i < n && (p[i] == '+' || p[i] == '-'))
        negative = p[i++] == '-';
    uint64_t significand = 0;
    int kept = 0;          /* significant digits in `significand` */
    bool cut = false;      /* a digit other than 0 did not fit */
    int64_t scale = 0;     /* power of ten of the last digit kept */
    size_t digits = 0;
    bool point = false;
    for (; i < n; i++) {
        char c = p[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(c))
            break;
        digits++;
        if (kept < 19) {
            significand = significand * 10 + (uint64_t)(c - '0');
            kept += significand != 0;
            scale -= point;
        } else {
            cut |= c != '0';
            scale += !point;
        }
    }
    if (digits == 0)
        return 0;
    size_t end = i;
    if (i < n && (p[i] == 'e' || p[i] == 'E')) {
        size_t j = i + 1;
        bool down = false;
        if (j < n && (p[j] == '+' || p[j] == '-'))
            down = p[j++] == '-';
        if (j < n && is_digit(p[j])) {
            int64_t e = 0;
            for (; j < n && is_digit(p[j]); j++)
                if (e < (int64_t)1 << 40)
                    e = e * 10 + (p[j] - '0');
            scale += down ? -e : e;
            end = j;
        }
    }
    double v;
    if (significand == 0)
        v = 0.0;
    else if (!cut && significand <= (uint64_t)1 << 53 && scale >= -22 && scale <= 22)
        v = scale < 0 ? (double)significand / exact_tens[-scale]
                      : (double)significand * exact_tens[scale];
    else if (cut || scale < -400 || scale > 400 ||
             !parse_by_product(significand, (int)scale, &v)) {
        size_t sign = p[0] == '+' || p[0] == '-';
        if (!parse_by_libc(p + sign, end - sign, &v))
            return 0;
    }
    *out = negative ? -v : v;
    return end;
}

/* Rounds v = c * 2^-shift to `places` exactly: c * 10^places fits 128 bits, and an integer of 53
 * bits divided by an exact power of ten is rounded once. */
static bool
round_by_division(double v, int places, double *out)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    int field = (int)(bits >> 52) & 0x7ff;
    int shift = 1075 - field;
    if (field == 0 || shift <= 0 || shift >= 128)
        return false;
    Wide c = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    Wide product = c * (Wide)exact_tens[places];
    Wide whole = product >> shift;
    Wide rest = product - (whole << shift);
    Wide half = (Wide)1 << (shift - 1);
    whole += rest > half || (rest == half && (whole & 1));
    if (whole > (Wide)1 << 53)
        return false;
    *out = copysign((double)(uint64_t)whole / exact_tens[places], v);
    return true;
}

double
decimal_round(double v, int places)
{
    double quick;
    if (places >= 0 && places <= 22 && round_by_division(v, places, &quick))
        return quick;
    /* Beyond these a double has no digits there, or none above the place. */
    if (v == 0.0 || places > 323)
        return v;
    int exponent;
    frexp(v, &exponent);
    if (places >= 0 && exponent > 53)
        return v;
    if (places < -308)
        return 0.0 * v;
    char local[512];
    if (places >= 0) {
        char *buf = local;
        int n = decimal_print(local, sizeof local, 'f', places, v);
        if (n >= (int)sizeof local) {
            buf = malloc((size_t)n + 1);
            if (buf == NULL)
                return v;
            decimal_print(buf, (size_t)n + 1, 'f', places, v);
        }
        double result = v;
        decimal_parse(buf, (size_t)n, &result);
        if (buf != local)
            free(buf);
        return result;
    }
    /* Left of the point: print all integer digits and the fraction, round the text. */
    /* 20 digits: a double is never so near to a power of ten that this rounds up to it. */
    int n = decimal_print(local, sizeof local, 'e', 20, v);
    int e10 = atoi(strchr(local, 'e') + 1);
    int precision = e10 + places; /* digits behind the first one */
    if (precision >= 0)
        n = decimal_print(local, sizeof local, 'e', precision, v);
    else if (precision < -1)
        return 0.0 * v;
    else {
        /* The place is one above the first digit: 0 or one unit there, half to even (0). */
        double half = 0.0;
        char text[32];
        int m = snprintf(text, sizeof text, "5e%d", -places - 1);
        decimal_parse(text, (size_t)m, &half);
        if (!(fabs(v) > half))
            return 0.0 * v;
        m = snprintf(text, sizeof text, "1e%d", -places);
        decimal_parse(text, (size_t)m, &half);
        return v < 0 ? -half : half;
    }
    double result = v;
    decimal_parse(local, (size_t)n, &result);
    return result;
}
