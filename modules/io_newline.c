/* io_newline.c -- line ends: finding them, translating them, IncrementalNewlineDecoder.
 *
 * A decoder object's own state is two atomics; threads that use one decoder at once may mix up
 * whose "\r" was kept back, as with any stateful decoder, but nothing else.
 */
#include "modules/io.h"

#include "gc/holds.h"
#include "objects/text/text_priv.h"

#include <string.h>

/* -- finding ------------------------------------------------------------------------------ */

bool
io_newline_mode(Value newline, enum NewlineMode *mode)
{
    if (newline == NULL || newline == NONE) {
        *mode = NEWLINE_UNIVERSAL;
        return true;
    }
    static const struct {
        const char *text;
        enum NewlineMode mode;
    } rows[] = {{"", NEWLINE_KEEP}, {"\n", NEWLINE_LF}, {"\r", NEWLINE_CR}, {"\r\n", NEWLINE_CRLF}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_equal_ascii(newline, rows[i].text)) {
            *mode = rows[i].mode;
            return true;
        }
    }
    return false;
}

static inline int64_t
find_char(const void *data, uint8_t width, int64_t start, int64_t end, uint32_t c)
{
    if (start >= end)
        return -1;
    if (width == 1) {
        const uint8_t *p = data, *at = memchr(p + start, (int)c, (size_t)(end - start));
        return at ? at - p : -1;
    }
    Chars all = {data, (size_t)end, width};
    int64_t at = chars_find_char(chars_sub(all, (size_t)start, (size_t)end), c);
    return at < 0 ? -1 : at + start;
}

int64_t
io_line_end(const void *data, uint8_t width, int64_t start, int64_t end, enum NewlineMode mode)
{
    int64_t at;
    switch (mode) {
    case NEWLINE_UNIVERSAL: /* has been translated */
    case NEWLINE_LF:
        at = find_char(data, width, start, end, '\n');
        return at < 0 ? -1 : at + 1;
    case NEWLINE_CR:
        at = find_char(data, width, start, end, '\r');
        return at < 0 ? -1 : at + 1;
    case NEWLINE_CRLF: {
        Chars c = {data, (size_t)end, width};
        while ((at = find_char(data, width, start, end, '\r')) >= 0) {
            if (at + 1 >= end)
                return -1;
            if (chars_get(c, (size_t)at + 1) == '\n')
                return at + 2;
            start = at + 1;
        }
        return -1;
    }
    default: { /* any of the three */
        at = find_char(data, width, start, end, '\n');
        int64_t cr = find_char(data, width, start, at < 0 ? end : at, '\r');
        if (cr < 0)
            return at < 0 ? -1 : at + 1;
        return cr + 1 == at ? at + 1 : cr + 1;
    }
    }
}

/* -- translating -------------------------------------------------------------------------- */

/* What ends the lines of the text, "\r\n" counted as one. */
static uint8_t
look_for(Chars c, uint8_t seen)
{
    for (size_t i = 0; i < c.n && seen != (SEEN_CR | SEEN_LF | SEEN_CRLF); i++) {
        uint32_t ch = chars_get(c, i);
        if (ch == '\n') {
            seen |= SEEN_LF;
        } else if (ch == '\r') {
            if (i + 1 < c.n && chars_get(c, i + 1) == '\n') {
                seen |= SEEN_CRLF;
                i++;
            } else {
                seen |= SEEN_CR;
            }
        }
    }
    return seen;
}

/* Copies with every line end turned into "\n"; returns the length.  `to` may be c.p. */
#define TRANSLATE(type)                                                        \
    do {                                                                       \
        const type *from = c.p;                                                \
        type *out = to;                                                        \
        for (size_t i = 0; i < c.n; i++) {                                     \
            type ch = from[i];                                                 \
            if (ch == '\r') {                                                  \
                if (i + 1 < c.n && from[i + 1] == '\n')                        \
                    i++;                                                       \
                ch = '\n';                                                     \
            }                                                                  \
            out[n++] = ch;                                                     \
        }                                                                      \
    } while (0)

static size_t
translate(Chars c, void *to)
{
    size_t n = 0;
    switch (c.width) {
    case 1: TRANSLATE(uint8_t); break;
    case 2: TRANSLATE(uint16_t); break;
    default: TRANSLATE(uint32_t); break;
    }
    return n;
}

/* The text behind a "\r" that was kept back. */
static Value
prepend_cr(Thread *th, Value STEALS text)
{
    Value r = str_concat(th, str_latin1('\r'), text);
    drop(th, text);
    return r;
}

Value
io_newlines_decode(Thread *th, Newlines *nl, Value STEALS text, bool final)
{
    size_t n = str_length(text);
    if (nl->pending_cr && (final || n > 0)) {
        text = prepend_cr(th, text);
        if (text == NULL)
            return NULL;
        nl->pending_cr = 0;
        n++;
    }
    if (n == 0)
        return text;
    if (!final && str_char(as_str(text), n - 1) == '\r') {
        /* A "\n" may follow. */
        Value cut = str_substring(th, text, 0, n - 1);
        drop(th, text);
        if (cut == NULL)
            return NULL;
        nl->pending_cr = 1;
        text = cut;
        n--;
    }
    Chars c = chars_of(text);
    int64_t cr = find_char(c.p, c.width, 0, (int64_t)n, '\r');
    if (cr < 0) {
        if ((nl->seen & SEEN_LF) == 0 && find_char(c.p, c.width, 0, (int64_t)n, '\n') >= 0)
            nl->seen |= SEEN_LF;
        return text;
    }
    nl->seen = look_for(c, nl->seen);
    if (!nl->translate)
        return text;
    void *space = buffer_new(th, n * c.width);
    Value r = NULL;
    if (space != NULL) {
        size_t kept = translate(c, space);
        r = str_new(th, kept, str_max(text));
        if (r != NULL && kept > 0)
            memcpy(as_str(r)->data, space, kept * c.width);
        buffer_free(space);
    }
    drop(th, text);
    return r;
}

Value
io_newlines_seen(Thread *th, uint8_t seen)
{
    static const char *const texts[] = {"\r", "\n", "\r\n"};
    static const uint8_t bits[] = {SEEN_CR, SEEN_LF, SEEN_CRLF};
    Value items[3];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        if ((seen & bits[i]) != 0) {
            items[n] = str_from_c(th, texts[i]);
            if (items[n++] == NULL)
                goto fail;
        }
    }
    if (n == 0)
        return NONE;
    if (n == 1)
        return items[0];
    Value t = tuple_of(th, items, n);
    for (size_t i = 0; i < n; i++)
        drop(th, items[i]);
    return t;
fail:
    for (size_t i = 0; i + 1 < n; i++)
        drop(th, items[i]);
    return NULL;
}

/* -- IncrementalNewlineDecoder ------------------------------------------------------------ */

typedef struct NewlineDecoder {
    struct Object head;
    Field decoder;                /* None, or what decodes bytes; NULL before __init__ */
    Field errors;
    ATOMIC(uint8_t) translate, pending_cr, seen;
} NewlineDecoder;

static inline NewlineDecoder *
as_decoder(Value v)
{
    return (NewlineDecoder *)(void *)value_object(v);
}

/* A new reference to the decoder below. */
static Value
inner_decoder(Thread *th, Value self)
{
    Value v = field_read(th, value_object(self), &as_decoder(self)->decoder);
    if (v == NULL)
        raise_value_error(th, "IncrementalNewlineDecoder.__init__() not called");
    return v;
}

static bool
newline_decoder_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "IncrementalNewlineDecoder",
                                     .names = {"decoder", "translate", "errors"},
                                     .positional = 3,
                                     .required = 2};
    Value v[3];
    int translates;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_int(th, v[1], &translates))
        return false;
    NewlineDecoder *d = as_decoder(self);
    field_replace(th, &d->head, &d->decoder, retain(th, v[0]));
    field_replace(th, &d->head, &d->errors, v[2] ? retain(th, v[2]) : retain(th, NAME(strict)));
    store_relaxed(&d->translate, translates != 0);
    store_relaxed(&d->pending_cr, 0);
    store_relaxed(&d->seen, 0);
    return true;
}

static Value
newline_decoder_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

static Value
newline_decoder_decode(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "decode", .names = {"input", "final"}, .positional = 2, .required = 1};
    Value v[2];
    int final = 0;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_int(th, v[1], &final))
        return NULL;
    NewlineDecoder *d = as_decoder(self);
    Value inner = inner_decoder(th, self);
    if (inner == NULL)
        return NULL;
    Value text = inner == NONE ? retain(th, v[0])
                               : call_method_2(th, inner, NAME(decode), v[0], bool_from(final));
    drop(th, inner);
    if (text == NULL)
        return NULL;
    if (!is_str(text)) {
        raise_type_error(th, "decoder should return a string result, not '%T'", text);
        drop(th, text);
        return NULL;
    }
    Newlines nl = {load_relaxed(&d->translate), load_relaxed(&d->pending_cr),
                   load_relaxed(&d->seen)};
    text = io_newlines_decode(th, &nl, text, final);
    store_relaxed(&d->pending_cr, nl.pending_cr);
    fetch_or_relaxed(&d->seen, nl.seen);
    return text;
}

static Value
newline_decoder_getstate(Thread *th, Value self)
{
    NewlineDecoder *d = as_decoder(self);
    Value inner = inner_decoder(th, self), buffer = NULL, flag = NULL, r = NULL;
    if (inner == NULL)
        return NULL;
    if (inner == NONE) {
        buffer = bytes_empty;
        flag = value_from_fixnum(0);
    } else {
        Value state = call_method_0(th, inner, NAME(getstate));
        if (state == NULL)
            goto end;
        if (!is_tuple(state)) {
            raise_type_error(th, "illegal decoder state");
        } else if (tuple_length(state) != 2 || !is_int(tuple_item(state, 1))) {
            raise_type_error(th, "illegal decoder state");
        } else {
            buffer = retain(th, tuple_item(state, 0));
            flag = retain(th, tuple_item(state, 1));
        }
        drop(th, state);
        if (buffer == NULL)
            goto end;
    }
    Value doubled = int_lshift(th, flag, 1);
    Value with = doubled && load_relaxed(&d->pending_cr)
                     ? number_or(th, doubled, value_from_fixnum(1))
                     : retain_null(th, doubled);
    if (with != NULL)
        r = tuple_pack(th, 2, buffer, with);
    drop_null(th, doubled);
    drop_null(th, with);
end:
    drop_null(th, buffer);
    drop_null(th, flag);
    drop(th, inner);
    return r;
}

static Value
newline_decoder_setstate(Thread *th, Value self, Value state)
{
    NewlineDecoder *d = as_decoder(self);
    Value inner = inner_decoder(th, self), r = NULL;
    if (inner == NULL)
        return NULL;
    if (!is_tuple(state)) {
        raise_type_error(th, "state argument must be a tuple");
    } else if (tuple_length(state) != 2 || !is_int(tuple_item(state, 1))) {
        raise_type_error(th, "setstate(): illegal state argument");
    } else {
        Value flag = tuple_item(state, 1);
        store_relaxed(&d->pending_cr, (uint8_t)(int_to_u64_wrap(flag) & 1));
        if (inner == NONE) {
            r = NONE;
        } else {
            Value half = int_rshift(th, flag, 1);
            Value below = half ? tuple_pack(th, 2, tuple_item(state, 0), half) : NULL;
            if (below != NULL)
                r = call_method_1(th, inner, NAME(setstate), below);
            drop_null(th, half);
            drop_null(th, below);
        }
    }
    drop(th, inner);
    return r;
}

static Value
newline_decoder_reset(Thread *th, Value self)
{
    NewlineDecoder *d = as_decoder(self);
    Value inner = inner_decoder(th, self);
    if (inner == NULL)
        return NULL;
    store_relaxed(&d->seen, 0);
    store_relaxed(&d->pending_cr, 0);
    Value r = inner == NONE ? NONE : call_method_0(th, inner, NAME(reset));
    drop(th, inner);
    return r;
}

static Value
newline_decoder_newlines(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value inner = inner_decoder(th, self);
    if (inner == NULL)
        return NULL;
    drop(th, inner);
    return io_newlines_seen(th, load_relaxed(&as_decoder(self)->seen));
}

HOLDS_FIELDS(newline_decoder, NewlineDecoder, decoder, errors);
CLEARS_FIELDS(newline_decoder, NewlineDecoder, decoder);

static const MethodDef newline_decoder_methods[] = {
    NATIVE_K("decode", newline_decoder_decode, "decode($self, /, input, final=False)\n--\n\n"),
    NATIVE_0("getstate", newline_decoder_getstate, "getstate($self, /)\n--\n\n"),
    NATIVE_1("setstate", newline_decoder_setstate, "setstate($self, state, /)\n--\n\n"),
    NATIVE_0("reset", newline_decoder_reset, "reset($self, /)\n--\n\n"),
    NATIVE_END,
};

static const GetterDef newline_decoder_getters[] = {
    {.name = "newlines", .get = newline_decoder_newlines},
    {.name = NULL},
};

Type io_newline_decoder_type;
const TypeSpec io_newline_decoder_spec = {
    .name = "_io.IncrementalNewlineDecoder",
    .size = sizeof(NewlineDecoder),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\n"
           "A decoder round another one (or None, then it is given text) that finds line ends.\n\n"
           "It remembers which kinds there were and, if `translate` is true, turns \"\\r\\n\"\n"
           "and \"\\r\" into \"\\n\".  A \"\\r\" and the \"\\n\" behind it always come together.",
    .methods = newline_decoder_methods,
    .getters = newline_decoder_getters,
    .slots = {.new = newline_decoder_new, .init = newline_decoder_init},
    .visit = newline_decoder_visit,
    .clear = newline_decoder_clear,
    .dealloc = newline_decoder_dealloc,
};
