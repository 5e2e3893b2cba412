/* int_text.c -- ints to digits and back, in every base.
 *
 * Small ones with machine words, others with GMP's subquadratic conversions, offline when large.
 * Conversions that take more than linear time are limited to interp->int_max_str_digits digits.
 * Ints and strs never change: no locks.
 */
#include "objects/number/int_priv.h"

#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

/* -- to text -- */

static COLD void *
raise_digits(Thread *th)
{
    return raise_value_error(th,
                             "Exceeds the limit (%d digits) for integer string conversion; "
                             "use sys.set_int_max_str_digits() to increase the limit",
                             (int)load_relaxed(&th->interp->int_max_str_digits));
}

/* The digits of n at the end of buf; returns where they begin. */
static char *
word_digits(char *end, uint64_t n)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    while (n >= 100) {
        const char *pair = &pairs[2 * (n % 100)];
        n /= 100;
        *--end = pair[1];
        *--end = pair[0];
    }
    if (n >= 10) {
        *--end = pairs[2 * n + 1];
        *--end = pairs[2 * n];
    } else
        *--end = (char)('0' + n);
    return end;
}

char *
int_digits_before(char *end, int64_t n)
{
    if (n >= 0)
        return word_digits(end, (uint64_t)n);
    end = word_digits(end, 0 - (uint64_t)n);
    *--end = '-';
    return end;
}

/* Upper bound of the digits of a number of `bits` bits. */
static size_t
digits_bound(int64_t bits, int base)
{
    switch (base) {
    case 2: return (size_t)bits + 2;
    case 8: return (size_t)bits / 3 + 3;
    case 16: return (size_t)bits / 4 + 3;
    default: return (size_t)((double)bits * 0.30103) + 3;
    }
}

static Value
limbs_to_str(Thread *th, const IntView *w, int base, bool prefix)
{
    uint32_t limit = load_relaxed(&th->interp->int_max_str_digits);
    int64_t bits = (int64_t)w->n * 64 - __builtin_clzll(w->p[w->n - 1]);
    if (base == 10 && limit != 0 && (double)bits * 0.30102 > (double)limit + 1)
        return raise_digits(th);
    size_t bound = digits_bound(bits, base);
    uint8_t *memory = buffer_new(th, bound + 8 + ((size_t)w->n + 1) * sizeof(Limb));
    if (memory == NULL)
        return NULL;
    /* The limbs come first: mpn_get_str() destroys them. */
    Limb *copy = (Limb *)(void *)memory;
    uint8_t *digits = memory + ((size_t)w->n + 1) * sizeof(Limb) + 3; /* room for sign and prefix */
    mpn_copyi(copy, w->p, w->n);
    heavy_begin(th, w->n);
    size_t n;
    bool ok = big_get_str(digits, &n, base, copy, w->n);
    heavy_end(th, w->n);
    if (UNLIKELY(!ok)) {
        buffer_free(memory);
        return raise_memory(th);
    }
    while (n > 1 && *digits == 0) {
        digits++;
        n--;
    }
    Value s = NULL;
    if (base == 10 && limit != 0 && n > limit) {
        raise_digits(th);
        goto end;
    }
    for (size_t i = 0; i < n; i++)
        digits[i] = (uint8_t)"0123456789abcdef"[digits[i]];
    if (prefix && base != 10) {
        *--digits = base == 2 ? 'b' : base == 8 ? 'o' : 'x';
        *--digits = '0';
        n += 2;
    }
    if (w->negative) {
        *--digits = '-';
        n++;
    }
    s = str_from_ascii(th, (const char *)digits, n);
end:
    buffer_free(memory);
    return s;
}

Value
int_to_str(Thread *th, Value v, int base, bool prefix)
{
    IntView w;
    int_view(&w, v);
    if (w.n > 1)
        return limbs_to_str(th, &w, base, prefix);
    uint64_t m = w.n ? w.p[0] : 0;
    char buf[72], *end = buf + sizeof buf, *p = end;
    if (base == 10) {
        if (m < 10 && !w.negative) {
            return retain(th, str_latin1((uint8_t)('0' + m)));
        }
        p = word_digits(end, m);
    } else {
        int shift = base == 2 ? 1 : base == 8 ? 3 : 4;
        do {
            *--p = "0123456789abcdef"[m & (unsigned)(base - 1)];
            m >>= shift;
        } while (m);
        if (prefix) {
            *--p = base == 2 ? 'b' : base == 8 ? 'o' : 'x';
            *--p = '0';
        }
    }
    if (w.negative)
        *--p = '-';
    return str_from_ascii(th, p, (size_t)(end - p));
}

Value
int_decimal(Thread *th, Value v)
{
    if (LIKELY(value_is_fixnum(v))) {
        char buf[24], *end = buf + sizeof buf, *p = int_digits_before(end, value_fixnum(v));
        return str_from_ascii(th, p, (size_t)(end - p));
    }
    return int_to_str(th, v, 10, false);
}

/* -- from text -- */

static int
digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

/* Bits a digit is worth at most, times 1024, rounded up. */
static const uint16_t digit_bits[37] = {
    0, 0, 1024, 1624, 2048, 2378, 2648, 2875, 3072, 3247, 3402, 3543, 3672,
    3790, 3899, 4001, 4096, 4186, 4271, 4350, 4426, 4498, 4567, 4633, 4696, 4756,
    4814, 4870, 4923, 4975, 5025, 5074, 5120, 5166, 5210, 5253, 5295,
};

typedef enum { READ_OK, READ_MALFORMED, READ_FAILED } ReadResult;

/* Digits and single underscores at p[0 .. n), the first a digit; all belong to the number. */
static ReadResult
read_digits(Thread *th, const char *p, size_t n, int base, bool negative, Value *out)
{
    bool power_of_two = (base & (base - 1)) == 0;
    size_t digits = 0, i = 0;
    char before = '_';
    for (; i < n; i++) {
        if (p[i] == '_') {
            if (before == '_')
                return READ_MALFORMED;
        } else {
            if (digit_of(p[i]) >= base)
                break;
            digits++;
        }
        before = p[i];
    }
    if (before == '_')
        return READ_MALFORMED;
    uint32_t limit = load_relaxed(&th->interp->int_max_str_digits);
    if (!power_of_two && limit != 0 && digits > limit) {
        raise_value_error(th,
                          "Exceeds the limit (%d digits) for integer string conversion: value "
                          "has %zd digits; use sys.set_int_max_str_digits() to increase the limit",
                          (int)limit, digits);
        return READ_FAILED;
    }
    if (i < n)
        return READ_MALFORMED;
    if (digits * digit_bits[base] <= 62 * 1024) {
        int64_t value = 0;
        for (i = 0; i < n; i++)
            if (p[i] != '_')
                value = value * base + digit_of(p[i]);
        *out = value_from_fixnum(negative ? -value : value);
        return READ_OK;
    }
    size_t room = digits / 16 * digit_bits[base] / (64 * 64) + 4;
    Limb *memory = buffer_new(th, room * sizeof(Limb) + digits);
    if (memory == NULL)
        return READ_FAILED;
    uint8_t *raw = (uint8_t *)(memory + room);
    size_t count = 0;
    for (i = 0; i < n; i++)
        if (p[i] != '_')
            raw[count++] = (uint8_t)digit_of(p[i]);
    size_t zeros = 0;
    while (zeros < count - 1 && raw[zeros] == 0)
        zeros++;
    heavy_begin(th, (mp_size_t)room);
    mp_size_t used;
    bool ok = big_set_str(memory, &used, raw + zeros, count - zeros, base);
    heavy_end(th, (mp_size_t)room);
    if (UNLIKELY(!ok)) {
        buffer_free(memory);
        raise_memory(th);
        return READ_FAILED;
    }
    *out = int_from_limbs(th, memory, used, negative);
    buffer_free(memory);
    return *out != NULL ? READ_OK : READ_FAILED;
}

/* Sign, prefix and digits; white space is gone already. */
static ReadResult
read_int(Thread *th, const char *p, size_t n, int base, Value *out)
{
    bool negative = false;
    if (n > 0 && (*p == '+' || *p == '-')) {
        negative = *p == '-';
        p++;
        n--;
    }
    bool zero_only = false;
    if (n >= 2 && p[0] == '0') {
        int named = (p[1] | 32) == 'x' ? 16 : (p[1] | 32) == 'o' ? 8 : (p[1] | 32) == 'b' ? 2 : 0;
        if (named != 0 && (base == 0 || base == named)) {
            base = named;
            p += 2;
            n -= 2;
            if (n > 0 && *p == '_') {
                p++;
                n--;
            }
        } else if (base == 0)
            zero_only = true; /* 00 is a number, 01 is not */
    }
    if (base == 0)
        base = 10;
    if (n == 0)
        return READ_MALFORMED;
    ReadResult result = read_digits(th, p, n, base, negative, out);
    if (result == READ_OK && zero_only && *out != value_from_fixnum(0)) {
        drop(th, *out);
        return READ_MALFORMED;
    }
    return result;
}

/* "invalid literal for int() with base 10: ..." with at most 200 characters of the repr. */
static COLD void *
raise_literal(Thread *th, Value text, int base)
{
    Value repr = to_repr(th, text);
    if (repr == NULL)
        return NULL;
    if (str_length(repr) > 200) {
        Value cut = str_substring(th, repr, 0, 200);
        drop(th, repr);
        if (cut == NULL)
            return NULL;
        repr = cut;
    }
    raise_value_error(th, "invalid literal for int() with base %d: %V", base, repr);
    drop(th, repr);
    return NULL;
}

Value
int_from_text(Thread *th, const char *text, size_t n, int base)
{
    NumberText t;
    Value v = NULL;
    if (!number_text_from_bytes(th, &t, (const uint8_t *)text, n))
        return NULL;
    ReadResult result = read_int(th, t.p, t.n, base, &v);
    number_text_free(&t);
    if (result == READ_OK)
        return v;
    if (result == READ_MALFORMED) {
        Value shown = str_from_latin1(th, (const uint8_t *)text, n);
        if (shown != NULL) {
            raise_literal(th, shown, base);
            drop(th, shown);
        }
    }
    return NULL;
}

Value
int_from_str(Thread *th, Value str, int base)
{
    NumberText t;
    Value v = NULL;
    if (!number_text_from_str(th, &t, str))
        return NULL;
    ReadResult result = read_int(th, t.p, t.n, base, &v);
    number_text_free(&t);
    if (result == READ_OK)
        return v;
    return result == READ_MALFORMED ? raise_literal(th, str, base) : NULL;
}

Value
int_from_buffer(Thread *th, const uint8_t *p, size_t n, Value shown, int base)
{
    NumberText t;
    Value v = NULL;
    if (!number_text_from_bytes(th, &t, p, n))
        return NULL;
    ReadResult result = read_int(th, t.p, t.n, base, &v);
    number_text_free(&t);
    if (result == READ_OK)
        return v;
    if (result == READ_MALFORMED) {
        Value bytes = shown != NULL ? retain(th, shown) : bytes_from(th, p, n);
        if (bytes != NULL) {
            raise_literal(th, bytes, base);
            drop(th, bytes);
        }
    }
    return NULL;
}
