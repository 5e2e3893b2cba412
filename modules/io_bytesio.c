/* io_bytesio.c -- BytesIO: bytes in memory as a stream.
 *
 * The contents are either a bytes object that was given to us and is shared as long as nobody
 * writes, or memory of our own.  `lock` is held for each operation (no Python code runs under
 * it) and not taken while the process has one thread.  While somebody has a view of the memory
 * (getbuffer()) it is not moved: operations that would are refused.
 */
#include "modules/io.h"
#include "gc/holds.h"

#include <string.h>

typedef struct BytesIo {
    struct Object head;
    Mutex lock;
    Field shared;             /* [lock] bytes, or NULL */
    uint8_t *own;             /* [lock] or NULL; not used while `shared` is there */
    int64_t size;             /* [lock] length of the contents */
    int64_t room;             /* [lock] bytes of `own` */
    int64_t pos;              /* [lock] may be behind the end */
    ATOMIC(int64_t) exports;  /* [atomic] views of the memory; grows under the lock only */
    ATOMIC(uint8_t) closed;
} BytesIo;

static inline BytesIo *
as_bytesio(Value v)
{
    return (BytesIo *)(void *)value_object(v);
}

static inline bool
lock(Thread *th, BytesIo *b)
{
    return io_memory_lock(th, &b->lock);
}

static inline void
unlock(BytesIo *b, bool held)
{
    io_memory_unlock(&b->lock, held);
}

/* Locks an open stream; false with ValueError. */
static inline bool
enter(Thread *th, BytesIo *b, bool *held)
{
    *held = lock(th, b);
    if (LIKELY(!load_relaxed(&b->closed)))
        return true;
    unlock(b, *held);
    raise_value_error(th, "I/O operation on closed file.");
    return false;
}

static inline const uint8_t *
data_of(const BytesIo *b)
{
    Value shared = field_peek(&b->shared); /* [lock] */
    return shared ? as_bytes(shared)->data : b->own;
}

static inline int64_t
bytes_left(const BytesIo *b)
{
    return b->pos < b->size ? b->size - b->pos : 0;
}

/* -- changing; the lock is held ----------------------------------------------------------- */

static bool
refuse_exported(Thread *th, const BytesIo *b)
{
    if (load_acquire(&b->exports) == 0) /* pairs with view_release_buffer() */
        return true;
    raise_error(th, &exc_BufferError, "Existing exports of data: object cannot be re-sized");
    return false;
}

/* Makes the memory our own, with room for `need` bytes. */
static bool
own_room(Thread *th, BytesIo *b, int64_t need)
{
    Value shared = field_peek(&b->shared);
    if (shared == NULL && need <= b->room)
        return true;
    int64_t room = need < b->size ? b->size : need;
    if (room > b->size) { /* growing: an eighth more, and a little for small ones */
        if (room > INT64_MAX / 2) {
            raise_overflow(th, "new buffer size too large");
            return false;
        }
        room += (room >> 3) + (room < 9 ? 3 : 6);
        if (shared == NULL && room < b->room + (b->room >> 1))
            room = b->room + (b->room >> 1);
    }
    if (room == 0)
        room = 1;
    if (shared == NULL) {
        uint8_t *grown = buffer_resize(th, b->own, (size_t)room);
        if (grown == NULL)
            return false;
        b->own = grown;
        b->room = room;
        return true;
    }
    uint8_t *copy = buffer_new(th, (size_t)room);
    if (copy == NULL)
        return false;
    memcpy(copy, as_bytes(shared)->data, (size_t)b->size);
    buffer_free(b->own);
    b->own = copy;
    b->room = room;
    field_replace(th, &b->head, &b->shared, NULL);
    return true;
}

static bool
write_at(Thread *th, BytesIo *b, const uint8_t *p, int64_t n)
{
    if (n == 0)
        return true;
    if (b->pos > INT64_MAX - n) {
        raise_overflow(th, "new position too large");
        return false;
    }
    int64_t end = b->pos + n;
    /* A view of the memory that is written out of itself stays where it is. */
    if ((end > b->room || field_peek(&b->shared) != NULL) && !own_room(th, b, end))
        return false;
    if (b->pos > b->size)
        memset(b->own + b->size, 0, (size_t)(b->pos - b->size));
    memmove(b->own + b->pos, p, (size_t)n);
    b->pos = end;
    if (end > b->size)
        b->size = end;
    return true;
}

/* -- writing ------------------------------------------------------------------------------ */

static int64_t
write_value(Thread *th, BytesIo *b, Value data)
{
    Buffer from;
    const uint8_t *p;
    int64_t n;
    bool plain = is_exact(data, SHAPE_BYTES), held;
    if (load_relaxed(&b->closed)) {
        raise_value_error(th, "I/O operation on closed file.");
        return -1;
    }
    if (plain) {
        p = as_bytes(data)->data;
        n = as_bytes(data)->length;
    } else {
        if (!buffer_lend(th, data, &from, BUFFER_ANY_CONTIGUOUS))
            return -1;
        p = from.data;
        n = from.length;
    }
    bool ok = enter(th, b, &held);
    if (ok) {
        ok = refuse_exported(th, b) && write_at(th, b, p, n);
        unlock(b, held);
    }
    if (!plain)
        buffer_release(th, &from);
    return ok ? n : -1;
}

static Value
bytesio_write(Thread *th, Value self, Value data)
{
    int64_t n = write_value(th, as_bytesio(self), data);
    return n < 0 ? NULL : value_from_fixnum(n);
}

static Value
bytesio_writelines(Thread *th, Value self, Value lines)
{
    BytesIo *b = as_bytesio(self);
    if (load_relaxed(&b->closed))
        return raise_value_error(th, "I/O operation on closed file.");
    Value it = get_iter(th, lines);
    if (it == NULL)
        return NULL;
    Value line;
    while ((line = iter_next(th, it)) != NULL) {
        int64_t n = write_value(th, b, line);
        drop(th, line);
        if (n < 0)
            break;
    }
    drop(th, it);
    return error_set(th) ? NULL : NONE;
}

static Value
bytesio_truncate(Thread *th, Value self, const Arg *args, size_t nargs)
{
    BytesIo *b = as_bytesio(self);
    int64_t size = -1;
    bool held, here = nargs == 0 || arg(args, 0) == NONE;
    if (!here && !io_size_arg(th, arg(args, 0), &size))
        return NULL;
    if (!enter(th, b, &held))
        return NULL;
    bool ok = refuse_exported(th, b);
    if (here)
        size = b->pos;
    if (ok && size < 0) {
        raise_value_error(th, "negative size value %lld", (long long)size);
        ok = false;
    }
    if (ok && size < b->size) {
        ok = own_room(th, b, size);
        if (ok) {
            b->size = size;
            if (size < b->room / 2) { /* shrinking cannot fail */
                uint8_t *less = mem_resize(b->own, size > 0 ? (size_t)size : 1);
                if (less != NULL) {
                    b->own = less;
                    b->room = size > 0 ? size : 1;
                }
            }
        }
    }
    unlock(b, held);
    return ok ? int_from_i64(th, size) : NULL;
}

/* -- reading ------------------------------------------------------------------------------ */

/* n bytes from the position on; the lock is held. */
static Value
take(Thread *th, BytesIo *b, int64_t n)
{
    Value shared = field_peek(&b->shared), r;
    if (n > 1 && shared != NULL && b->pos == 0 && n == as_bytes(shared)->length)
        r = retain(th, shared); /* all of it: no copy */
    else
        r = bytes_from(th, n > 0 ? data_of(b) + b->pos : NULL, (size_t)n);
    if (r != NULL)
        b->pos += n;
    return r;
}

static Value
bytesio_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    BytesIo *b = as_bytesio(self);
    int64_t n = -1;
    bool held;
    if ((nargs > 0 && !io_size_arg(th, arg(args, 0), &n)) || !enter(th, b, &held))
        return NULL;
    int64_t left = bytes_left(b);
    Value r = take(th, b, n < 0 || n > left ? left : n);
    unlock(b, held);
    return r;
}

static int64_t
line_length(const BytesIo *b, int64_t limit)
{
    int64_t n = bytes_left(b);
    if (limit >= 0 && n > limit)
        n = limit;
    if (n == 0)
        return 0;
    const uint8_t *p = data_of(b) + b->pos, *end = memchr(p, '\n', (size_t)n);
    return end ? end + 1 - p : n;
}

static Value
bytesio_readline(Thread *th, Value self, const Arg *args, size_t nargs)
{
    BytesIo *b = as_bytesio(self);
    int64_t limit = -1;
    bool held;
    if ((nargs > 0 && !io_size_arg(th, arg(args, 0), &limit)) || !enter(th, b, &held))
        return NULL;
    Value r = take(th, b, line_length(b, limit));
    unlock(b, held);
    return r;
}

static Value
bytesio_next(Thread *th, Value self)
{
    BytesIo *b = as_bytesio(self);
    bool held;
    if (!enter(th, b, &held))
        return NULL;
    int64_t n = line_length(b, -1);
    Value r = n > 0 ? take(th, b, n) : NULL;
    unlock(b, held);
    return r;
}

static Value
bytesio_readlines(Thread *th, Value self, const Arg *args, size_t nargs)
{
    BytesIo *b = as_bytesio(self);
    int64_t most = 0, total = 0;
    bool held;
    if (nargs > 0 && arg(args, 0) != NONE) {
        Value v = arg(args, 0);
        if (!is_int(v))
            return raise_type_error(th, "integer argument expected, got '%T'", v);
        if (!to_ssize(th, v, &most, &exc_OverflowError))
            return NULL;
    }
    Value list = list_new(th, 0);
    if (list == NULL)
        return NULL;
    for (;;) {
        if (!enter(th, b, &held))
            goto fail;
        int64_t n = line_length(b, -1);
        Value line = n > 0 ? take(th, b, n) : NULL;
        unlock(b, held);
        if (n == 0)
            return list;
        if (line == NULL || !list_append_steal(th, list, line))
            goto fail;
        total += n;
        if (most > 0 && total >= most)
            return list;
    }
fail:
    drop(th, list);
    return NULL;
}

static Value
bytesio_readinto(Thread *th, Value self, Value target)
{
    BytesIo *b = as_bytesio(self);
    Buffer to;
    bool held;
    if (!io_writable_buffer(th, "readinto", target, &to))
        return NULL;
    Value r = NULL;
    if (enter(th, b, &held)) {
        int64_t left = bytes_left(b), n = to.length < left ? to.length : left;
        if (n > 0)
            memory_move_raced(to.data, data_of(b) + b->pos, (size_t)n);
        b->pos += n;
        r = value_from_fixnum(n);
        unlock(b, held);
    }
    buffer_release(th, &to);
    return r;
}

static Value
bytesio_getvalue(Thread *th, Value self)
{
    BytesIo *b = as_bytesio(self);
    bool held;
    if (!enter(th, b, &held))
        return NULL;
    Value shared = field_peek(&b->shared);
    Value r = shared ? retain(th, shared) : bytes_from(th, b->own, (size_t)b->size);
    unlock(b, held);
    return r;
}

/* -- position ----------------------------------------------------------------------------- */

static Value
bytesio_seek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    BytesIo *b = as_bytesio(self);
    int64_t offset, base = 0;
    int whence = 0;
    bool held;
    if (!arg_ssize(th, arg(args, 0), &offset) || (nargs > 1 && !arg_int(th, arg(args, 1), &whence)))
        return NULL;
    if (!enter(th, b, &held))
        return NULL;
    Value r = NULL;
    if (offset < 0 && whence == 0) {
        raise_value_error(th, "negative seek value %lld", (long long)offset);
    } else if (whence < 0 || whence > 2) {
        raise_value_error(th, "invalid whence (%i, should be 0, 1 or 2)", whence);
    } else {
        base = whence == 0 ? 0 : whence == 1 ? b->pos : b->size;
        if (offset > INT64_MAX - base) {
            raise_overflow(th, "new position too large");
        } else {
            b->pos = base + offset < 0 ? 0 : base + offset;
            r = int_from_i64(th, b->pos);
        }
    }
    unlock(b, held);
    return r;
}

static Value
bytesio_tell(Thread *th, Value self)
{
    BytesIo *b = as_bytesio(self);
    bool held;
    if (!enter(th, b, &held))
        return NULL;
    int64_t pos = b->pos;
    unlock(b, held);
    return int_from_i64(th, pos);
}

/* -- asking ------------------------------------------------------------------------------- */

static Value
bytesio_true(Thread *th, Value self)
{
    return load_relaxed(&as_bytesio(self)->closed)
               ? raise_value_error(th, "I/O operation on closed file.")
               : TRUE;
}

static Value
bytesio_isatty(Thread *th, Value self)
{
    return bytesio_true(th, self) ? FALSE : NULL;
}

static Value
bytesio_flush(Thread *th, Value self)
{
    return bytesio_true(th, self) ? NONE : NULL;
}

static Value
bytesio_get_closed(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    return bool_from(load_relaxed(&as_bytesio(self)->closed));
}

static Value
bytesio_iter(Thread *th, Value self)
{
    return retain(th, self);
}

static Value
bytesio_sizeof(Thread *th, Value self)
{
    BytesIo *b = as_bytesio(self);
    bool held = lock(th, b);
    size_t n = type_of(self)->basic_size + (size_t)(field_peek(&b->shared) ? 0 : b->room);
    unlock(b, held);
    return int_from_size(th, n);
}

/* -- closing, setting up ------------------------------------------------------------------ */

static Value
bytesio_close(Thread *th, Value self)
{
    BytesIo *b = as_bytesio(self);
    bool held = lock(th, b);
    bool ok = refuse_exported(th, b);
    if (ok) {
        store_relaxed(&b->closed, 1);
        buffer_free(b->own);
        b->own = NULL;
        b->room = b->size = 0;
        field_replace(th, &b->head, &b->shared, NULL);
    }
    unlock(b, held);
    return ok ? NONE : NULL;
}

/* Makes `initial` (bytes-like, or None) the contents. */
static bool
set_contents(Thread *th, Value self, Value initial)
{
    BytesIo *b = as_bytesio(self);
    Value bytes = NULL;
    if (initial != NULL && initial != NONE) {
        if (is_exact(initial, SHAPE_BYTES)) {
            bytes = retain(th, initial);
        } else {
            Buffer from;
            if (!buffer_lend(th, initial, &from, BUFFER_ANY_CONTIGUOUS))
                return false;
            bytes = bytes_from(th, from.data, (size_t)from.length);
            buffer_release(th, &from);
            if (bytes == NULL)
                return false;
        }
    }
    bool held = lock(th, b);
    bool ok = refuse_exported(th, b);
    Value old = NULL;
    if (ok) {
        b->pos = 0;
        b->size = bytes ? as_bytes(bytes)->length : 0;
        old = field_exchange(th, &b->head, &b->shared, bytes);
        bytes = NULL;
    }
    unlock(b, held);
    drop_null(th, old);
    drop_null(th, bytes);
    return ok;
}

static bool
bytesio_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "BytesIO", .names = {"initial_bytes"}, .positional = 1};
    Value v[1];
    return args_bind(th, &params, args, nargs, kwnames, v) && set_contents(th, self, v[0]);
}

static Value
bytesio_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

static Value
bytesio_getstate(Thread *th, Value self)
{
    BytesIo *b = as_bytesio(self);
    Value contents = bytesio_getvalue(th, self), dict = NULL, r = NULL;
    if (contents == NULL)
        return NULL;
    bool held = lock(th, b);
    Value pos = int_from_i64(th, b->pos);
    unlock(b, held);
    Value own = instance_dict(th, self);
    if (own != NULL && pos != NULL) {
        dict = dict_length(own) > 0 ? dict_copy(th, own) : NONE;
        if (dict != NULL)
            r = tuple_pack(th, 3, contents, pos, dict);
    }
    drop_null(th, own);
    drop_null(th, dict);
    drop_null(th, pos);
    drop(th, contents);
    return r;
}

static Value
bytesio_setstate(Thread *th, Value self, Value state)
{
    BytesIo *b = as_bytesio(self);
    if (!is_tuple(state) || tuple_length(state) < 3)
        return raise_type_error(th, "%T.__setstate__ argument should be 3-tuple, got %T", self,
                                state);
    Value position = tuple_item(state, 1), dict = tuple_item(state, 2);
    if (!set_contents(th, self, NULL))
        return NULL;
    Value written = bytesio_write(th, self, tuple_item(state, 0));
    if (written == NULL)
        return NULL;
    drop(th, written);
    int64_t pos;
    if (!is_int(position))
        return raise_type_error(th, "second item of state must be an integer, not %T", position);
    if (!to_ssize(th, position, &pos, &exc_OverflowError))
        return NULL;
    if (pos < 0)
        return raise_value_error(th, "position value cannot be negative");
    bool held = lock(th, b);
    b->pos = pos;
    unlock(b, held);
    if (dict == NONE)
        return NONE;
    if (!is_dict(dict))
        return raise_type_error(th, "third item of state should be a dict, got a %T", dict);
    Value own = instance_dict(th, self);
    bool ok = own != NULL && dict_update(th, own, dict);
    drop_null(th, own);
    return ok ? NONE : NULL;
}

/* -- views of the memory ------------------------------------------------------------------ */

typedef struct BytesView {
    struct Object head;
    Value source; /* [const] the BytesIO */
} BytesView;

static inline BytesIo *
source_of(Value view)
{
    return as_bytesio(((BytesView *)(void *)value_object(view))->source);
}

static bool
view_get_buffer(Thread *th, Value self, Buffer *out, int flags)
{
    BytesIo *b = source_of(self);
    bool held = lock(th, b);
    bool ok = own_room(th, b, b->size) &&
              buffer_fill(th, out, self, b->own, b->size, false, flags);
    if (ok)
        fetch_add_relaxed(&b->exports, 1);
    unlock(b, held);
    return ok;
}

static void
view_release_buffer(Thread *th, Value self, Buffer *buffer)
{
    (void)buffer;
    (void)th;
    /* Takes no lock: views die in the middle of anything. */
    fetch_sub_acq_rel(&source_of(self)->exports, 1); /* release: pairs with refuse_exported() */
}

static Value
bytesio_getbuffer(Thread *th, Value self)
{
    if (bytesio_true(th, self) == NULL)
        return NULL;
    Value view = type_alloc(th, &io_bytes_view_type, 0);
    if (view == NULL)
        return NULL;
    ((BytesView *)(void *)value_object(view))->source = retain(th, self);
    Value r = memoryview_from(th, view);
    drop(th, view);
    return r;
}

HOLDS_VALUES(view, BytesView, source);

Type io_bytes_view_type;
const TypeSpec io_bytes_view_spec = {
    .name = "_io._BytesIOBuffer",
    .size = sizeof(BytesView),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .slots = {.get_buffer = view_get_buffer, .release_buffer = view_release_buffer},
    .visit = view_visit,
    .dealloc = view_dealloc,
};

/* -- the type ----------------------------------------------------------------------------- */

static void
bytesio_visit(Object *o, VisitFn visit, void *arg)
{
    field_visit(&((BytesIo *)(void *)o)->shared, visit, arg);
}

static void
bytesio_dealloc(Thread *th, Object *o)
{
    BytesIo *b = (BytesIo *)(void *)o;
    buffer_free(b->own);
    field_drop(th, &b->shared);
}

static const MethodDef bytesio_methods[] = {
    NATIVE_0("readable", bytesio_true, "readable($self, /)\n--\n\nTrue while it is open."),
    NATIVE_0("seekable", bytesio_true, "seekable($self, /)\n--\n\nTrue while it is open."),
    NATIVE_0("writable", bytesio_true, "writable($self, /)\n--\n\nTrue while it is open."),
    NATIVE_0("close", bytesio_close, "close($self, /)\n--\n\nFrees the memory."),
    NATIVE_0("flush", bytesio_flush, "flush($self, /)\n--\n\nDoes nothing."),
    NATIVE_0("isatty", bytesio_isatty, "isatty($self, /)\n--\n\nFalse."),
    NATIVE_0("tell", bytesio_tell, "tell($self, /)\n--\n\nThe position in the contents."),
    NATIVE_1("write", bytesio_write, "write($self, b, /)\n--\n\nWrites bytes; returns how many."),
    NATIVE_1("writelines", bytesio_writelines,
             "writelines($self, lines, /)\n--\n\nWrites each item; adds no line ends."),
    NATIVE_N("read1", bytesio_read, 0, 1, "read1($self, size=-1, /)\n--\n\nThe same as read()."),
    NATIVE_1("readinto", bytesio_readinto,
             "readinto($self, buffer, /)\n--\n\nReads into a writable buffer."),
    NATIVE_N("readline", bytesio_readline, 0, 1,
             "readline($self, size=-1, /)\n--\n\nA line, at most `size` bytes of it."),
    NATIVE_N("readlines", bytesio_readlines, 0, 1,
             "readlines($self, size=None, /)\n--\n\n"
             "A list of lines, no further ones once they have `size` bytes."),
    NATIVE_N("read", bytesio_read, 0, 1,
             "read($self, size=-1, /)\n--\n\nUp to `size` bytes; all if it is negative."),
    NATIVE_0("getbuffer", bytesio_getbuffer,
             "getbuffer($self, /)\n--\n\nA view of the contents that can be written to."),
    NATIVE_0("getvalue", bytesio_getvalue, "getvalue($self, /)\n--\n\nAll of the contents."),
    NATIVE_N("seek", bytesio_seek, 1, 2,
             "seek($self, pos, whence=0, /)\n--\n\nMoves to a position; returns the new one."),
    NATIVE_N("truncate", bytesio_truncate, 0, 1,
             "truncate($self, size=None, /)\n--\n\n"
             "Makes the contents at most `size` bytes long, by default up to the position."),
    NATIVE_0("__getstate__", bytesio_getstate, NULL),
    NATIVE_1("__setstate__", bytesio_setstate, NULL),
    NATIVE_0("__sizeof__", bytesio_sizeof, NULL),
    NATIVE_END,
};

static const GetterDef bytesio_getters[] = {
    {.name = "closed", .get = bytesio_get_closed, .doc = "whether the stream is closed"},
    {.name = NULL},
};

Type io_bytesio_type;
const TypeSpec io_bytesio_spec = {
    .name = "_io.BytesIO",
    .base = &io_buffered_base_type,
    .size = sizeof(BytesIo),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "BytesIO(initial_bytes=b'')\n--\n\nA buffered stream of bytes in memory.",
    .methods = bytesio_methods,
    .getters = bytesio_getters,
    .slots = {.iter = bytesio_iter, .next = bytesio_next, .init = bytesio_init,
              .new = bytesio_new},
    .visit = bytesio_visit,
    .dealloc = bytesio_dealloc,
};
