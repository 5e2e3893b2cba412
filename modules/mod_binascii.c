/* mod_binascii.c -- module binascii: bytes as text and back, and check sums.  Stateless but for
 * tables that are made once.
 *
 * Input memory is held by a buffer export while it is read.
 */
#include "modules/static_types.h"

#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"
#include "threads/blocking.h"

static Type binascii_error, binascii_incomplete;

static const TypeSpec error_spec = {
    .name = "binascii.Error",
    .base = &exc_ValueError,
    .flags = TYPE_BASE | TYPE_EXCEPTION_SUBCLASS,
};
static const TypeSpec incomplete_spec = {
    .name = "binascii.Incomplete",
    .base = &exc_Exception,
    .flags = TYPE_BASE | TYPE_EXCEPTION_SUBCLASS,
};

/* -- input and output -- */

typedef struct Input {
    const uint8_t *p;
    size_t n;
    Buffer buffer;
    bool exported;
} Input;

/* A bytes-like object. */
static bool
input_bytes(Thread *th, Value v, Input *in)
{
    if (!buffer_read(th, v, &in->buffer, BUFFER_SIMPLE))
        return false;
    in->exported = true;
    in->p = in->buffer.data;
    in->n = (size_t)in->buffer.length;
    return true;
}

/* A bytes-like object or a str of ASCII. */
static bool
input_ascii(Thread *th, Value v, Input *in)
{
    if (is_str(v)) {
        if (!as_str(v)->ascii) {
            raise_value_error(th, "string argument should contain only ASCII characters");
            return false;
        }
        in->exported = false;
        in->p = as_str(v)->data;
        in->n = str_length(v);
        return true;
    }
    if (!has_buffer(v)) {
        raise_type_error(th, "argument should be bytes, buffer or ASCII string, not '%T'", v);
        return false;
    }
    return input_bytes(th, v, in);
}

static void
input_free(Thread *th, Input *in)
{
    if (in->exported)
        buffer_release(th, &in->buffer);
}

/* Cuts the bytes object, filled up to `end`, to that length. */
static Value
finish(Thread *th, Value STEALS bytes, const uint8_t *end)
{
    size_t n = (size_t)(end - as_bytes(bytes)->data);
    if ((int64_t)n == as_bytes(bytes)->length)
        return bytes;
    return bytes_resize(th, bytes, n);
}

/* -- hexadecimal -- */

static int
hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static Value
binascii_a2b_hex(Thread *th, Value self, Value v)
{
    (void)self;
    Input in;
    if (!input_ascii(th, v, &in))
        return NULL;
    Value out = NULL;
    if (in.n % 2 != 0) {
        raise_error(th, &binascii_error, "Odd-length string");
        goto end;
    }
    if ((out = bytes_new(th, in.n / 2)) == NULL)
        goto end;
    for (size_t i = 0; i < in.n; i += 2) {
        int high = hex_value(in.p[i]), low = hex_value(in.p[i + 1]);
        if (high < 0 || low < 0) {
            raise_error(th, &binascii_error, "Non-hexadecimal digit found");
            DROP_CLEAR(th, out);
            break;
        }
        as_bytes(out)->data[i / 2] = (uint8_t)(high << 4 | low);
    }
end:
    input_free(th, &in);
    return out;
}

/* The one character that stands between groups. */
static bool
read_separator(Thread *th, Value v, uint8_t *c)
{
    int64_t n = length_of(th, v);
    if (n < 0)
        return false;
    if (n != 1) {
        raise_value_error(th, "sep must be length 1.");
        return false;
    }
    if (is_str(v)) {
        if (as_str(v)->width != 1) {
            raise_value_error(th, "sep must be ASCII.");
            return false;
        }
        *c = as_str(v)->data[0];
    } else if (is_bytes(v))
        *c = as_bytes(v)->data[0];
    else {
        raise_type_error(th, "sep must be str or bytes.");
        return false;
    }
    return true;
}

static Value
binascii_b2a_hex(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "b2a_hex",
                                     .names = {"data", "sep", "bytes_per_sep"},
                                     .positional = 3,
                                     .required = 1};
    static const char digits[] = "0123456789abcdef";
    Value v[3];
    int group = 1;
    uint8_t separator = 0;
    Input in;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[2] != NULL && !arg_int(th, v[2], &group))
        return NULL;
    if (!input_bytes(th, v[0], &in))
        return NULL;
    Value out = NULL;
    if (v[1] != NULL && !read_separator(th, v[1], &separator))
        goto end;
    size_t size = group < 0 ? -(size_t)(int64_t)group : (size_t)group, separators = 0;
    if (v[1] != NULL && size != 0 && in.n > 0)
        separators = (in.n - 1) / size;
    if ((out = bytes_new(th, in.n * 2 + separators)) == NULL)
        goto end;
    uint8_t *p = as_bytes(out)->data;
    /* Groups are counted from the right if the size is positive. */
    size_t until = separators == 0 ? in.n : group > 0 ? in.n - separators * size : size;
    for (size_t i = 0; i < in.n; i++) {
        if (i == until) {
            *p++ = separator;
            until += size;
        }
        *p++ = (uint8_t)digits[in.p[i] >> 4];
        *p++ = (uint8_t)digits[in.p[i] & 15];
    }
end:
    input_free(th, &in);
    return out;
}

/* -- base64 -- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static Value
binascii_a2b_base64(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "a2b_base64",
                                     .names = {"", "strict_mode"},
                                     .positional = 1,
                                     .posonly = 1,
                                     .required = 1};
    Value v[2];
    bool strict = false;
    Input in;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[1] != NULL && !arg_bool(th, v[1], &strict))
        return NULL;
    if (!input_ascii(th, v[0], &in))
        return NULL;
    Value out = bytes_new(th, in.n / 4 * 3 + 3);
    if (out == NULL)
        goto end;
    uint8_t *p = as_bytes(out)->data;
    const char *wrong = NULL;
    unsigned bits = 0;
    int quad = 0, pads = 0; /* digits since the last whole group; padding since the last digit */
    bool padding_begun = false, complete = false;
    if (strict && in.n > 0 && in.p[0] == '=') {
        wrong = "Leading padding not allowed";
        goto malformed;
    }
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        if (c == '=') {
            padding_begun = true;
            if (quad >= 2 && quad + ++pads >= 4) {
                complete = true;
                if (strict && i + 1 < in.n) {
                    wrong = "Excess data after padding";
                    goto malformed;
                }
                break;
            }
            continue;
        }
        int digit = base64_value(c);
        if (digit < 0) {
            if (strict) {
                wrong = "Only base64 data is allowed";
                goto malformed;
            }
            continue;
        }
        if (strict && padding_begun) {
            wrong = "Discontinuous padding not allowed";
            goto malformed;
        }
        pads = 0;
        bits = bits << 6 | (unsigned)digit;
        switch (quad) {
        case 0:
            quad = 1;
            break;
        case 1:
            *p++ = (uint8_t)(bits >> 4);
            quad = 2;
            break;
        case 2:
            *p++ = (uint8_t)(bits >> 2);
            quad = 3;
            break;
        default:
            *p++ = (uint8_t)bits;
            quad = 0;
        }
    }
    if (quad == 1) {
        raise_error(th, &binascii_error,
                    "Invalid base64-encoded string: number of data characters (%zd) cannot be 1 "
                    "more than a multiple of 4",
                    (p - as_bytes(out)->data) / 3 * 4 + 1);
        goto fail;
    }
    if (quad != 0 && !complete) {
        wrong = "Incorrect padding";
        goto malformed;
    }
    out = finish(th, out, p);
end:
    input_free(th, &in);
    return out;
malformed:
    raise_error(th, &binascii_error, "%s", wrong);
fail:
    input_free(th, &in);
    drop(th, out);
    return NULL;
}

static Value
binascii_b2a_base64(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "b2a_base64",
                                     .names = {"", "newline"},
                                     .positional = 1,
                                     .posonly = 1,
                                     .required = 1};
    Value v[2];
    bool newline = true;
    Input in;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[1] != NULL && !arg_flag(th, v[1], &newline))
        return NULL;
    if (!input_bytes(th, v[0], &in))
        return NULL;
    Value out = bytes_new(th, (in.n + 2) / 3 * 4 + newline);
    if (out != NULL) {
        uint8_t *p = as_bytes(out)->data;
        for (size_t i = 0; i < in.n; i += 3) {
            size_t left = in.n - i;
            unsigned word = (unsigned)in.p[i] << 16;
            if (left > 1)
                word |= (unsigned)in.p[i + 1] << 8;
            if (left > 2)
                word |= in.p[i + 2];
            *p++ = (uint8_t)base64_digits[word >> 18];
            *p++ = (uint8_t)base64_digits[word >> 12 & 63];
            *p++ = left > 1 ? (uint8_t)base64_digits[word >> 6 & 63] : '=';
            *p++ = left > 2 ? (uint8_t)base64_digits[word & 63] : '=';
        }
        if (newline)
            *p++ = '\n';
    }
    input_free(th, &in);
    return out;
}

/* -- uuencode -- */

static Value
binascii_a2b_uu(Thread *th, Value self, Value v)
{
    (void)self;
    Input in;
    if (!input_ascii(th, v, &in))
        return NULL;
    size_t i = 0;
    /* The first character is the length; of an empty line it is read from the final zero. */
    size_t length = ((in.n > 0 ? in.p[i++] : 0u) - 32u) & 63u;
    Value out = bytes_new(th, length);
    if (out == NULL)
        goto end;
    uint8_t *p = as_bytes(out)->data;
    unsigned bits = 0, count = 0;
    while (length > 0) {
        bool ended = i >= in.n;
        unsigned c = ended ? 0 : in.p[i++];
        if (ended || c == '\n' || c == '\r')
            c = 0; /* stripped spaces at the end */
        else {
            if (c < ' ' || c > ' ' + 64) {
                raise_error(th, &binascii_error, "Illegal char");
                goto fail;
            }
            c = (c - ' ') & 63;
        }
        bits = bits << 6 | c;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *p++ = (uint8_t)(bits >> count);
            bits &= (1u << count) - 1;
            length--;
        }
    }
    for (; i < in.n; i++) {
        uint8_t c = in.p[i];
        if (c != ' ' && c != ' ' + 64 && c != '\n' && c != '\r') {
            raise_error(th, &binascii_error, "Trailing garbage");
            goto fail;
        }
    }
end:
    input_free(th, &in);
    return out;
fail:
    input_free(th, &in);
    drop(th, out);
    return NULL;
}

static Value
binascii_b2a_uu(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "b2a_uu",
                                     .names = {"", "backtick"},
                                     .positional = 1,
                                     .posonly = 1,
                                     .required = 1};
    Value v[2];
    bool backtick = false;
    Input in;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[1] != NULL && !arg_flag(th, v[1], &backtick))
        return NULL;
    if (!input_bytes(th, v[0], &in))
        return NULL;
    Value out = NULL;
    if (in.n > 45) {
        raise_error(th, &binascii_error, "At most 45 bytes at once");
        goto end;
    }
    if ((out = bytes_new(th, 2 + (in.n + 2) / 3 * 4)) == NULL)
        goto end;
    uint8_t *p = as_bytes(out)->data;
#define UU(six) ((uint8_t)((six) == 0 && backtick ? '`' : ' ' + (six)))
    *p++ = UU(in.n);
    for (size_t i = 0; i < in.n; i += 3) {
        unsigned word = (unsigned)in.p[i] << 16;
        if (i + 1 < in.n)
            word |= (unsigned)in.p[i + 1] << 8;
        if (i + 2 < in.n)
            word |= in.p[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *p++ = UU(word >> shift & 63);
    }
#undef UU
    *p++ = '\n';
end:
    input_free(th, &in);
    return out;
}

/* -- quoted-printable -- */

static Value
binascii_a2b_qp(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "a2b_qp", .names = {"data", "header"}, .positional = 2, .required = 1};
    Value v[2];
    bool header = false;
    Input in;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[1] != NULL && !arg_flag(th, v[1], &header))
        return NULL;
    if (!input_ascii(th, v[0], &in))
        return NULL;
    Value out = bytes_new(th, in.n);
    if (out == NULL)
        goto end;
    uint8_t *p = as_bytes(out)->data;
    for (size_t i = 0; i < in.n;) {
        uint8_t c = in.p[i++];
        if (c != '=') {
            *p++ = header && c == '_' ? ' ' : c;
            continue;
        }
        if (i >= in.n)
            break;
        if (in.p[i] == '\n' || in.p[i] == '\r') { /* a soft line break */
            while (i < in.n && in.p[i] != '\n')
                i++;
            i += i < in.n;
        } else if (in.p[i] == '=') { /* broken, but seen: "==" */
            *p++ = '=';
            i++;
        } else if (i + 1 < in.n && hex_value(in.p[i]) >= 0 && hex_value(in.p[i + 1]) >= 0) {
            *p++ = (uint8_t)(hex_value(in.p[i]) << 4 | hex_value(in.p[i + 1]));
            i += 2;
        } else
            *p++ = '=';
    }
    out = finish(th, out, p);
end:
    input_free(th, &in);
    return out;
}

/* Where quoted-printable text goes: only counted if p is NULL. */
typedef struct QuotedOutput {
    uint8_t *p;
    size_t n;
} QuotedOutput;

static void
quoted_put(QuotedOutput *out, uint8_t c)
{
    if (out->p != NULL)
        out->p[out->n] = c;
    out->n++;
}

static void
quoted_hex(QuotedOutput *out, uint8_t c)
{
    quoted_put(out, '=');
    quoted_put(out, (uint8_t)"0123456789ABCDEF"[c >> 4]);
    quoted_put(out, (uint8_t)"0123456789ABCDEF"[c & 15]);
}

static void
quoted_encode(QuotedOutput *out, const uint8_t *p, size_t n, bool tabs, bool text, bool header)
{
    enum { LINE = 76 };
    /* Lines end as the first one does. */
    const uint8_t *first = memchr(p, '\n', n);
    bool crlf = first != NULL && first > p && first[-1] == '\r';
    size_t column = 0;
    for (size_t i = 0; i < n;) {
        uint8_t c = p[i];
        bool line_end = i + 1 == n;
        bool before_break = !line_end && (p[i + 1] == '\n' || (p[i + 1] == '\r' && i + 2 < n &&
                                                              p[i + 2] == '\n'));
        bool quoted = c > 126 || c == '=' || (header && c == '_') ||
                      (c == '.' && column == 0 && (line_end || p[i + 1] == '\n' ||
                                                   p[i + 1] == '\r' || p[i + 1] == 0)) ||
                      (!text && (c == '\r' || c == '\n')) ||
                      ((c == '\t' || c == ' ') && line_end) ||
                      (c < 33 && c != '\r' && c != '\n' && c != '\t' && c != ' ') ||
                      (c < 33 && c != '\r' && c != '\n' && (tabs || (c != '\t' && c != ' ')));
        if (quoted) {
            if (column + 3 >= LINE) {
                quoted_put(out, '=');
                if (crlf)
                    quoted_put(out, '\r');
                quoted_put(out, '\n');
                column = 0;
            }
            quoted_hex(out, c);
            column += 3;
            i++;
            continue;
        }
        if (text && (c == '\n' || (c == '\r' && !line_end && p[i + 1] == '\n'))) {
            if (crlf)
                quoted_put(out, '\r');
            quoted_put(out, '\n');
            column = 0;
            i += c == '\r' ? 2 : 1;
            continue;
        }
        if (!line_end && p[i + 1] != '\n' && column + 1 >= LINE) {
            quoted_put(out, '=');
            if (crlf)
                quoted_put(out, '\r');
            quoted_put(out, '\n');
            column = 0;
        }
        /* White space before a line break would be lost. */
        if (text && before_break && (c == '\t' || (c == ' ' && !header))) {
            quoted_hex(out, c);
            column += 3;
        } else {
            quoted_put(out, header && c == ' ' ? '_' : c);
            column++;
        }
        i++;
    }
}

static Value
binascii_b2a_qp(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "b2a_qp",
                                     .names = {"data", "quotetabs", "istext", "header"},
                                     .positional = 4,
                                     .required = 1};
    Value v[4];
    bool tabs = false, text = true, header = false;
    Input in;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if ((v[1] && !arg_flag(th, v[1], &tabs)) || (v[2] && !arg_flag(th, v[2], &text)) ||
        (v[3] && !arg_flag(th, v[3], &header)))
        return NULL;
    if (!input_bytes(th, v[0], &in))
        return NULL;
    QuotedOutput out = {NULL, 0};
    /* A copy, so that both passes see the same bytes. */
    Value copy = bytes_from(th, in.p, in.n), result = NULL;
    input_free(th, &in);
    if (copy == NULL)
        return NULL;
    const uint8_t *p = as_bytes(copy)->data;
    size_t n = (size_t)as_bytes(copy)->length;
    quoted_encode(&out, p, n, tabs, text, header);
    result = bytes_new(th, out.n);
    if (result != NULL) {
        out = (QuotedOutput){as_bytes(result)->data, 0};
        quoted_encode(&out, p, n, tabs, text, header);
    }
    drop(th, copy);
    return result;
}

/* -- check sums -- */

/* crc_tables[0][b]: the remainder of byte b; crc_tables[k]: the same, k bytes further on. */
static uint32_t crc_tables[8][256];
static ATOMIC(uint8_t) crc_ready;

static void
crc_make_tables(void)
{
    if (load_acquire(&crc_ready)) /* pairs with the release below */
        return;
    /* Threads that race here write the same values. */
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t r = b;
        for (int i = 0; i < 8; i++)
            r = r >> 1 ^ (r & 1 ? 0xedb88320u : 0);
        __atomic_store_n(&crc_tables[0][b], r, __ATOMIC_RELAXED);
    }
    for (int k = 1; k < 8; k++) {
        for (uint32_t b = 0; b < 256; b++) {
            uint32_t r = __atomic_load_n(&crc_tables[k - 1][b], __ATOMIC_RELAXED);
            uint32_t low = __atomic_load_n(&crc_tables[0][r & 0xff], __ATOMIC_RELAXED);
            __atomic_store_n(&crc_tables[k][b], r >> 8 ^ low, __ATOMIC_RELAXED);
        }
    }
    store_release(&crc_ready, 1);
}

static uint32_t
crc_update(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = crc_tables[7][crc & 0xff] ^ crc_tables[6][crc >> 8 & 0xff] ^
              crc_tables[5][crc >> 16 & 0xff] ^ crc_tables[4][crc >> 24] ^ crc_tables[3][p[4]] ^
              crc_tables[2][p[5]] ^ crc_tables[1][p[6]] ^ crc_tables[0][p[7]];
    }
    for (; n > 0; n--)
        crc = crc >> 8 ^ crc_tables[0][(crc ^ *p++) & 0xff];
    return ~crc;
}

/* An unsigned number modulo 2^32. */
static bool
read_check_sum(Thread *th, Value v, uint32_t *out)
{
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    *out = (uint32_t)int_to_u64_wrap(n);
    drop(th, n);
    return true;
}

static Value
binascii_crc32(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    uint32_t crc = 0;
    Input in;
    if (!input_bytes(th, arg(args, 0), &in))
        return NULL;
    if (nargs > 1 && !read_check_sum(th, arg(args, 1), &crc)) {
        input_free(th, &in);
        return NULL;
    }
    crc_make_tables();
    bool heavy = in.n > (size_t)1 << 20;
    if (heavy)
        blocking_begin(th);
    crc = crc_update(crc, in.p, in.n);
    if (heavy)
        blocking_end(th);
    input_free(th, &in);
    return value_from_fixnum(crc);
}

static Value
binascii_crc_hqx(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    uint32_t crc;
    Input in;
    if (!input_bytes(th, arg(args, 0), &in))
        return NULL;
    if (!read_check_sum(th, arg(args, 1), &crc)) {
        input_free(th, &in);
        return NULL;
    }
    crc &= 0xffff;
    for (size_t i = 0; i < in.n; i++) {
        crc ^= (uint32_t)in.p[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ (crc & 0x8000 ? 0x1021u : 0);
        crc &= 0xffff;
    }
    input_free(th, &in);
    return value_from_fixnum(crc);
}

/* -- the module -- */

static const MethodDef binascii_methods[] = {
    NATIVE_1("a2b_uu", binascii_a2b_uu,
             "a2b_uu($module, data, /)\n--\n\nDecodes a line of uuencoded data."),
    NATIVE_K("b2a_uu", binascii_b2a_uu,
             "b2a_uu($module, data, /, *, backtick=False)\n--\n\nUuencodes a line of data."),
    NATIVE_K("a2b_base64", binascii_a2b_base64,
             "a2b_base64($module, data, /, *, strict_mode=False)\n--\n\n"
             "Decodes base64 data.\n\nstrict_mode: nothing but base64 data is allowed."),
    NATIVE_K("b2a_base64", binascii_b2a_base64,
             "b2a_base64($module, data, /, *, newline=True)\n--\n\nEncodes data in base64."),
    NATIVE_1("a2b_hex", binascii_a2b_hex,
             "a2b_hex($module, hexstr, /)\n--\n\n"
             "The bytes that pairs of hexadecimal digits stand for."),
    NATIVE_1("unhexlify", binascii_a2b_hex,
             "unhexlify($module, hexstr, /)\n--\n\n"
             "The bytes that pairs of hexadecimal digits stand for."),
    NATIVE_K("b2a_hex", binascii_b2a_hex,
             "b2a_hex($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\n"
             "Data as hexadecimal digits.\n\nsep stands after every bytes_per_sep bytes, counted "
             "from the right,\nor from the left if that is negative."),
    NATIVE_K("hexlify", binascii_b2a_hex,
             "hexlify($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\n"
             "Data as hexadecimal digits.\n\nsep stands after every bytes_per_sep bytes, counted "
             "from the right,\nor from the left if that is negative."),
    NATIVE_K("a2b_qp", binascii_a2b_qp,
             "a2b_qp($module, /, data, header=False)\n--\n\nDecodes quoted-printable data."),
    NATIVE_K("b2a_qp", binascii_b2a_qp,
             "b2a_qp($module, /, data, quotetabs=False, istext=True, header=False)\n--\n\n"
             "Encodes data as quoted-printable.\n\n"
             "quotetabs: tabs and spaces are encoded, too.  istext: line breaks are kept.\n"
             "header: a space becomes an underscore."),
    NATIVE_N("crc32", binascii_crc32, 1, 2,
             "crc32($module, data, crc=0, /)\n--\n\nThe CRC-32 of data, going on from crc."),
    NATIVE_N("crc_hqx", binascii_crc_hqx, 2, 2,
             "crc_hqx($module, data, crc, /)\n--\n\nThe CRC-CCITT of data, going on from crc."),
    NATIVE_END,
};

static bool
binascii_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&binascii_error, &error_spec},
        {&binascii_incomplete, &incomplete_spec},
    };
    return static_types_ready(th, types, ARRAY_LEN(types)) &&
           module_add(th, module, "Error", value_of_type(&binascii_error)) &&
           module_add(th, module, "Incomplete", value_of_type(&binascii_incomplete));
}

const ModuleSpec binascii_module = {
    .name = "binascii",
    .doc = "Conversion between binary data and ASCII",
    .methods = binascii_methods,
    .exec = binascii_exec,
};
