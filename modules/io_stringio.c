/* io_stringio.c -- StringIO: text in memory as a stream.
 *
 * The characters lie in memory of our own, as wide as the widest one written so far needs.
 * `lock` is held for each operation (no Python code runs under it) and not taken while the
 * process has one thread.
 */
#include "modules/io.h"

#include "objects/text/text_priv.h"

#include <string.h>

typedef struct StringIo {
    struct Object head;
    Mutex lock;
    uint8_t *text;            /* [lock] or NULL */
    int64_t size, room;       /* [lock] characters */
    int64_t pos;              /* [lock] may be behind the end */
    uint32_t max_char;        /* [lock] of what was written: 0x7f, 0xff, 0xffff or 0x10ffff */
    uint8_t width;            /* [lock] bytes a character, 1, 2 or 4 */
    ATOMIC(uint8_t) ok, closed;
    ATOMIC(uint8_t) newline;  /* enum NewlineMode */
    ATOMIC(uint8_t) seen;     /* kinds of line ends that were written */
} StringIo;

static inline StringIo *
as_stringio(Value v)
{
    return (StringIo *)(void *)value_object(v);
}

static inline void
leave(StringIo *s, bool held)
{
    io_memory_unlock(&s->lock, held);
}

static bool
check(Thread *th, StringIo *s)
{
    if (LIKELY(load_relaxed(&s->ok) && !load_relaxed(&s->closed)))
        return true;
    raise_value_error(th, load_relaxed(&s->ok) ? "I/O operation on closed file"
                                               : "I/O operation on uninitialized object");
    return false;
}

static inline bool
enter(Thread *th, StringIo *s, bool *held)
{
    *held = io_memory_lock(th, &s->lock);
    if (check(th, s))
        return true;
    leave(s, *held);
    return false;
}

/* -- memory; the lock is held ------------------------------------------------------------- */

static inline Chars
part(const StringIo *s, int64_t start, int64_t end)
{
    return (Chars){s->text + start * s->width, (size_t)(end - start), s->width};
}

/* Room for `need` characters of `width` bytes. */
static bool
make_room(Thread *th, StringIo *s, int64_t need, uint8_t width)
{
    if (LIKELY(width <= s->width && need <= s->room))
        return true;
    int64_t room = s->room;
    if (need > room) {
        if (need > (int64_t)STR_MAX_LENGTH) {
            raise_overflow(th, "new buffer size too large");
            return false;
        }
        room = need + (need >> 2) + 64;
    }
    if (width <= s->width) {
        uint8_t *grown = buffer_resize(th, s->text, (size_t)room * s->width);
        if (grown == NULL)
            return false;
        s->text = grown;
    } else {
        uint8_t *wide = buffer_new(th, (size_t)room * width);
        if (wide == NULL)
            return false;
        if (s->size > 0)
            chars_copy(wide, width, part(s, 0, s->size));
        buffer_free(s->text);
        s->text = wide;
        s->width = width;
    }
    s->room = room;
    return true;
}

static bool
write_at(Thread *th, StringIo *s, Value text)
{
    Chars c = chars_of(text);
    if (c.n == 0)
        return true;
    if (s->pos > (int64_t)STR_MAX_LENGTH - (int64_t)c.n) {
        raise_overflow(th, "new position too large");
        return false;
    }
    int64_t end = s->pos + (int64_t)c.n;
    if (!make_room(th, s, end, c.width))
        return false;
    if (s->pos > s->size)
        memset(s->text + s->size * s->width, 0, (size_t)(s->pos - s->size) * s->width);
    if (c.width == s->width)
        memcpy(s->text + s->pos * s->width, c.p, c.n * c.width);
    else
        chars_copy(s->text + s->pos * s->width, s->width, c);
    uint32_t max_char = str_max(text);
    if (max_char > s->max_char)
        s->max_char = max_char;
    s->pos = end;
    if (end > s->size)
        s->size = end;
    return true;
}

/* The characters start..end as a str. */
static Value
to_str_part(Thread *th, const StringIo *s, int64_t start, int64_t end)
{
    if (start >= end)
        return retain(th, str_empty);
    Chars c = part(s, start, end);
    if (s->max_char > 0x7f)
        return str_from_chars(th, c);
    if (c.n == 1)
        return str_latin1(*(const uint8_t *)c.p);
    Value v = str_new(th, c.n, 0x7f);
    if (v != NULL) {
        if (c.width == 1)
            memcpy(as_str(v)->data, c.p, c.n);
        else
            chars_copy(as_str(v)->data, 1, c);
    }
    return v;
}

/* -- writing ------------------------------------------------------------------------------ */

/* What is stored for a text that is written: new reference. */
static Value
translated(Thread *th, StringIo *s, Value text)
{
    enum NewlineMode mode = load_relaxed(&s->newline);
    if (mode <= NEWLINE_KEEP) {
        Newlines nl = {mode == NEWLINE_UNIVERSAL, 0, load_relaxed(&s->seen)};
        Value v = io_newlines_decode(th, &nl, retain(th, text), true);
        fetch_or_relaxed(&s->seen, nl.seen);
        return v;
    }
    if (mode == NEWLINE_LF || !str_contains_char(text, '\n'))
        return retain(th, text);
    Value line_end = str_from_c(th, mode == NEWLINE_CR ? "\r" : "\r\n");
    Value v = line_end ? str_replace(th, text, str_latin1('\n'), line_end, -1) : NULL;
    drop_null(th, line_end);
    return v;
}

static bool
write_text(Thread *th, StringIo *s, Value text)
{
    bool held, ok;
    if (LIKELY(load_relaxed(&s->newline) == NEWLINE_LF)) {
        if (!enter(th, s, &held))
            return false;
        ok = write_at(th, s, text);
        leave(s, held);
        return ok;
    }
    Value v = translated(th, s, text);
    if (v == NULL)
        return false;
    ok = enter(th, s, &held);
    if (ok) {
        ok = write_at(th, s, v);
        leave(s, held);
    }
    drop(th, v);
    return ok;
}

static Value
stringio_write(Thread *th, Value self, Value text)
{
    StringIo *s = as_stringio(self);
    if (!is_str(text))
        return load_relaxed(&s->ok)
                   ? raise_type_error(th, "string argument expected, got '%T'", text)
                   : raise_value_error(th, "I/O operation on uninitialized object");
    if (!check(th, s) || !write_text(th, s, text))
        return NULL;
    return value_from_fixnum((int64_t)str_length(text));
}

static Value
stringio_truncate(Thread *th, Value self, const Arg *args, size_t nargs)
{
    StringIo *s = as_stringio(self);
    int64_t size = -1;
    bool held, here = nargs == 0 || arg(args, 0) == NONE, ok = true;
    if (!check(th, s) || (!here && !io_size_arg(th, arg(args, 0), &size)) || !enter(th, s, &held))
        return NULL;
    if (here)
        size = s->pos;
    if (size < 0) {
        raise_value_error(th, "Negative size value %lld", (long long)size);
        ok = false;
    } else if (size < s->size) {
        s->size = size;
        if (size < s->room / 2) { /* shrinking cannot fail */
            int64_t room = size > 0 ? size : 1;
            uint8_t *less = mem_resize(s->text, (size_t)room * s->width);
            if (less != NULL) {
                s->text = less;
                s->room = room;
            }
        }
    }
    leave(s, held);
    return ok ? int_from_i64(th, size) : NULL;
}

/* -- reading ------------------------------------------------------------------------------ */

static Value
stringio_getvalue(Thread *th, Value self)
{
    StringIo *s = as_stringio(self);
    bool held;
    if (!enter(th, s, &held))
        return NULL;
    Value r = to_str_part(th, s, 0, s->size);
    leave(s, held);
    return r;
}

/* The next n characters; the lock is held. */
static Value
take(Thread *th, StringIo *s, int64_t n)
{
    Value r = to_str_part(th, s, s->pos, s->pos + n);
    if (r != NULL)
        s->pos += n;
    return r;
}

static Value
stringio_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    StringIo *s = as_stringio(self);
    int64_t n = -1;
    bool held;
    if ((nargs > 0 && !io_size_arg(th, arg(args, 0), &n)) || !enter(th, s, &held))
        return NULL;
    int64_t left = s->pos < s->size ? s->size - s->pos : 0;
    Value r = take(th, s, n < 0 || n > left ? left : n);
    leave(s, held);
    return r;
}

static int64_t
line_length(const StringIo *s, int64_t limit)
{
    if (s->pos >= s->size)
        return 0;
    int64_t end = s->size;
    if (limit >= 0 && end - s->pos > limit)
        end = s->pos + limit;
    int64_t at = io_line_end(s->text, s->width, s->pos, end, load_relaxed(&s->newline));
    return (at < 0 ? end : at) - s->pos;
}

static Value
stringio_readline(Thread *th, Value self, const Arg *args, size_t nargs)
{
    StringIo *s = as_stringio(self);
    int64_t limit = -1;
    bool held;
    if ((nargs > 0 && !io_size_arg(th, arg(args, 0), &limit)) || !enter(th, s, &held))
        return NULL;
    Value r = take(th, s, line_length(s, limit));
    leave(s, held);
    return r;
}

static Value
stringio_next(Thread *th, Value self)
{
    StringIo *s = as_stringio(self);
    bool held;
    if (UNLIKELY(type_of(self) != &io_stringio_type)) {
        if (!check(th, s))
            return NULL;
        Value line = call_method_0(th, self, NAME(readline));
        if (line != NULL && !is_str(line)) {
            raise_error(th, &exc_OSError, "readline() should have returned a str object, not '%T'",
                        line);
            DROP_CLEAR(th, line);
        }
        if (line != NULL && str_length(line) == 0)
            DROP_CLEAR(th, line);
        return line;
    }
    if (!enter(th, s, &held))
        return NULL;
    int64_t n = line_length(s, -1);
    Value r = n > 0 ? take(th, s, n) : NULL;
    leave(s, held);
    return r;
}

/* -- position ----------------------------------------------------------------------------- */

static Value
stringio_seek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    StringIo *s = as_stringio(self);
    int64_t offset;
    int whence = 0;
    bool held;
    if (!arg_ssize(th, arg(args, 0), &offset) || (nargs > 1 && !arg_int(th, arg(args, 1), &whence)))
        return NULL;
    if (!enter(th, s, &held))
        return NULL;
    Value r = NULL;
    if (whence < 0 || whence > 2) {
        raise_value_error(th, "Invalid whence (%i, should be 0, 1 or 2)", whence);
    } else if (offset < 0 && whence == 0) {
        raise_value_error(th, "Negative seek position %lld", (long long)offset);
    } else if (whence != 0 && offset != 0) {
        raise_error(th, &exc_OSError, "Can't do nonzero cur-relative seeks");
    } else {
        s->pos = whence == 0 ? offset : whence == 1 ? s->pos : s->size;
        r = int_from_i64(th, s->pos);
    }
    leave(s, held);
    return r;
}

static Value
stringio_tell(Thread *th, Value self)
{
    StringIo *s = as_stringio(self);
    bool held;
    if (!enter(th, s, &held))
        return NULL;
    int64_t pos = s->pos;
    leave(s, held);
    return int_from_i64(th, pos);
}

/* -- asking ------------------------------------------------------------------------------- */

static Value
stringio_true(Thread *th, Value self)
{
    return check(th, as_stringio(self)) ? TRUE : NULL;
}

static Value
stringio_get_closed(Thread *th, Value self, void *closure)
{
    (void)closure;
    StringIo *s = as_stringio(self);
    if (!load_relaxed(&s->ok))
        return raise_value_error(th, "I/O operation on uninitialized object");
    return bool_from(load_relaxed(&s->closed));
}

static Value
stringio_get_newlines(Thread *th, Value self, void *closure)
{
    (void)closure;
    StringIo *s = as_stringio(self);
    if (!check(th, s))
        return NULL;
    return load_relaxed(&s->newline) <= NEWLINE_KEEP ? io_newlines_seen(th, load_relaxed(&s->seen))
                                                     : NONE;
}

static Value
stringio_get_line_buffering(Thread *th, Value self, void *closure)
{
    (void)closure;
    return check(th, as_stringio(self)) ? FALSE : NULL;
}

/* -- setting up, closing ------------------------------------------------------------------ */

static Value
stringio_close(Thread *th, Value self)
{
    StringIo *s = as_stringio(self);
    bool held = io_memory_lock(th, &s->lock);
    store_relaxed(&s->closed, 1);
    buffer_free(s->text);
    s->text = NULL;
    s->size = s->room = 0;
    s->width = 1;
    leave(s, held);
    return NONE;
}

static bool
set_up(Thread *th, Value self, Value initial, Value newline)
{
    StringIo *s = as_stringio(self);
    enum NewlineMode mode = NEWLINE_LF;
    if (newline != NULL && newline != NONE && !is_str(newline)) {
        raise_type_error(th, "newline must be str or None, not %T", newline);
        return false;
    }
    if (newline != NULL && !io_newline_mode(newline, &mode)) {
        raise_value_error(th, "illegal newline value: %R", newline);
        return false;
    }
    if (initial != NULL && initial != NONE && !is_str(initial)) {
        raise_type_error(th, "initial_value must be str or None, not %T", initial);
        return false;
    }
    bool held = io_memory_lock(th, &s->lock);
    s->size = s->pos = 0;
    if (s->width == 0)
        s->width = 1;
    s->max_char = 0x7f;
    store_relaxed(&s->newline, mode);
    store_relaxed(&s->seen, 0);
    store_relaxed(&s->closed, 0);
    store_relaxed(&s->ok, 1);
    leave(s, held);
    if (initial != NULL && initial != NONE && str_length(initial) > 0) {
        if (!write_text(th, s, initial))
            return false;
        held = io_memory_lock(th, &s->lock);
        s->pos = 0;
        leave(s, held);
    }
    return true;
}

static bool
stringio_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "StringIO", .names = {"initial_value", "newline"}, .positional = 2};
    Value v[2];
    return args_bind(th, &params, args, nargs, kwnames, v) && set_up(th, self, v[0], v[1]);
}

static Value
stringio_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    Value v = type_alloc(th, type, 0);
    if (v != NULL)
        as_stringio(v)->width = 1;
    return v;
}

static Value
stringio_getstate(Thread *th, Value self)
{
    static const char *const newlines[] = {NULL, "", "\n", "\r", "\r\n"};
    StringIo *s = as_stringio(self);
    Value contents = stringio_getvalue(th, self), dict = NULL, r = NULL;
    if (contents == NULL)
        return NULL;
    const char *text = newlines[load_relaxed(&s->newline)];
    Value newline = text ? str_from_c(th, text) : NONE, pos = stringio_tell(th, self);
    Value own = instance_dict(th, self);
    if (newline != NULL && pos != NULL && own != NULL) {
        dict = dict_length(own) > 0 ? dict_copy(th, own) : NONE;
        if (dict != NULL)
            r = tuple_pack(th, 4, contents, newline, pos, dict);
    }
    drop_null(th, own);
    drop_null(th, dict);
    drop_null(th, pos);
    drop_null(th, newline);
    drop(th, contents);
    return r;
}

static Value
stringio_setstate(Thread *th, Value self, Value state)
{
    StringIo *s = as_stringio(self);
    if (load_relaxed(&s->closed) && !check(th, s))
        return NULL;
    if (!is_tuple(state) || tuple_length(state) < 4)
        return raise_type_error(th, "%T.__setstate__ argument should be 4-tuple, got %T", self,
                                state);
    Value initial = tuple_item(state, 0), position = tuple_item(state, 2),
          dict = tuple_item(state, 3);
    /* The contents have been translated already. */
    if (!set_up(th, self, NULL, tuple_item(state, 1)))
        return NULL;
    if (!is_str(initial))
        return raise_type_error(th, "first item of state must be a str, not %T", initial);
    bool held;
    if (!enter(th, s, &held))
        return NULL;
    bool ok = write_at(th, s, initial);
    leave(s, held);
    if (!ok)
        return NULL;
    int64_t pos;
    if (!is_int(position))
        return raise_type_error(th, "third item of state must be an integer, got %T", position);
    if (!to_ssize(th, position, &pos, &exc_OverflowError))
        return NULL;
    if (pos < 0)
        return raise_value_error(th, "position value cannot be negative");
    held = io_memory_lock(th, &s->lock);
    s->pos = pos;
    leave(s, held);
    if (dict == NONE)
        return NONE;
    if (!is_dict(dict))
        return raise_type_error(th, "fourth item of state should be a dict, got a %T", dict);
    Value own = instance_dict(th, self);
    ok = own != NULL && dict_update(th, own, dict);
    drop_null(th, own);
    return ok ? NONE : NULL;
}

static void
stringio_dealloc(Thread *th, Object *o)
{
    (void)th;
    buffer_free(((StringIo *)(void *)o)->text);
}

static const MethodDef stringio_methods[] = {
    NATIVE_0("close", stringio_close, "close($self, /)\n--\n\nFrees the memory."),
    NATIVE_0("getvalue", stringio_getvalue, "getvalue($self, /)\n--\n\nAll of the contents."),
    NATIVE_N("read", stringio_read, 0, 1,
             "read($self, size=-1, /)\n--\n\nUp to `size` characters; all if it is negative."),
    NATIVE_N("readline", stringio_readline, 0, 1,
             "readline($self, size=-1, /)\n--\n\nA line, at most `size` characters of it."),
    NATIVE_0("tell", stringio_tell, "tell($self, /)\n--\n\nThe position in the contents."),
    NATIVE_N("truncate", stringio_truncate, 0, 1,
             "truncate($self, pos=None, /)\n--\n\n"
             "Makes the contents at most `pos` characters long, by default up to the position."),
    NATIVE_N("seek", stringio_seek, 1, 2,
             "seek($self, pos, whence=0, /)\n--\n\nMoves to a position; returns the new one."),
    NATIVE_1("write", stringio_write,
             "write($self, s, /)\n--\n\nWrites a string; returns the number of characters."),
    NATIVE_0("seekable", stringio_true, "seekable($self, /)\n--\n\nTrue while it is open."),
    NATIVE_0("readable", stringio_true, "readable($self, /)\n--\n\nTrue while it is open."),
    NATIVE_0("writable", stringio_true, "writable($self, /)\n--\n\nTrue while it is open."),
    NATIVE_0("__getstate__", stringio_getstate, NULL),
    NATIVE_1("__setstate__", stringio_setstate, NULL),
    NATIVE_END,
};

static const GetterDef stringio_getters[] = {
    {.name = "closed", .get = stringio_get_closed},
    {.name = "newlines", .get = stringio_get_newlines},
    {.name = "line_buffering", .get = stringio_get_line_buffering},
    {.name = NULL},
};

Type io_stringio_type;
const TypeSpec io_stringio_spec = {
    .name = "_io.StringIO",
    .base = &io_text_base_type,
    .size = sizeof(StringIo),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "StringIO(initial_value='', newline='\\n')\n--\n\n"
           "Text in memory as a stream.\n\n"
           "`newline` works like TextIOWrapper's, except that with None line ends are\n"
           "translated to \"\\n\" when they are written.",
    .methods = stringio_methods,
    .getters = stringio_getters,
    .slots = {.next = stringio_next, .init = stringio_init, .new = stringio_new},
    .dealloc = stringio_dealloc,
};
