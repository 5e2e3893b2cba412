/* io_base.c -- _IOBase, _RawIOBase, _BufferedIOBase, _TextIOBase, and what all streams share.
 *
 * The bases have no state of their own in C: "closed" is the instance attribute
 * __IOBase_closed, as Python classes that derive from them expect.  Whatever a method needs of
 * the stream it asks by calling the stream's methods.
 *
 * The finalizer of all streams is here: it closes what is still open.
 */
#include "modules/io.h"

#include "core/run/run.h"
#include "modules/fork_mutex.h"
#include "objects/model/shape.h"
#include "objects/protocol/slot.h"
#include "threads/safepoint.h"

#include <string.h>

IoNames io_names;
__typeof__(io_fork_generation) io_fork_generation;
__typeof__(io_fork_survivor) io_fork_survivor;

/* -- locks -------------------------------------------------------------------------------- */

/* Gives up waiting for who holds the lock when the interpreter ends. */
#define SHUTDOWN_WAIT ((int64_t)1000000000)

/* A leaf: one first use at a time. */
static ByteLock renew_lock;

/* From the fork until here nobody in this process has taken the lock, and only the thread that forked can
 * have held it already (it calls a raw stream written in Python, which forks).  Taking the lock and
 * noting the owner is no safepoint, nor is the opposite: what the fork found locked had an owner. */
void
io_lock_renew(IoLock *l)
{
    byte_lock(&renew_lock);
    uint32_t now = load_relaxed(&io_fork_generation), owner = load_relaxed(&l->owner);
    if (load_relaxed(&l->generation) != now) {
        if (owner != 0 && owner != load_relaxed(&io_fork_survivor)) {
            store_relaxed(&l->owner, 0);
            mutex_reset(&l->mutex); /* the holder is in the process that this one was forked from */
        }
        store_release(&l->generation, now); /* pairs with io_lock() [fork_mutex] */
    }
    byte_unlock(&renew_lock);
}

void
io_lock_slow(Thread *th, IoLock *l)
{
    if (load_relaxed(&th->interp->finalizing)) {
        /* A daemon thread that sleeps for ever may hold it: then it is taken from it. */
        if (mutex_lock_timed(th, &l->mutex, SHUTDOWN_WAIT, false) == LOCK_TAKEN)
            return;
        mutex_reset(&l->mutex);
    }
    mutex_lock(th, &l->mutex);
}

void
fork_mutex_renew(ForkMutex *m)
{
    byte_lock(&renew_lock);
    uint32_t now = load_relaxed(&io_fork_generation);
    if (load_relaxed(&m->generation) != now) {
        if (mutex_is_locked(&m->mutex)) { /* nobody in this process has come so far */
            store_relaxed(&m->torn, 1);
            mutex_reset(&m->mutex);
        }
        store_release(&m->generation, now); /* pairs with fork_mutex_lock() [fork_mutex] */
    }
    byte_unlock(&renew_lock);
}

/* -- errors and arguments ----------------------------------------------------------------- */

void *
io_unsupported(Thread *th, const char *message)
{
    return raise_error(th, io_state(th)->unsupported, "%s", message);
}

bool
io_interrupted(Thread *th)
{
    if (!error_matches(th, &exc_InterruptedError))
        return false;
    Value exc = error_take(th);
    if (!safepoint_poll(th)) {
        drop(th, exc);
        return false;
    }
    drop(th, exc);
    return true;
}

bool
io_size_arg(Thread *th, Value v, int64_t *out)
{
    if (v == NULL || v == NONE)
        return true;
    if (LIKELY(value_is_fixnum(v))) {
        *out = value_fixnum(v);
        return true;
    }
    if (SLOT(type_of(v), index) == NULL) {
        raise_type_error(th, "argument should be integer or None, not '%T'", v);
        return false;
    }
    return to_ssize(th, v, out, &exc_OverflowError);
}

bool
io_offset(Thread *th, Value v, int64_t *out, Type *overflow)
{
    if (LIKELY(value_is_fixnum(v))) {
        *out = value_fixnum(v);
        return true;
    }
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    bool fits = int_fits_i64(n, out);
    drop(th, n);
    if (!fits)
        raise_error(th, overflow, "cannot fit '%T' into an offset-sized integer", v);
    return fits;
}

bool
io_call(Thread *th, Value stream, Value name)
{
    Value r = call_method_0(th, stream, name);
    if (r == NULL)
        return false;
    drop(th, r);
    return true;
}

void
io_chain(Thread *th, Value STEALS exc)
{
    if (exc == NULL)
        return;
    if (th->error == NULL) {
        error_restore(th, exc);
        return;
    }
    error_set_context(th, th->error, exc);
    drop(th, exc);
}

bool
io_writable_buffer(Thread *th, const char *fname, Value v, Buffer *out)
{
    if (buffer_get(th, v, out, BUFFER_WRITABLE))
        return true;
    if (error_matches(th, &exc_TypeError) || error_matches(th, &exc_BufferError)) {
        error_clear(th);
        raise_type_error(th, "%s() argument must be read-write bytes-like object, not %B", fname,
                         v);
    }
    return false;
}

bool
io_has_own(Thread *th, Value v, Value name)
{
    const Shape *s = shape_at(shape_of(v));
    if (!s->dict_mode)
        return shape_find(s, name) >= 0;
    AttrPart *part = attr_part(value_object(v), s->type);
    if (load_acquire(&part->extra) == 0) /* pairs with the stores in instance.c */
        return false;
    Value found = instance_get(th, v, name);
    drop_null(th, found);
    if (UNLIKELY(error_set(th))) { /* an odd key's __eq__: get_attr() meets it again */
        error_clear(th);
        return true;
    }
    return found != NULL;
}

/* -- the state of any stream -------------------------------------------------------------- */

Answer
io_closed(Thread *th, Value stream)
{
    if (io_is_exact_file(stream))
        return io_file_closed(stream) ? YES : NO;
    if (io_is_exact_buffered(stream))
        return io_buffered_closed(th, stream);
    Value v = get_attr(th, stream, NAME(closed));
    if (v == NULL)
        return FAILED;
    Answer a = is_true(th, v);
    drop(th, v);
    return a;
}

bool
io_check_closed(Thread *th, Value stream)
{
    Answer a = io_closed(th, stream);
    if (a == YES)
        raise_value_error(th, "I/O operation on closed file.");
    return a == NO;
}

static bool
check_able(Thread *th, Value stream, Value name, const char *message)
{
    Value r = call_method_0(th, stream, name);
    if (r == NULL)
        return false;
    drop(th, r);
    if (r != TRUE)
        io_unsupported(th, message);
    return r == TRUE;
}

bool
io_check_readable(Thread *th, Value stream)
{
    return check_able(th, stream, NAME(readable), "File or stream is not readable.");
}

bool
io_check_writable(Thread *th, Value stream)
{
    return check_able(th, stream, NAME(writable), "File or stream is not writable.");
}

bool
io_check_seekable(Thread *th, Value stream)
{
    return check_able(th, stream, NAME(seekable), "File or stream is not seekable.");
}

/* -- _IOBase ------------------------------------------------------------------------------ */

/* Whether IOBase.close() was called. */
static Answer
base_is_closed(Thread *th, Value self)
{
    Value v;
    Answer a = get_attr_optional(th, self, io_names.__IOBase_closed, &v);
    if (a == YES)
        drop(th, v);
    return a;
}

static Value
base_get_closed(Thread *th, Value self, void *closure)
{
    (void)closure;
    Answer a = base_is_closed(th, self);
    return a == FAILED ? NULL : bool_from(a == YES);
}

static Value
base_flush(Thread *th, Value self)
{
    Answer a = base_is_closed(th, self);
    if (a == YES)
        return raise_value_error(th, "I/O operation on closed file.");
    return a == FAILED ? NULL : NONE;
}

bool
io_base_close(Thread *th, Value self)
{
    Answer a = base_is_closed(th, self);
    if (a != NO)
        return a == YES;
    bool ok = io_call(th, self, NAME(flush));
    Value exc = ok ? NULL : error_take(th);
    if (!set_attr(th, self, io_names.__IOBase_closed, TRUE))
        ok = false;
    io_chain(th, exc);
    return ok;
}

static Value
base_close(Thread *th, Value self)
{
    return io_base_close(th, self) ? NONE : NULL;
}

/* Closes a stream that dies; what goes wrong is shown in development mode only. */
static void
base_finalize(Thread *th, Object *o)
{
    Value self = value_of(o), error = error_take(th), v;
    Answer closed = get_attr_optional(th, self, NAME(closed), &v);
    if (closed == YES) {
        closed = is_true(th, v);
        drop(th, v);
    } else {
        closed = FAILED;
    }
    error_clear(th);
    if (closed == NO) {
        if (!set_attr(th, self, io_names._finalizing, TRUE))
            error_clear(th);
        if (!io_call(th, self, NAME(close))) {
            if (interp_state(th)->settings.dev_mode)
                error_unraisable(th, NULL, self);
            else
                error_clear(th);
        }
    }
    error_restore(th, error);
}

bool
io_never_finalize(Object *o)
{
    (void)o;
    return false;
}

static Value
base_seek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)args;
    (void)nargs;
    return io_unsupported(th, "seek");
}

static Value
base_tell(Thread *th, Value self)
{
    return call_method_2(th, self, NAME(seek), value_from_fixnum(0), value_from_fixnum(1));
}

static Value
base_truncate(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)args;
    (void)nargs;
    return io_unsupported(th, "truncate");
}

static Value
base_false(Thread *th, Value self)
{
    (void)th;
    (void)self;
    return FALSE;
}

static Value
base_fileno(Thread *th, Value self)
{
    (void)self;
    return io_unsupported(th, "fileno");
}

static Value
base_isatty(Thread *th, Value self)
{
    return io_check_closed(th, self) ? FALSE : NULL;
}

static Value
base_check_closed(Thread *th, Value self)
{
    return io_check_closed(th, self) ? NONE : NULL;
}

static Value
base_check_seekable(Thread *th, Value self)
{
    return io_check_seekable(th, self) ? TRUE : NULL;
}

static Value
base_check_readable(Thread *th, Value self)
{
    return io_check_readable(th, self) ? TRUE : NULL;
}

static Value
base_check_writable(Thread *th, Value self)
{
    return io_check_writable(th, self) ? TRUE : NULL;
}

static Value
base_enter(Thread *th, Value self)
{
    return io_check_closed(th, self) ? retain(th, self) : NULL;
}

static Value
base_exit(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)args;
    (void)nargs;
    return call_method_0(th, self, NAME(close));
}

static Value
base_iter(Thread *th, Value self)
{
    return io_check_closed(th, self) ? retain(th, self) : NULL;
}

/* How many bytes readline() may read at once: up to the end of the line, as far as peek()
 * shows it.  -1: exception. */
static int64_t
peek_line(Thread *th, Value self, Value peek, int64_t limit)
{
    Value ahead;
    do {
        ahead = call_1(th, peek, value_from_fixnum(1));
    } while (ahead == NULL && io_interrupted(th));
    if (ahead == NULL)
        return -1;
    if (!is_bytes(ahead)) {
        raise_error(th, &exc_OSError, "peek() should have returned a bytes object, not '%T'",
                    ahead);
        drop(th, ahead);
        return -1;
    }
    (void)self;
    int64_t n = as_bytes(ahead)->length;
    if (limit >= 0 && n > limit)
        n = limit;
    if (n > 0) {
        const uint8_t *p = as_bytes(ahead)->data, *end = memchr(p, '\n', (size_t)n);
        if (end != NULL)
            n = end + 1 - p;
    } else {
        n = 1;
    }
    drop(th, ahead);
    return n;
}

static Value
base_readline(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t limit = -1;
    if (nargs > 0 && !io_size_arg(th, arg(args, 0), &limit))
        return NULL;
    Value peek;
    if (get_attr_optional(th, self, NAME(peek), &peek) == FAILED)
        return NULL;
    size_t used = 0, room = 0;
    uint8_t *line = NULL;
    Value result = NULL;
    while (limit < 0 || (int64_t)used < limit) {
        int64_t n = 1;
        if (peek != NULL && (n = peek_line(th, self, peek, limit < 0 ? -1 : limit - (int64_t)used)) < 0)
            goto end;
        Value data = call_method_1(th, self, NAME(read), value_from_fixnum(n));
        if (data == NULL) {
            if (io_interrupted(th))
                continue;
            goto end;
        }
        if (!is_bytes(data)) {
            raise_error(th, &exc_OSError, "read() should have returned a bytes object, not '%T'",
                        data);
            drop(th, data);
            goto end;
        }
        size_t got = (size_t)as_bytes(data)->length;
        if (got == 0) {
            drop(th, data);
            break;
        }
        if (used + got > room) {
            size_t more = used + got < 64 ? 128 : 2 * (used + got);
            uint8_t *grown = buffer_resize(th, line, more);
            if (grown == NULL) {
                drop(th, data);
                goto end;
            }
            line = grown;
            room = more;
        }
        memcpy(line + used, as_bytes(data)->data, got);
        used += got;
        drop(th, data);
        if (line[used - 1] == '\n')
            break;
    }
    result = bytes_from(th, line, used);
end:
    buffer_free(line);
    drop_null(th, peek);
    return result;
}

static Value
base_next(Thread *th, Value self)
{
    Value line = call_method_0(th, self, NAME(readline));
    if (line == NULL)
        return NULL;
    int64_t n = is_bytes(line) ? as_bytes(line)->length
                : is_str(line) ? (int64_t)str_length(line)
                               : length_of(th, line);
    if (n <= 0) {
        drop(th, line);
        return NULL;
    }
    return line;
}

static Value
base_readlines(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t hint = -1, length = 0;
    if (nargs > 0 && !io_size_arg(th, arg(args, 0), &hint))
        return NULL;
    Value list = list_new(th, 0);
    if (list == NULL)
        return NULL;
    if (hint <= 0) {
        if (list_extend(th, list, self))
            return list;
        drop(th, list);
        return NULL;
    }
    Value it = get_iter(th, self);
    if (it == NULL)
        goto fail;
    for (;;) {
        Value line = iter_next(th, it);
        if (line == NULL) {
            if (error_set(th))
                goto fail;
            break;
        }
        int64_t n = length_of(th, line);
        if (!list_append_steal(th, list, line) || n < 0)
            goto fail;
        if (n > hint - length)
            break;
        length += n;
    }
    drop(th, it);
    return list;
fail:
    drop_null(th, it);
    drop(th, list);
    return NULL;
}

static Value
base_writelines(Thread *th, Value self, Value lines)
{
    if (!io_check_closed(th, self))
        return NULL;
    Value it = get_iter(th, lines);
    if (it == NULL)
        return NULL;
    for (;;) {
        Value line = iter_next(th, it);
        if (line == NULL)
            break;
        Value r;
        do {
            r = call_method_1(th, self, NAME(write), line);
        } while (r == NULL && io_interrupted(th));
        drop(th, line);
        if (r == NULL)
            break;
        drop(th, r);
    }
    drop(th, it);
    return error_set(th) ? NULL : NONE;
}

static Value
base_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

static const MethodDef base_methods[] = {
    NATIVE_N("seek", base_seek, 0, -1,
             "Changes the position in the stream to `offset`, relative to what `whence` says:\n"
             "0 its beginning, 1 the present position, 2 its end.  Returns the new position."),
    NATIVE_0("tell", base_tell, "tell($self, /)\n--\n\nThe position in the stream."),
    NATIVE_N("truncate", base_truncate, 0, -1,
             "Makes the file `size` bytes long, by default up to the present position.\n"
             "Returns the new size."),
    NATIVE_0("flush", base_flush, "flush($self, /)\n--\n\nWrites out what is buffered."),
    NATIVE_0("close", base_close,
             "close($self, /)\n--\n\nFlushes and closes the stream; again: does nothing."),
    NATIVE_0("seekable", base_false,
             "seekable($self, /)\n--\n\nWhether seek(), tell() and truncate() work."),
    NATIVE_0("readable", base_false, "readable($self, /)\n--\n\nWhether the stream can be read."),
    NATIVE_0("writable", base_false,
             "writable($self, /)\n--\n\nWhether the stream can be written to."),
    NATIVE_0("_checkClosed", base_check_closed, NULL),
    NATIVE_0("_checkSeekable", base_check_seekable, NULL),
    NATIVE_0("_checkReadable", base_check_readable, NULL),
    NATIVE_0("_checkWritable", base_check_writable, NULL),
    NATIVE_0("fileno", base_fileno,
             "fileno($self, /)\n--\n\nThe number of the file descriptor, if there is one."),
    NATIVE_0("isatty", base_isatty, "isatty($self, /)\n--\n\nWhether the stream is interactive."),
    NATIVE_0("__enter__", base_enter, NULL),
    NATIVE_N("__exit__", base_exit, 0, -1, NULL),
    NATIVE_N("readline", base_readline, 0, 1,
             "readline($self, size=-1, /)\n--\n\n"
             "A line of the stream, at most `size` bytes if that is given."),
    NATIVE_N("readlines", base_readlines, 0, 1,
             "readlines($self, hint=-1, /)\n--\n\n"
             "A list of lines; no further one is read when they have more than `hint` bytes."),
    NATIVE_1("writelines", base_writelines,
             "writelines($self, lines, /)\n--\n\nWrites the lines; adds no line ends."),
    NATIVE_END,
};

static const GetterDef base_getters[] = {
    {.name = "closed", .get = base_get_closed, .doc = NULL},
    {.name = NULL},
};

Type io_base_type;
const TypeSpec io_base_spec = {
    .name = "_io._IOBase",
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED,
    .doc = "The base of all streams.\n\n"
           "It stands for a stream that can be neither read nor written, nor positioned.",
    .methods = base_methods,
    .getters = base_getters,
    .slots = {.new = base_new, .iter = base_iter, .next = base_next},
    .has_dict = true,
    .finalize = base_finalize,
};

/* -- _RawIOBase --------------------------------------------------------------------------- */

static Value
raw_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t n = -1;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &n))
        return NULL;
    if (n < 0)
        return call_method_0(th, self, io_names.readall);
    Value space = call_1(th, value_of_type(&bytearray_type), value_from_fixnum(n)), result = NULL;
    if (space == NULL)
        return NULL;
    Value count = call_method_1(th, self, NAME(readinto), space);
    if (count == NULL || count == NONE) {
        drop(th, space);
        return count;
    }
    int64_t got = 0;
    bool ok = to_ssize(th, count, &got, &exc_ValueError);
    drop(th, count);
    if (ok) {
        Buffer b;
        if (buffer_lend(th, space, &b, BUFFER_SIMPLE)) {
            if (got < 0)
                got = got + b.length < 0 ? 0 : got + b.length;
            result = bytes_from(th, b.data, (size_t)(got < b.length ? got : b.length));
            buffer_release(th, &b);
        }
    }
    drop(th, space);
    return result;
}

static Value
raw_readall(Thread *th, Value self)
{
    uint8_t *all = NULL;
    size_t used = 0, room = 0;
    Value result = NULL;
    bool any = false;
    for (;;) {
        Value data = call_method_1(th, self, NAME(read), value_from_fixnum(IO_BUFFER_SIZE));
        if (data == NULL) {
            if (io_interrupted(th))
                continue;
            goto end;
        }
        if (data == NONE) {
            if (!any) {
                result = NONE;
                goto end;
            }
            break;
        }
        if (!is_bytes(data)) {
            drop(th, data);
            raise_type_error(th, "read() should return bytes");
            goto end;
        }
        size_t got = (size_t)as_bytes(data)->length;
        if (got == 0) {
            drop(th, data);
            break;
        }
        any = true;
        if (used + got > room) {
            size_t more = 2 * (used + got);
            uint8_t *grown = buffer_resize(th, all, more);
            if (grown == NULL) {
                drop(th, data);
                goto end;
            }
            all = grown;
            room = more;
        }
        memcpy(all + used, as_bytes(data)->data, got);
        used += got;
        drop(th, data);
    }
    result = bytes_from(th, all, used);
end:
    buffer_free(all);
    return result;
}

static Value
raw_not_implemented(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)args;
    (void)nargs;
    return raise_none(th, &exc_NotImplementedError);
}

static const MethodDef raw_methods[] = {
    NATIVE_N("read", raw_read, 0, 1,
             "read($self, size=-1, /)\n--\n\n"
             "Up to `size` bytes, by one call of readinto(); all if it is negative."),
    NATIVE_0("readall", raw_readall,
             "readall($self, /)\n--\n\nAll bytes up to the end, by as many calls as it takes."),
    NATIVE_N("readinto", raw_not_implemented, 0, -1, NULL),
    NATIVE_N("write", raw_not_implemented, 0, -1, NULL),
    NATIVE_END,
};

Type io_raw_base_type;
const TypeSpec io_raw_base_spec = {
    .name = "_io._RawIOBase",
    .base = &io_base_type,
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "The base of streams of bytes without a buffer.",
    .methods = raw_methods,
};

/* -- _BufferedIOBase ---------------------------------------------------------------------- */

static Value
buffered_base_detach(Thread *th, Value self)
{
    (void)self;
    return io_unsupported(th, "detach");
}

static Value
buffered_base_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)args;
    (void)nargs;
    return io_unsupported(th, "read");
}

static Value
buffered_base_read1(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)args;
    (void)nargs;
    return io_unsupported(th, "read1");
}

static Value
buffered_base_write(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)args;
    (void)nargs;
    return io_unsupported(th, "write");
}

static Value
readinto_by(Thread *th, Value self, Value target, Value method, const char *fname)
{
    Buffer b;
    if (!io_writable_buffer(th, fname, target, &b))
        return NULL;
    Value result = NULL;
    Value data = call_method_1(th, self, method, value_from_fixnum(b.length));
    if (data == NULL)
        goto end;
    if (!is_bytes(data)) {
        raise_type_error(th, "read() should return bytes");
    } else if (as_bytes(data)->length > b.length) {
        raise_value_error(th, "read() returned too much data: %lld bytes requested, %lld returned",
                          (long long)b.length, (long long)as_bytes(data)->length);
    } else {
        memory_move_raced(b.data, as_bytes(data)->data, (size_t)as_bytes(data)->length);
        result = value_from_fixnum(as_bytes(data)->length);
    }
    drop(th, data);
end:
    buffer_release(th, &b);
    return result;
}

static Value
buffered_base_readinto(Thread *th, Value self, Value target)
{
    return readinto_by(th, self, target, NAME(read), "readinto");
}

static Value
buffered_base_readinto1(Thread *th, Value self, Value target)
{
    return readinto_by(th, self, target, NAME(read1), "readinto1");
}

static const MethodDef buffered_base_methods[] = {
    NATIVE_0("detach", buffered_base_detach,
             "detach($self, /)\n--\n\n"
             "Separates the raw stream from its buffer and returns it; the buffer is then\n"
             "unusable."),
    NATIVE_N("read", buffered_base_read, 0, -1,
             "Up to `size` bytes; all if it is missing, None or negative.  b'' at the end."),
    NATIVE_N("read1", buffered_base_read1, 0, -1,
             "Up to `size` bytes, by at most one read of the raw stream."),
    NATIVE_1("readinto", buffered_base_readinto, "readinto($self, buffer, /)\n--\n\n"),
    NATIVE_1("readinto1", buffered_base_readinto1, "readinto1($self, buffer, /)\n--\n\n"),
    NATIVE_N("write", buffered_base_write, 0, -1,
             "Writes bytes; returns how many: always all of them."),
    NATIVE_END,
};

Type io_buffered_base_type;
const TypeSpec io_buffered_base_spec = {
    .name = "_io._BufferedIOBase",
    .base = &io_base_type,
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "The base of buffered streams of bytes.\n\n"
           "Unlike a raw stream's, their read() returns as many bytes as it is asked for, and\n"
           "write() takes all it is given.",
    .methods = buffered_base_methods,
};

/* -- _TextIOBase -------------------------------------------------------------------------- */

static Value
text_base_detach(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)args;
    (void)nargs;
    return buffered_base_detach(th, self);
}

static Value
text_base_readline(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)args;
    (void)nargs;
    return io_unsupported(th, "readline");
}

static Value
text_base_none(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)self;
    (void)closure;
    return NONE;
}

static const MethodDef text_base_methods[] = {
    NATIVE_N("detach", text_base_detach, 0, -1,
             "Separates the buffer from the text stream and returns it."),
    NATIVE_N("read", buffered_base_read, 0, -1,
             "At most `size` characters; all if it is negative or missing."),
    NATIVE_N("readline", text_base_readline, 0, -1,
             "A line with its end; an empty string at the end of the stream."),
    NATIVE_N("write", buffered_base_write, 0, -1,
             "Writes a string; returns the number of its characters."),
    NATIVE_END,
};

static const GetterDef text_base_getters[] = {
    {.name = "encoding", .get = text_base_none, .doc = "The encoding of the text stream."},
    {.name = "newlines", .get = text_base_none, .doc = "The kinds of line ends seen so far."},
    {.name = "errors", .get = text_base_none, .doc = "How the codec handles errors."},
    {.name = NULL},
};

Type io_text_base_type;
const TypeSpec io_text_base_spec = {
    .name = "_io._TextIOBase",
    .base = &io_base_type,
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "The base of streams of text: characters and lines instead of bytes.",
    .methods = text_base_methods,
    .getters = text_base_getters,
};
