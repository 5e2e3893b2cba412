/* codec_utf16.c -- UTF-16 and UTF-32, with and without byte order marks. */
#include "objects/text/codec_priv.h"

static inline uint32_t
unit16(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t
unit32(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
               : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* -- decoding -- */

/* One character of UTF-16 at d->pos; `left` bytes are there, 2 at least.  The range of an error
 * begins at pos.  NO: incomplete at the end (more input may come). */
static Answer
utf16_step(Thread *th, Decode *d, bool big, bool final)
{
    const uint8_t *p = d->p + d->pos;
    size_t left = d->n - d->pos;
    if (left < 2) {
        if (!final) {
            return NO;
        }
        return decode_error(th, d, d->pos, d->n, "truncated data") ? YES : FAILED;
    }
    uint32_t x = unit16(p, big);
    if (x < 0xd800 || x > 0xdfff) {
        d->pos += 2;
        return str_builder_char(th, &d->out, x) ? YES : FAILED;
    }
    if (x >= 0xdc00) {
        return decode_error(th, d, d->pos, d->pos + 2, "illegal encoding") ? YES : FAILED;
    }
    if (left < 4) {
        if (!final) {
            return NO;
        }
        return decode_error(th, d, d->pos, d->n, "unexpected end of data") ? YES : FAILED;
    }
    uint32_t low = unit16(p + 2, big);
    if (low < 0xdc00 || low > 0xdfff) {
        return decode_error(th, d, d->pos, d->pos + 2, "illegal UTF-16 surrogate") ? YES : FAILED;
    }
    d->pos += 4;
    return str_builder_char(th, &d->out, 0x10000 + ((x & 0x3ff) << 10) + (low & 0x3ff)) ? YES
                                                                                       : FAILED;
}

/* Runs of characters below the surrogates, many at once. */
static bool
utf16_run(Thread *th, Decode *d, bool big)
{
    uint16_t chars[128];
    size_t n = 0;
    while (n < ARRAY_LEN(chars) && d->n - d->pos >= 2) {
        uint32_t x = unit16(d->p + d->pos, big);
        if (x >= 0xd800 && x <= 0xdfff) {
            break;
        }
        chars[n++] = (uint16_t)x;
        d->pos += 2;
    }
    return n == 0 || str_builder_chars(th, &d->out, (Chars){chars, n, 2});
}

/* What a byte order mark says; 0: none. */
static int
utf16_mark(const uint8_t *p, size_t n)
{
    if (n >= 2) {
        if (p[0] == 0xff && p[1] == 0xfe) {
            return -1;
        }
        if (p[0] == 0xfe && p[1] == 0xff) {
            return 1;
        }
    }
    return 0;
}

Value
codec_utf16_decode(Thread *th, const uint8_t *p, size_t n, const char *errors, int *byteorder,
                   size_t *consumed)
{
    int order = byteorder != NULL ? *byteorder : 0;
    size_t start = 0;
    if (order == 0) {
        order = utf16_mark(p, n);
        start = order != 0 ? 2 : 0;
    }
    bool big = order > 0;
    if (byteorder != NULL) {
        *byteorder = order;
    }
    Decode d;
    decode_init(&d, big ? "utf-16-be" : "utf-16-le", errors, p, n);
    d.pos = start;
    Answer more = YES;
    while (more == YES && d.pos < d.n) {
        if (!utf16_run(th, &d, big)) {
            more = FAILED;
        } else if (d.pos < d.n) {
            more = utf16_step(th, &d, big, consumed == NULL);
        }
    }
    if (consumed != NULL) {
        *consumed = d.pos;
    }
    return decode_finish(th, &d, more != FAILED);
}

static int
utf32_mark(const uint8_t *p, size_t n)
{
    if (n >= 4) {
        if (unit32(p, false) == 0xfeff) {
            return -1;
        }
        if (unit32(p, true) == 0xfeff) {
            return 1;
        }
    }
    return 0;
}

Value
codec_utf32_decode(Thread *th, const uint8_t *p, size_t n, const char *errors, int *byteorder,
                   size_t *consumed)
{
    int order = byteorder != NULL ? *byteorder : 0;
    size_t start = 0;
    if (order == 0) {
        order = utf32_mark(p, n);
        start = order != 0 ? 4 : 0;
    }
    bool big = order > 0;
    if (byteorder != NULL) {
        *byteorder = order;
    }
    Decode d;
    decode_init(&d, big ? "utf-32-be" : "utf-32-le", errors, p, n);
    d.pos = start;
    bool good = true;
    while (good && d.pos < d.n) {
        if (d.n - d.pos < 4) {
            if (consumed != NULL) {
                break;
            }
            good = decode_error(th, &d, d.pos, d.n, "truncated data");
            continue;
        }
        uint32_t c = unit32(d.p + d.pos, big);
        if (c > UNICODE_MAX) {
            good = decode_error(th, &d, d.pos, d.pos + 4, "code point not in range(0x110000)");
        } else if (c >= 0xd800 && c <= 0xdfff) {
            good = decode_error(th, &d, d.pos, d.pos + 4,
                                "code point in surrogate code point range(0xd800, 0xe000)");
        } else {
            good = str_builder_char(th, &d.out, c);
            d.pos += 4;
        }
    }
    if (consumed != NULL) {
        *consumed = d.pos;
    }
    return decode_finish(th, &d, good);
}

/* -- encoding -- */

static inline void
put_unit(Encode *e, uint32_t x)
{
    uint8_t *out = e->out.p + e->out.n;
    if (e->unit == 2) {
        out[e->big ? 0 : 1] = (uint8_t)(x >> 8);
        out[e->big ? 1 : 0] = (uint8_t)x;
    } else if (e->big) {
        out[0] = (uint8_t)(x >> 24);
        out[1] = (uint8_t)(x >> 16);
        out[2] = (uint8_t)(x >> 8);
        out[3] = (uint8_t)x;
    } else {
        out[3] = (uint8_t)(x >> 24);
        out[2] = (uint8_t)(x >> 16);
        out[1] = (uint8_t)(x >> 8);
        out[0] = (uint8_t)x;
    }
    e->out.n += e->unit;
}

static bool
put_char(Thread *th, Encode *e, uint32_t c)
{
    if (!byte_buffer_reserve(th, &e->out, 4)) {
        return false;
    }
    if (e->unit == 2 && c >= 0x10000) {
        put_unit(e, 0xd800 + ((c - 0x10000) >> 10));
        put_unit(e, 0xdc00 + (c & 0x3ff));
    } else {
        put_unit(e, c);
    }
    return true;
}

static Answer
put_replacement(Thread *th, Encode *e, uint32_t c)
{
    if (c >= 0x80) {
        return NO; /* replacements are ASCII */
    }
    return put_char(th, e, c) ? YES : FAILED;
}

static Value
encode_wide(Thread *th, Value s, const char *errors, int byteorder, uint8_t unit)
{
    const char *name = unit == 2 ? (byteorder < 0 ? "utf-16-le" : byteorder > 0 ? "utf-16-be"
                                                                                : "utf-16")
                                 : (byteorder < 0 ? "utf-32-le" : byteorder > 0 ? "utf-32-be"
                                                                                : "utf-32");
    Encode e;
    encode_init(&e, name, errors, s, put_replacement);
    e.unit = unit;
    e.big = byteorder > 0;
    bool good = byte_buffer_reserve(th, &e.out, (e.c.n + 1) * unit);
    if (good && byteorder == 0) {
        put_unit(&e, 0xfeff);
    }
    while (good && e.pos < e.c.n) {
        uint32_t c = chars_get(e.c, e.pos);
        if (c >= 0xd800 && c <= 0xdfff) {
            good = encode_error(th, &e, e.pos, e.pos + 1, "surrogates not allowed");
        } else {
            good = put_char(th, &e, c);
            e.pos++;
        }
    }
    return encode_finish(th, &e, good);
}

Value
codec_utf16_encode(Thread *th, Value s, const char *errors, int byteorder)
{
    return encode_wide(th, s, errors, byteorder, 2);
}

Value
codec_utf32_encode(Thread *th, Value s, const char *errors, int byteorder)
{
    return encode_wide(th, s, errors, byteorder, 4);
}
