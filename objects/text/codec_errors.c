/* codec_errors.c -- what happens when text cannot be encoded or bytes cannot be decoded.
 *
 * Each built-in handler is a function on a UnicodeError; the codecs call it like any other
 * handler, but for the commonest, which are done in place.
 */
#include "objects/text/codec_priv.h"

#include <stdio.h>

enum ErrorKind
error_kind(const char *errors)
{
    static const struct {
        const char *name;
        enum ErrorKind kind;
    } known[] = {
        {"strict", ERRORS_STRICT},
        {"ignore", ERRORS_IGNORE},
        {"replace", ERRORS_REPLACE},
        {"backslashreplace", ERRORS_BACKSLASHREPLACE},
        {"surrogateescape", ERRORS_SURROGATEESCAPE},
        {"surrogatepass", ERRORS_SURROGATEPASS},
        {"xmlcharrefreplace", ERRORS_XMLCHARREFREPLACE},
        {"namereplace", ERRORS_NAMEREPLACE},
    };
    if (errors == NULL) {
        return ERRORS_STRICT;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(errors, known[i].name) == 0) {
            return known[i].kind;
        }
    }
    return ERRORS_OTHER;
}

/* -- the handlers -- */

static Value
unknown_exception(Thread *th, Value exc)
{
    return raise_type_error(th, "don't know how to handle %T in error callback", exc);
}

/* (text, end) */
static Value
answer(Thread *th, Value STEALS text, int64_t end)
{
    if (text == NULL) {
        return NULL;
    }
    Value items[2] = {text, value_from_fixnum(end)};
    Value t = tuple_of(th, items, 2);
    drop(th, text);
    return t;
}

static bool
is_encode_error(Value v)
{
    return is_instance_of(v, &exc_UnicodeEncodeError);
}

static bool
is_decode_error(Value v)
{
    return is_instance_of(v, &exc_UnicodeDecodeError);
}

/* Raises the exception that a handler was given. */
static Value
reraise(Thread *th, Value exc)
{
    return raise_instance(th, retain(th, exc));
}

static Value
strict_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    if (!is_exception(exc)) {
        return raise_type_error(th, "codec must pass exception instance");
    }
    return reraise(th, exc);
}

static Value
ignore_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    int64_t start, end;
    if (!is_unicode_error(exc)) {
        return unknown_exception(th, exc);
    }
    return unicode_error_range(th, exc, &start, &end) ? answer(th, str_empty, end) : NULL;
}

static Value
replace_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    int64_t start, end;
    if (!is_unicode_error(exc)) {
        return unknown_exception(th, exc);
    }
    if (!unicode_error_range(th, exc, &start, &end)) {
        return NULL;
    }
    if (is_decode_error(exc)) {
        return answer(th, str_from_char(th, 0xfffd), end);
    }
    StrBuilder b;
    str_builder_init(&b);
    size_t n = end > start ? (size_t)(end - start) : 0;
    if (!str_builder_fill(th, &b, is_encode_error(exc) ? '?' : 0xfffd, n)) {
        str_builder_free(&b);
        return NULL;
    }
    return answer(th, str_builder_finish(th, &b), end);
}

static bool
append_backslash(Thread *th, StrBuilder *b, uint32_t c)
{
    char buf[16];
    int n = snprintf(buf, sizeof buf, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x",
                     (unsigned)c);
    return str_builder_ascii(th, b, buf, (size_t)n);
}

static bool
append_charref(Thread *th, StrBuilder *b, uint32_t c)
{
    char buf[16];
    int n = snprintf(buf, sizeof buf, "&#%u;", (unsigned)c);
    return str_builder_ascii(th, b, buf, (size_t)n);
}

static bool
append_name(Thread *th, StrBuilder *b, uint32_t c)
{
    char name[UNICODE_NAME_MAX];
    if (!unicode_name(c, name)) {
        return append_backslash(th, b, c);
    }
    return str_builder_ascii(th, b, "\\N{", 3) &&
           str_builder_ascii(th, b, name, strlen(name)) && str_builder_char(th, b, '}');
}

/* The answer made of append(c) for each character of the range. */
static Value
escape_range(Thread *th, Value exc, bool (*append)(Thread *th, StrBuilder *b, uint32_t c))
{
    int64_t start, end;
    if (!unicode_error_range(th, exc, &start, &end)) {
        return NULL;
    }
    Value object = unicode_error_object(th, exc);
    if (object == NULL) {
        return NULL;
    }
    StrBuilder b;
    str_builder_init(&b);
    bool good = true;
    for (int64_t i = start; good && i < end; i++) {
        good = append(th, &b, is_bytes(object) ? as_bytes(object)->data[i]
                                               : str_char(as_str(object), (size_t)i));
    }
    drop(th, object);
    if (!good) {
        str_builder_free(&b);
        return NULL;
    }
    return answer(th, str_builder_finish(th, &b), end);
}

static Value
backslashreplace_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    return is_unicode_error(exc) ? escape_range(th, exc, append_backslash)
                                 : unknown_exception(th, exc);
}

static Value
xmlcharrefreplace_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    return is_encode_error(exc) ? escape_range(th, exc, append_charref)
                                : unknown_exception(th, exc);
}

static Value
namereplace_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    return is_encode_error(exc) ? escape_range(th, exc, append_name)
                                : unknown_exception(th, exc);
}

/* What an exception is about; object and encoding are new references. */
typedef struct ErrorParts {
    Value object, encoding;
    int64_t start, end;
} ErrorParts;

static bool
error_parts(Thread *th, Value exc, ErrorParts *parts)
{
    parts->object = parts->encoding = NULL;
    return unicode_error_range(th, exc, &parts->start, &parts->end) &&
           (parts->object = unicode_error_object(th, exc)) != NULL &&
           (parts->encoding = unicode_error_encoding(th, exc)) != NULL;
}

static void
error_parts_free(Thread *th, ErrorParts *parts)
{
    drop_null(th, parts->object);
    drop_null(th, parts->encoding);
}

static Value
surrogateescape_encode(Thread *th, Value exc, const ErrorParts *parts)
{
    size_t n = (size_t)(parts->end - parts->start);
    Value bytes = bytes_new(th, n);
    if (bytes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t c = str_char(as_str(parts->object), (size_t)parts->start + i);
        if (c < 0xdc80 || c > 0xdcff) { /* not one of its own */
            drop(th, bytes);
            return reraise(th, exc);
        }
        as_bytes(bytes)->data[i] = (uint8_t)(c - 0xdc00);
    }
    return answer(th, bytes, parts->end);
}

static Value
surrogateescape_decode(Thread *th, Value exc, const ErrorParts *parts)
{
    uint32_t out[4];
    int n = 0;
    const uint8_t *p = as_bytes(parts->object)->data;
    while (n < 4 && parts->start + n < parts->end && p[parts->start + n] >= 128) {
        out[n] = 0xdc00u + p[parts->start + n];
        n++;
    }
    if (n == 0) {
        return reraise(th, exc);
    }
    return answer(th, str_from_ucs4(th, out, (size_t)n), parts->start + n);
}

static Value
surrogateescape_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    if (!is_encode_error(exc) && !is_decode_error(exc)) {
        return unknown_exception(th, exc);
    }
    ErrorParts parts;
    Value v = NULL;
    if (error_parts(th, exc, &parts)) {
        v = is_encode_error(exc) ? surrogateescape_encode(th, exc, &parts)
                                 : surrogateescape_decode(th, exc, &parts);
    }
    error_parts_free(th, &parts);
    return v;
}

enum SurrogateForm
surrogate_form(const char *encoding)
{
    char name[16];
    size_t n = 0;
    for (const char *p = encoding; *p != 0; p++) { /* "UTF_16-LE" and "utf16le" are the same */
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        if (c == '-' || c == '_') {
            continue;
        }
        if (n + 1 >= sizeof name) {
            return SURROGATE_UNKNOWN;
        }
        name[n++] = c;
    }
    name[n] = 0;
    static const struct {
        const char *name;
        enum SurrogateForm form;
    } known[] = {
        {"utf8", SURROGATE_UTF8},         {"cputf8", SURROGATE_UTF8},
        {"utf16le", SURROGATE_UTF16_LE},  {"utf16be", SURROGATE_UTF16_BE},
        {"utf16", SURROGATE_UTF16_LE},    {"utf32le", SURROGATE_UTF32_LE},
        {"utf32be", SURROGATE_UTF32_BE},  {"utf32", SURROGATE_UTF32_LE},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(name, known[i].name) == 0) {
            return known[i].form;
        }
    }
    return SURROGATE_UNKNOWN;
}

static size_t
form_size(enum SurrogateForm form)
{
    return form == SURROGATE_UTF8 ? 3
           : form == SURROGATE_UTF16_LE || form == SURROGATE_UTF16_BE ? 2 : 4;
}

static void
write_surrogate(uint8_t *out, enum SurrogateForm form, uint32_t c)
{
    uint8_t high = (uint8_t)(c >> 8), low = (uint8_t)c;
    switch (form) {
    case SURROGATE_UTF8: utf8_encode_char(c, out); break;
    case SURROGATE_UTF16_LE: out[0] = low; out[1] = high; break;
    case SURROGATE_UTF16_BE: out[0] = high; out[1] = low; break;
    case SURROGATE_UTF32_LE: out[0] = low; out[1] = high; out[2] = out[3] = 0; break;
    default: out[0] = out[1] = 0; out[2] = high; out[3] = low; break;
    }
}

/* The surrogate that stands in these (enough) bytes, 0 if there is none. */
static uint32_t
read_surrogate(const uint8_t *p, enum SurrogateForm form)
{
    uint32_t c = 0;
    switch (form) {
    case SURROGATE_UTF8:
        if ((p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
            c = (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
        }
        break;
    case SURROGATE_UTF16_LE: c = (uint32_t)p[1] << 8 | p[0]; break;
    case SURROGATE_UTF16_BE: c = (uint32_t)p[0] << 8 | p[1]; break;
    case SURROGATE_UTF32_LE:
        c = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
        break;
    default:
        c = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    return c >= 0xd800 && c <= 0xdfff ? c : 0;
}

static Value
surrogatepass_encode(Thread *th, Value exc, const ErrorParts *parts, enum SurrogateForm form)
{
    size_t n = (size_t)(parts->end - parts->start), size = form_size(form);
    Value bytes = bytes_new(th, n * size);
    if (bytes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t c = str_char(as_str(parts->object), (size_t)parts->start + i);
        if (c < 0xd800 || c > 0xdfff) {
            drop(th, bytes);
            return reraise(th, exc);
        }
        write_surrogate(as_bytes(bytes)->data + i * size, form, c);
    }
    return answer(th, bytes, parts->end);
}

static Value
surrogatepass_decode(Thread *th, Value exc, const ErrorParts *parts, enum SurrogateForm form)
{
    size_t size = form_size(form);
    uint32_t c = 0;
    if (as_bytes(parts->object)->length - parts->start >= (int64_t)size) {
        c = read_surrogate(as_bytes(parts->object)->data + parts->start, form);
    }
    if (c == 0) {
        return reraise(th, exc);
    }
    return answer(th, str_from_char(th, c), parts->start + (int64_t)size);
}

static Value
surrogatepass_errors(Thread *th, Value self, Value exc)
{
    (void)self;
    if (!is_encode_error(exc) && !is_decode_error(exc)) {
        return unknown_exception(th, exc);
    }
    ErrorParts parts;
    Value v = NULL;
    if (error_parts(th, exc, &parts)) {
        const char *name = str_c(th, parts.encoding);
        if (name != NULL) {
            enum SurrogateForm form = surrogate_form(name);
            v = form == SURROGATE_UNKNOWN ? reraise(th, exc)
                : is_encode_error(exc)    ? surrogatepass_encode(th, exc, &parts, form)
                                          : surrogatepass_decode(th, exc, &parts, form);
        }
    }
    error_parts_free(th, &parts);
    return v;
}

static const MethodDef handler_defs[] = {
    NATIVE_1("strict_errors", strict_errors, "Raises the exception."),
    NATIVE_1("ignore_errors", ignore_errors, "Leaves out what is wrong."),
    NATIVE_1("replace_errors", replace_errors, "Puts a replacement marker."),
    NATIVE_1("xmlcharrefreplace_errors", xmlcharrefreplace_errors,
             "Puts an XML character reference."),
    NATIVE_1("backslashreplace_errors", backslashreplace_errors, "Puts a backslashed escape."),
    NATIVE_1("namereplace_errors", namereplace_errors, "Puts an \\N{...} escape."),
    NATIVE_1("surrogatepass", surrogatepass_errors, "Lets surrogates pass."),
    NATIVE_1("surrogateescape", surrogateescape_errors, "Hides bytes in surrogates."),
};
static const char *const handler_names[] = {
    "strict", "ignore", "replace", "xmlcharrefreplace", "backslashreplace", "namereplace",
    "surrogatepass", "surrogateescape",
};

Value
error_handler_builtin(Thread *th, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(handler_names); i++) {
        if (strcmp(name, handler_names[i]) == 0) {
            return native_function_new(th, &handler_defs[i], NULL, NULL);
        }
    }
    return NULL;
}

/* -- calling handlers -- */

/* Finds the handler and calls it: *replacement is a new reference; *pos is where to go on,
 * checked against the length of the object that the exception names afterwards. */
static bool
call_handler(Thread *th, const char *errors, Value *handler, Value exc, const char *what,
             bool bytes_allowed, Value *replacement, int64_t *pos)
{
    if (*handler == NULL) {
        Value name = str_from_c(th, errors != NULL ? errors : "strict");
        if (name == NULL) {
            return false;
        }
        *handler = codec_lookup_error(th, name);
        drop(th, name);
        if (*handler == NULL) {
            return false;
        }
    }
    Value result = call_1(th, *handler, exc);
    if (result == NULL) {
        return false;
    }
    bool good = is_tuple(result) && tuple_length(result) == 2;
    Value text = good ? tuple_item(result, 0) : NULL;
    good = good && (is_str(text) || (bytes_allowed && is_bytes(text)));
    if (!good) {
        raise_type_error(th, "%s error handler must return (%s, int) tuple", what,
                         bytes_allowed ? "str/bytes" : "str");
    } else if ((good = arg_ssize(th, tuple_item(result, 1), pos))) {
        *replacement = retain(th, text);
    }
    drop(th, result);
    return good;
}

static bool
check_position(Thread *th, int64_t *pos, int64_t length)
{
    if (*pos < 0) {
        *pos += length;
    }
    if (*pos < 0 || *pos > length) {
        raise_error(th, &exc_IndexError, "position %zd from error handler out of bounds", *pos);
        return false;
    }
    return true;
}

/* -- decoding -- */

void
decode_init(Decode *d, const char *encoding, const char *errors, const uint8_t *p, size_t n)
{
    d->encoding = encoding;
    d->errors = errors;
    d->kind = ERRORS_UNKNOWN;
    d->p = p;
    d->n = n;
    d->pos = 0;
    d->object = d->handler = d->exc = NULL;
    str_builder_init(&d->out);
}

/* Makes or changes the exception. */
static bool
decode_exception(Thread *th, Decode *d, size_t start, size_t end, const char *reason)
{
    if (d->exc != NULL) {
        return unicode_error_update(th, d->exc, (int64_t)start, (int64_t)end, reason);
    }
    if (d->object == NULL) {
        d->object = bytes_from(th, d->p, d->n);
        if (d->object == NULL) {
            return false;
        }
    }
    d->exc = unicode_error_new(th, &exc_UnicodeDecodeError, d->encoding, d->object,
                               (int64_t)start, (int64_t)end, reason);
    return d->exc != NULL;
}

/* A handler that is not done in place. */
static bool
decode_error_call(Thread *th, Decode *d, size_t start, size_t end, const char *reason)
{
    if (!decode_exception(th, d, start, end, reason)) {
        return false;
    }
    Value text = NULL;
    int64_t pos;
    if (!call_handler(th, d->errors, &d->handler, d->exc, "decoding", false, &text, &pos)) {
        return false;
    }
    /* The handler may have put another object into the exception. */
    bool good = false;
    Value object = unicode_error_object(th, d->exc);
    if (object != NULL && !is_bytes(object)) {
        raise_type_error(th, "exception attribute object must be bytes");
    } else if (object != NULL) {
        Value old = d->object;
        d->object = retain(th, object);
        drop_null(th, old);
        d->p = as_bytes(object)->data;
        d->n = (size_t)as_bytes(object)->length;
        if (check_position(th, &pos, (int64_t)d->n)) {
            d->pos = (size_t)pos;
            good = str_builder_str(th, &d->out, text);
        }
    }
    drop_null(th, object);
    drop(th, text);
    return good;
}

bool
decode_error(Thread *th, Decode *d, size_t start, size_t end, const char *reason)
{
    if (d->kind == ERRORS_UNKNOWN) {
        d->kind = error_kind(d->errors);
    }
    switch (d->kind) {
    case ERRORS_IGNORE:
        d->pos = end;
        return true;
    case ERRORS_REPLACE:
        d->pos = end;
        return str_builder_char(th, &d->out, 0xfffd);
    case ERRORS_BACKSLASHREPLACE:
        d->pos = end;
        for (size_t i = start; i < end; i++) {
            if (!append_backslash(th, &d->out, d->p[i])) {
                return false;
            }
        }
        return true;
    case ERRORS_SURROGATEESCAPE: {
        size_t i = start;
        while (i < end && i - start < 4 && d->p[i] >= 0x80) {
            if (!str_builder_char(th, &d->out, 0xdc00u + d->p[i++])) {
                return false;
            }
        }
        if (i > start) {
            d->pos = i;
            return true;
        }
        break;
    }
    case ERRORS_STRICT:
        if (decode_exception(th, d, start, end, reason)) {
            reraise(th, d->exc);
        }
        return false;
    default: break;
    }
    return decode_error_call(th, d, start, end, reason);
}

Value
decode_finish(Thread *th, Decode *d, bool good)
{
    Value v = NULL;
    if (good) {
        v = str_builder_finish(th, &d->out);
    } else {
        str_builder_free(&d->out);
    }
    drop_null(th, d->handler);
    drop_null(th, d->exc);
    drop_null(th, d->object);
    return v;
}

/* -- encoding -- */

void
byte_buffer_init(ByteBuffer *b)
{
    b->p = b->local;
    b->n = 0;
    b->capacity = sizeof b->local;
}

void
byte_buffer_free(ByteBuffer *b)
{
    if (b->p != b->local) {
        mem_free(b->p);
    }
    byte_buffer_init(b);
}

bool
byte_buffer_grow(Thread *th, ByteBuffer *b, size_t extra)
{
    size_t need = b->n + extra;
    if (need < extra || need > SIZE_MAX / 4) {
        raise_memory(th);
        return false;
    }
    size_t capacity = need + need / 2;
    uint8_t *p = b->p == b->local ? mem_alloc(capacity) : mem_resize(b->p, capacity);
    if (p == NULL) {
        raise_memory(th);
        return false;
    }
    if (b->p == b->local) {
        memcpy(p, b->local, b->n);
    }
    b->p = p;
    b->capacity = capacity;
    return true;
}

void
encode_init(Encode *e, const char *encoding, const char *errors, Value text,
            Answer (*put)(Thread *th, Encode *e, uint32_t c))
{
    e->encoding = encoding;
    e->errors = errors;
    e->kind = ERRORS_UNKNOWN;
    e->text = text;
    e->c = chars_of(text);
    e->pos = 0;
    e->handler = e->exc = NULL;
    e->put = put;
    e->mapping = NULL;
    e->unit = 1;
    e->big = false;
    byte_buffer_init(&e->out);
}

static bool
encode_exception(Thread *th, Encode *e, size_t start, size_t end, const char *reason)
{
    if (e->exc != NULL) {
        return unicode_error_update(th, e->exc, (int64_t)start, (int64_t)end, reason);
    }
    e->exc = unicode_error_new(th, &exc_UnicodeEncodeError, e->encoding, e->text, (int64_t)start,
                               (int64_t)end, reason);
    return e->exc != NULL;
}

static bool
encode_raise(Thread *th, Encode *e, size_t start, size_t end, const char *reason)
{
    if (encode_exception(th, e, start, end, reason)) {
        reraise(th, e->exc);
    }
    return false;
}

/* Encodes a replacement; raises the error if that does not work either. */
static bool
put_replacement(Thread *th, Encode *e, Value text, size_t start, size_t end, const char *reason)
{
    if (is_bytes(text)) {
        size_t n = (size_t)as_bytes(text)->length;
        if (n % e->unit != 0) {
            return encode_raise(th, e, start, end, reason);
        }
        return byte_buffer_add(th, &e->out, as_bytes(text)->data, n);
    }
    for (size_t i = 0; i < str_length(text); i++) {
        Answer written = e->put(th, e, str_char(as_str(text), i));
        if (written == FAILED) {
            return false;
        }
        if (written == NO) {
            return encode_raise(th, e, start, end, reason);
        }
    }
    return true;
}

static bool
encode_error_call(Thread *th, Encode *e, size_t start, size_t end, const char *reason)
{
    if (!encode_exception(th, e, start, end, reason)) {
        return false;
    }
    Value text = NULL;
    int64_t pos;
    if (!call_handler(th, e->errors, &e->handler, e->exc, "encoding", true, &text, &pos)) {
        return false;
    }
    bool good = check_position(th, &pos, (int64_t)e->c.n);
    if (good) {
        e->pos = (size_t)pos;
        good = put_replacement(th, e, text, start, end, reason);
    }
    drop(th, text);
    return good;
}

/* Encodes what append() makes of each character of the range. */
static bool
encode_escaped(Thread *th, Encode *e, size_t start, size_t end, const char *reason,
               bool (*append)(Thread *th, StrBuilder *b, uint32_t c))
{
    StrBuilder b;
    str_builder_init(&b);
    for (size_t i = start; i < end; i++) {
        if (!append(th, &b, chars_get(e->c, i))) {
            str_builder_free(&b);
            return false;
        }
    }
    Value text = str_builder_finish(th, &b);
    if (text == NULL) {
        return false;
    }
    bool good = put_replacement(th, e, text, start, end, reason);
    drop(th, text);
    return good;
}

static bool
append_question(Thread *th, StrBuilder *b, uint32_t c)
{
    (void)c;
    return str_builder_char(th, b, '?');
}

bool
encode_error(Thread *th, Encode *e, size_t start, size_t end, const char *reason)
{
    if (e->kind == ERRORS_UNKNOWN) {
        e->kind = error_kind(e->errors);
    }
    e->pos = end;
    switch (e->kind) {
    case ERRORS_STRICT: return encode_raise(th, e, start, end, reason);
    case ERRORS_IGNORE: return true;
    case ERRORS_REPLACE: return encode_escaped(th, e, start, end, reason, append_question);
    case ERRORS_BACKSLASHREPLACE:
        return encode_escaped(th, e, start, end, reason, append_backslash);
    case ERRORS_XMLCHARREFREPLACE:
        return encode_escaped(th, e, start, end, reason, append_charref);
    case ERRORS_NAMEREPLACE: return encode_escaped(th, e, start, end, reason, append_name);
    case ERRORS_SURROGATEESCAPE:
        if (e->unit == 1 && e->mapping == NULL) {
            size_t i = start;
            while (i < end && chars_get(e->c, i) >= 0xdc80 && chars_get(e->c, i) <= 0xdcff) {
                if (!byte_buffer_put(th, &e->out, (uint8_t)(chars_get(e->c, i) - 0xdc00))) {
                    return false;
                }
                i++;
            }
            if (i < end) {
                return encode_raise(th, e, i, end, reason);
            }
            return true;
        }
        break;
    default: break;
    }
    return encode_error_call(th, e, start, end, reason);
}

Value
encode_finish(Thread *th, Encode *e, bool good)
{
    Value v = good ? bytes_from(th, e->out.p, e->out.n) : NULL;
    byte_buffer_free(&e->out);
    drop_null(th, e->handler);
    drop_null(th, e->exc);
    return v;
}
