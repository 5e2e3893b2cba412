/* float_text.c -- floats as text: the shortest repr, what float() reads, and hexadecimal.
 *
 * Works on C doubles and immutable objects: no locks.
 */
#include "objects/number/float_priv.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/decimal.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

/* -- repr -- */

/* Writes an exponent as repr() does: sign, at least two digits. */
static char *
put_exponent(char *p, int e)
{
    *p++ = 'e';
    *p++ = e < 0 ? '-' : '+';
    if (e < 0)
        e = -e;
    if (e >= 100) {
        *p++ = (char)('0' + e / 100);
        e %= 100;
    }
    *p++ = (char)('0' + e / 10);
    *p++ = (char)('0' + e % 10);
    return p;
}

int
double_repr_plain(double d, char *buf)
{
    char *p = buf;
    if (isnan(d)) {
        memcpy(p, "nan", 3);
        return 3;
    }
    if (signbit(d)) {
        *p++ = '-';
        d = -d;
    }
    if (isinf(d)) {
        memcpy(p, "inf", 3);
        return (int)(p - buf) + 3;
    }
    if (d == 0.0) {
        *p++ = '0';
        return (int)(p - buf);
    }
    char digits[DECIMAL_SHORTEST_MAX];
    int point;
    int n = decimal_shortest(d, digits, &point);
    if (point > 16 || point < -3) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, (size_t)n - 1);
            p += n - 1;
        }
        return (int)(put_exponent(p, point - 1) - buf);
    }
    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        memset(p, '0', (size_t)-point);
        p += -point;
        memcpy(p, digits, (size_t)n);
        p += n;
    } else if (point >= n) {
        memcpy(p, digits, (size_t)n);
        p += n;
        memset(p, '0', (size_t)(point - n));
        p += point - n;
    } else {
        memcpy(p, digits, (size_t)point);
        p += point;
        *p++ = '.';
        memcpy(p, digits + point, (size_t)(n - point));
        p += n - point;
    }
    return (int)(p - buf);
}

int
double_repr(double d, char *buf)
{
    int n = double_repr_plain(d, buf);
    for (int i = 0; i < n; i++)
        if (buf[i] == '.' || buf[i] == 'e' || buf[i] == 'n')
            return n;
    buf[n] = '.';
    buf[n + 1] = '0';
    return n + 2;
}

Value
float_repr(Thread *th, double d)
{
    char buf[32];
    int n = double_repr(d, buf);
    return str_from_ascii(th, buf, (size_t)n);
}

/* -- from text -- */

/* Whether p[0 .. n) begins with the lower-case word, in any case. */
static bool
begins_with(const char *p, size_t n, const char *word)
{
    size_t length = strlen(word);
    if (n < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((p[i] | 32) != word[i])
            return false;
    return true;
}

/* inf, infinity or nan after the sign; 0: none. */
static size_t
word_from_text(const char *p, size_t n, double *out)
{
    if (begins_with(p, n, "inf")) {
        *out = HUGE_VAL;
        return begins_with(p, n, "infinity") ? 8 : 3;
    }
    if (begins_with(p, n, "nan")) {
        *out = (double)NAN;
        return 3;
    }
    return 0;
}

size_t
double_from_text(const char *p, size_t n, double *out)
{
    size_t used = decimal_parse(p, n, out);
    if (used != 0)
        return used;
    size_t sign = n > 0 && (*p == '+' || *p == '-');
    used = word_from_text(p + sign, n - sign, out);
    if (used == 0)
        return 0;
    if (*p == '-')
        *out = -*out;
    return used + sign;
}

/* Takes the text over. */
static Value
float_from_number_text(Thread *th, NumberText *t, Value shown)
{
    double d;
    bool good = number_text_underscores(t) && t->n > 0 && double_from_text(t->p, t->n, &d) == t->n;
    number_text_free(t);
    if (!good)
        return raise_value_error(th, "could not convert string to float: %R", shown);
    return float_from(th, d);
}

Value
float_from_str(Thread *th, Value str)
{
    NumberText t;
    if (!number_text_from_str(th, &t, str))
        return NULL;
    return float_from_number_text(th, &t, str);
}

Value
float_from_buffer(Thread *th, Value v)
{
    Buffer b;
    NumberText t;
    if (!buffer_read(th, v, &b, BUFFER_SIMPLE))
        return NULL;
    bool read = number_text_from_bytes(th, &t, b.data, (size_t)b.length);
    buffer_release(th, &b);
    return read ? float_from_number_text(th, &t, v) : NULL;
}

/* -- hexadecimal -- */

Value
float_hex(Thread *th, Value self)
{
    double d = float_value(self);
    if (!isfinite(d))
        return float_repr(th, d);
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    int field = (int)(bits >> 52) & 0x7ff;
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    const char *sign = bits >> 63 ? "-" : "";
    if (field == 0 && fraction == 0)
        return str_format_c(th, "%s0x0.0p+0", sign);
    char buf[40];
    int exponent = field == 0 ? -1022 : field - 1023;
    int n = snprintf(buf, sizeof buf, "%s0x%d.%013llxp%+d", sign, field != 0,
                     (unsigned long long)fraction, exponent);
    return str_from_ascii(th, buf, (size_t)n);
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The double nearest to m * 2^exponent (more if `rest`), half to even; m is not 0. */
double
double_from_scaled(uint64_t m, bool rest, int64_t exponent)
{
    int zeros = __builtin_clzll(m);
    m <<= zeros;
    exponent += 64 - zeros; /* the value is in [2^(exponent-1), 2^exponent) */
    if (exponent > DBL_MAX_EXP)
        return HUGE_VAL;
    if (exponent < -1074)
        return 0.0;
    int64_t kept = exponent - 1 >= -1022 ? 53 : exponent + 1074;
    int64_t cut = 64 - kept; /* 11 .. 64 */
    uint64_t whole = cut == 64 ? 0 : m >> cut;
    uint64_t low = cut == 64 ? m : m & (((uint64_t)1 << cut) - 1);
    uint64_t half = (uint64_t)1 << (cut - 1);
    if (low > half || (low == half && (rest || (whole & 1))))
        whole++;
    return ldexp((double)whole, (int)(exponent - 64 + cut));
}

typedef enum { HEX_OK, HEX_MALFORMED, HEX_TOO_LARGE } HexResult;

static HexResult
hex_from_text(const char *p, size_t n, double *out)
{
    size_t i = 0;
    bool negative = false;
    if (i < n && (p[i] == '+' || p[i] == '-'))
        negative = p[i++] == '-';
    double d;
    size_t used = word_from_text(p + i, n - i, &d);
    if (used != 0) {
        if (i + used != n)
            return HEX_MALFORMED;
        *out = negative ? -d : d;
        return HEX_OK;
    }
    if (n - i >= 2 && p[i] == '0' && (p[i + 1] | 32) == 'x')
        i += 2;
    uint64_t m = 0;
    bool rest = false, point = false;
    int64_t exponent = 0;
    size_t digits = 0;
    for (; i < n; i++) {
        if (p[i] == '.' && !point) {
            point = true;
            continue;
        }
        int digit = hex_digit(p[i]);
        if (digit < 0)
            break;
        digits++;
        if (m >> 60 == 0) {
            m = m << 4 | (uint64_t)digit;
            exponent -= point ? 4 : 0;
        } else {
            rest |= digit != 0;
            exponent += point ? 0 : 4;
        }
    }
    if (digits == 0)
        return HEX_MALFORMED;
    if (i < n && (p[i] | 32) == 'p') {
        i++;
        bool down = false;
        if (i < n && (p[i] == '+' || p[i] == '-'))
            down = p[i++] == '-';
        if (i == n)
            return HEX_MALFORMED;
        int64_t e = 0;
        for (; i < n && p[i] >= '0' && p[i] <= '9'; i++)
            if (e < (int64_t)1 << 55)
                e = e * 10 + (p[i] - '0');
        exponent += down ? -e : e;
    }
    if (i != n)
        return HEX_MALFORMED;
    d = m == 0 ? 0.0 : double_from_scaled(m, rest, exponent);
    if (isinf(d))
        return HEX_TOO_LARGE;
    *out = negative ? -d : d;
    return HEX_OK;
}

Value
float_fromhex(Thread *th, Value type, Value text)
{
    if (!is_str(text))
        return raise_type_error(th, "bad argument type for built-in operation");
    const Str *s = as_str(text);
    double d = 0.0;
    HexResult result = HEX_MALFORMED;
    if (s->ascii) {
        const char *p = (const char *)s->data;
        size_t n = s->length;
        while (n > 0 && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
            p++;
            n--;
        }
        while (n > 0 && (p[n - 1] == ' ' || (p[n - 1] >= '\t' && p[n - 1] <= '\r')))
            n--;
        result = hex_from_text(p, n, &d);
    }
    if (result == HEX_MALFORMED)
        return raise_value_error(th, "invalid hexadecimal floating-point string");
    if (result == HEX_TOO_LARGE)
        return raise_overflow(th, "hexadecimal value too large to represent as a float");
    Value f = float_from(th, d);
    if (f == NULL || type == value_of_type(&float_type))
        return f;
    Value made = call_1(th, type, f);
    drop(th, f);
    return made;
}
