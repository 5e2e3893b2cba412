/* codec_utf7.c -- UTF-7 (RFC 2152). */
#include "objects/text/codec_priv.h"

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
base64_value(uint32_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return (int)c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return (int)c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return (int)c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Whether c is written as itself: sets D and O of the RFC, and white space. */
static bool
is_direct(uint32_t c)
{
    if (c >= 0x80 || c == 0) {
        return false;
    }
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
           (c > ' ' && c < 0x7f && c != '+' && c != '\\' && c != '~');
}

/* -- decoding -- */

typedef struct Shift {
    bool inside;        /* behind a '+' */
    uint32_t buffer;    /* bits not yet used */
    int bits;
    uint32_t high;      /* a high surrogate that waits for its low one, or 0 */
    size_t start;       /* where the '+' stands */
    size_t out_length;  /* length of the output there */
} Shift;

/* Takes the 16 bits that are complete. */
static bool
take_unit(Thread *th, Decode *d, Shift *s)
{
    uint32_t x = (s->buffer >> (s->bits - 16)) & 0xffff;
    s->bits -= 16;
    s->buffer &= ((uint32_t)1 << s->bits) - 1;
    uint32_t high = s->high;
    s->high = 0;
    if (high != 0) {
        if (x >= 0xdc00 && x <= 0xdfff) {
            return str_builder_char(th, &d->out, 0x10000 + ((high & 0x3ff) << 10) + (x & 0x3ff));
        }
        if (!str_builder_char(th, &d->out, high)) {
            return false;
        }
    }
    if (x >= 0xd800 && x <= 0xdbff) {
        s->high = x;
        return true;
    }
    return str_builder_char(th, &d->out, x);
}

/* A character that ends a base64 sequence. */
static bool
leave_shift(Thread *th, Decode *d, Shift *s, uint8_t c)
{
    s->inside = false;
    if (s->bits >= 6) {
        return decode_error(th, d, s->start, d->pos + 1, "partial character in shift sequence");
    }
    if (s->bits > 0 && s->buffer != 0) {
        return decode_error(th, d, s->start, d->pos + 1, "non-zero padding bits in shift sequence");
    }
    uint32_t high = s->high;
    s->high = 0;
    if (high != 0 && c < 0x80 && c != '+' && !str_builder_char(th, &d->out, high)) {
        return false;
    }
    if (c == '-') {
        d->pos++;
    }
    return true;
}

/* A '+' outside a base64 sequence. */
static bool
enter_shift(Thread *th, Decode *d, Shift *s)
{
    s->start = d->pos++;
    if (d->pos < d->n && d->p[d->pos] == '-') {
        d->pos++;
        return str_builder_char(th, &d->out, '+');
    }
    if (d->pos < d->n && base64_value(d->p[d->pos]) < 0) {
        return decode_error(th, d, s->start, d->pos + 1, "ill-formed sequence");
    }
    s->inside = true;
    s->high = s->buffer = 0;
    s->bits = 0;
    s->out_length = d->out.length;
    return true;
}

static bool
utf7_step(Thread *th, Decode *d, Shift *s)
{
    uint8_t c = d->p[d->pos];
    if (s->inside) {
        int value = base64_value(c);
        if (value < 0) {
            return leave_shift(th, d, s, c);
        }
        s->buffer = s->buffer << 6 | (uint32_t)value;
        s->bits += 6;
        d->pos++;
        return s->bits < 16 || take_unit(th, d, s);
    }
    if (c == '+') {
        return enter_shift(th, d, s);
    }
    if (c < 0x80) {
        d->pos++;
        return str_builder_char(th, &d->out, c);
    }
    s->start = d->pos;
    return decode_error(th, d, d->pos, d->pos + 1, "unexpected special character");
}

Value
codec_utf7_decode(Thread *th, const uint8_t *p, size_t n, const char *errors, size_t *consumed)
{
    Decode d;
    decode_init(&d, "utf7", errors, p, n);
    Shift s = {.inside = false};
    bool good = true;
    while (good) {
        while (good && d.pos < d.n) {
            good = utf7_step(th, &d, &s);
        }
        if (!good || !s.inside || consumed != NULL) {
            break;
        }
        s.inside = false; /* the input ends in a base64 sequence */
        if (s.high == 0 && s.bits < 6 && !(s.bits > 0 && s.buffer != 0)) {
            break;
        }
        good = decode_error(th, &d, s.start, d.n, "unterminated shift sequence");
        if (d.pos >= d.n) {
            break;
        }
    }
    if (consumed != NULL) {
        *consumed = d.pos;
        if (good && s.inside) { /* all of the sequence comes again */
            *consumed = s.start;
            d.out.length = s.out_length;
        }
    }
    if (good && consumed != NULL && d.out.length < 0x7fffffff && d.out.max_char > 0x7f) {
        /* what was cut off may have been the widest character */
        Value v = str_from_chars(th, (Chars){d.out.data, d.out.length, d.out.width});
        drop_null(th, decode_finish(th, &d, false));
        return v;
    }
    return decode_finish(th, &d, good);
}

/* -- encoding -- */

static bool
put_sextets(Thread *th, ByteBuffer *out, uint32_t *buffer, int *bits)
{
    while (*bits >= 6) {
        if (!byte_buffer_put(th, out, (uint8_t)base64[(*buffer >> (*bits - 6)) & 63])) {
            return false;
        }
        *bits -= 6;
        *buffer &= ((uint32_t)1 << *bits) - 1;
    }
    return true;
}

static bool
put_shifted(Thread *th, ByteBuffer *out, uint32_t c, uint32_t *buffer, int *bits)
{
    if (c >= 0x10000) {
        *buffer = *buffer << 16 | (0xd800 + ((c - 0x10000) >> 10));
        *bits += 16;
        if (!put_sextets(th, out, buffer, bits)) {
            return false;
        }
        c = 0xdc00 + (c & 0x3ff);
    }
    *buffer = *buffer << 16 | c;
    *bits += 16;
    return put_sextets(th, out, buffer, bits);
}

/* The bits left over, filled up with zeros. */
static bool
put_rest(Thread *th, ByteBuffer *out, uint32_t *buffer, int *bits)
{
    if (*bits == 0) {
        return true;
    }
    uint8_t c = (uint8_t)base64[(*buffer << (6 - *bits)) & 63];
    *buffer = 0;
    *bits = 0;
    return byte_buffer_put(th, out, c);
}

Value
codec_utf7_encode(Thread *th, Value s, const char *errors)
{
    (void)errors; /* everything can be encoded */
    Chars c = chars_of(s);
    ByteBuffer out;
    byte_buffer_init(&out);
    bool inside = false, good = true;
    uint32_t buffer = 0;
    int bits = 0;
    for (size_t i = 0; good && i < c.n; i++) {
        uint32_t x = chars_get(c, i);
        if (inside) {
            if (!is_direct(x)) {
                good = put_shifted(th, &out, x, &buffer, &bits);
                continue;
            }
            inside = false;
            good = put_rest(th, &out, &buffer, &bits) &&
                   ((base64_value(x) < 0 && x != '-') || byte_buffer_put(th, &out, '-')) &&
                   byte_buffer_put(th, &out, (uint8_t)x);
        } else if (x == '+') {
            good = byte_buffer_add(th, &out, "+-", 2);
        } else if (is_direct(x)) {
            good = byte_buffer_put(th, &out, (uint8_t)x);
        } else {
            inside = true;
            good = byte_buffer_put(th, &out, '+') && put_shifted(th, &out, x, &buffer, &bits);
        }
    }
    if (inside) {
        good = good && put_rest(th, &out, &buffer, &bits) && byte_buffer_put(th, &out, '-');
    }
    Value v = good ? bytes_from(th, out.p, out.n) : NULL;
    byte_buffer_free(&out);
    return v;
}
