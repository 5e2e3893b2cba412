/* exception_unicode.c -- UnicodeEncodeError, UnicodeDecodeError, UnicodeTranslateError.
 *
 * encoding, object, start, end, reason.  The attributes can be set to anything; who uses
 * them checks their types (unicode_error_range() and its kin do).
 */
#include "objects/error/exception_priv.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

#include <stddef.h>

static inline UnicodeErrorObject *
as_unicode_error(Value v)
{
    return (UnicodeErrorObject *)(void *)value_object(v);
}

/* -- construction -- */

static bool
check_count(Thread *th, size_t nargs, size_t want)
{
    if (nargs == want)
        return true;
    raise_type_error(th, "function takes exactly %zu arguments (%zu given)", want, nargs);
    return false;
}

static bool
check_str(Thread *th, Value v, int position)
{
    if (is_str(v))
        return true;
    raise_type_error(th, "argument %d must be str, not %B", position, v);
    return false;
}

static bool
check_index(Thread *th, Value v, int64_t *out)
{
    return to_ssize(th, v, out, &exc_OverflowError);
}

/* `encoding` is NULL for translation errors. */
static void
fill(Thread *th, UnicodeErrorObject *e, Value encoding, Value object, int64_t start, int64_t end,
     Value reason)
{
    Object *o = &e->base.head;
    field_replace(th, o, &e->encoding, retain_null(th, encoding));
    field_replace(th, o, &e->object, retain(th, object));
    field_replace(th, o, &e->reason, retain(th, reason));
    store_relaxed(&e->start, start);
    store_relaxed(&e->end, end);
}

static bool
encode_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    int64_t start, end;
    if (!exception_type_init(th, self, args, nargs, kwnames) || !check_count(th, nargs, 5) ||
        !check_str(th, arg(args, 0), 1) || !check_str(th, arg(args, 1), 2) ||
        !check_index(th, arg(args, 2), &start) || !check_index(th, arg(args, 3), &end) ||
        !check_str(th, arg(args, 4), 5))
        return false;
    fill(th, as_unicode_error(self), arg(args, 0), arg(args, 1), start, end, arg(args, 4));
    return true;
}

static bool
decode_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    int64_t start, end;
    if (!exception_type_init(th, self, args, nargs, kwnames) || !check_count(th, nargs, 5) ||
        !check_str(th, arg(args, 0), 1) || !check_index(th, arg(args, 2), &start) ||
        !check_index(th, arg(args, 3), &end) || !check_str(th, arg(args, 4), 5))
        return false;
    Value object = arg(args, 1);
    if (is_bytes(object)) {
        retain(th, object);
    } else {
        Buffer b;
        if (!buffer_read(th, object, &b, BUFFER_SIMPLE))
            return false;
        object = bytes_from(th, b.data, (size_t)b.length);
        buffer_release(th, &b);
        if (object == NULL)
            return false;
    }
    fill(th, as_unicode_error(self), arg(args, 0), object, start, end, arg(args, 4));
    drop(th, object);
    return true;
}

static bool
translate_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    int64_t start, end;
    if (!exception_type_init(th, self, args, nargs, kwnames) || !check_count(th, nargs, 4) ||
        !check_str(th, arg(args, 0), 1) || !check_index(th, arg(args, 1), &start) ||
        !check_index(th, arg(args, 2), &end) || !check_str(th, arg(args, 3), 4))
        return false;
    fill(th, as_unicode_error(self), NULL, arg(args, 0), start, end, arg(args, 3));
    return true;
}

/* -- text -- */

/* The parts of an error as its text needs them; all counted. */
typedef struct Parts {
    Value encoding, object, reason;
    int64_t start, end;
} Parts;

/* False without an exception: not initialised yet, the text is empty. */
static bool
get_parts(Thread *th, Value self, Parts *p, bool with_encoding)
{
    UnicodeErrorObject *e = as_unicode_error(self);
    Object *o = &e->base.head;
    *p = (Parts){NULL, field_read(th, o, &e->object), NULL, load_relaxed(&e->start),
                 load_relaxed(&e->end)};
    if (p->object == NULL)
        return false;
    Value reason = field_read(th, o, &e->reason);
    p->reason = to_str(th, reason ? reason : NONE);
    drop_null(th, reason);
    if (p->reason == NULL)
        goto fail;
    if (with_encoding) {
        Value encoding = field_read(th, o, &e->encoding);
        p->encoding = to_str(th, encoding ? encoding : NONE);
        drop_null(th, encoding);
        if (p->encoding == NULL)
            goto fail;
    }
    return true;
fail:
    drop(th, p->object);
    drop_null(th, p->reason);
    return false;
}

static void
drop_parts(Thread *th, Parts *p)
{
    drop_null(th, p->encoding);
    drop_null(th, p->object);
    drop_null(th, p->reason);
}

/* Whether the error is about one existing character; *c is it. */
static bool
one_character(const Parts *p, uint32_t *c)
{
    if (!is_str(p->object))
        return false;
    const Str *s = as_str(p->object);
    if (p->start < 0 || p->start >= (int64_t)s->length || p->end != p->start + 1)
        return false;
    *c = str_char(s, (size_t)p->start);
    return true;
}

static const char *
escape_format(uint32_t c)
{
    return c <= 0xff   ? "'%V' codec can't encode character '\\x%02x' in position %lld: %V" :
           c <= 0xffff ? "'%V' codec can't encode character '\\u%04x' in position %lld: %V" :
                         "'%V' codec can't encode character '\\U%08x' in position %lld: %V";
}

static Value
encode_error_str(Thread *th, Value self)
{
    Parts p;
    if (!get_parts(th, self, &p, true))
        return error_set(th) ? NULL : retain(th, str_empty);
    uint32_t c;
    Value r = one_character(&p, &c) ?
                  str_format_c(th, escape_format(c), p.encoding, c, (long long)p.start, p.reason) :
                  str_format_c(th, "'%V' codec can't encode characters in position %lld-%lld: %V",
                               p.encoding, (long long)p.start, (long long)p.end - 1, p.reason);
    drop_parts(th, &p);
    return r;
}

static Value
decode_error_str(Thread *th, Value self)
{
    Parts p;
    if (!get_parts(th, self, &p, true))
        return error_set(th) ? NULL : retain(th, str_empty);
    Value r;
    if (is_bytes(p.object) && p.start >= 0 && p.start < as_bytes(p.object)->length &&
        p.end == p.start + 1)
        r = str_format_c(th, "'%V' codec can't decode byte 0x%02x in position %lld: %V",
                         p.encoding, as_bytes(p.object)->data[p.start], (long long)p.start,
                         p.reason);
    else
        r = str_format_c(th, "'%V' codec can't decode bytes in position %lld-%lld: %V", p.encoding,
                         (long long)p.start, (long long)p.end - 1, p.reason);
    drop_parts(th, &p);
    return r;
}

static Value
translate_error_str(Thread *th, Value self)
{
    Parts p;
    if (!get_parts(th, self, &p, false))
        return error_set(th) ? NULL : retain(th, str_empty);
    uint32_t c;
    Value r;
    if (one_character(&p, &c)) {
        const char *format = c <= 0xff ?
                                 "can't translate character '\\x%02x' in position %lld: %V" :
                             c <= 0xffff ?
                                 "can't translate character '\\u%04x' in position %lld: %V" :
                                 "can't translate character '\\U%08x' in position %lld: %V";
        r = str_format_c(th, format, c, (long long)p.start, p.reason);
    } else {
        r = str_format_c(th, "can't translate characters in position %lld-%lld: %V",
                         (long long)p.start, (long long)p.end - 1, p.reason);
    }
    drop_parts(th, &p);
    return r;
}

/* -- for codecs -- */

bool
is_unicode_error(Value v)
{
    return is_instance_of(v, &exc_UnicodeEncodeError) ||
           is_instance_of(v, &exc_UnicodeDecodeError) ||
           is_instance_of(v, &exc_UnicodeTranslateError);
}

Value
unicode_error_object(Thread *th, Value exc)
{
    UnicodeErrorObject *e = as_unicode_error(exc);
    Value v = field_read(th, &e->base.head, &e->object);
    bool decode = is_instance_of(exc, &exc_UnicodeDecodeError);
    if (v == NULL)
        return raise_type_error(th, "object attribute not set");
    if (decode ? !is_bytes(v) : !is_str(v)) {
        drop(th, v);
        return raise_type_error(th, "object attribute must be %s", decode ? "bytes" : "unicode");
    }
    return v;
}

Value
unicode_error_encoding(Thread *th, Value exc)
{
    UnicodeErrorObject *e = as_unicode_error(exc);
    Value v = field_read(th, &e->base.head, &e->encoding);
    if (v == NULL)
        return raise_type_error(th, "encoding attribute not set");
    if (!is_str(v)) {
        drop(th, v);
        return raise_type_error(th, "encoding attribute must be unicode");
    }
    return v;
}

bool
unicode_error_range(Thread *th, Value exc, int64_t *start, int64_t *end)
{
    UnicodeErrorObject *e = as_unicode_error(exc);
    Value object = unicode_error_object(th, exc);
    if (object == NULL)
        return false;
    int64_t n = is_bytes(object) ? as_bytes(object)->length : (int64_t)str_length(object);
    drop(th, object);
    int64_t first = load_relaxed(&e->start);
    int64_t last = load_relaxed(&e->end);
    if (first >= n)
        first = n - 1;
    if (first < 0)
        first = 0;
    if (last < 1)
        last = 1;
    if (last > n)
        last = n;
    *start = first;
    *end = last;
    return true;
}

Value
unicode_error_new(Thread *th, Type *type, const char *encoding, Value object, int64_t start,
                  int64_t end, const char *reason)
{
    Value first = encoding ? str_from_c(th, encoding) : NULL;
    if (encoding != NULL && first == NULL)
        return NULL;
    Value why = str_from_c(th, reason);
    Value self = NULL;
    if (why != NULL) {
        Value v[5] = {first, object, value_from_fixnum(start), value_from_fixnum(end), why};
        self = encoding ? call(th, value_of_type(type), args_of(v), 5, NULL) :
                          call(th, value_of_type(type), args_of(v + 1), 4, NULL);
        drop(th, why);
    }
    drop_null(th, first);
    return self;
}

void *
raise_unicode_error(Thread *th, Type *type, const char *encoding, Value object, int64_t start,
                    int64_t end, const char *reason)
{
    Value exc = unicode_error_new(th, type, encoding, object, start, end, reason);
    return exc ? raise_instance(th, exc) : NULL;
}

bool
unicode_error_update(Thread *th, Value exc, int64_t start, int64_t end, const char *reason)
{
    Value why = str_from_c(th, reason);
    if (why == NULL)
        return false;
    UnicodeErrorObject *e = as_unicode_error(exc);
    field_replace(th, &e->base.head, &e->reason, why);
    store_relaxed(&e->start, start);
    store_relaxed(&e->end, end);
    return true;
}

/* -- the types -- */

static const MemberDef members[] = {
    {"encoding", MEMBER_VALUE_NONE, offsetof(UnicodeErrorObject, encoding), false,
     "exception encoding"},
    {"object", MEMBER_VALUE_NONE, offsetof(UnicodeErrorObject, object), false,
     "exception object"},
    {"start", MEMBER_LONG, offsetof(UnicodeErrorObject, start), false, "exception start"},
    {"end", MEMBER_LONG, offsetof(UnicodeErrorObject, end), false, "exception end"},
    {"reason", MEMBER_VALUE_NONE, offsetof(UnicodeErrorObject, reason), false,
     "exception reason"},
    {.name = NULL},
};

#define UNICODE_SPEC(name, init_, str_)                                        \
    const TypeSpec exception_spec_##name = {                                   \
        .size = sizeof(UnicodeErrorObject),                                    \
        .members = members,                                                    \
        .slots = {.new = exception_type_new, .init = init_, .str = str_},      \
        .visit = exception_visit_3,                                            \
        .clear = exception_clear_3,                                            \
        .dealloc = exception_dealloc_3,                                        \
    }

UNICODE_SPEC(UnicodeEncodeError, encode_error_init, encode_error_str);
UNICODE_SPEC(UnicodeDecodeError, decode_error_init, decode_error_str);
UNICODE_SPEC(UnicodeTranslateError, translate_error_init, translate_error_str);
