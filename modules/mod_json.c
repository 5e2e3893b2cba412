/* mod_json.c -- module _json: the scanner and the encoder of package json.
 *
 * Scanner and encoder objects never change; a call keeps what it does on its C stack, so threads may
 * share them.  Containers that others change meanwhile are read item by item.
 */
#include "modules/modules.h"
#include "gc/holds.h"
#include "modules/static_types.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/safepoint.h"

#include <math.h>
#include <stdio.h>

static Type scanner_type, encoder_type;

/* -- reading --------------------------------------------------------------------------------------- */

typedef struct Scanner {
    struct Object head;
    int strict;  /* [const] */
    Value object_hook, object_pairs_hook, parse_float, parse_int, parse_constant; /* [const] */
} Scanner;

/* One call of a scanner. */
typedef struct Scan {
    const Scanner *s;
    Value text;      /* borrowed str */
    const Str *str;
    size_t length;
    Value keys;      /* dict: equal keys become one object */
} Scan;

RAISES static Value scan_value(Thread *th, Scan *c, size_t i, size_t *end);

/* JSONDecodeError(message, text, position) */
static COLD void *
decode_error(Thread *th, const char *message, Value text, size_t position)
{
    Value module = upcalls.import_module(th, "json.decoder");
    Value cls = module ? get_attr_c(th, module, "JSONDecodeError") : NULL;
    Value what = cls ? str_from_c(th, message) : NULL;
    Value where = what ? int_from_size(th, position) : NULL;
    Value e = where ? call_3(th, cls, what, text, where) : NULL;
    drop_null(th, module);
    drop_null(th, cls);
    drop_null(th, what);
    drop_null(th, where);
    return e ? raise_instance(th, e) : NULL;
}

/* Says that there is no value at `i`; who called the scanner makes the message. */
static COLD void *
no_value(Thread *th, size_t i)
{
    Value n = int_from_size(th, i);
    if (n != NULL) {
        raise_value(th, &exc_StopIteration, n);
        drop(th, n);
    }
    return NULL;
}

static inline uint32_t
char_at(const Scan *c, size_t i)
{
    return i < c->length ? str_char(c->str, i) : 0;
}

static size_t
skip_spaces(const Scan *c, size_t i)
{
    for (; i < c->length; i++) {
        uint32_t ch = str_char(c->str, i);
        if (ch != ' ' && ch != '\t' && ch != '\n' && ch != '\r')
            break;
    }
    return i;
}

/* Four hexadecimal digits from i on; -1 if they are not there. */
static int
hex4(const Str *s, size_t i)
{
    int n = 0;
    if (i + 4 > s->length)
        return -1;
    for (size_t k = i; k < i + 4; k++) {
        uint32_t c = str_char(s, k);
        int digit = c >= '0' && c <= '9'   ? (int)c - '0'
                    : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

/* The escape whose letter is at *i, which moves behind it; false with an exception. */
static bool
scan_escape(Thread *th, Value text, size_t *i, StrBuilder *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const Str *s = as_str(text);
    uint32_t c = str_char(s, *i);
    if (c != 'u') {
        const char *found = c != 0 && c < 128 ? strchr(from, (int)c) : NULL;
        if (found == NULL) {
            decode_error(th, "Invalid \\escape", text, *i - 1);
            return false;
        }
        ++*i;
        return str_builder_char(th, b, (uint8_t)to[found - from]);
    }
    int n = hex4(s, *i + 1);
    if (n < 0 || *i + 5 >= s->length) { /* the str's quote must follow at least */
        decode_error(th, "Invalid \\uXXXX escape", text, *i);
        return false;
    }
    *i += 5;
    uint32_t value = (uint32_t)n;
    if (value >= 0xd800 && value < 0xdc00 && *i + 6 < s->length && str_char(s, *i) == '\\' &&
        str_char(s, *i + 1) == 'u') {
        int low = hex4(s, *i + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            value = 0x10000 + ((value - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            *i += 6;
        }
    }
    return str_builder_char(th, b, value);
}

/* The str that begins behind the quote at begin - 1; *end is behind its last quote. */
static Value
scan_string(Thread *th, Value text, size_t begin, bool strict, size_t *end)
{
    const Str *s = as_str(text);
    size_t i = begin, length = s->length;
    if (begin > length)
        return raise_value_error(th, "end is out of bounds");
    StrBuilder b;
    bool pieces = false;
    str_builder_init(&b);
    for (size_t start = begin;;) {
        uint32_t c = 0;
        for (; i < length; i++) {
            c = str_char(s, i);
            if (c == '"' || c == '\\')
                break;
            if (c < 0x20 && strict) {
                decode_error(th, "Invalid control character at", text, i);
                goto fail;
            }
        }
        if (i >= length || (c == '\\' && i + 1 >= length)) {
            decode_error(th, "Unterminated string starting at", text, begin - 1);
            goto fail;
        }
        if (c == '"' && !pieces) {
            *end = i + 1;
            str_builder_free(&b);
            return str_substring(th, text, start, i);
        }
        pieces = true;
        if (!str_builder_sub(th, &b, text, start, i))
            goto fail;
        i++;
        if (c == '"') {
            *end = i;
            return str_builder_finish(th, &b);
        }
        if (!scan_escape(th, text, &i, &b))
            goto fail;
        start = i;
    }
fail:
    str_builder_free(&b);
    return NULL;
}

/* A number, or NULL with StopIteration. */
static Value
scan_number(Thread *th, Scan *c, size_t begin, size_t *end)
{
    size_t i = begin;
    bool is_float = false;
    if (char_at(c, i) == '-')
        i++;
    uint32_t first = char_at(c, i);
    if (first < '0' || first > '9')
        return no_value(th, begin);
    i++;
    if (first != '0')
        while (char_at(c, i) >= '0' && char_at(c, i) <= '9')
            i++;
    if (char_at(c, i) == '.' && char_at(c, i + 1) >= '0' && char_at(c, i + 1) <= '9') {
        is_float = true;
        for (i += 2; char_at(c, i) >= '0' && char_at(c, i) <= '9';)
            i++;
    }
    if (char_at(c, i) == 'e' || char_at(c, i) == 'E') {
        size_t k = i + 1;
        if (char_at(c, k) == '+' || char_at(c, k) == '-')
            k++;
        if (char_at(c, k) >= '0' && char_at(c, k) <= '9') {
            is_float = true;
            for (i = k; char_at(c, i) >= '0' && char_at(c, i) <= '9';)
                i++;
        }
    }
    *end = i;
    Value parse = is_float ? c->s->parse_float : c->s->parse_int;
    if (!is_float && parse == value_of_type(&int_type) && i - begin < 18) {
        bool negative = char_at(c, begin) == '-';
        int64_t n = 0;
        for (size_t k = begin + negative; k < i; k++)
            n = n * 10 + (int64_t)(char_at(c, k) - '0');
        return value_from_fixnum(negative ? -n : n);
    }
    Value digits = str_substring(th, c->text, begin, i);
    if (digits == NULL)
        return NULL;
    Value v = parse == value_of_type(&float_type) ? float_from_str(th, digits)
              : parse == value_of_type(&int_type) ? int_from_str(th, digits, 10)
                                                  : call_1(th, parse, digits);
    drop(th, digits);
    return v;
}

/* A key; equal keys of a document are one object. */
static Value
scan_key(Thread *th, Scan *c, size_t i, size_t *end)
{
    Value key = scan_string(th, c->text, i, c->s->strict, end);
    if (key == NULL)
        return NULL;
    Value known = dict_set_default(th, c->keys, key, key);
    drop(th, key);
    return known;
}

/* The result of an object: by a hook if there is one.  Gives up the pairs or the dict. */
static Value
finish_object(Thread *th, Scan *c, Value STEALS items)
{
    Value hook = c->s->object_pairs_hook != NONE ? c->s->object_pairs_hook : c->s->object_hook;
    if (hook == NONE)
        return items;
    Value v = call_1(th, hook, items);
    drop(th, items);
    return v;
}

static bool
add_pair(Thread *th, Value items, bool pairs, Value STEALS key, Value STEALS v)
{
    if (!pairs)
        return dict_set_steal(th, items, key, v);
    Value pair = tuple_pack(th, 2, key, v);
    drop(th, key);
    drop(th, v);
    return pair != NULL && list_append_steal(th, items, pair);
}

/* What follows "{". */
static Value
scan_object(Thread *th, Scan *c, size_t i, size_t *end)
{
    bool pairs = c->s->object_pairs_hook != NONE;
    Value items = pairs ? list_new(th, 0) : dict_new(th);
    if (items == NULL)
        return NULL;
    i = skip_spaces(c, i);
    bool more = char_at(c, i) != '}';
    while (more) {
        if (char_at(c, i) != '"') {
            decode_error(th, "Expecting property name enclosed in double quotes", c->text, i);
            goto fail;
        }
        Value key = scan_key(th, c, i + 1, &i);
        if (key == NULL)
            goto fail;
        i = skip_spaces(c, i);
        if (char_at(c, i) != ':') {
            drop(th, key);
            decode_error(th, "Expecting ':' delimiter", c->text, i);
            goto fail;
        }
        Value v = scan_value(th, c, skip_spaces(c, i + 1), &i);
        if (v == NULL) {
            drop(th, key);
            goto fail;
        }
        if (!add_pair(th, items, pairs, key, v))
            goto fail;
        i = skip_spaces(c, i);
        more = char_at(c, i) != '}';
        if (more && char_at(c, i) != ',') {
            decode_error(th, "Expecting ',' delimiter", c->text, i);
            goto fail;
        }
        if (more)
            i = skip_spaces(c, i + 1);
    }
    *end = i + 1;
    return finish_object(th, c, items);
fail:
    drop(th, items);
    return NULL;
}

/* What follows "[". */
static Value
scan_array(Thread *th, Scan *c, size_t i, size_t *end)
{
    Value list = list_new(th, 0);
    if (list == NULL)
        return NULL;
    i = skip_spaces(c, i);
    bool more = char_at(c, i) != ']';
    while (more) {
        Value v = scan_value(th, c, i, &i);
        if (v == NULL || !list_append_steal(th, list, v))
            goto fail;
        i = skip_spaces(c, i);
        more = char_at(c, i) != ']';
        if (more && char_at(c, i) != ',') {
            decode_error(th, "Expecting ',' delimiter", c->text, i);
            goto fail;
        }
        if (more)
            i = skip_spaces(c, i + 1);
    }
    *end = i + 1;
    return list;
fail:
    drop(th, list);
    return NULL;
}

static bool
word_at(const Scan *c, size_t i, const char *word)
{
    for (; *word != '\0'; word++, i++)
        if (i >= c->length || str_char(c->str, i) != (uint8_t)*word)
            return false;
    return true;
}

static Value
scan_container(Thread *th, Scan *c, bool object, size_t i, size_t *end)
{
    if (!recursion_enter(th, object ? " while decoding a JSON object from a unicode string"
                                    : " while decoding a JSON array from a unicode string"))
        return NULL;
    Value v = !safepoint_poll(th) ? NULL
              : object            ? scan_object(th, c, i, end)
                                  : scan_array(th, c, i, end);
    recursion_leave(th);
    return v;
}

static Value
scan_value(Thread *th, Scan *c, size_t i, size_t *end)
{
    static const char *const constants[] = {"NaN", "Infinity", "-Infinity"};
    if (i >= c->length)
        return no_value(th, i);
    switch (str_char(c->str, i)) {
    case '"': return scan_string(th, c->text, i + 1, c->s->strict, end);
    case '{': return scan_container(th, c, true, i + 1, end);
    case '[': return scan_container(th, c, false, i + 1, end);
    case 'n':
        *end = i + 4;
        return word_at(c, i, "null") ? NONE : no_value(th, i);
    case 't':
        *end = i + 4;
        return word_at(c, i, "true") ? TRUE : no_value(th, i);
    case 'f':
        *end = i + 5;
        return word_at(c, i, "false") ? FALSE : no_value(th, i);
    default: break;
    }
    for (size_t k = 0; k < ARRAY_LEN(constants); k++) {
        if (!word_at(c, i, constants[k]))
            continue;
        *end = i + strlen(constants[k]);
        Value name = str_from_c(th, constants[k]);
        Value v = name ? call_1(th, c->s->parse_constant, name) : NULL;
        drop_null(th, name);
        return v;
    }
    return scan_number(th, c, i, end);
}

static Value
with_end(Thread *th, Value STEALS v, size_t end)
{
    if (v == NULL)
        return NULL;
    Value n = int_from_size(th, end), pair = n ? tuple_pack(th, 2, v, n) : NULL;
    drop_null(th, n);
    drop(th, v);
    return pair;
}

static Value
scanner_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "scan_once", .names = {"string", "idx"}, .positional = 2, .required = 2};
    Value v[2];
    int64_t start;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_ssize(th, v[1], &start))
        return NULL;
    if (!is_str(v[0]))
        return raise_type_error(th, "first argument must be a string, not %T", v[0]);
    if (start < 0)
        return raise_value_error(th, "idx cannot be negative");
    Scan c = {.s = (Scanner *)(void *)value_object(self), .text = v[0], .str = as_str(v[0]),
              .length = str_length(v[0]), .keys = dict_new(th)};
    if (c.keys == NULL)
        return NULL;
    size_t end = 0;
    Value result = scan_value(th, &c, (size_t)start, &end);
    drop(th, c.keys);
    return with_end(th, result, end);
}

static Value
scanner_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "make_scanner", .names = {"context"}, .positional = 1, .required = 1};
    Value v[1];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value self = type_alloc(th, type, 0);
    if (self == NULL)
        return NULL;
    Scanner *s = (Scanner *)(void *)value_object(self);
    Value strict = get_attr_c(th, v[0], "strict");
    bool flag = false, ok = strict != NULL && arg_bool(th, strict, &flag);
    drop_null(th, strict);
    s->strict = flag;
    if (!ok || (s->object_hook = get_attr_c(th, v[0], "object_hook")) == NULL ||
        (s->object_pairs_hook = get_attr_c(th, v[0], "object_pairs_hook")) == NULL ||
        (s->parse_float = get_attr_c(th, v[0], "parse_float")) == NULL ||
        (s->parse_int = get_attr_c(th, v[0], "parse_int")) == NULL ||
        (s->parse_constant = get_attr_c(th, v[0], "parse_constant")) == NULL)
        DROP_CLEAR(th, self);
    return self;
}

HOLDS_VALUES(scanner, Scanner, object_hook, object_pairs_hook, parse_float, parse_int,
             parse_constant);

#define CONST_MEMBER(type, field, text)                                                           \
    {.name = text, .kind = MEMBER_CONST_VALUE, .offset = offsetof(type, field), .readonly = true}

static const MemberDef scanner_members[] = {
    {.name = "strict", .kind = MEMBER_INT, .offset = offsetof(Scanner, strict), .readonly = true},
    CONST_MEMBER(Scanner, object_hook, "object_hook"),
    CONST_MEMBER(Scanner, object_pairs_hook, "object_pairs_hook"),
    CONST_MEMBER(Scanner, parse_float, "parse_float"),
    CONST_MEMBER(Scanner, parse_int, "parse_int"),
    CONST_MEMBER(Scanner, parse_constant, "parse_constant"),
    {.name = NULL},
};

static const TypeSpec scanner_spec = {
    .name = "_json.Scanner",
    .size = sizeof(Scanner),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "JSON scanner object",
    .members = scanner_members,
    .slots = {.new = scanner_new, .call = scanner_call},
    .visit = scanner_visit,
    .dealloc = scanner_dealloc,
};

/* -- writing --------------------------------------------------------------------------------------- */

static bool
put_escaped(Thread *th, StrBuilder *b, uint32_t c)
{
    static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (const char *p = letters; *p != '\0'; p += 2)
        if (c == (uint8_t)p[0])
            return str_builder_char(th, b, '\\') && str_builder_char(th, b, (uint8_t)p[1]);
    char text[16];
    int n;
    if (c > 0xffff)
        n = snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd800 + (unsigned)((c - 0x10000) >> 10),
                     0xdc00 + (unsigned)((c - 0x10000) & 0x3ff));
    else
        n = snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
    return str_builder_ascii(th, b, text, (size_t)n);
}

/* A str in quotes; characters beyond ASCII are escaped, too, if `ascii`. */
static bool
put_string(Thread *th, StrBuilder *b, Value s, bool ascii)
{
    const Str *str = as_str(s);
    size_t n = str->length, start = 0;
    if (!str_builder_char(th, b, '"'))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = str_char(str, i);
        if (c >= 0x20 && c != '"' && c != '\\' && (!ascii || c < 0x7f))
            continue;
        if (!str_builder_sub(th, b, s, start, i) || !put_escaped(th, b, c))
            return false;
        start = i + 1;
    }
    return str_builder_sub(th, b, s, start, n) && str_builder_char(th, b, '"');
}

static Value
quote(Thread *th, Value s, bool ascii)
{
    if (!is_str(s))
        return raise_type_error(th, "first argument must be a string, not %T", s);
    StrBuilder b;
    str_builder_init(&b);
    if (put_string(th, &b, s, ascii))
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static Value
json_encode_basestring(Thread *th, Value self, Value s)
{
    (void)self;
    return quote(th, s, false);
}

static Value
json_encode_basestring_ascii(Thread *th, Value self, Value s)
{
    (void)self;
    return quote(th, s, true);
}

typedef struct Encoder {
    struct Object head;
    Value markers, default_, encoder, indent, key_separator, item_separator; /* [const] */
    ATOMIC(uint8_t) sort_keys, skipkeys;                                     /* [const] */
    bool allow_nan;                                                          /* [const] */
    bool fast, ascii; /* [const] `encoder` is one of this module's functions */
} Encoder;

RAISES static bool put_value(Thread *th, StrBuilder *b, const Encoder *e, Value v);

/* Notes that `v` is being written; a circle raises ValueError.  *key is given to unmark(). */
static bool
mark(Thread *th, const Encoder *e, Value v, Value *key)
{
    *key = NULL;
    if (e->markers == NONE)
        return true;
    *key = int_from_u64(th, (uint64_t)(uintptr_t)v);
    Answer known = *key ? dict_contains(th, e->markers, *key) : FAILED;
    if (known == YES)
        raise_value_error(th, "Circular reference detected");
    if (known == NO && dict_set(th, e->markers, *key, v))
        return true;
    DROP_CLEAR(th, *key);
    return false;
}

static bool
unmark(Thread *th, const Encoder *e, Value STEALS key, bool ok)
{
    if (key == NULL)
        return ok;
    if (ok)
        ok = dict_delete(th, e->markers, key) != FAILED;
    drop(th, key);
    return ok;
}

static bool
put_quoted(Thread *th, StrBuilder *b, const Encoder *e, Value s)
{
    if (e->fast)
        return put_string(th, b, s, e->ascii);
    Value text = call_1(th, e->encoder, s);
    bool ok = text != NULL && is_str(text);
    if (text != NULL && !ok)
        raise_type_error(th, "encoder() must return a string, not %T", text);
    ok = ok && str_builder_str(th, b, text);
    drop_null(th, text);
    return ok;
}

/* The text of an int or float; NULL with an exception. */
static Value
number_text(Thread *th, const Encoder *e, Value v)
{
    if (is_int(v)) {
        Value plain = int_plain(th, v), text = plain ? to_repr(th, plain) : NULL;
        drop_null(th, plain);
        return text;
    }
    double d = float_value(v);
    if (isfinite(d))
        return float_repr(th, d);
    if (!e->allow_nan)
        return raise_value_error(th, "Out of range float values are not JSON compliant");
    return str_from_c(th, isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
}

static bool
put_number(Thread *th, StrBuilder *b, const Encoder *e, Value v)
{
    if (value_is_fixnum(v)) {
        char text[32];
        int n = snprintf(text, sizeof text, "%lld", (long long)value_fixnum(v));
        return str_builder_ascii(th, b, text, (size_t)n);
    }
    Value text = number_text(th, e, v);
    bool ok = text != NULL && str_builder_str(th, b, text);
    drop_null(th, text);
    return ok;
}

static const char *
constant_text(Value v)
{
    return v == NONE ? "null" : v == TRUE ? "true" : v == FALSE ? "false" : NULL;
}

/* The text of a dict's key, a new reference; NO: the key is to be left out. */
static Answer
key_text(Thread *th, const Encoder *e, Value key, Value *text)
{
    const char *constant = constant_text(key);
    if (is_str(key))
        *text = retain(th, key);
    else if (constant != NULL)
        *text = str_from_c(th, constant);
    else if (is_int(key) || is_float(key))
        *text = number_text(th, e, key);
    else if (load_relaxed(&e->skipkeys))
        return NO;
    else {
        raise_type_error(th, "keys must be str, int, float, bool or None, not %T", key);
        return FAILED;
    }
    return *text ? YES : FAILED;
}

static bool
put_pair(Thread *th, StrBuilder *b, const Encoder *e, Value key, Value v, bool *first)
{
    Value text;
    Answer use = key_text(th, e, key, &text);
    if (use != YES)
        return use == NO;
    bool ok = (*first || str_builder_str(th, b, e->item_separator)) && put_quoted(th, b, e, text) &&
              str_builder_str(th, b, e->key_separator) && put_value(th, b, e, v);
    *first = false;
    drop(th, text);
    return ok;
}

/* The list that a dict's items() gives. */
static Value
item_list(Thread *th, Value d)
{
    if (is_exact(d, SHAPE_DICT))
        return dict_items_list(th, d);
    Value view = call_method_0(th, d, NAME(items));
    if (view == NULL)
        return NULL;
    Value it = get_iter(th, view), items = NULL;
    if (it != NULL)
        items = sequence_list(th, it);
    else if (error_matches(th, &exc_TypeError))
        raise_type_error(th, "%T.items() returned a non-iterable (type %T)", d, view);
    drop_null(th, it);
    drop(th, view);
    return items;
}

/* The pairs of a mapping's items(), sorted if asked for. */
static bool
put_item_list(Thread *th, StrBuilder *b, const Encoder *e, Value d)
{
    Value items = item_list(th, d);
    bool ok = items != NULL, first = true;
    if (ok && load_relaxed(&e->sort_keys))
        ok = list_sort(th, items, NULL, false);
    Value pair;
    for (int64_t i = 0; ok && (pair = list_get(th, items, i)) != NULL; i++) {
        ok = is_tuple(pair) && tuple_length(pair) == 2;
        if (ok)
            ok = put_pair(th, b, e, tuple_item(pair, 0), tuple_item(pair, 1), &first);
        else
            raise_value_error(th, "items must return 2-tuples");
        drop(th, pair);
    }
    drop_null(th, items);
    return ok;
}

/* The pairs that an exact dict has now, whatever default() does to it meanwhile. */
static bool
put_pairs(Thread *th, StrBuilder *b, const Encoder *e, Value d)
{
    Value copy = dict_copy(th, d);
    if (copy == NULL)
        return false;
    Value key, v;
    size_t pos = 0;
    bool ok = true, first = true;
    while (ok && dict_next(th, copy, &pos, &key, &v)) {
        ok = put_pair(th, b, e, key, v, &first);
        drop(th, key);
        drop(th, v);
    }
    drop(th, copy);
    return ok;
}

static bool
put_dict(Thread *th, StrBuilder *b, const Encoder *e, Value d)
{
    if (dict_length(d) == 0)
        return str_builder_ascii(th, b, "{}", 2);
    Value marked;
    if (!mark(th, e, d, &marked))
        return false;
    bool ok = str_builder_char(th, b, '{');
    ok = ok && (is_exact(d, SHAPE_DICT) && !load_relaxed(&e->sort_keys) ? put_pairs(th, b, e, d)
                                                                       : put_item_list(th, b, e, d));
    ok = ok && str_builder_char(th, b, '}');
    return unmark(th, e, marked, ok);
}

/* An exact list or tuple; `self` is what it stands for. */
static bool
put_items(Thread *th, StrBuilder *b, const Encoder *e, Value self, Value seq)
{
    bool list = is_list(seq);
    if ((list ? list_length(seq) : tuple_length(seq)) == 0)
        return str_builder_ascii(th, b, "[]", 2);
    Value marked;
    if (!mark(th, e, self, &marked))
        return false;
    bool ok = str_builder_char(th, b, '[');
    for (int64_t i = 0; ok && i < (list ? list_length(seq) : tuple_length(seq)); i++) {
        Value v = list ? list_get(th, seq, i) : retain(th, tuple_item(seq, i));
        if (v == NULL)
            break;
        ok = (i == 0 || str_builder_str(th, b, e->item_separator)) && put_value(th, b, e, v);
        drop(th, v);
    }
    ok = ok && str_builder_char(th, b, ']');
    return unmark(th, e, marked, ok);
}

/* A list or tuple; instances of subclasses say by their __iter__ what they contain. */
static bool
put_sequence(Thread *th, StrBuilder *b, const Encoder *e, Value seq)
{
    if (is_exact(seq, SHAPE_LIST) || is_exact(seq, SHAPE_TUPLE))
        return put_items(th, b, e, seq, seq);
    Value items = sequence_list(th, seq);
    bool ok = items != NULL && put_items(th, b, e, seq, items);
    drop_null(th, items);
    return ok;
}

/* Something else: what default() makes of it. */
static bool
put_default(Thread *th, StrBuilder *b, const Encoder *e, Value v)
{
    Value marked;
    if (!mark(th, e, v, &marked))
        return false;
    Value other = call_1(th, e->default_, v);
    bool ok = other != NULL && put_value(th, b, e, other);
    drop_null(th, other);
    return unmark(th, e, marked, ok);
}

static bool
put_value(Thread *th, StrBuilder *b, const Encoder *e, Value v)
{
    const char *constant = constant_text(v);
    if (constant != NULL)
        return str_builder_c(th, b, constant);
    if (is_str(v))
        return put_quoted(th, b, e, v);
    if (is_int(v) || is_float(v))
        return put_number(th, b, e, v);
    if (!recursion_enter(th, " while encoding a JSON object"))
        return false;
    bool ok = safepoint_poll(th);
    if (ok)
        ok = is_dict(v)                  ? put_dict(th, b, e, v)
             : is_list(v) || is_tuple(v) ? put_sequence(th, b, e, v)
                                         : put_default(th, b, e, v);
    recursion_leave(th);
    return ok;
}

static Value
encoder_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "_iterencode",
                                     .names = {"obj", "_current_indent_level"},
                                     .positional = 2,
                                     .required = 2};
    Value v[2], result = NULL;
    int64_t level;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_ssize(th, v[1], &level))
        return NULL;
    StrBuilder b;
    str_builder_init(&b);
    if (put_value(th, &b, (Encoder *)(void *)value_object(self), v[0])) {
        Value text = str_builder_finish(th, &b);
        result = text ? list_of(th, &text, 1) : NULL;
        drop_null(th, text);
    } else
        str_builder_free(&b);
    return result;
}

/* Whether `f` is a function of this module. */
static bool
is_own(Value f, Native1 function)
{
    return is_exact(f, SHAPE_NATIVE_FUNCTION) &&
           (((NativeFunction *)(void *)value_object(f))->def->flags & METHOD_KIND) == METHOD_1 &&
           ((NativeFunction *)(void *)value_object(f))->def->f1 == function;
}

static Value
encoder_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "make_encoder",
                                     .names = {"markers", "default", "encoder", "indent",
                                               "key_separator", "item_separator", "sort_keys",
                                               "skipkeys", "allow_nan"},
                                     .positional = 9,
                                     .required = 9};
    Value v[9];
    bool sort_keys, skipkeys, allow_nan;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    for (int i = 4; i <= 5; i++)
        if (!is_str(v[i]))
            return raise_type_error(th, "make_encoder() argument %d must be str, not %B", i + 1, v[i]);
    if (!arg_bool(th, v[6], &sort_keys) || !arg_bool(th, v[7], &skipkeys) ||
        !arg_bool(th, v[8], &allow_nan))
        return NULL;
    if (v[0] != NONE && !is_dict(v[0]))
        return raise_type_error(th, "make_encoder() argument 1 must be dict or None, not %B", v[0]);
    Value self = type_alloc(th, type, 0);
    if (self == NULL)
        return NULL;
    Encoder *e = (Encoder *)(void *)value_object(self);
    e->markers = retain(th, v[0]);
    e->default_ = retain(th, v[1]);
    e->encoder = retain(th, v[2]);
    e->indent = retain(th, v[3]);
    e->key_separator = retain(th, v[4]);
    e->item_separator = retain(th, v[5]);
    store_relaxed(&e->sort_keys, sort_keys); /* not yet published */
    store_relaxed(&e->skipkeys, skipkeys);
    e->allow_nan = allow_nan;
    e->ascii = is_own(v[2], json_encode_basestring_ascii);
    e->fast = e->ascii || is_own(v[2], json_encode_basestring);
    return self;
}

HOLDS_VALUES(encoder, Encoder, markers, default_, encoder, indent, key_separator, item_separator);

static const MemberDef encoder_members[] = {
    CONST_MEMBER(Encoder, markers, "markers"),
    CONST_MEMBER(Encoder, default_, "default"),
    CONST_MEMBER(Encoder, encoder, "encoder"),
    CONST_MEMBER(Encoder, indent, "indent"),
    CONST_MEMBER(Encoder, key_separator, "key_separator"),
    CONST_MEMBER(Encoder, item_separator, "item_separator"),
    {.name = "sort_keys", .kind = MEMBER_BOOL, .offset = offsetof(Encoder, sort_keys),
     .readonly = true},
    {.name = "skipkeys", .kind = MEMBER_BOOL, .offset = offsetof(Encoder, skipkeys),
     .readonly = true},
    {.name = NULL},
};

static const TypeSpec encoder_spec = {
    .name = "_json.Encoder",
    .size = sizeof(Encoder),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, "
           "skipkeys, allow_nan)",
    .members = encoder_members,
    .slots = {.new = encoder_new, .call = encoder_call},
    .visit = encoder_visit,
    .dealloc = encoder_dealloc,
};

/* -- the module ------------------------------------------------------------------------------------- */

static Value
json_scanstring(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    int64_t end;
    bool strict = true;
    if (!arg_ssize(th, arg(args, 1), &end) ||
        (nargs > 2 && !arg_bool(th, arg(args, 2), &strict)))
        return NULL;
    if (!is_str(arg(args, 0)))
        return raise_type_error(th, "first argument must be a string, not %T", arg(args, 0));
    if (end < 0 || (size_t)end > str_length(arg(args, 0)))
        return raise_value_error(th, "end is out of bounds");
    size_t after = 0;
    Value v = scan_string(th, arg(args, 0), (size_t)end, strict, &after);
    return with_end(th, v, after);
}

static const MethodDef json_methods[] = {
    NATIVE_1("encode_basestring", json_encode_basestring,
             "encode_basestring(string) -> string\n\nThe JSON text of a str."),
    NATIVE_1("encode_basestring_ascii", json_encode_basestring_ascii,
             "encode_basestring_ascii(string) -> string\n\nThe JSON text of a str, in ASCII."),
    NATIVE_N("scanstring", json_scanstring, 2, 3,
             "scanstring(string, end, strict=True) -> (string, end)\n\n"
             "The str whose first character is at `end`, and where it ends."),
    NATIVE_END,
};

static bool
json_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&scanner_type, &scanner_spec},
        {&encoder_type, &encoder_spec},
    };
    return static_types_ready(th, types, ARRAY_LEN(types)) &&
           module_add(th, module, "make_scanner", value_of_type(&scanner_type)) &&
           module_add(th, module, "make_encoder", value_of_type(&encoder_type));
}

const ModuleSpec json_module = {
    .name = "_json",
    .doc = "json speedups\n",
    .methods = json_methods,
    .exec = json_exec,
};
