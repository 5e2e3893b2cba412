/* codec_escape.c -- unicode_escape, raw_unicode_escape, and the escapes of bytes literals. */
#include "objects/text/codec_priv.h"

static int
hex_value(uint32_t c)
{
    return c >= '0' && c <= '9'   ? (int)c - '0'
           : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10
           : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10 : -1;
}

/* The character of a simple escape, -1 if it is none, -2 for a line continuation. */
static int
simple_escape(uint8_t c)
{
    switch (c) {
    case '\n': return -2;
    case '\\': case '\'': case '"': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'v': return '\v';
    case 'a': return '\a';
    default: return -1;
    }
}

/* An octal number of up to three digits. */
static uint32_t
octal(const uint8_t *p, size_t n, size_t *pos)
{
    uint32_t c = 0;
    for (int i = 0; i < 3 && *pos < n && p[*pos] >= '0' && p[*pos] <= '7'; i++) {
        c = c * 8 + (uint32_t)(p[(*pos)++] - '0');
    }
    return c;
}

/* -- unicode_escape: decoding -- */

/* An escape with hexadecimal digits behind its letter.  NO: it is incomplete. */
static Answer
hex_escape(Thread *th, Decode *d, size_t start, size_t pos, int digits, const char *truncated,
           const char *too_big, bool final)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, pos++) {
        int value = pos < d->n ? hex_value(d->p[pos]) : -1;
        if (value < 0) {
            if (pos >= d->n && !final) {
                return NO;
            }
            return decode_error(th, d, start, pos, truncated) ? YES : FAILED;
        }
        c = c << 4 | (uint32_t)value;
    }
    if (c > UNICODE_MAX) {
        return decode_error(th, d, start, pos, too_big) ? YES : FAILED;
    }
    d->pos = pos;
    return str_builder_char(th, &d->out, c) ? YES : FAILED;
}

/* \N{name}; pos is behind the N. */
static Answer
name_escape(Thread *th, Decode *d, size_t start, size_t pos, bool final)
{
    static const char malformed[] = "malformed \\N character escape";
    if (pos < d->n && d->p[pos] != '{') {
        return decode_error(th, d, start, pos, malformed) ? YES : FAILED;
    }
    size_t name = pos + 1, end = name;
    while (end < d->n && d->p[end] != '}') {
        end++;
    }
    if (pos >= d->n || end >= d->n) {
        if (!final) {
            return NO;
        }
        return decode_error(th, d, start, d->n, malformed) ? YES : FAILED;
    }
    if (end == name) {
        return decode_error(th, d, start, end, malformed) ? YES : FAILED;
    }
    uint32_t c;
    if (!unicode_by_name((const char *)d->p + name, end - name, &c)) {
        return decode_error(th, d, start, end + 1, "unknown Unicode character name") ? YES
                                                                                     : FAILED;
    }
    d->pos = end + 1;
    return str_builder_char(th, &d->out, c) ? YES : FAILED;
}

/* The first escape of a text that means nothing, for a warning. */
typedef struct BadEscape {
    bool found;
    char text[8];
} BadEscape;

static void
note_bad(BadEscape *bad, const uint8_t *p, size_t n)
{
    if (!bad->found) {
        bad->found = true;
        memcpy(bad->text, p, n);
        bad->text[n] = 0;
    }
}

static bool
warn_bad(Thread *th, const BadEscape *bad)
{
    if (!bad->found) {
        return true;
    }
    if (bad->text[0] >= '0' && bad->text[0] <= '7') {
        return warn(th, &exc_DeprecationWarning, 1, "invalid octal escape sequence '\\%s'",
                    bad->text);
    }
    return warn(th, &exc_DeprecationWarning, 1, "invalid escape sequence '\\%c'",
                (int)(uint8_t)bad->text[0]);
}

/* One escape; d->pos stands on the backslash.  NO: incomplete at the end. */
static Answer
escape_step(Thread *th, Decode *d, bool final, BadEscape *bad)
{
    size_t start = d->pos, pos = start + 1;
    if (pos >= d->n) {
        if (!final) {
            return NO;
        }
        return decode_error(th, d, start, d->n, "\\ at end of string") ? YES : FAILED;
    }
    uint8_t c = d->p[pos++];
    int simple = simple_escape(c);
    if (simple != -1) {
        d->pos = pos;
        return simple == -2 || str_builder_char(th, &d->out, (uint32_t)simple) ? YES : FAILED;
    }
    switch (c) {
    case 'x':
        return hex_escape(th, d, start, pos, 2, "truncated \\xXX escape", "", final);
    case 'u':
        return hex_escape(th, d, start, pos, 4, "truncated \\uXXXX escape", "", final);
    case 'U':
        return hex_escape(th, d, start, pos, 8, "truncated \\UXXXXXXXX escape",
                          "illegal Unicode character", final);
    case 'N':
        return name_escape(th, d, start, pos, final);
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': {
        pos--;
        uint32_t number = octal(d->p, d->n, &pos);
        if (number > 0377) {
            note_bad(bad, d->p + start + 1, 3);
        }
        d->pos = pos;
        return str_builder_char(th, &d->out, number) ? YES : FAILED;
    }
    default:
        note_bad(bad, &c, 1);
        d->pos = pos;
        return str_builder_char(th, &d->out, '\\') && str_builder_char(th, &d->out, c) ? YES
                                                                                       : FAILED;
    }
}

/* Appends Latin-1 up to the next backslash. */
static bool
plain_run(Thread *th, Decode *d)
{
    const uint8_t *p = d->p + d->pos;
    const uint8_t *backslash = memchr(p, '\\', d->n - d->pos);
    size_t n = backslash == NULL ? d->n - d->pos : (size_t)(backslash - p);
    d->pos += n;
    return str_builder_chars(th, &d->out, (Chars){p, n, 1});
}

Value
codec_unicode_escape_decode(Thread *th, const uint8_t *p, size_t n, const char *errors,
                            size_t *consumed)
{
    Decode d;
    decode_init(&d, "unicodeescape", errors, p, n);
    BadEscape bad = {.found = false};
    Answer more = YES;
    while (more == YES && d.pos < d.n) {
        if (!plain_run(th, &d)) {
            more = FAILED;
        } else if (d.pos < d.n) {
            more = escape_step(th, &d, consumed == NULL, &bad);
        }
    }
    if (consumed != NULL) { /* a handler may have put a shorter input in place */
        *consumed = d.pos < d.n ? d.pos : n;
    }
    Value v = decode_finish(th, &d, more != FAILED);
    if (v != NULL && !warn_bad(th, &bad)) {
        drop(th, v);
        return NULL;
    }
    return v;
}

/* -- raw_unicode_escape: decoding -- */

Value
codec_raw_unicode_escape_decode(Thread *th, const uint8_t *p, size_t n, const char *errors,
                                size_t *consumed)
{
    Decode d;
    decode_init(&d, "rawunicodeescape", errors, p, n);
    Answer more = YES;
    while (more == YES && d.pos < d.n) {
        if (!plain_run(th, &d)) {
            more = FAILED;
        } else if (d.pos < d.n) {
            size_t start = d.pos;
            if (start + 1 >= d.n) { /* a backslash at the end stands for itself */
                if (consumed != NULL) {
                    break;
                }
                d.pos++;
                more = str_builder_char(th, &d.out, '\\') ? YES : FAILED;
                continue;
            }
            uint8_t c = d.p[start + 1];
            if (c == 'u') {
                more = hex_escape(th, &d, start, start + 2, 4, "truncated \\uXXXX escape", "",
                                  consumed == NULL);
            } else if (c == 'U') {
                more = hex_escape(th, &d, start, start + 2, 8, "truncated \\UXXXXXXXX escape",
                                  "\\Uxxxxxxxx out of range", consumed == NULL);
            } else {
                d.pos += 2;
                more = str_builder_char(th, &d.out, '\\') && str_builder_char(th, &d.out, c)
                           ? YES : FAILED;
            }
        }
    }
    if (consumed != NULL) { /* a handler may have put a shorter input in place */
        *consumed = d.pos < d.n ? d.pos : n;
    }
    return decode_finish(th, &d, more != FAILED);
}

/* -- encoding -- */

static bool
put_hex(Thread *th, ByteBuffer *out, char letter, uint32_t c, int digits)
{
    uint8_t buf[12] = {'\\', (uint8_t)letter};
    for (int i = 0; i < digits; i++) {
        buf[2 + i] = (uint8_t)"0123456789abcdef"[(c >> (4 * (digits - 1 - i))) & 15];
    }
    return byte_buffer_add(th, out, buf, (size_t)digits + 2);
}

static bool
put_escaped(Thread *th, ByteBuffer *out, uint32_t c)
{
    switch (c) {
    case '\t': return byte_buffer_add(th, out, "\\t", 2);
    case '\n': return byte_buffer_add(th, out, "\\n", 2);
    case '\r': return byte_buffer_add(th, out, "\\r", 2);
    case '\\': return byte_buffer_add(th, out, "\\\\", 2);
    default: break;
    }
    if (c >= ' ' && c < 0x7f) {
        return byte_buffer_put(th, out, (uint8_t)c);
    }
    return c < 0x100 ? put_hex(th, out, 'x', c, 2)
           : c < 0x10000 ? put_hex(th, out, 'u', c, 4) : put_hex(th, out, 'U', c, 8);
}

static bool
put_raw(Thread *th, ByteBuffer *out, uint32_t c)
{
    return c < 0x100 ? byte_buffer_put(th, out, (uint8_t)c)
           : c < 0x10000 ? put_hex(th, out, 'u', c, 4) : put_hex(th, out, 'U', c, 8);
}

static Value
encode_by(Thread *th, Value s, bool (*put)(Thread *th, ByteBuffer *out, uint32_t c))
{
    Chars c = chars_of(s);
    ByteBuffer out;
    byte_buffer_init(&out);
    bool good = true;
    for (size_t i = 0; good && i < c.n; i++) {
        good = put(th, &out, chars_get(c, i));
    }
    Value v = good ? bytes_from(th, out.p, out.n) : NULL;
    byte_buffer_free(&out);
    return v;
}

Value
codec_unicode_escape_encode(Thread *th, Value s)
{
    return encode_by(th, s, put_escaped);
}

Value
codec_raw_unicode_escape_encode(Thread *th, Value s)
{
    return encode_by(th, s, put_raw);
}

/* -- bytes literals -- */

Value
codec_escape_encode(Thread *th, Value bytes)
{
    ByteBuffer out;
    byte_buffer_init(&out);
    bool good = true;
    const Bytes *b = as_bytes(bytes);
    for (int64_t i = 0; good && i < b->length; i++) {
        good = b->data[i] == '\'' ? byte_buffer_add(th, &out, "\\'", 2)
                                  : put_escaped(th, &out, b->data[i]);
    }
    Value v = good ? bytes_from(th, out.p, out.n) : NULL;
    byte_buffer_free(&out);
    return v;
}

/* \x with too few digits: pos is behind the x. */
static bool
bad_hex(Thread *th, ByteBuffer *out, const char *errors, size_t position)
{
    enum ErrorKind kind = error_kind(errors);
    if (kind == ERRORS_STRICT) {
        raise_value_error(th, "invalid \\x escape at position %zd", position);
        return false;
    }
    if (kind == ERRORS_REPLACE) {
        return byte_buffer_put(th, out, '?');
    }
    if (kind == ERRORS_IGNORE) {
        return true;
    }
    raise_value_error(th, "decoding error; unknown error handling code: %s", errors);
    return false;
}

Value
codec_escape_decode(Thread *th, const uint8_t *p, size_t n, const char *errors)
{
    ByteBuffer out;
    byte_buffer_init(&out);
    BadEscape bad = {.found = false};
    bool good = true;
    size_t pos = 0;
    while (good && pos < n) {
        if (p[pos] != '\\') {
            const uint8_t *next = memchr(p + pos, '\\', n - pos);
            size_t run = next == NULL ? n - pos : (size_t)(next - (p + pos));
            good = byte_buffer_add(th, &out, p + pos, run);
            pos += run;
            continue;
        }
        size_t start = pos++;
        if (pos == n) {
            raise_value_error(th, "Trailing \\ in string");
            good = false;
            break;
        }
        uint8_t c = p[pos++];
        int simple = simple_escape(c);
        if (simple != -1) {
            good = simple == -2 || byte_buffer_put(th, &out, (uint8_t)simple);
        } else if (c >= '0' && c <= '7') {
            pos--;
            uint32_t number = octal(p, n, &pos);
            if (number > 0377) {
                note_bad(&bad, p + start + 1, 3);
            }
            good = byte_buffer_put(th, &out, (uint8_t)number);
        } else if (c == 'x') {
            int high = pos < n ? hex_value(p[pos]) : -1;
            int low = high >= 0 && pos + 1 < n ? hex_value(p[pos + 1]) : -1;
            if (low >= 0) {
                good = byte_buffer_put(th, &out, (uint8_t)(high << 4 | low));
                pos += 2;
            } else {
                good = bad_hex(th, &out, errors, start);
                pos += high >= 0;
            }
        } else {
            note_bad(&bad, &c, 1);
            good = byte_buffer_put(th, &out, '\\') && byte_buffer_put(th, &out, c);
        }
    }
    Value v = good ? bytes_from(th, out.p, out.n) : NULL;
    byte_buffer_free(&out);
    if (v != NULL && !warn_bad(th, &bad)) {
        drop(th, v);
        return NULL;
    }
    return v;
}
