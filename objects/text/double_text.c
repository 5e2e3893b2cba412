/* double_text.c -- doubles as text with a precision: what format() and % have in common.
 *
 * Fixed notation of common magnitudes is computed exactly in 128 bits; everything else
 * comes from base/decimal.h.
 */
#include "objects/text/format_spec.h"

#include "base/decimal.h"

#include <float.h>
#include <math.h>

/* Room for n bytes. */
static bool
reserve(Thread *th, DoubleText *t, size_t n)
{
    if (n > sizeof t->local) {
        t->p = mem_alloc(n);
        if (t->p == NULL) {
            t->p = t->local;
            raise_memory(th);
            return false;
        }
    }
    return true;
}

/* d (above or equal 0, finite) with `precision` decimals if that is cheap to do exactly:
 * m * 2^-s * 10^precision is an integer below 2^127 before the shift. */
static bool
fixed_fast(DoubleText *t, double d, int precision, bool negative, bool point)
{
    static const uint64_t powers[] = {
        1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull,
        100000000ull, 1000000000ull, 10000000000ull, 100000000000ull, 1000000000000ull,
        10000000000000ull, 100000000000000ull, 1000000000000000ull, 10000000000000000ull,
        100000000000000000ull};
    if (precision >= (int)ARRAY_LEN(powers)) {
        return false;
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t m = bits & (((uint64_t)1 << 52) - 1);
    if (exponent != 0) {
        m |= (uint64_t)1 << 52;
    } else {
        exponent = 1;
    }
    exponent -= 1075; /* d == m * 2^exponent */
    uint64_t whole;
    if (exponent >= 0) {
        if (exponent > 10) {
            return false;
        }
        whole = m << exponent;
        if (precision > 0 && whole > UINT64_MAX / powers[precision]) {
            return false;
        }
        whole *= powers[precision];
    } else {
        unsigned __int128 product = (unsigned __int128)m * powers[precision];
        int shift = -exponent;
        if (shift >= 127) {
            whole = 0; /* product < 2^111: less than half a unit */
        } else {
            unsigned __int128 q = product >> shift;
            unsigned __int128 rest = product - (q << shift);
            unsigned __int128 half = (unsigned __int128)1 << (shift - 1);
            if (q >> 63 != 0) {
                return false;
            }
            whole = (uint64_t)q;
            if (rest > half || (rest == half && (whole & 1))) {
                whole++;
            }
        }
    }
    char buf[48], *end = buf + sizeof buf, *p = end;
    for (int i = 0; i < precision; i++) {
        *--p = (char)('0' + whole % 10);
        whole /= 10;
    }
    if (precision > 0 || point) {
        *--p = '.';
    }
    do {
        *--p = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole != 0);
    if (negative) {
        *--p = '-';
    }
    t->n = (size_t)(end - p);
    memcpy(t->p, p, t->n);
    return true;
}

static bool
fixed(Thread *th, DoubleText *t, double d, int precision, bool negative, bool point)
{
    if (fixed_fast(t, d, precision, negative, point)) {
        return true;
    }
    if (!reserve(th, t, (size_t)precision + 330)) {
        return false;
    }
    size_t size = t->p == t->local ? sizeof t->local : (size_t)precision + 330;
    size_t n = 0;
    if (negative) {
        t->p[n++] = '-';
    }
    n += (size_t)decimal_print(t->p + n, size - n, 'f', precision, d);
    if (precision == 0 && point) {
        t->p[n++] = '.';
    }
    t->n = n;
    return true;
}

static size_t
put_exponent(char *p, int exponent, bool upper)
{
    char *start = p;
    *p++ = upper ? 'E' : 'e';
    *p++ = exponent < 0 ? '-' : '+';
    unsigned e = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (e >= 100) {
        *p++ = (char)('0' + e / 100);
        e %= 100;
    }
    *p++ = (char)('0' + e / 10);
    *p++ = (char)('0' + e % 10);
    return (size_t)(p - start);
}

/* Lays digits out: value 0.DIGITS * 10^point. */
static size_t
lay_out(char *out, const char *digits, int count, int point, bool exponential, int flags,
        bool upper)
{
    char *p = out;
    if (exponential) {
        *p++ = digits[0];
        if (count > 1 || (flags & DOUBLE_ALTERNATE)) {
            *p++ = '.';
            memcpy(p, digits + 1, (size_t)count - 1);
            p += count - 1;
        }
        p += put_exponent(p, point - 1, upper);
        return (size_t)(p - out);
    }
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = point; i < 0; i++) {
            *p++ = '0';
        }
        memcpy(p, digits, (size_t)count);
        p += count;
        return (size_t)(p - out);
    }
    int whole = point < count ? point : count;
    memcpy(p, digits, (size_t)whole);
    p += whole;
    for (int i = count; i < point; i++) {
        *p++ = '0';
    }
    if (count > point) {
        *p++ = '.';
        memcpy(p, digits + point, (size_t)(count - point));
        p += count - point;
    } else if (flags & DOUBLE_DOT_ZERO) {
        *p++ = '.';
        *p++ = '0';
    } else if (flags & DOUBLE_ALTERNATE) {
        *p++ = '.';
    }
    return (size_t)(p - out);
}

/* The same from the shortest digits that identify d, where that is certain to be right: these
 * are within 1.2e-16 of d, so they may be padded up to 15 digits, and cut where what is cut off
 * is not within two units of its last place from one half. */
static bool
significant_fast(double d, int count, char *digits, int *point)
{
    if (count > 15 || d < DBL_MIN) { /* subnormal numbers are less exact */
        return false;
    }
    char shortest[DECIMAL_SHORTEST_MAX];
    int n = decimal_shortest(d, shortest, point);
    if (n <= count) {
        memcpy(digits, shortest, (size_t)n);
        memset(digits + n, '0', (size_t)(count - n));
        return true;
    }
    int64_t rest = 0, half = 5;
    for (int i = count; i < n; i++) {
        rest = rest * 10 + (shortest[i] - '0');
        half *= i > count ? 10 : 1;
    }
    int64_t distance = rest > half ? rest - half : half - rest;
    if (distance <= 2) {
        return false;
    }
    memcpy(digits, shortest, (size_t)count);
    if (rest > half) {
        int i = count - 1;
        while (i >= 0 && digits[i] == '9') {
            digits[i--] = '0';
        }
        if (i >= 0) {
            digits[i]++;
        } else {
            digits[0] = '1';
            (*point)++;
        }
    }
    return true;
}

/* d with `count` significant digits: the digits and where the point is. */
static bool
significant(Thread *th, double d, int count, char **digits, char *local, size_t local_size,
            int *point)
{
    if (significant_fast(d, count, local, point)) {
        *digits = local;
        return true;
    }
    size_t size = (size_t)count + 32;
    char *buf = local;
    if (size > local_size) {
        buf = mem_alloc(size);
        if (buf == NULL) {
            raise_memory(th);
            return false;
        }
    }
    decimal_print(buf, size, 'e', count - 1, d);
    char *e = strchr(buf, 'e');
    *point = (int)strtol(e + 1, NULL, 10) + 1;
    if (count > 1) { /* close the gap of the point */
        memmove(buf + 1, buf + 2, (size_t)count - 1);
    }
    *digits = buf;
    return true;
}

static bool
general(Thread *th, DoubleText *t, double d, int precision, int flags, bool negative, bool upper)
{
    if (precision == 0) {
        precision = 1;
    }
    char local[96], *digits;
    int point;
    if (!significant(th, d, precision, &digits, local, sizeof local, &point)) {
        return false;
    }
    bool exponential = point <= -4 || point > precision - ((flags & DOUBLE_DOT_ZERO) ? 1 : 0);
    int count = precision;
    if (!(flags & DOUBLE_ALTERNATE)) {
        while (count > 1 && digits[count - 1] == '0') {
            count--;
        }
    }
    bool good = reserve(th, t, (size_t)precision + 40);
    if (good) {
        t->n = 0;
        if (negative) {
            t->p[t->n++] = '-';
        }
        t->n += lay_out(t->p + t->n, digits, count, point, exponential, flags, upper);
    }
    if (digits != local) {
        mem_free(digits);
    }
    return good;
}

static bool
scientific(Thread *th, DoubleText *t, double d, int precision, int flags, bool negative,
           bool upper)
{
    char local[96], *digits;
    int point;
    if (!significant(th, d, precision + 1, &digits, local, sizeof local, &point)) {
        return false;
    }
    bool good = reserve(th, t, (size_t)precision + 40);
    if (good) {
        t->n = 0;
        if (negative) {
            t->p[t->n++] = '-';
        }
        t->n += lay_out(t->p + t->n, digits, precision + 1, point, true, flags, upper);
    }
    if (digits != local) {
        mem_free(digits);
    }
    return good;
}

static void
shortest(DoubleText *t, double d, int flags, bool negative)
{
    char digits[DECIMAL_SHORTEST_MAX];
    int point = 1, count = 1;
    if (d == 0) {
        digits[0] = '0';
    } else {
        count = decimal_shortest(d, digits, &point);
    }
    t->n = 0;
    if (negative) {
        t->p[t->n++] = '-';
    }
    t->n += lay_out(t->p + t->n, digits, count, point, point <= -4 || point > 16, flags, false);
}

bool
double_text(Thread *th, DoubleText *t, double d, char kind, int precision, int flags)
{
    t->p = t->local;
    bool upper = kind == 'E' || kind == 'F' || kind == 'G';
    if (upper) {
        kind = (char)(kind + 32);
    }
    if (!isfinite(d)) {
        const char *text = isnan(d) ? (upper ? "NAN" : "nan") : upper ? "INF" : "inf";
        t->n = 0;
        if (d < 0) {
            t->p[t->n++] = '-';
        }
        memcpy(t->p + t->n, text, 3);
        t->n += 3;
        return true;
    }
    bool negative = signbit(d);
    d = fabs(d);
    switch (kind) {
    case 'r': shortest(t, d, flags, negative); return true;
    case 'f': return fixed(th, t, d, precision, negative, (flags & DOUBLE_ALTERNATE) != 0);
    case 'e': return scientific(th, t, d, precision, flags, negative, upper);
    default: return general(th, t, d, precision, flags, negative, upper);
    }
}

void
double_text_drop_sign_of_zero(DoubleText *t)
{
    if (t->p[0] != '-') {
        return;
    }
    for (size_t i = 1; i < t->n && t->p[i] != 'e' && t->p[i] != 'E'; i++) {
        if (t->p[i] != '0' && t->p[i] != '.') {
            return;
        }
    }
    memmove(t->p, t->p + 1, --t->n);
}
