/* pickle_read.c -- a pickle to objects.
 *
 * The input is not trusted: sizes are compared with what is there before anything is allocated, the
 * stack is never popped below its last mark, memo numbers that no Pickler would write go into a dict.
 * (What a pickle may *call* is up to find_class().)
 *
 * A Reader lives on the C stack of one load; its own stack of values belongs to this thread.
 */
#include "modules/pickle.h"

#include "objects/protocol/slot.h"
#include "objects/text/codecs.h"
#include "threads/safepoint.h"

#include <errno.h>
#include <stdlib.h>

enum { PEEK_MOST = 128 * 1024 };

typedef struct Reader {
    const PickleState *st;
    const uint8_t *p, *end;  /* what has been got and not used */
    const uint8_t *start;    /* where the window begins; NULL: nothing got yet */
    Value window;            /* counted bytes they lie in; NULL: the caller's memory */
    bool peeked;             /* the window has only been looked at: the file must still read it */
    UnpickleJob j;           /* j.file.peek becomes NULL if it does not work */
    Value *stack;            /* counted */
    size_t depth, capacity;
    size_t *marks;           /* depths */
    size_t mark_count, mark_capacity;
} Reader;

static COLD void *
unpickling_error(Thread *th, const Reader *r, const char *message)
{
    return raise_error(th, as_type(r->st->unpickling_error), "%s", message);
}

static COLD void *
truncated(Thread *th, const Reader *r)
{
    return unpickling_error(th, r, "pickle data was truncated");
}

/* -- input ------------------------------------------------------------------------------------- */

/* Makes `data` (given up) the window: a copy unless it is bytes, so that nobody changes it. */
static bool
set_window(Thread *th, Reader *r, Value STEALS data)
{
    if (data == NULL)
        return false;
    if (!is_exact(data, SHAPE_BYTES)) {
        Buffer b;
        Value copy = NULL;
        if (buffer_lend(th, data, &b, BUFFER_ANY_CONTIGUOUS)) {
            copy = bytes_from(th, b.data, (size_t)b.length);
            buffer_release(th, &b);
        }
        drop(th, data);
        data = copy;
        if (data == NULL)
            return false;
    }
    drop_null(th, r->window);
    r->window = data;
    r->start = r->p = as_bytes(data)->data;
    r->end = r->p + as_bytes(data)->length;
    r->peeked = false;
    return true;
}

/* What was looked at and used is now read from the file. */
static bool
skip_used(Thread *th, Reader *r)
{
    if (!r->peeked)
        return true;
    int64_t used = r->p - r->start;
    r->p = r->end = r->start;
    r->peeked = false;
    if (used == 0)
        return true;
    Value data = call_1(th, r->j.file.read, value_from_fixnum(used));
    drop_null(th, data);
    return data != NULL;
}

/* Puts the unused rest of a window in front of a new one. */
static bool
join_windows(Thread *th, Reader *r, Value STEALS rest)
{
    Value joined = sequence_concat(th, rest, r->window);
    drop(th, rest);
    return set_window(th, r, joined);
}

/* Gets more from the file so that n bytes are there; *p they are, or NULL with an exception. */
static const uint8_t *
take_more(Thread *th, Reader *r, size_t n)
{
    if (r->j.file.read == NULL)
        return truncated(th, r);
    if (!skip_used(th, r))
        return NULL;
    Value rest = NULL;
    size_t have = (size_t)(r->end - r->p);
    if (have != 0) {
        rest = bytes_from(th, r->p, have);
        if (rest == NULL)
            return NULL;
        r->p = r->end;
    } else if (r->j.file.peek != NULL && n < PEEK_MOST) {
        Value data = call_1(th, r->j.file.peek, value_from_fixnum(PEEK_MOST));
        if (data != NULL) {
            if (!set_window(th, r, data))
                return NULL;
            r->peeked = true;
            if ((size_t)(r->end - r->p) >= n) {
                r->p += n;
                return r->p - n;
            }
            r->p = r->end = r->start;
            r->peeked = false;
        } else {
            if (!error_matches(th, &exc_NotImplementedError))
                return NULL;
            error_clear(th);
            r->j.file.peek = NULL;
        }
    }
    Value want = int_from_size(th, n - have);
    Value data = want ? call_1(th, r->j.file.read, want) : NULL;
    drop_null(th, want);
    if (!set_window(th, r, data)) {
        drop_null(th, rest);
        return NULL;
    }
    if (rest != NULL && !join_windows(th, r, rest))
        return NULL;
    if ((size_t)(r->end - r->p) < n)
        return truncated(th, r);
    r->p += n;
    return r->p - n;
}

/* n bytes, valid until more are taken. */
static inline const uint8_t *
take(Thread *th, Reader *r, size_t n)
{
    if (UNLIKELY((size_t)(r->end - r->p) < n || r->start == NULL))
        return take_more(th, r, n);
    r->p += n;
    return r->p - n;
}

/* A line with its end of line; *n is its length. */
static const uint8_t *
take_line(Thread *th, Reader *r, size_t *n)
{
    for (int attempt = 0;; attempt++) {
        const uint8_t *p = r->p;
        const uint8_t *newline = p < r->end ? memchr(p, '\n', (size_t)(r->end - p)) : NULL;
        if (newline != NULL) {
            *n = (size_t)(newline + 1 - p);
            r->p = newline + 1;
            return p;
        }
        if (r->j.file.read == NULL || attempt != 0)
            return truncated(th, r);
        Value rest = NULL;
        if (!r->peeked && r->p < r->end) {
            rest = bytes_from(th, r->p, (size_t)(r->end - r->p));
            if (rest == NULL)
                return NULL;
        } else if (r->peeked) {
            if (!skip_used(th, r))
                return NULL;
        }
        if (!set_window(th, r, call_0(th, r->j.file.readline))) {
            drop_null(th, rest);
            return NULL;
        }
        if (rest != NULL && !join_windows(th, r, rest))
            return NULL;
    }
}

/* A line that has at least a character before its end. */
static const uint8_t *
take_word(Thread *th, Reader *r, size_t *n)
{
    const uint8_t *p = take_line(th, r, n);
    return p != NULL && *n < 2 ? truncated(th, r) : p;
}

static uint64_t
number_at(const uint8_t *p, int bytes)
{
    uint64_t n = 0;
    for (int i = bytes; i-- > 0;)
        n = n << 8 | p[i];
    return n;
}

static bool
take_number(Thread *th, Reader *r, int bytes, uint64_t *out)
{
    const uint8_t *p = take(th, r, (size_t)bytes);
    if (p != NULL)
        *out = number_at(p, bytes);
    return p != NULL;
}

/* A size of 1, 4 or 8 bytes, and as many bytes as it says. */
static const uint8_t *
take_sized(Thread *th, Reader *r, int bytes, const char *what, size_t *n)
{
    uint64_t size;
    if (!take_number(th, r, bytes, &size))
        return NULL;
    if (size > INT64_MAX)
        return raise_error(th, &exc_OverflowError,
                           "%s exceeds system's maximum size of %lld bytes", what,
                           (long long)INT64_MAX);
    *n = (size_t)size;
    return take(th, r, *n);
}

/* -- the stack --------------------------------------------------------------------------------- */

/* How far the stack may be popped. */
static inline size_t
fence(const Reader *r)
{
    return r->mark_count ? r->marks[r->mark_count - 1] : 0;
}

static COLD void *
underflow(Thread *th, const Reader *r)
{
    return unpickling_error(th, r,
                            r->mark_count ? "unexpected MARK found" : "unpickling stack underflow");
}

static bool
push(Thread *th, Reader *r, Value STEALS v)
{
    if (v == NULL)
        return false;
    if (UNLIKELY(r->depth == r->capacity)) {
        size_t capacity = r->capacity ? r->capacity * 2 : 64;
        Value *stack = r->stack ? buffer_resize(th, r->stack, capacity * sizeof(Value))
                                : buffer_new(th, capacity * sizeof(Value));
        if (stack == NULL) {
            drop(th, v);
            return false;
        }
        r->stack = stack;
        r->capacity = capacity;
    }
    r->stack[r->depth++] = v;
    return true;
}

/* The top value, which is the caller's now. */
static Value
pop(Thread *th, Reader *r)
{
    if (r->depth <= fence(r))
        return underflow(th, r);
    return r->stack[--r->depth];
}

/* The top value stays; borrowed. */
static Value
top(Thread *th, Reader *r)
{
    if (r->depth <= fence(r))
        return underflow(th, r);
    return r->stack[r->depth - 1];
}

static void
cut(Thread *th, Reader *r, size_t depth)
{
    while (r->depth > depth) {
        Value v = r->stack[--r->depth];
        drop(th, v);
    }
}

static bool
push_mark(Thread *th, Reader *r)
{
    if (r->mark_count == r->mark_capacity) {
        size_t capacity = r->mark_capacity ? r->mark_capacity * 2 : 32;
        size_t *marks = r->marks ? buffer_resize(th, r->marks, capacity * sizeof(size_t))
                                 : buffer_new(th, capacity * sizeof(size_t));
        if (marks == NULL)
            return false;
        r->marks = marks;
        r->mark_capacity = capacity;
    }
    r->marks[r->mark_count++] = r->depth;
    return true;
}

/* Takes the last mark away: *at is the depth it was set at. */
static bool
pop_mark(Thread *th, Reader *r, size_t *at)
{
    if (r->mark_count == 0) {
        unpickling_error(th, r, "could not find MARK");
        return false;
    }
    *at = r->marks[--r->mark_count];
    return true;
}

/* The values from `at` on as a tuple; they leave the stack. */
static Value
pop_tuple(Thread *th, Reader *r, size_t at)
{
    if (at < fence(r) || at > r->depth)
        return underflow(th, r);
    size_t n = r->depth - at;
    if (n == 0)
        return retain(th, tuple_empty);
    Value t = tuple_new(th, n);
    if (t == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        tuple_init_item(t, (int64_t)i, r->stack[at + i]);
    r->depth = at;
    return t;
}

static Value
pop_list(Thread *th, Reader *r, size_t at)
{
    Value list = list_of(th, r->stack + at, r->depth - at);
    if (list != NULL)
        cut(th, r, at);
    return list;
}

/* -- numbers and text ---------------------------------------------------------------------------- */

static bool
load_int(Thread *th, Reader *r)
{
    size_t n;
    const uint8_t *p = take_word(th, r, &n);
    if (p == NULL)
        return false;
    if (n == 3 && p[0] == '0' && (p[1] == '0' || p[1] == '1'))
        return push(th, r, bool_from(p[1] == '1'));
    char text[64];
    if (n < sizeof text) {
        char *end;
        memcpy(text, p, n);
        text[n] = '\0';
        errno = 0;
        long long value = strtoll(text, &end, 0);
        if (errno == 0 && end != text && (*end == '\n' || *end == '\0'))
            return push(th, r, int_from_i64(th, value));
    }
    Value v = int_from_text(th, (const char *)p, n, 0);
    if (v == NULL && error_matches(th, &exc_ValueError))
        raise_value_error(th, "could not convert string to int");
    return push(th, r, v);
}

static bool
load_long_text(Thread *th, Reader *r)
{
    size_t n;
    const uint8_t *p = take_word(th, r, &n);
    if (p == NULL)
        return false;
    if (p[n - 2] == 'L')
        n -= 2;
    return push(th, r, int_from_text(th, (const char *)p, n, 10));
}

static bool
load_counted_long(Thread *th, Reader *r, int bytes)
{
    uint64_t n;
    if (!take_number(th, r, bytes, &n))
        return false;
    if (n > INT32_MAX) {
        unpickling_error(th, r, "LONG pickle has negative byte count");
        return false;
    }
    const uint8_t *p = take(th, r, (size_t)n);
    if (p == NULL)
        return false;
    return push(th, r, n ? int_from_bytes(th, p, (size_t)n, true, true) : value_from_fixnum(0));
}

static bool
load_float_text(Thread *th, Reader *r)
{
    size_t n;
    const uint8_t *p = take_word(th, r, &n);
    Value text = p ? str_from_latin1(th, p, n) : NULL;
    if (text == NULL)
        return false;
    Value f = float_from_str(th, text);
    if (f == NULL && error_matches(th, &exc_ValueError))
        raise_value_error(th, "could not convert string to float: '%V'", text);
    drop(th, text);
    return push(th, r, f);
}

static bool
load_binfloat(Thread *th, Reader *r)
{
    const uint8_t *p = take(th, r, 8);
    if (p == NULL)
        return false;
    uint64_t bits = 0;
    double d;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | p[i];
    memcpy(&d, &bits, 8);
    return push(th, r, float_from(th, d));
}

/* A str of Python 2: text by the encoding, or bytes if that is "bytes". */
static bool
push_old_string(Thread *th, Reader *r, const uint8_t *p, size_t n)
{
    if (r->j.encoding != NULL && str_equal_ascii(r->j.encoding, "bytes"))
        return push(th, r, bytes_from(th, p, n));
    const char *encoding = r->j.encoding ? str_c(th, r->j.encoding) : "ascii";
    const char *errors = encoding && r->j.errors ? str_c(th, r->j.errors) : "strict";
    return encoding != NULL && errors != NULL && push(th, r, str_decode(th, p, n, encoding, errors));
}

static bool
load_string(Thread *th, Reader *r)
{
    size_t n;
    const uint8_t *p = take_line(th, r, &n);
    if (p == NULL)
        return false;
    n--;
    if (n < 2 || p[0] != p[n - 1] || (p[0] != '\'' && p[0] != '"')) {
        unpickling_error(th, r, "the STRING opcode argument must be quoted");
        return false;
    }
    Value bytes = codec_escape_decode(th, p + 1, n - 2, NULL);
    bool ok = bytes != NULL &&
              push_old_string(th, r, as_bytes(bytes)->data, (size_t)as_bytes(bytes)->length);
    drop_null(th, bytes);
    return ok;
}

static bool
load_binstring(Thread *th, Reader *r, int bytes)
{
    uint64_t n;
    if (!take_number(th, r, bytes, &n))
        return false;
    const uint8_t *p = take(th, r, (size_t)n);
    return p != NULL && push_old_string(th, r, p, (size_t)n);
}

static bool
load_unicode_line(Thread *th, Reader *r)
{
    size_t n;
    const uint8_t *p = take_line(th, r, &n);
    return p != NULL && push(th, r, codec_raw_unicode_escape_decode(th, p, n - 1, "strict", NULL));
}

static bool
load_text(Thread *th, Reader *r, int bytes)
{
    size_t n;
    const uint8_t *p = take_sized(th, r, bytes, "BINUNICODE", &n);
    return p != NULL && push(th, r, str_decode_utf8(th, p, n, "surrogatepass", NULL));
}

static bool
load_bytes(Thread *th, Reader *r, int bytes)
{
    size_t n;
    const uint8_t *p = take_sized(th, r, bytes, "BINBYTES", &n);
    return p != NULL && push(th, r, bytes_from(th, p, n));
}

static bool
load_bytearray(Thread *th, Reader *r)
{
    size_t n;
    const uint8_t *p = take_sized(th, r, 8, "BYTEARRAY8", &n);
    return p != NULL && push(th, r, bytearray_from(th, p, n));
}

static bool
load_next_buffer(Thread *th, Reader *r)
{
    if (r->j.buffers == NULL) {
        unpickling_error(th, r,
                         "pickle stream refers to out-of-band data but no *buffers* argument was "
                         "given");
        return false;
    }
    Value buffer = iter_next(th, r->j.buffers);
    if (buffer == NULL && !error_set(th))
        unpickling_error(th, r, "not enough out-of-band buffers");
    return push(th, r, buffer);
}

static bool
load_readonly_buffer(Thread *th, Reader *r)
{
    Value v = top(th, r), view = v ? memoryview_from(th, v) : NULL;
    if (view == NULL)
        return false;
    Value flag = get_attr_c(th, view, "readonly"), name = NULL, fixed = NULL;
    bool readonly = true, ok = flag != NULL && arg_bool(th, flag, &readonly);
    drop_null(th, flag);
    if (ok && !readonly) {
        name = str_intern_c(th, "toreadonly");
        fixed = name ? call_method_0(th, view, name) : NULL;
        drop_null(th, name);
        ok = fixed != NULL;
    }
    drop(th, view);
    if (fixed != NULL) {
        r->stack[r->depth - 1] = fixed;
        drop(th, v);
    }
    return ok;
}

/* -- containers ------------------------------------------------------------------------------------ */

static bool
load_marked_tuple(Thread *th, Reader *r)
{
    size_t at;
    return pop_mark(th, r, &at) && push(th, r, pop_tuple(th, r, at));
}

static bool
load_small_tuple(Thread *th, Reader *r, size_t n)
{
    if (r->depth < fence(r) + n) {
        underflow(th, r);
        return false;
    }
    return push(th, r, pop_tuple(th, r, r->depth - n));
}

static bool
load_marked_list(Thread *th, Reader *r)
{
    size_t at;
    return pop_mark(th, r, &at) && push(th, r, pop_list(th, r, at));
}

static bool
load_marked_dict(Thread *th, Reader *r)
{
    size_t at;
    if (!pop_mark(th, r, &at))
        return false;
    if ((r->depth - at) % 2 != 0) {
        unpickling_error(th, r, "odd number of items for DICT");
        return false;
    }
    Value d = dict_new(th);
    for (size_t i = at; d != NULL && i < r->depth; i += 2)
        if (!dict_set(th, d, r->stack[i], r->stack[i + 1]))
            DROP_CLEAR(th, d);
    if (d != NULL)
        cut(th, r, at);
    return push(th, r, d);
}

static bool
load_frozenset(Thread *th, Reader *r)
{
    size_t at;
    if (!pop_mark(th, r, &at))
        return false;
    Value items = pop_tuple(th, r, at), set = items ? frozenset_from(th, items) : NULL;
    drop_null(th, items);
    return push(th, r, set);
}

/* Whether there is something below `at` to put the values from there on into; NO: no values. */
static Answer
can_fill(Thread *th, Reader *r, size_t at)
{
    if (at > r->depth || at <= fence(r)) {
        underflow(th, r);
        return FAILED;
    }
    return at < r->depth ? YES : NO;
}

/* Calls target.name(value) for all values from `at` on. */
static bool
call_for_each(Thread *th, Reader *r, size_t at, Value target, Value name)
{
    Value f = get_attr(th, target, name);
    bool ok = f != NULL;
    for (size_t i = at; ok && i < r->depth; i++) {
        Value done = call_1(th, f, r->stack[i]);
        drop_null(th, done);
        ok = done != NULL;
    }
    drop_null(th, f);
    if (ok)
        cut(th, r, at);
    return ok;
}

/* append() of the values from `at` on to the one below. */
static bool
fill_list(Thread *th, Reader *r, size_t at)
{
    Answer can = can_fill(th, r, at);
    if (can != YES)
        return can == NO;
    Value target = r->stack[at - 1], extend = NULL;
    if (is_exact(target, SHAPE_LIST)) {
        if (at + 1 == r->depth) {
            Value v = r->stack[--r->depth];
            return list_append_steal(th, target, v);
        }
        Value items = pop_list(th, r, at);
        bool ok = items != NULL && list_extend(th, target, items);
        drop_null(th, items);
        return ok;
    }
    Answer has = get_attr_optional(th, target, NAME(extend), &extend);
    if (has == NO)
        return call_for_each(th, r, at, target, NAME(append));
    Value items = has == YES ? pop_list(th, r, at) : NULL;
    Value done = items ? call_1(th, extend, items) : NULL;
    drop_null(th, extend);
    drop_null(th, items);
    drop_null(th, done);
    return done != NULL;
}

static bool
fill_dict(Thread *th, Reader *r, size_t at)
{
    Answer can = can_fill(th, r, at);
    if (can != YES)
        return can == NO;
    if ((r->depth - at) % 2 != 0) {
        unpickling_error(th, r, "odd number of items for SETITEMS");
        return false;
    }
    Value target = r->stack[at - 1];
    bool exact = is_exact(target, SHAPE_DICT);
    for (size_t i = at; i < r->depth; i += 2)
        if (exact ? !dict_set(th, target, r->stack[i], r->stack[i + 1])
                  : !set_item(th, target, r->stack[i], r->stack[i + 1]))
            return false;
    cut(th, r, at);
    return true;
}

static bool
fill_set(Thread *th, Reader *r, size_t at)
{
    Answer can = can_fill(th, r, at);
    if (can != YES)
        return can == NO;
    Value target = r->stack[at - 1];
    if (!is_set(target))
        return call_for_each(th, r, at, target, NAME(add));
    for (size_t i = at; i < r->depth; i++)
        if (!set_add(th, target, r->stack[i]))
            return false;
    cut(th, r, at);
    return true;
}

static bool
load_append(Thread *th, Reader *r)
{
    if (r->depth == 0 || r->depth - 1 <= fence(r)) {
        underflow(th, r);
        return false;
    }
    return fill_list(th, r, r->depth - 1);
}

static bool
load_setitem(Thread *th, Reader *r)
{
    return fill_dict(th, r, r->depth >= 2 ? r->depth - 2 : 0);
}

static bool
load_many(Thread *th, Reader *r, bool (*fill)(Thread *, Reader *, size_t))
{
    size_t at;
    return pop_mark(th, r, &at) && fill(th, r, at);
}

/* -- classes, calls, states --------------------------------------------------------------------------- */

static Value
find_class(Thread *th, Reader *r, Value module, Value name)
{
    if (r->j.self != NULL && type_of(r->j.self) != &unpickler_type)
        return call_method_2(th, r->j.self, r->st->find_class, module, name);
    return pickle_find_class(th, module, name, *r->j.protocol, r->j.fix_imports);
}

/* The class or function that two lines name. */
static Value
take_global(Thread *th, Reader *r, bool ascii)
{
    Value names[2] = {NULL, NULL}, found = NULL;
    size_t n;
    for (int i = 0; i < 2; i++) {
        const uint8_t *p = take_word(th, r, &n);
        names[i] = p == NULL ? NULL
                   : ascii   ? str_decode(th, p, n - 1, "ascii", "strict")
                             : str_decode_utf8(th, p, n - 1, "strict", NULL);
        if (names[i] == NULL)
            break;
    }
    if (names[1] != NULL)
        found = find_class(th, r, names[0], names[1]);
    drop_null(th, names[0]);
    drop_null(th, names[1]);
    return found;
}

static bool
load_stack_global(Thread *th, Reader *r)
{
    Value name = pop(th, r), module = name ? pop(th, r) : NULL, found = NULL;
    if (module != NULL && is_exact(name, SHAPE_STR) && is_exact(module, SHAPE_STR))
        found = find_class(th, r, module, name);
    else
        unpickling_error(th, r, "STACK_GLOBAL requires str");
    drop_null(th, module);
    drop_null(th, name);
    return push(th, r, found);
}

/* As a class statement's instance was made in Python 2: cls(*args), or without __init__(). */
static Value
instantiate(Thread *th, Value cls, Value args)
{
    if (tuple_length(args) == 0 && is_type(cls)) {
        Value f = NULL;
        Answer has = get_attr_optional(th, cls, NAME(__getinitargs__), &f);
        drop_null(th, f);
        if (has == FAILED)
            return NULL;
        if (has == NO) {
            Value make = get_attr(th, cls, NAME(__new__)), v = make ? call_1(th, make, cls) : NULL;
            drop_null(th, make);
            return v;
        }
    }
    return call_tuple_dict(th, cls, args, NULL);
}

static bool
load_inst(Thread *th, Reader *r)
{
    size_t at;
    if (!pop_mark(th, r, &at))
        return false;
    Value cls = take_global(th, r, true), v = NULL;
    if (cls == NULL)
        return false;
    Value args = pop_tuple(th, r, at);
    if (args != NULL) {
        v = instantiate(th, cls, args);
        drop(th, args);
    }
    drop(th, cls);
    return push(th, r, v);
}

static bool
load_obj(Thread *th, Reader *r)
{
    size_t at;
    if (!pop_mark(th, r, &at))
        return false;
    if (r->depth < at + 1) {
        underflow(th, r);
        return false;
    }
    Value args = pop_tuple(th, r, at + 1), cls = args ? pop(th, r) : NULL, v = NULL;
    if (cls != NULL) {
        v = instantiate(th, cls, args);
        drop(th, cls);
    }
    drop_null(th, args);
    return push(th, r, v);
}

static Value
new_object(Thread *th, Reader *r, const char *op, Value cls, Value args, Value kwargs)
{
    Type *error = as_type(r->st->unpickling_error);
    if (!is_type(cls))
        return raise_error(th, error, "%s class argument must be a type, not %T", op, cls);
    NewFn make = SLOT(as_type(cls), new);
    if (make == NULL || type_flags(as_type(cls)) & TYPE_DISALLOW_NEW)
        return raise_error(th, error, "%s class argument '%N' doesn't have __new__", op,
                           as_type(cls));
    if (!is_tuple(args))
        return raise_error(th, error, "%s args argument must be a tuple, not %T", op, args);
    if (kwargs != NULL && !is_dict(kwargs))
        return raise_error(th, error, "%s kwargs argument must be a dict, not %T", op, kwargs);
    if (kwargs == NULL)
        return make(th, as_type(cls), args_of(as_tuple(args)->items), (size_t)tuple_length(args),
                    NULL);
    Value f = get_attr(th, cls, NAME(__new__)), first = f ? tuple_pack(th, 1, cls) : NULL;
    Value all = first ? sequence_concat(th, first, args) : NULL;
    Value v = all ? call_tuple_dict(th, f, all, kwargs) : NULL;
    drop_null(th, f);
    drop_null(th, first);
    drop_null(th, all);
    return v;
}

static bool
load_newobj(Thread *th, Reader *r, bool with_keywords)
{
    Value kwargs = NULL, args = NULL, cls = NULL, v = NULL;
    if (!with_keywords || (kwargs = pop(th, r)) != NULL)
        args = pop(th, r);
    if (args != NULL)
        cls = pop(th, r);
    if (cls != NULL) {
        v = new_object(th, r, with_keywords ? "NEWOBJ_EX" : "NEWOBJ", cls, args, kwargs);
        drop(th, cls);
    }
    drop_null(th, args);
    drop_null(th, kwargs);
    return push(th, r, v);
}

static bool
load_reduce(Thread *th, Reader *r)
{
    Value args = pop(th, r), f = args ? pop(th, r) : NULL, v = NULL;
    if (f != NULL) {
        if (is_tuple(args))
            v = call_tuple_dict(th, f, args, NULL);
        else
            raise_type_error(th, "argument list must be a tuple");
        drop(th, f);
    }
    drop_null(th, args);
    return push(th, r, v);
}

/* Whether setting an item of the instance's __dict__ is the same as setting a slot of it. */
static bool
has_plain_dict(Thread *th, Value o)
{
    Type *t = type_of(o);
    if (t->attrs_offset == 0 || SLOT(t, getattr) != generic_get_attr)
        return false;
    Value d = type_lookup(th, t, NAME(__dict__));
    if (d == NULL)
        return false;
    bool plain = type_of(d) == &getset_descr_type &&
                 ((GetsetDescr *)(void *)value_object(d))->def->get == getter_dict;
    drop(th, d);
    return plain;
}

/* object.__dict__ gets the items of a dict. */
static bool
set_dict_state(Thread *th, Value o, Value state)
{
    bool plain = has_plain_dict(th, o);
    Value d = plain ? NULL : get_attr(th, o, NAME(__dict__)), key, v;
    size_t pos = 0;
    bool ok = plain || d != NULL;
    while (ok && dict_next(th, state, &pos, &key, &v)) {
        bool text = is_exact(key, SHAPE_STR);
        if (text)
            key = str_intern(th, key); /* as names in source are */
        if (key == NULL)
            ok = false;
        else if (plain && text)
            ok = instance_set(th, o, key, v);
        else {
            if (d == NULL)
                d = get_attr(th, o, NAME(__dict__));
            ok = d != NULL && set_item(th, d, key, v);
        }
        drop_null(th, key);
        drop(th, v);
    }
    drop_null(th, d);
    return ok;
}

static bool
set_slot_state(Thread *th, Value o, Value state)
{
    Value key, v;
    size_t pos = 0;
    bool ok = true;
    while (ok && dict_next(th, state, &pos, &key, &v)) {
        ok = set_attr(th, o, key, v);
        drop(th, key);
        drop(th, v);
    }
    return ok;
}

static bool
set_state(Thread *th, Reader *r, Value o, Value state)
{
    Value f = NULL;
    Answer has = get_attr_optional(th, o, NAME(__setstate__), &f);
    if (has == YES) {
        Value done = call_1(th, f, state);
        drop(th, f);
        drop_null(th, done);
        return done != NULL;
    }
    if (has == FAILED)
        return false;
    Value slots = NULL;
    if (is_tuple(state) && tuple_length(state) == 2) {
        slots = tuple_item(state, 1);
        state = tuple_item(state, 0);
    }
    if (state != NONE) {
        if (!is_dict(state)) {
            unpickling_error(th, r, "state is not a dictionary");
            return false;
        }
        if (!set_dict_state(th, o, state))
            return false;
    }
    if (slots == NULL || slots == NONE)
        return true;
    if (!is_dict(slots)) {
        unpickling_error(th, r, "slot state is not a dictionary");
        return false;
    }
    return set_slot_state(th, o, slots);
}

static bool
load_build(Thread *th, Reader *r)
{
    if (r->depth < fence(r) + 2) {
        underflow(th, r);
        return false;
    }
    Value state = r->stack[--r->depth];
    bool ok = set_state(th, r, r->stack[r->depth - 1], state);
    drop(th, state);
    return ok;
}

/* -- references ----------------------------------------------------------------------------------------- */

static bool
push_persistent(Thread *th, Reader *r, Value STEALS id)
{
    if (id == NULL)
        return false;
    Value v = NULL;
    if (r->j.persistent_load == NULL)
        unpickling_error(th, r,
                         "A load persistent id instruction was encountered,\n"
                         "but no persistent_load function was specified.");
    else
        v = call_1(th, r->j.persistent_load, id);
    drop(th, id);
    return push(th, r, v);
}

static bool
load_persid(Thread *th, Reader *r)
{
    if (r->j.persistent_load == NULL)
        return push_persistent(th, r, NONE);
    size_t n;
    const uint8_t *p = take_line(th, r, &n);
    if (p == NULL)
        return false;
    Value id = str_decode(th, p, n - 1, "ascii", "strict");
    if (id == NULL && error_matches(th, &exc_UnicodeDecodeError))
        unpickling_error(th, r, "persistent IDs in protocol 0 must be ASCII strings");
    return push_persistent(th, r, id);
}

static bool
load_extension(Thread *th, Reader *r, int bytes)
{
    uint64_t word;
    if (!take_number(th, r, bytes, &word))
        return false;
    int64_t code = bytes == 4 ? (int32_t)(uint32_t)word : (int64_t)word;
    if (code <= 0) {
        unpickling_error(th, r, "EXT specifies code <= 0");
        return false;
    }
    Value key = value_from_fixnum(code), v = NULL, pair = NULL;
    Answer known = dict_get(th, r->st->extension_cache, key, &v);
    if (known != NO)
        return known == YES && push(th, r, v);
    Answer registered = dict_get(th, r->st->inverted_registry, key, &pair);
    if (registered == NO)
        raise_value_error(th, "unregistered extension code %lld", (long long)code);
    if (registered != YES)
        return false;
    if (is_tuple(pair) && tuple_length(pair) == 2 && is_str(tuple_item(pair, 0)) &&
        is_str(tuple_item(pair, 1)))
        v = find_class(th, r, tuple_item(pair, 0), tuple_item(pair, 1));
    else
        raise_value_error(th, "_inverted_registry[%lld] isn't a 2-tuple of strings",
                          (long long)code);
    drop(th, pair);
    if (v != NULL && !dict_set(th, r->st->extension_cache, key, v))
        DROP_CLEAR(th, v);
    return push(th, r, v);
}

static bool
push_known(Thread *th, Reader *r, uint64_t number)
{
    Value v = slots_get(th, r->j.memo, number);
    if (v == NULL && !error_set(th))
        raise_error(th, as_type(r->st->unpickling_error), "Memo value not found at index %llu",
                    (unsigned long long)number);
    return push(th, r, v);
}

/* A memo number written as a line. */
static bool
take_memo_line(Thread *th, Reader *r, int64_t *number)
{
    size_t n;
    const uint8_t *p = take_word(th, r, &n);
    Value v = p ? int_from_text(th, (const char *)p, n, 10) : NULL;
    bool ok = v != NULL && arg_ssize(th, v, number);
    drop_null(th, v);
    return ok;
}

static bool
load_get(Thread *th, Reader *r)
{
    int64_t number;
    if (!take_memo_line(th, r, &number))
        return false;
    if (number < 0) {
        raise_error(th, as_type(r->st->unpickling_error), "Memo value not found at index %lld",
                    (long long)number);
        return false;
    }
    return push_known(th, r, (uint64_t)number);
}

static bool
load_binget(Thread *th, Reader *r, int bytes)
{
    uint64_t number;
    return take_number(th, r, bytes, &number) && push_known(th, r, number);
}

static bool
load_put(Thread *th, Reader *r)
{
    int64_t number;
    if (!take_memo_line(th, r, &number))
        return false;
    Value v = top(th, r);
    if (v != NULL && number < 0) {
        raise_value_error(th, "negative PUT argument");
        return false;
    }
    return v != NULL && slots_put(th, r->j.memo, (uint64_t)number, v);
}

static bool
load_binput(Thread *th, Reader *r, int bytes)
{
    uint64_t number;
    if (!take_number(th, r, bytes, &number))
        return false;
    Value v = top(th, r);
    return v != NULL && slots_put(th, r->j.memo, number, v);
}

static bool
load_memoize(Thread *th, Reader *r)
{
    Value v = top(th, r);
    return v != NULL && slots_put(th, r->j.memo, r->j.memo->count, v);
}

/* -- the rest --------------------------------------------------------------------------------------------- */

static bool
load_pop(Thread *th, Reader *r)
{
    if (r->mark_count != 0 && fence(r) == r->depth) {
        r->mark_count--;
        return true;
    }
    Value v = pop(th, r);
    drop_null(th, v);
    return v != NULL;
}

static bool
load_proto(Thread *th, Reader *r)
{
    const uint8_t *p = take(th, r, 1);
    if (p == NULL)
        return false;
    if (*p > PICKLE_HIGHEST) {
        raise_value_error(th, "unsupported pickle protocol: %d", *p);
        return false;
    }
    *r->j.protocol = *p;
    return true;
}

/* A frame says how much can be read at once; more it does not mean. */
static bool
load_frame(Thread *th, Reader *r)
{
    size_t n;
    const uint8_t *p = take_sized(th, r, 8, "FRAME length", &n);
    if (p == NULL) {
        if (error_matches(th, &exc_OverflowError))
            raise_error(th, &exc_OverflowError,
                        "FRAME length exceeds system's maximum of %lld bytes", (long long)INT64_MAX);
        return false;
    }
    r->p = p;
    return true;
}

static bool
load_line_global(Thread *th, Reader *r)
{
    return push(th, r, take_global(th, r, false));
}

static bool
load_pop_mark(Thread *th, Reader *r)
{
    size_t at;
    if (!pop_mark(th, r, &at))
        return false;
    cut(th, r, at);
    return true;
}

static bool
load_dup(Thread *th, Reader *r)
{
    Value v = top(th, r);
    return v != NULL && push(th, r, retain(th, v));
}

static bool
load_little_int(Thread *th, Reader *r, int bytes)
{
    uint64_t n;
    if (!take_number(th, r, bytes, &n))
        return false;
    return push(th, r, value_from_fixnum(bytes == 4 ? (int32_t)(uint32_t)n : (int64_t)n));
}

static COLD bool
bad_opcode(Thread *th, const Reader *r, uint8_t op)
{
    bool shown = op >= 0x20 && op < 0x7f && op != '\'' && op != '\\';
    raise_error(th, as_type(r->st->unpickling_error),
                shown ? "invalid load key, '%c'." : "invalid load key, '\\x%02x'.", op);
    return false;
}

/* Carries out any opcode but STOP. */
static bool
load_op(Thread *th, Reader *r, uint8_t op)
{
    switch (op) {
    case OP_MARK: return push_mark(th, r);
    case OP_POP: return load_pop(th, r);
    case OP_POP_MARK: return load_pop_mark(th, r);
    case OP_DUP: return load_dup(th, r);
    case OP_NONE: return push(th, r, NONE);
    case OP_NEWTRUE: return push(th, r, TRUE);
    case OP_NEWFALSE: return push(th, r, FALSE);
    case OP_INT: return load_int(th, r);
    case OP_BININT: return load_little_int(th, r, 4);
    case OP_BININT1: return load_little_int(th, r, 1);
    case OP_BININT2: return load_little_int(th, r, 2);
    case OP_LONG: return load_long_text(th, r);
    case OP_LONG1: return load_counted_long(th, r, 1);
    case OP_LONG4: return load_counted_long(th, r, 4);
    case OP_FLOAT: return load_float_text(th, r);
    case OP_BINFLOAT: return load_binfloat(th, r);
    case OP_STRING: return load_string(th, r);
    case OP_BINSTRING: return load_binstring(th, r, 4);
    case OP_SHORT_BINSTRING: return load_binstring(th, r, 1);
    case OP_UNICODE: return load_unicode_line(th, r);
    case OP_SHORT_BINUNICODE: return load_text(th, r, 1);
    case OP_BINUNICODE: return load_text(th, r, 4);
    case OP_BINUNICODE8: return load_text(th, r, 8);
    case OP_SHORT_BINBYTES: return load_bytes(th, r, 1);
    case OP_BINBYTES: return load_bytes(th, r, 4);
    case OP_BINBYTES8: return load_bytes(th, r, 8);
    case OP_BYTEARRAY8: return load_bytearray(th, r);
    case OP_NEXT_BUFFER: return load_next_buffer(th, r);
    case OP_READONLY_BUFFER: return load_readonly_buffer(th, r);
    case OP_EMPTY_TUPLE: return push(th, r, retain(th, tuple_empty));
    case OP_TUPLE1: return load_small_tuple(th, r, 1);
    case OP_TUPLE2: return load_small_tuple(th, r, 2);
    case OP_TUPLE3: return load_small_tuple(th, r, 3);
    case OP_TUPLE: return load_marked_tuple(th, r);
    case OP_EMPTY_LIST: return push(th, r, list_new(th, 0));
    case OP_LIST: return load_marked_list(th, r);
    case OP_EMPTY_DICT: return push(th, r, dict_new(th));
    case OP_DICT: return load_marked_dict(th, r);
    case OP_EMPTY_SET: return push(th, r, set_new(th));
    case OP_FROZENSET: return load_frozenset(th, r);
    case OP_APPEND: return load_append(th, r);
    case OP_APPENDS: return load_many(th, r, fill_list);
    case OP_SETITEM: return load_setitem(th, r);
    case OP_SETITEMS: return load_many(th, r, fill_dict);
    case OP_ADDITEMS: return load_many(th, r, fill_set);
    case OP_GLOBAL: return load_line_global(th, r);
    case OP_STACK_GLOBAL: return load_stack_global(th, r);
    case OP_INST: return load_inst(th, r);
    case OP_OBJ: return load_obj(th, r);
    case OP_NEWOBJ: return load_newobj(th, r, false);
    case OP_NEWOBJ_EX: return load_newobj(th, r, true);
    case OP_REDUCE: return load_reduce(th, r);
    case OP_BUILD: return load_build(th, r);
    case OP_EXT1: return load_extension(th, r, 1);
    case OP_EXT2: return load_extension(th, r, 2);
    case OP_EXT4: return load_extension(th, r, 4);
    case OP_PERSID: return load_persid(th, r);
    case OP_BINPERSID: return push_persistent(th, r, r->j.persistent_load ? pop(th, r) : NONE);
    case OP_GET: return load_get(th, r);
    case OP_BINGET: return load_binget(th, r, 1);
    case OP_LONG_BINGET: return load_binget(th, r, 4);
    case OP_PUT: return load_put(th, r);
    case OP_BINPUT: return load_binput(th, r, 1);
    case OP_LONG_BINPUT: return load_binput(th, r, 4);
    case OP_MEMOIZE: return load_memoize(th, r);
    case OP_PROTO: return load_proto(th, r);
    case OP_FRAME: return load_frame(th, r);
    default: return bad_opcode(th, r, op);
    }
}

/* Reads one pickle and gives back what the reader holds. */
static Value
load_all(Thread *th, Reader *r)
{
    Value v = NULL;
    *r->j.protocol = 0;
    for (;;) {
        const uint8_t *p = take(th, r, 1);
        if (p == NULL) {
            if (error_matches(th, as_type(r->st->unpickling_error)))
                raise_error(th, &exc_EOFError, "Ran out of input");
            break;
        }
        uint8_t op = *p;
        if (op == OP_STOP) {
            v = pop(th, r);
            break;
        }
        if (!load_op(th, r, op) || !safepoint_poll(th))
            break;
    }
    Value error = error_take(th);
    if (!skip_used(th, r) && error == NULL) {
        error = error_take(th);
        DROP_CLEAR(th, v);
    }
    error_restore(th, error);
    cut(th, r, 0);
    buffer_free(r->stack);
    buffer_free(r->marks);
    drop_null(th, r->window);
    return v;
}

/* -- what others call ------------------------------------------------------------------------------------- */

Value
pickle_read(Thread *th, const UnpickleJob *job)
{
    static const uint8_t nothing[1];
    Reader r = {.st = pickle_state(th), .j = *job};
    if (job->data != NULL) {
        int64_t n = as_bytes(job->data)->length;
        r.start = r.p = n ? as_bytes(job->data)->data : nothing;
        r.end = r.p + n;
    }
    return load_all(th, &r);
}

void
pickle_file_drop(Thread *th, PickleFile *f)
{
    drop_null(th, f->read);
    drop_null(th, f->readline);
    drop_null(th, f->peek);
}

bool
pickle_file_get(Thread *th, Value file, PickleFile *f)
{
    *f = (PickleFile){NULL, NULL, NULL};
    bool ok = get_attr_optional(th, file, pickle_state(th)->peek, &f->peek) != FAILED &&
              get_attr_optional(th, file, NAME(read), &f->read) != FAILED &&
              get_attr_optional(th, file, NAME(readline), &f->readline) != FAILED;
    if (ok && (f->read == NULL || f->readline == NULL)) {
        raise_type_error(th, "file must have 'read' and 'readline' attributes");
        ok = false;
    }
    if (!ok)
        pickle_file_drop(th, f);
    return ok;
}

/* What pickle.load() and pickle.loads() share. */
static Value
load_with(Thread *th, UnpickleJob *job, const UnpickleOptions *o)
{
    Slots memo = {0};
    int protocol = 0;
    Value v = NULL;
    job->memo = &memo;
    job->protocol = &protocol;
    job->fix_imports = o->fix_imports;
    job->encoding = o->encoding;
    job->errors = o->errors;
    bool none = o->buffers == NULL || o->buffers == NONE;
    if (none || (job->buffers = get_iter(th, o->buffers)) != NULL)
        v = pickle_read(th, job);
    drop_null(th, job->buffers);
    slots_clear(th, &memo);
    return v;
}

Value
pickle_load_memory(Thread *th, Value data, const UnpickleOptions *o)
{
    /* Bytes of others may change while they are read, so they are copied first. */
    UnpickleJob job = {.data = is_bytes(data) ? retain(th, data) : NULL};
    if (job.data == NULL) {
        Buffer b;
        if (!buffer_lend(th, data, &b, BUFFER_ANY_CONTIGUOUS))
            return NULL;
        job.data = bytes_from(th, b.data, (size_t)b.length);
        buffer_release(th, &b);
        if (job.data == NULL)
            return NULL;
    }
    Value v = load_with(th, &job, o);
    drop(th, job.data);
    return v;
}

Value
pickle_load_file(Thread *th, Value file, const UnpickleOptions *o)
{
    UnpickleJob job = {.data = NULL};
    if (!pickle_file_get(th, file, &job.file))
        return NULL;
    Value v = load_with(th, &job, o);
    pickle_file_drop(th, &job.file);
    return v;
}
