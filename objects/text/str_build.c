/* str_build.c -- a str piece by piece, and messages from C formats.
 *
 * A StrBuilder lives on the C stack and belongs to one thread.  Its buffer has the width
 * that its widest character so far needs; short texts stay in the builder itself.
 */
#include "objects/text/text_priv.h"

#include "objects/number/fast.h"

#include <stdio.h>

void
str_builder_init(StrBuilder *b)
{
    b->data = b->inline_data;
    b->length = 0;
    b->capacity = sizeof b->inline_data;
    b->max_char = 0x7f;
    b->width = 1;
}

void
str_builder_free(StrBuilder *b)
{
    if (b->data != b->inline_data) {
        mem_free(b->data);
    }
    str_builder_init(b);
}

/* Makes room for `extra` characters up to max_char; capacity is in characters. */
static COLD bool
reserve_slow(Thread *th, StrBuilder *b, size_t extra, uint32_t max_char)
{
    uint8_t width = width_for(max_char | b->max_char);
    size_t need = b->length + extra;
    if (need > STR_MAX_LENGTH || need < extra) {
        raise_memory(th);
        return false;
    }
    size_t capacity = need <= b->capacity ? b->capacity : need + need / 2;
    if (width == b->width && b->data != b->inline_data) {
        void *moved = mem_resize(b->data, capacity * width);
        if (moved == NULL) {
            raise_memory(th);
            return false;
        }
        b->data = moved;
    } else {
        void *fresh = mem_alloc(capacity * width);
        if (fresh == NULL) {
            raise_memory(th);
            return false;
        }
        chars_copy(fresh, width, (Chars){b->data, b->length, b->width});
        if (b->data != b->inline_data) {
            mem_free(b->data);
        }
        b->data = fresh;
        b->width = width;
    }
    b->capacity = capacity;
    return true;
}

static inline bool
reserve(Thread *th, StrBuilder *b, size_t extra, uint32_t max_char)
{
    if (UNLIKELY(extra > b->capacity - b->length || width_for(max_char) > b->width)) {
        if (!reserve_slow(th, b, extra, max_char)) {
            return false;
        }
    }
    b->max_char |= max_char;
    return true;
}

bool
str_builder_char(Thread *th, StrBuilder *b, uint32_t c)
{
    if (!reserve(th, b, 1, c)) {
        return false;
    }
    chars_put(b->data, b->width, b->length++, c);
    return true;
}

static bool
append_chars(Thread *th, StrBuilder *b, Chars c, uint32_t max)
{
    if (c.n == 0) {
        return true;
    }
    if (!reserve(th, b, c.n, max)) {
        return false;
    }
    chars_copy((uint8_t *)b->data + b->length * b->width, b->width, c);
    b->length += c.n;
    return true;
}

bool
str_builder_str(Thread *th, StrBuilder *b, Value s)
{
    return append_chars(th, b, chars_of(s), str_max(s));
}

bool
str_builder_sub(Thread *th, StrBuilder *b, Value s, size_t start, size_t end)
{
    Chars c = chars_sub(chars_of(s), start, end);
    return append_chars(th, b, c, as_str(s)->ascii ? 0x7f : chars_or(c));
}

bool
str_builder_chars(Thread *th, StrBuilder *b, Chars c)
{
    return append_chars(th, b, c, chars_or(c));
}

bool
str_builder_ascii(Thread *th, StrBuilder *b, const char *p, size_t n)
{
    return append_chars(th, b, (Chars){p, n, 1}, 0x7f);
}

bool
str_builder_c(Thread *th, StrBuilder *b, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t n = strlen(text);
    size_t plain = utf8_ascii_prefix(p, n);
    if (!str_builder_ascii(th, b, text, plain)) {
        return false;
    }
    p += plain;
    n -= plain;
    while (n > 0) {
        uint32_t c;
        int size = utf8_decode_char(p, n, &c);
        if (size <= 0) { /* one character stands for a byte that is no text */
            c = 0xfffd;
            size = 1;
        }
        if (!str_builder_char(th, b, c)) {
            return false;
        }
        p += size;
        n -= (size_t)size;
    }
    return true;
}

bool
str_builder_i64(Thread *th, StrBuilder *b, int64_t n)
{
    char buf[24], *end = buf + sizeof buf, *p = int_digits_before(end, n);
    return str_builder_ascii(th, b, p, (size_t)(end - p));
}

bool
str_builder_fill(Thread *th, StrBuilder *b, uint32_t c, size_t n)
{
    if (n == 0) {
        return true;
    }
    if (!reserve(th, b, n, c)) {
        return false;
    }
    if (b->width == 1) {
        memset((uint8_t *)b->data + b->length, (int)c, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            chars_put(b->data, b->width, b->length + i, c);
        }
    }
    b->length += n;
    return true;
}

Value
str_builder_finish(Thread *th, StrBuilder *b)
{
    Value v;
    if (b->length == 0) {
        v = str_empty;
    } else if (b->length == 1 && b->max_char < 0x100) {
        v = str_latin1((uint8_t)chars_get((Chars){b->data, 1, b->width}, 0));
    } else {
        v = str_new(th, b->length, b->max_char);
        if (v != NULL) {
            memcpy(as_str(v)->data, b->data, b->length * b->width);
        }
    }
    str_builder_free(b);
    return v;
}

/* -- formats of C --
 *
 * %[flags][width][.precision][length]conversion as printf has it, and %V the str() of a
 * Value, %R its repr(), %A its ascii(), %T its type's name, %N the name of a Type.
 * %s takes UTF-8; a precision counts bytes for %s and characters for the others. */

typedef struct Directive {
    char text[32];     /* for snprintf */
    int width, precision; /* -1: none */
    bool left;
    enum { SIZE_INT, SIZE_LONG, SIZE_LONG_LONG, SIZE_SIZE, SIZE_SHORT, SIZE_CHAR } size;
    char conversion;
} Directive;

/* Parses what follows '%'; returns the position behind it. */
static const char *
parse_directive(const char *p, Directive *d, va_list *ap)
{
    size_t n = 0;
    char flags[8] = "";
    size_t flag_count = 0;
    d->width = d->precision = -1;
    d->left = false;
    d->size = SIZE_INT;
    while (*p != 0 && strchr("-+ #0", *p) != NULL && flag_count < 6) {
        d->left |= *p == '-';
        flags[flag_count++] = *p++;
    }
    flags[flag_count] = 0;
    if (*p == '*') {
        d->width = va_arg(*ap, int);
        p++;
    } else if (*p >= '0' && *p <= '9') {
        d->width = (int)strtol(p, (char **)&p, 10);
    }
    if (*p == '.') {
        p++;
        if (*p == '*') {
            d->precision = va_arg(*ap, int);
            p++;
        } else {
            d->precision = (int)strtol(p, (char **)&p, 10);
        }
    }
    const char *length = "";
    switch (*p) {
    case 'l':
        p++;
        d->size = SIZE_LONG;
        length = "l";
        if (*p == 'l') {
            p++;
            d->size = SIZE_LONG_LONG;
            length = "ll";
        }
        break;
    case 'z': case 't': case 'j':
        p++;
        d->size = SIZE_SIZE;
        length = "z";
        break;
    case 'h':
        p++;
        d->size = SIZE_SHORT;
        if (*p == 'h') {
            p++;
        }
        break;
    default: break;
    }
    d->conversion = *p != 0 ? *p++ : '%';
    n = (size_t)snprintf(d->text, sizeof d->text, "%%%s", flags);
    if (d->width >= 0) {
        n += (size_t)snprintf(d->text + n, sizeof d->text - n, "%d", d->width);
    }
    if (d->precision >= 0) {
        n += (size_t)snprintf(d->text + n, sizeof d->text - n, ".%d", d->precision);
    }
    snprintf(d->text + n, sizeof d->text - n, "%s%c", length, d->conversion);
    return p;
}

static bool
format_number(Thread *th, StrBuilder *b, const Directive *d, va_list *ap)
{
    char buf[512];
    int n;
    bool is_signed = d->conversion == 'd' || d->conversion == 'i';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    switch (d->conversion) {
    case 'e': case 'f': case 'g': case 'E': case 'G': case 'a':
        n = snprintf(buf, sizeof buf, d->text, va_arg(*ap, double));
        break;
    case 'p':
        n = snprintf(buf, sizeof buf, d->text, va_arg(*ap, void *));
        break;
    default:
        if (d->size == SIZE_LONG || d->size == SIZE_SIZE) {
            n = is_signed ? snprintf(buf, sizeof buf, d->text, va_arg(*ap, long))
                          : snprintf(buf, sizeof buf, d->text, va_arg(*ap, unsigned long));
        } else if (d->size == SIZE_LONG_LONG) {
            n = is_signed ? snprintf(buf, sizeof buf, d->text, va_arg(*ap, long long))
                          : snprintf(buf, sizeof buf, d->text, va_arg(*ap, unsigned long long));
        } else {
            n = is_signed ? snprintf(buf, sizeof buf, d->text, va_arg(*ap, int))
                          : snprintf(buf, sizeof buf, d->text, va_arg(*ap, unsigned));
        }
    }
#pragma GCC diagnostic pop
    if (n < 0) {
        n = 0;
    } else if ((size_t)n >= sizeof buf) {
        n = (int)sizeof buf - 1;
    }
    return str_builder_ascii(th, b, buf, (size_t)n);
}

/* A text padded to the directive's width. */
static bool
append_padded(Thread *th, StrBuilder *b, const Directive *d, Value s)
{
    size_t n = str_length(s);
    if (d->precision >= 0 && (size_t)d->precision < n) {
        n = (size_t)d->precision;
    }
    size_t pad = d->width > 0 && (size_t)d->width > n ? (size_t)d->width - n : 0;
    return (d->left || str_builder_fill(th, b, ' ', pad)) && str_builder_sub(th, b, s, 0, n) &&
           (!d->left || str_builder_fill(th, b, ' ', pad));
}

static bool
append_c_text(Thread *th, StrBuilder *b, const Directive *d, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    size_t n = d->precision >= 0 ? strnlen(text, (size_t)d->precision) : strlen(text);
    if (d->precision < 0 && d->width < 0) {
        return str_builder_c(th, b, text);
    }
    char *copy = mem_alloc(n + 1);
    if (copy == NULL) {
        raise_memory(th);
        return false;
    }
    memcpy(copy, text, n);
    copy[n] = 0;
    size_t pad = d->width > 0 && (size_t)d->width > n ? (size_t)d->width - n : 0;
    bool good = (d->left || str_builder_fill(th, b, ' ', pad)) && str_builder_c(th, b, copy) &&
                (!d->left || str_builder_fill(th, b, ' ', pad));
    mem_free(copy);
    return good;
}

static bool
append_value(Thread *th, StrBuilder *b, const Directive *d, Value v)
{
    if (d->conversion == 'T') {
        return append_c_text(th, b, d, v == NULL ? "NULL" : type_name_of(v));
    }
    if (d->conversion == 'B') {
        return append_c_text(th, b, d, v == NULL ? "NULL" : v == NONE ? "None" : type_name_of(v));
    }
    if (v == NULL) {
        return str_builder_c(th, b, "<NULL>");
    }
    if (d->conversion == 'V' && is_exact(v, SHAPE_STR)) {
        return append_padded(th, b, d, v);
    }
    Value s = d->conversion == 'V' ? to_str(th, v)
              : d->conversion == 'R' ? to_repr(th, v) : to_ascii(th, v);
    if (s == NULL) {
        return false;
    }
    bool good = append_padded(th, b, d, s);
    drop(th, s);
    return good;
}

static bool
append_directive(Thread *th, StrBuilder *b, const Directive *d, va_list *ap)
{
    switch (d->conversion) {
    case '%': return str_builder_char(th, b, '%');
    case 'c': return str_builder_char(th, b, (uint32_t)va_arg(*ap, int));
    case 's': return append_c_text(th, b, d, va_arg(*ap, const char *));
    case 'N': return append_c_text(th, b, d, type_name(va_arg(*ap, Type *)));
    case 'V': case 'R': case 'A': case 'T': case 'B':
        return append_value(th, b, d, va_arg(*ap, Value));
    default: return format_number(th, b, d, ap);
    }
}

Value
str_format_c_va(Thread *th, const char *format, va_list args)
{
    StrBuilder b;
    str_builder_init(&b);
    va_list ap;
    va_copy(ap, args);
    const char *p = format;
    bool good = true;
    while (good && *p != 0) {
        const char *percent = strchr(p, '%');
        size_t plain = percent == NULL ? strlen(p) : (size_t)(percent - p);
        if (utf8_all_ascii((const uint8_t *)p, plain)) {
            good = str_builder_ascii(th, &b, p, plain);
        } else {
            Value part = str_from_utf8(th, p, plain);
            good = part != NULL && str_builder_str(th, &b, part);
            drop_null(th, part);
        }
        if (percent == NULL || !good) {
            break;
        }
        Directive d;
        p = parse_directive(percent + 1, &d, &ap);
        good = append_directive(th, &b, &d, &ap);
    }
    va_end(ap);
    if (!good) {
        str_builder_free(&b);
        return NULL;
    }
    return str_builder_finish(th, &b);
}

Value
str_format_c(Thread *th, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value s = str_format_c_va(th, format, ap);
    va_end(ap);
    return s;
}
