/* str_utf8.c -- UTF-8 both ways, the UTF-8 that a str keeps, and file names.
 *
 * Str.utf8 is made on demand and published by compare-and-swap; whoever loses frees its copy.
 */
#include "objects/text/codec_priv.h"

#include "objects/model/names.h"

/* -- decoding -- */

static const char *
reason_of(int code)
{
    return code == UTF8_TRUNCATED ? "unexpected end of data"
           : code == UTF8_BAD_START ? "invalid start byte" : "invalid continuation byte";
}

/* Valid UTF-8, already measured, as a str. */
static Value
from_valid(Thread *th, const uint8_t *p, size_t n, size_t chars, uint32_t max)
{
    if (max < 0x80) {
        return str_from_ascii(th, (const char *)p, n);
    }
    if (chars == 1 && max < 0x100) {
        uint8_t c;
        utf8_decode_1(p, n, &c);
        return str_latin1(c);
    }
    Value v = str_new(th, chars, max);
    if (UNLIKELY(v == NULL)) {
        return NULL;
    }
    void *data = as_str(v)->data;
    switch (as_str(v)->width) {
    case 1: utf8_decode_1(p, n, data); break;
    case 2: utf8_decode_2(p, n, data); break;
    default: utf8_decode_4(p, n, data); break;
    }
    return v;
}

/* Appends valid UTF-8. */
static bool
append_valid(Thread *th, StrBuilder *b, const uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t plain = utf8_ascii_prefix(p, n);
        if (!str_builder_ascii(th, b, (const char *)p, plain)) {
            return false;
        }
        p += plain;
        n -= plain;
        while (n > 0 && *p >= 0x80) {
            uint32_t c;
            int size = utf8_decode_char(p, n, &c);
            if (!str_builder_char(th, b, c)) {
                return false;
            }
            p += size;
            n -= (size_t)size;
        }
    }
    return true;
}

/* The whole thing with errors in it. */
static Value
decode_with_errors(Thread *th, const uint8_t *p, size_t n, const char *errors, size_t *consumed)
{
    Decode d;
    decode_init(&d, "utf-8", errors, p, n);
    bool good = true;
    while (good && d.pos < d.n) {
        size_t chars;
        uint32_t max;
        size_t valid = utf8_measure(d.p + d.pos, d.n - d.pos, &chars, &max);
        good = append_valid(th, &d.out, d.p + d.pos, valid);
        d.pos += valid;
        if (!good || d.pos == d.n) {
            break;
        }
        uint32_t c;
        int code = utf8_decode_char(d.p + d.pos, d.n - d.pos, &c);
        size_t end = d.pos + 1;
        if (consumed != NULL && code == UTF8_BAD_NEXT_1 && d.n - d.pos == 2 &&
            d.p[d.pos] == 0xed && d.p[d.pos + 1] >= 0xa0 && d.p[d.pos + 1] <= 0xbf) {
            break; /* two thirds of a surrogate, which the handler may let pass */
        }
        if (code == UTF8_TRUNCATED) {
            if (consumed != NULL) {
                break;
            }
            end = d.n;
        } else if (code < UTF8_BAD_START) {
            end = d.pos + (size_t)(UTF8_BAD_START - code);
        }
        good = decode_error(th, &d, d.pos, end, reason_of(code));
    }
    if (consumed != NULL) {
        *consumed = d.pos;
    }
    return decode_finish(th, &d, good);
}

/* Decodes into units of 16 bits: how many, 0 if there are errors or wider characters. */
static size_t
decode_short(const uint8_t *p, size_t n, uint16_t *out, uint32_t *max)
{
    const uint8_t *end = p + n;
    uint16_t *start = out;
    uint32_t all = 0;
    while (p < end) {
        uint8_t b = *p;
        if (b < 0x80) {
            *out++ = b;
            p++;
            continue;
        }
        uint32_t c;
        if (b >= 0xc2 && b < 0xe0 && end - p >= 2 && (p[1] & 0xc0) == 0x80) {
            c = (uint32_t)(b & 0x1f) << 6 | (p[1] & 0x3f);
            p += 2;
        } else {
            int size = utf8_decode_char(p, (size_t)(end - p), &c);
            if (size <= 0 || c > 0xffff) {
                return 0;
            }
            p += size;
        }
        all |= c;
        *out++ = (uint16_t)c;
    }
    *max = all;
    return (size_t)(out - start);
}

static Value
from_units(Thread *th, const uint16_t *p, size_t n, uint32_t max)
{
    Value v = str_new(th, n, max);
    if (v != NULL) {
        chars_copy(as_str(v)->data, width_for(max), (Chars){p, n, 2});
    }
    return v;
}

Value
codec_utf8_decode(Thread *th, const uint8_t *p, size_t n, const char *errors, size_t *consumed)
{
    if (consumed != NULL) {
        *consumed = n;
    }
    if (n < 2 && (n == 0 || p[0] < 0x80)) {
        return n == 0 ? str_empty : str_latin1(p[0]);
    }
    if (utf8_all_ascii(p, n)) {
        return str_from_ascii(th, (const char *)p, n);
    }
    size_t chars;
    uint32_t max;
    if (n <= 512) {
        uint16_t local[512];
        chars = decode_short(p, n, local, &max);
        if (LIKELY(chars > 0)) {
            return max < 0x100 && chars == 1 ? str_latin1((uint8_t)local[0])
                                             : from_units(th, local, chars, max);
        }
    }
    if (LIKELY(utf8_measure(p, n, &chars, &max) == n)) {
        return from_valid(th, p, n, chars, max);
    }
    return decode_with_errors(th, p, n, errors, consumed);
}

Value
str_decode_utf8(Thread *th, const uint8_t *p, size_t n, const char *errors, size_t *consumed)
{
    return codec_utf8_decode(th, p, n, errors, consumed);
}

Value
str_from_utf8(Thread *th, const char *p, size_t n)
{
    return codec_utf8_decode(th, (const uint8_t *)p, n, NULL, NULL);
}

Value
str_from_wtf8(Thread *th, const char *p, size_t n)
{
    return codec_utf8_decode(th, (const uint8_t *)p, n, "surrogatepass", NULL);
}

Value
str_from_fs(Thread *th, const char *p, size_t n)
{
    return codec_utf8_decode(th, (const uint8_t *)p, n, "surrogateescape", NULL);
}

/* -- encoding -- */

/* Bytes of c in UTF-8, surrogates as three. */
static VECTORIZED size_t
encoded_size(Chars c)
{
    size_t n = c.n;
    switch (c.width) {
    case 1: {
        const uint8_t *p = c.p;
        for (size_t i = 0; i < c.n; i++) {
            n += p[i] >> 7;
        }
        break;
    }
    case 2: {
        const uint16_t *p = c.p;
        for (size_t i = 0; i < c.n; i++) {
            n += (size_t)(p[i] >= 0x80) + (size_t)(p[i] >= 0x800);
        }
        break;
    }
    default: {
        const uint32_t *p = c.p;
        for (size_t i = 0; i < c.n; i++) {
            n += (size_t)(p[i] >= 0x80) + (size_t)(p[i] >= 0x800) + (size_t)(p[i] >= 0x10000);
        }
    }
    }
    return n;
}

#define ENCODE_WIDE(name, type)                                                \
    static uint8_t *name(const type *p, size_t n, uint8_t *out)                \
    {                                                                          \
        for (size_t i = 0; i < n; i++) {                                       \
            uint32_t x = p[i];                                                 \
            if (LIKELY(x < 0x80)) {                                            \
                *out++ = (uint8_t)x;                                           \
                continue;                                                      \
            }                                                                  \
            if (UNLIKELY((x & 0xfffff800) == 0xd800)) {                        \
                return NULL;                                                   \
            }                                                                  \
            out += utf8_encode_char(x, out);                                   \
        }                                                                      \
        return out;                                                            \
    }

ENCODE_WIDE(encode_wide_2, uint16_t)
ENCODE_WIDE(encode_wide_4, uint32_t)

/* Writes c's UTF-8 and returns its end; NULL when there is a surrogate. */
static uint8_t *
encode_chars(Chars c, uint8_t *out)
{
    if (c.width == 1) {
        const uint8_t *p = c.p;
        size_t i = 0;
        while (i < c.n) {
            size_t plain = utf8_ascii_prefix(p + i, c.n - i);
            memcpy(out, p + i, plain);
            out += plain;
            i += plain;
            while (i < c.n && p[i] >= 0x80) {
                *out++ = (uint8_t)(0xc0 | p[i] >> 6);
                *out++ = (uint8_t)(0x80 | (p[i] & 0x3f));
                i++;
            }
        }
        return out;
    }
    return c.width == 2 ? encode_wide_2(c.p, c.n, out) : encode_wide_4(c.p, c.n, out);
}

static Answer
put_utf8(Thread *th, Encode *e, uint32_t c)
{
    if (c >= 0x80) {
        return NO; /* replacements are ASCII */
    }
    return byte_buffer_put(th, &e->out, (uint8_t)c) ? YES : FAILED;
}

static Value
encode_with_errors(Thread *th, Value s, const char *errors)
{
    Encode e;
    encode_init(&e, "utf-8", errors, s, put_utf8);
    bool good = true;
    while (good && e.pos < e.c.n) {
        uint32_t x = chars_get(e.c, e.pos);
        if (x < 0xd800 || x > 0xdfff) {
            good = byte_buffer_reserve(th, &e.out, 4);
            if (good) {
                e.out.n += (size_t)utf8_encode_char(x, e.out.p + e.out.n);
                e.pos++;
            }
            continue;
        }
        size_t end = e.pos + 1;
        while (end < e.c.n && chars_get(e.c, end) >= 0xd800 && chars_get(e.c, end) <= 0xdfff) {
            end++;
        }
        good = encode_error(th, &e, e.pos, end, "surrogates not allowed");
    }
    return encode_finish(th, &e, good);
}

Value
codec_utf8_encode(Thread *th, Value s, const char *errors)
{
    const Str *str = as_str(s);
    if (str->ascii) {
        return bytes_from(th, str->data, str->length);
    }
    if (str->length <= 256) { /* short: no need to measure first */
        uint8_t local[1024];
        uint8_t *end = encode_chars(chars_of(s), local);
        return end != NULL ? bytes_from(th, local, (size_t)(end - local))
                           : encode_with_errors(th, s, errors);
    }
    Value bytes = bytes_new(th, encoded_size(chars_of(s)));
    if (bytes == NULL) {
        return NULL;
    }
    if (encode_chars(chars_of(s), as_bytes(bytes)->data) != NULL) {
        return bytes;
    }
    drop(th, bytes);
    return encode_with_errors(th, s, errors);
}

Value
str_encode_utf8(Thread *th, Value s, const char *errors)
{
    return codec_utf8_encode(th, s, errors);
}

/* -- the UTF-8 that a str keeps -- */

const char *
str_utf8(Thread *th, Value v, size_t *n)
{
    Str *s = as_str(v);
    if (LIKELY(s->ascii)) {
        if (n != NULL) {
            *n = s->length;
        }
        return (const char *)s->data;
    }
    char *text = load_acquire(&s->utf8); /* pairs with below [str.utf8] */
    if (text == NULL) {
        size_t size = encoded_size(chars_of(v));
        char *block = buffer_new(th, sizeof size + size + 1);
        if (block == NULL) {
            return NULL;
        }
        memcpy(block, &size, sizeof size);
        text = block + sizeof size;
        text[size] = 0;
        if (encode_chars(chars_of(v), (uint8_t *)text) == NULL) {
            buffer_free(block);
            Value none = encode_with_errors(th, v, NULL);
            drop_null(th, none);
            return NULL;
        }
        char *other = NULL;
        if (!cas_acq_rel(&s->utf8, &other, text)) { /* pairs with above [str.utf8] */
            buffer_free(block);
            text = other;
        }
    }
    if (n != NULL) {
        memcpy(n, text - sizeof(size_t), sizeof *n);
    }
    return text;
}

const char *
str_c(Thread *th, Value s)
{
    size_t n;
    const char *text = str_utf8(th, s, &n);
    if (text != NULL && memchr(text, 0, n) != NULL) {
        return raise_value_error(th, "embedded null character");
    }
    return text;
}

/* -- paths -- */

Value
fs_path(Thread *th, Value path)
{
    if (is_str(path) || is_bytes(path)) {
        return retain(th, path);
    }
    bool missing = false;
    Value v = call_special(th, path, NAME(__fspath__), NULL, 0, &missing);
    if (missing) {
        return raise_type_error(th, "expected str, bytes or os.PathLike object, not %T", path);
    }
    if (v != NULL && !is_str(v) && !is_bytes(v)) {
        raise_type_error(th, "expected %T.__fspath__() to return str or bytes, not %T", path, v);
        drop(th, v);
        return NULL;
    }
    return v;
}

Value
fs_encode(Thread *th, Value path)
{
    Value v = fs_path(th, path);
    if (v == NULL) {
        return NULL;
    }
    if (is_str(v)) {
        Value bytes = codec_utf8_encode(th, v, "surrogateescape");
        drop(th, v);
        v = bytes;
    }
    if (v != NULL && memchr(as_bytes(v)->data, 0, (size_t)as_bytes(v)->length) != NULL) {
        drop(th, v);
        return raise_value_error(th, "embedded null byte");
    }
    return v;
}
