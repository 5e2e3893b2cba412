/* io_buffered.c -- BufferedReader, BufferedWriter, BufferedRandom.
 *
 * One layout serves all three.  The buffer is either clean, and buffer[pos..end) was read
 * ahead, or dirty, and buffer[pos..end) is still to be written; it is empty before it changes
 * from one to the other.  So the position in the stream is the raw stream's minus, or plus,
 * end - pos.
 *
 * Each operation holds the stream's IoLock, also while it calls the raw stream; who calls back
 * into the stream then gets a RuntimeError.  While the process has one thread, an operation
 * that needs nothing but the buffer's contents does not take the lock.  Memory that raw streams
 * written in Python see is never the buffer itself but a copy: they may keep what they are given.
 */
#include "modules/io.h"

#include "threads/safepoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* SEEK_SET, SEEK_CUR, SEEK_END, and Linux's SEEK_DATA and SEEK_HOLE. */
#define WHENCE_MAX 4

static inline int64_t
waiting(const Buffered *b)
{
    return load_relaxed(&b->end) - load_relaxed(&b->pos);
}

/* How much has been read ahead. */
static inline int64_t
read_ahead(const Buffered *b)
{
    return load_relaxed(&b->dirty) ? 0 : waiting(b);
}

static inline void
forget(Buffered *b)
{
    store_relaxed(&b->pos, 0);
    store_relaxed(&b->end, 0);
    store_relaxed(&b->dirty, false);
}

static inline uint8_t *
buffer_of(const Buffered *b)
{
    return load_relaxed(&b->buffer);
}

/* -- state and locking -------------------------------------------------------------------- */

static COLD bool
raise_unusable(Thread *th, Buffered *b)
{
    raise_value_error(th, load_relaxed(&b->detached) ? "raw stream has been detached"
                                                     : "I/O operation on uninitialized object");
    return false;
}

static inline bool
usable(Thread *th, Buffered *b)
{
    return LIKELY(load_relaxed(&b->ok)) || raise_unusable(th, b);
}

static bool
enter(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (UNLIKELY(io_lock_is_mine(th, &b->lock))) {
        raise_error(th, &exc_RuntimeError, "reentrant call inside %R", self);
        return false;
    }
    io_lock(th, &b->lock);
    if (UNLIKELY(!load_relaxed(&b->ok))) {
        io_unlock(&b->lock);
        return raise_unusable(th, b);
    }
    return true;
}

static inline void
leave(Buffered *b)
{
    io_unlock(&b->lock);
}

/* Whether the buffer may be used without the lock: until the next safepoint. */
static inline bool
alone(Buffered *b)
{
    return load_relaxed(&threads_started) == 0 && load_relaxed(&b->lock.owner) == 0;
}

/* A new reference to the raw stream; the lock is held. */
static inline Value
raw_of(Thread *th, Buffered *b)
{
    return field_read(th, &b->head, &b->raw);
}

Answer
io_buffered_closed(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b))
        return FAILED;
    object_touch(th, &b->head);
    Value raw = field_peek(&b->raw); /* not used behind a safepoint */
    if (LIKELY(raw != NULL && io_is_exact_file(raw)))
        return io_file_closed(raw) ? YES : NO;
    raw = raw_of(th, b);
    if (raw == NULL) {
        raise_unusable(th, b);
        return FAILED;
    }
    Answer a = io_closed(th, raw);
    drop(th, raw);
    return a;
}

/* ValueError(message) if it is closed; what was read ahead may be read all the same. */
static bool
check_open(Thread *th, Value self, const char *message)
{
    Buffered *b = as_buffered(self);
    Answer closed = io_buffered_closed(th, self);
    if (closed == NO && UNLIKELY(buffer_of(b) == NULL))
        closed = YES;
    if (LIKELY(closed == NO))
        return true;
    if (closed == YES) {
        if (read_ahead(b) != 0 && buffer_of(b) != NULL)
            return true;
        raise_value_error(th, "%s", message);
    }
    return false;
}

static COLD void *
raise_would_block(Thread *th, int64_t written)
{
    Value text = str_from_c(th, "write could not complete without blocking");
    if (text == NULL)
        return NULL;
    Value args[3] = {value_from_fixnum(EAGAIN), text, value_from_fixnum(written)};
    Value exc = call(th, value_of_type(&exc_BlockingIOError), args_of(args), 3, NULL);
    drop(th, text);
    return exc ? raise_instance(th, exc) : NULL;
}

/* -- the raw stream ----------------------------------------------------------------------- */

/* A count that the raw stream returned for `limit` bytes. */
static int64_t
raw_count(Thread *th, Value STEALS result, int64_t limit, const char *method)
{
    if (result == NONE)
        return IO_WOULD_BLOCK;
    int64_t n = -1;
    bool ok = to_ssize(th, result, &n, &exc_ValueError);
    drop(th, result);
    if (!ok) {
        if (strcmp(method, "readinto") == 0)
            raise_from_current(th, &exc_OSError, "raw %s() failed", method);
        return IO_ERROR;
    }
    if (n < 0 || n > limit) {
        raise_error(th, &exc_OSError,
                    "raw %s() returned invalid length %lld (should have been between 0 and %lld)",
                    method, (long long)n, (long long)limit);
        return IO_ERROR;
    }
    return n;
}

static int64_t
raw_readinto_slow(Thread *th, Value raw, uint8_t *p, int64_t n)
{
    Value space = call_1(th, value_of_type(&bytearray_type), value_from_fixnum(n));
    Value view = space ? memoryview_from(th, space) : NULL, result = NULL;
    int64_t got = IO_ERROR;
    if (view == NULL)
        goto end;
    do {
        result = call_method_1(th, raw, NAME(readinto), view);
    } while (result == NULL && io_interrupted(th));
    if (result == NULL)
        goto end;
    got = raw_count(th, result, n, "readinto");
    if (got > 0) {
        Buffer b;
        if (!buffer_lend(th, space, &b, BUFFER_SIMPLE)) {
            got = IO_ERROR;
        } else {
            memcpy(p, b.data, (size_t)(got < b.length ? got : b.length));
            buffer_release(th, &b);
        }
    }
end:
    drop_null(th, view);
    drop_null(th, space);
    return got;
}

static int64_t
raw_read(Thread *th, Buffered *b, Value raw, uint8_t *p, int64_t n)
{
    int64_t got = io_is_exact_file(raw) && LIKELY(!io_has_own(th, raw, NAME(readinto)))
                      ? io_file_read(th, raw, p, n)
                      : raw_readinto_slow(th, raw, p, n);
    if (got > 0 && b->position >= 0)
        b->position += got;
    return got;
}

static int64_t
raw_write_slow(Thread *th, Value raw, const uint8_t *p, int64_t n)
{
    Value copy = bytes_from(th, p, (size_t)n);
    Value view = copy ? memoryview_from(th, copy) : NULL, result = NULL;
    int64_t put = IO_ERROR;
    if (view != NULL) {
        do {
            result = call_method_1(th, raw, NAME(write), view);
        } while (result == NULL && io_interrupted(th));
        if (result != NULL)
            put = raw_count(th, result, n, "write");
    }
    drop_null(th, view);
    drop_null(th, copy);
    return put;
}

static int64_t
raw_write(Thread *th, Buffered *b, Value raw, const uint8_t *p, int64_t n)
{
    int64_t put = io_is_exact_file(raw) && LIKELY(!io_has_own(th, raw, NAME(write)))
                      ? io_file_write(th, raw, p, n)
                      : raw_write_slow(th, raw, p, n);
    if (put > 0 && b->position >= 0)
        b->position += put;
    return put;
}

/* What tell() or seek() returned; -1: exception. */
static int64_t
raw_position(Thread *th, Buffered *b, Value STEALS result)
{
    int64_t at = -1;
    if (result == NULL)
        return -1;
    bool ok = io_offset(th, result, &at, &exc_ValueError);
    drop(th, result);
    if (!ok)
        return -1;
    if (at < 0) {
        raise_error(th, &exc_OSError, "Raw stream returned invalid position %lld", (long long)at);
        return -1;
    }
    return b->position = at;
}

static int64_t
raw_tell(Thread *th, Buffered *b, Value raw)
{
    if (io_is_exact_file(raw) && !io_has_own(th, raw, NAME(tell)))
        return b->position = io_file_seek(th, raw, 0, SEEK_CUR);
    return raw_position(th, b, call_method_0(th, raw, NAME(tell)));
}

static int64_t
raw_seek(Thread *th, Buffered *b, Value raw, int64_t offset, int whence)
{
    if (io_is_exact_file(raw) && !io_has_own(th, raw, NAME(seek))) {
        int64_t at = io_file_seek(th, raw, offset, whence);
        if (at >= 0)
            b->position = at;
        return at;
    }
    Value n = int_from_i64(th, offset);
    if (n == NULL)
        return -1;
    Value r = call_method_2(th, raw, NAME(seek), n, value_from_fixnum(whence));
    drop(th, n);
    return raw_position(th, b, r);
}

/* -- buffer and raw stream; the lock is held ----------------------------------------------- */

static bool
write_out(Thread *th, Buffered *b, Value raw)
{
    if (!load_relaxed(&b->dirty))
        return true;
    for (;;) {
        int64_t pos = load_relaxed(&b->pos), left = load_relaxed(&b->end) - pos;
        if (left <= 0)
            break;
        int64_t n = raw_write(th, b, raw, buffer_of(b) + pos, left);
        if (n == IO_WOULD_BLOCK)
            raise_would_block(th, 0);
        if (n < 0)
            return false;
        store_relaxed(&b->pos, pos + n);
        /* A signal may have cut the write short: its handler runs before the rest. */
        if (n < left && !safepoint_poll(th))
            return false;
    }
    forget(b);
    return true;
}

/* Puts the raw stream where the reader stands, and forgets what was read ahead. */
static bool
rewind_raw(Thread *th, Buffered *b, Value raw)
{
    int64_t ahead = read_ahead(b);
    if (load_relaxed(&b->dirty))
        return true;
    bool ok = ahead == 0 || raw_seek(th, b, raw, -ahead, SEEK_CUR) >= 0;
    forget(b);
    return ok;
}

static bool
flush_and_rewind(Thread *th, Buffered *b, Value raw)
{
    return write_out(th, b, raw) && (!load_relaxed(&b->readable) || rewind_raw(th, b, raw));
}

/* Reads some bytes into the empty, clean buffer: how many. */
static int64_t
fill(Thread *th, Buffered *b, Value raw)
{
    forget(b);
    int64_t n = raw_read(th, b, raw, buffer_of(b), b->size);
    if (n > 0)
        store_relaxed(&b->end, n);
    return n;
}

static inline void
take(Buffered *b, void *to, int64_t n)
{
    int64_t pos = load_relaxed(&b->pos);
    memory_move_raced(to, buffer_of(b) + pos, (size_t)n); /* perhaps a buffer of others */
    store_relaxed(&b->pos, pos + n);
}

/* -- reading ------------------------------------------------------------------------------ */

static Value
take_bytes(Thread *th, Buffered *b, int64_t n)
{
    int64_t pos = load_relaxed(&b->pos);
    Value bytes = bytes_from(th, buffer_of(b) + pos, (size_t)n);
    if (bytes != NULL)
        store_relaxed(&b->pos, pos + n);
    return bytes;
}

static Value
read_exactly(Thread *th, Buffered *b, Value raw, int64_t n)
{
    if (load_relaxed(&b->dirty) && !write_out(th, b, raw))
        return NULL;
    int64_t have = read_ahead(b), left = n;
    if (n <= have)
        return take_bytes(th, b, n);
    Value bytes = bytes_new(th, (size_t)n);
    if (bytes == NULL)
        return NULL;
    uint8_t *p = as_bytes(bytes)->data;
    take(b, p, have);
    left -= have;
    forget(b);
    while (left > 0) {
        /* Whole buffers are read in place. */
        int64_t whole = left - left % b->size;
        int64_t got = whole > 0 ? raw_read(th, b, raw, p + (n - left), whole) : fill(th, b, raw);
        if (got == IO_ERROR) {
            drop(th, bytes);
            return NULL;
        }
        if (got <= 0) {
            if (got == IO_WOULD_BLOCK && left == n) {
                drop(th, bytes);
                return NONE;
            }
            return bytes_resize(th, bytes, (size_t)(n - left));
        }
        if (whole > 0) {
            left -= got;
        } else {
            int64_t some = got < left ? got : left;
            take(b, p + (n - left), some);
            left -= some;
        }
    }
    return bytes;
}

static Value
bytes_concat(Thread *th, Value a, Value b)
{
    size_t m = (size_t)as_bytes(a)->length, n = (size_t)as_bytes(b)->length;
    Value r = bytes_new(th, m + n);
    if (r != NULL && m + n > 0) {
        memcpy(as_bytes(r)->data, as_bytes(a)->data, m);
        memcpy(as_bytes(r)->data + m, as_bytes(b)->data, n);
    }
    return r;
}

/* What raw.read() and raw.readall() return, checked: bytes or None. */
static Value
checked_bytes(Thread *th, Value STEALS data, const char *message)
{
    if (data == NULL || data == NONE || is_bytes(data))
        return data;
    drop(th, data);
    return raise_type_error(th, "%s", message);
}

static Value
read_to_end(Thread *th, Buffered *b, Value raw)
{
    if (load_relaxed(&b->dirty) && !write_out(th, b, raw))
        return NULL;
    Value all = take_bytes(th, b, read_ahead(b)), method = NULL, data;
    if (all == NULL)
        return NULL;
    forget(b);
    if (io_is_exact_file(raw) && !io_has_own(th, raw, io_names.readall)) {
        data = io_file_readall(th, raw);
    } else {
        Answer has = get_attr_optional(th, raw, io_names.readall, &method);
        if (has == FAILED)
            goto fail;
        if (has == NO)
            goto by_pieces;
        data = checked_bytes(th, call_0(th, method), "readall() should return bytes");
        drop(th, method);
    }
    if (data == NULL)
        goto fail;
    if (as_bytes(all)->length == 0) {
        drop(th, all);
        all = data;
    } else if (data != NONE) {
        Value joined = bytes_concat(th, all, data);
        drop(th, data);
        drop(th, all);
        all = joined;
    }
    b->position = -1; /* asked for when it is needed */
    return all;

by_pieces:
    for (;;) {
        data = checked_bytes(th, call_method_0(th, raw, NAME(read)), "read() should return bytes");
        if (data == NULL)
            goto fail;
        if (data == NONE || as_bytes(data)->length == 0) {
            b->position = -1;
            if (as_bytes(all)->length > 0) {
                drop(th, data);
                return all;
            }
            drop(th, all);
            return data;
        }
        Value joined = bytes_concat(th, all, data);
        drop(th, data);
        drop(th, all);
        all = joined;
        if (all == NULL)
            return NULL;
    }
fail:
    drop(th, all);
    return NULL;
}

static Value
buffered_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Buffered *b = as_buffered(self);
    int64_t n = -1;
    if (nargs > 0 && !io_size_arg(th, arg(args, 0), &n))
        return NULL;
    if (!usable(th, b))
        return NULL;
    if (n < -1)
        return raise_value_error(th, "read length must be non-negative or -1");
    if (!check_open(th, self, "read of closed file"))
        return NULL;
    if (n >= 0 && alone(b) && n <= read_ahead(b))
        return take_bytes(th, b, n);
    if (!enter(th, self))
        return NULL;
    Value raw = raw_of(th, b);
    Value r = n < 0 ? read_to_end(th, b, raw) : read_exactly(th, b, raw, n);
    leave(b);
    drop(th, raw);
    return r;
}

static Value
buffered_peek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Buffered *b = as_buffered(self);
    int64_t size = 0;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &size))
        return NULL;
    if (!usable(th, b) || !check_open(th, self, "peek of closed file") || !enter(th, self))
        return NULL;
    Value raw = raw_of(th, b), r = NULL;
    if (!load_relaxed(&b->dirty) || flush_and_rewind(th, b, raw)) {
        int64_t n = read_ahead(b);
        if (n == 0 && (n = fill(th, b, raw)) == IO_WOULD_BLOCK)
            n = 0;
        if (n >= 0)
            r = bytes_from(th, buffer_of(b) + load_relaxed(&b->pos), (size_t)n);
    }
    leave(b);
    drop(th, raw);
    return r;
}

Value
io_buffered_read1(Thread *th, Value self, int64_t n)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b))
        return NULL;
    if (n < 0)
        n = b->size;
    if (!check_open(th, self, "read of closed file"))
        return NULL;
    if (n == 0)
        return bytes_empty;
    if (!enter(th, self))
        return NULL;
    Value raw = raw_of(th, b), r = NULL;
    int64_t have = read_ahead(b);
    if (have > 0) {
        r = take_bytes(th, b, have < n ? have : n);
    } else if (!load_relaxed(&b->dirty) || write_out(th, b, raw)) {
        r = bytes_new(th, (size_t)n);
        if (r != NULL) {
            forget(b);
            int64_t got = raw_read(th, b, raw, as_bytes(r)->data, n);
            if (got == IO_ERROR)
                DROP_CLEAR(th, r);
            else
                r = bytes_resize(th, r, (size_t)(got > 0 ? got : 0));
        }
    }
    leave(b);
    drop(th, raw);
    return r;
}

static Value
buffered_read1(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t n = -1;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &n))
        return NULL;
    return io_buffered_read1(th, self, n);
}

/* Fills p[0 .. n) from the stream: how many bytes, IO_WOULD_BLOCK, IO_ERROR.  `once`: with at
 * most one read of the raw stream, and that only to fill p itself if something was read ahead. */
static int64_t
read_into(Thread *th, Buffered *b, Value raw, uint8_t *p, int64_t n, bool once)
{
    if (load_relaxed(&b->dirty) && !write_out(th, b, raw))
        return IO_ERROR;
    int64_t have = read_ahead(b), done = have < n ? have : n;
    if (done > 0) {
        take(b, p, done);
        if (done == n)
            return done;
    }
    while (done < n) {
        int64_t left = n - done;
        bool direct = left > b->size;
        if (once && done > 0 && !direct)
            break;
        int64_t got = direct ? (forget(b), raw_read(th, b, raw, p + done, left)) : fill(th, b, raw);
        if (got == 0 || (got == IO_WOULD_BLOCK && done > 0))
            break;
        if (got < 0)
            return got;
        if (!direct) {
            got = got < left ? got : left;
            take(b, p + done, got);
        }
        done += got;
        if (once)
            break;
    }
    return done;
}

static Value
readinto_by(Thread *th, Value self, Value target, bool once)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b))
        return NULL;
    Buffer to;
    if (!io_writable_buffer(th, once ? "readinto1" : "readinto", target, &to))
        return NULL;
    int64_t n = IO_ERROR;
    if (check_open(th, self, "readinto of closed file") && enter(th, self)) {
        Value raw = raw_of(th, b);
        n = read_into(th, b, raw, to.data, to.length, once);
        leave(b);
        drop(th, raw);
    }
    buffer_release(th, &to);
    return n >= 0 ? value_from_fixnum(n) : n == IO_WOULD_BLOCK ? NONE : NULL;
}

static Value
buffered_readinto(Thread *th, Value self, Value target)
{
    return readinto_by(th, self, target, false);
}

static Value
buffered_readinto1(Thread *th, Value self, Value target)
{
    return readinto_by(th, self, target, true);
}

/* Where the line at the buffer's position ends if it is all there, or `limit` bytes of it (-1:
 * no limit); else 0. */
static int64_t
line_in_buffer(const Buffered *b, int64_t limit)
{
    int64_t n = read_ahead(b);
    if (n <= 0)
        return 0;
    bool limited = limit >= 0 && n > limit;
    if (limited)
        n = limit;
    const uint8_t *start = buffer_of(b) + load_relaxed(&b->pos);
    const uint8_t *end = memchr(start, '\n', (size_t)n);
    return end ? end + 1 - start : limited || n == limit ? n : 0;
}

static Value
read_line(Thread *th, Buffered *b, Value raw, int64_t limit)
{
    uint8_t *line = NULL;
    size_t used = 0, room = 0;
    Value r = NULL;
    if (load_relaxed(&b->dirty) && !flush_and_rewind(th, b, raw))
        return NULL;
    for (;;) {
        int64_t n = line_in_buffer(b, limit < 0 ? -1 : limit - (int64_t)used);
        bool whole = n > 0;
        if (!whole)
            n = read_ahead(b);
        if (whole && used == 0)
            return take_bytes(th, b, n);
        if (n > 0) {
            if (used + (size_t)n > room) {
                size_t more = 2 * (used + (size_t)n) + 64;
                uint8_t *grown = buffer_resize(th, line, more);
                if (grown == NULL)
                    goto end;
                line = grown;
                room = more;
            }
            take(b, line + used, n);
            used += (size_t)n;
        }
        if (whole || (limit >= 0 && (int64_t)used >= limit))
            break;
        int64_t got = fill(th, b, raw);
        if (got == IO_ERROR)
            goto end;
        if (got <= 0)
            break;
    }
    r = bytes_from(th, line, used);
end:
    buffer_free(line);
    return r;
}

static Value
readline_limited(Thread *th, Value self, int64_t limit)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b) || !check_open(th, self, "readline of closed file"))
        return NULL;
    if (LIKELY(alone(b))) {
        int64_t n = line_in_buffer(b, limit);
        if (n > 0)
            return take_bytes(th, b, n);
    }
    if (!enter(th, self))
        return NULL;
    Value raw = raw_of(th, b);
    Value r = limit == 0 ? bytes_empty : read_line(th, b, raw, limit);
    leave(b);
    drop(th, raw);
    return r;
}

static Value
buffered_readline(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t limit = -1;
    if (nargs > 0 && !io_size_arg(th, arg(args, 0), &limit))
        return NULL;
    return readline_limited(th, self, limit < 0 ? -1 : limit);
}

static Value
buffered_next(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b))
        return NULL;
    Value line;
    Type *type = type_of(self);
    if (type == &io_reader_type || type == &io_random_type) {
        line = readline_limited(th, self, -1);
    } else {
        line = call_method_0(th, self, NAME(readline));
        if (line != NULL && !is_bytes(line)) {
            raise_error(th, &exc_OSError,
                        "readline() should have returned a bytes object, not '%T'", line);
            drop(th, line);
            return NULL;
        }
    }
    if (line != NULL && as_bytes(line)->length == 0) {
        drop(th, line);
        return NULL;
    }
    return line;
}

/* -- writing ------------------------------------------------------------------------------ */

static inline void
put(Buffered *b, const void *p, int64_t n)
{
    int64_t end = load_relaxed(&b->end);
    memcpy(buffer_of(b) + end, p, (size_t)n);
    store_relaxed(&b->end, end + n);
    store_relaxed(&b->dirty, true);
}

/* Moves what is to be written to the buffer's beginning. */
static void
compact(Buffered *b)
{
    int64_t pos = load_relaxed(&b->pos), n = waiting(b);
    if (pos > 0) {
        memmove(buffer_of(b), buffer_of(b) + pos, (size_t)n);
        store_relaxed(&b->pos, 0);
        store_relaxed(&b->end, n);
    }
}

/* The number of bytes taken; -1: exception. */
static int64_t
write_locked(Thread *th, Buffered *b, Value raw, const uint8_t *p, int64_t n)
{
    if (!load_relaxed(&b->dirty) && !rewind_raw(th, b, raw))
        return -1;
    if (n <= b->size - load_relaxed(&b->end)) {
        put(b, p, n);
        return n;
    }
    if (!write_out(th, b, raw)) {
        if (!error_matches(th, &exc_BlockingIOError))
            return -1;
        /* The raw stream takes no more now: the buffer takes what it can. */
        Value exc = error_take(th);
        compact(b);
        int64_t room = b->size - load_relaxed(&b->end);
        if (n <= room) {
            drop(th, exc);
            put(b, p, n);
            return n;
        }
        put(b, p, room);
        drop(th, exc);
        raise_would_block(th, room);
        return -1;
    }
    int64_t done = 0;
    while (n - done > b->size) {
        int64_t k = raw_write(th, b, raw, p + done, n - done);
        if (k == IO_ERROR)
            return -1;
        if (k == IO_WOULD_BLOCK) {
            int64_t room = b->size - load_relaxed(&b->end);
            if (n - done > room) {
                put(b, p + done, room);
                raise_would_block(th, done + room);
                return -1;
            }
            break;
        }
        done += k;
        if (n - done > b->size && !safepoint_poll(th))
            return -1;
    }
    if (n > done)
        put(b, p + done, n - done);
    return n;
}

bool
io_buffered_write(Thread *th, Value self, const void *p, int64_t n)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b))
        return false;
    if (LIKELY(alone(b)) && load_relaxed(&b->dirty) && n <= b->size - load_relaxed(&b->end) &&
        io_buffered_closed(th, self) == NO && buffer_of(b) != NULL) {
        put(b, p, n);
        return true;
    }
    if (error_set(th) || !enter(th, self))
        return false;
    bool ok = check_open(th, self, "write to closed file");
    if (ok && buffer_of(b) == NULL) {
        raise_value_error(th, "write to closed file");
        ok = false;
    }
    if (ok) {
        Value raw = raw_of(th, b);
        ok = write_locked(th, b, raw, p, n) >= 0;
        leave(b);
        drop(th, raw);
    } else {
        leave(b);
    }
    return ok;
}

static Value
buffered_write(Thread *th, Value self, Value data)
{
    if (is_exact(data, SHAPE_BYTES)) {
        int64_t n = as_bytes(data)->length;
        return io_buffered_write(th, self, as_bytes(data)->data, n) ? value_from_fixnum(n) : NULL;
    }
    Buffer from;
    if (!buffer_lend(th, data, &from, BUFFER_SIMPLE))
        return NULL;
    int64_t n = from.length;
    bool ok = io_buffered_write(th, self, from.data, n);
    buffer_release(th, &from);
    return ok ? value_from_fixnum(n) : NULL;
}

Value
io_buffered_flush(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b) || !check_open(th, self, "flush of closed file") || !enter(th, self))
        return NULL;
    bool ok = true;
    if (buffer_of(b) != NULL) {
        Value raw = raw_of(th, b);
        ok = flush_and_rewind(th, b, raw);
        drop(th, raw);
    }
    leave(b);
    return ok ? NONE : NULL;
}

/* -- position ----------------------------------------------------------------------------- */

static Value
buffered_tell(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b))
        return NULL;
    /* May be asked from inside an operation of this thread. */
    io_lock(th, &b->lock);
    Value raw = raw_of(th, b), r = NULL;
    if (raw == NULL) {
        raise_unusable(th, b);
    } else {
        int64_t at = raw_tell(th, b, raw);
        if (at >= 0)
            r = int_from_i64(th, load_relaxed(&b->dirty) ? at + waiting(b) : at - read_ahead(b));
    }
    io_unlock(&b->lock);
    drop_null(th, raw);
    return r;
}

static int64_t
seek_locked(Thread *th, Buffered *b, Value raw, int64_t target, int whence)
{
    if (whence != SEEK_END && load_relaxed(&b->readable) && read_ahead(b) > 0 && whence <= SEEK_CUR) {
        /* A target inside the buffer. */
        int64_t at = b->position >= 0 ? b->position : raw_tell(th, b, raw);
        if (at < 0)
            return -1;
        int64_t here = at - read_ahead(b);
        int64_t offset = whence == SEEK_SET ? target - here : target;
        int64_t pos = load_relaxed(&b->pos);
        if (offset >= -pos && offset <= read_ahead(b)) {
            store_relaxed(&b->pos, pos + offset);
            return here + offset;
        }
    }
    if (!write_out(th, b, raw))
        return -1;
    if (whence == SEEK_CUR)
        target -= read_ahead(b);
    int64_t at = raw_seek(th, b, raw, target, whence);
    if (at >= 0)
        forget(b);
    return at;
}

static Value
buffered_seek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Buffered *b = as_buffered(self);
    int whence = SEEK_SET;
    int64_t target;
    if (nargs > 1 && !arg_int(th, arg(args, 1), &whence))
        return NULL;
    if (!usable(th, b))
        return NULL;
    if (whence < SEEK_SET || whence > WHENCE_MAX)
        return raise_value_error(th, "whence value %d unsupported", whence);
    if (!check_open(th, self, "seek of closed file"))
        return NULL;
    Value raw = raw_of(th, b);
    if (raw == NULL) {
        raise_unusable(th, b);
        return NULL;
    }
    int64_t at = -1;
    if (io_check_seekable(th, raw) && io_offset(th, arg(args, 0), &target, &exc_ValueError) &&
        enter(th, self)) {
        at = seek_locked(th, b, raw, target, whence);
        leave(b);
    }
    drop(th, raw);
    return at < 0 ? NULL : int_from_i64(th, at);
}

static Value
buffered_truncate(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Buffered *b = as_buffered(self);
    Value size = nargs > 0 ? arg(args, 0) : NONE, r = NULL;
    if (!usable(th, b) || !check_open(th, self, "truncate of closed file"))
        return NULL;
    if (!load_relaxed(&b->writable))
        return io_unsupported(th, "truncate");
    if (!enter(th, self))
        return NULL;
    Value raw = raw_of(th, b);
    if (flush_and_rewind(th, b, raw)) {
        r = call_method_1(th, raw, NAME(truncate), size);
        if (r != NULL && raw_tell(th, b, raw) < 0)
            error_clear(th);
    }
    leave(b);
    drop(th, raw);
    return r;
}

/* -- closing ------------------------------------------------------------------------------ */

static Value
buffered_dealloc_warn(Thread *th, Value self, Value source)
{
    Buffered *b = as_buffered(self);
    Value raw = load_relaxed(&b->ok) ? raw_of(th, b) : NULL;
    if (raw != NULL) {
        Value r = call_method_1(th, raw, io_names._dealloc_warn, source);
        if (r == NULL)
            error_clear(th);
        drop_null(th, r);
        drop(th, raw);
    }
    return NONE;
}

static Value
buffered_close(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b) || !enter(th, self))
        return NULL;
    Answer closed = io_buffered_closed(th, self);
    if (closed != NO) {
        leave(b);
        return closed == YES ? NONE : NULL;
    }
    if (load_relaxed(&b->finalizing))
        buffered_dealloc_warn(th, self, self);
    leave(b);
    /* Python code may override flush(). */
    bool ok = true;
    if (io_is_exact_buffered(self) && type_of(self) != &io_reader_type && !io_has_own(th, self, NAME(flush)))
        ok = io_buffered_flush(th, self) != NULL;
    else
        ok = io_call(th, self, NAME(flush));
    Value exc = ok ? NULL : error_take(th);
    if (!enter(th, self)) {
        io_chain(th, exc);
        return NULL;
    }
    Value raw = raw_of(th, b);
    Value r = call_method_0(th, raw, NAME(close));
    uint8_t *buffer = buffer_of(b);
    forget(b);
    store_relaxed(&b->buffer, NULL);
    leave(b);
    buffer_free(buffer);
    drop(th, raw);
    if (exc != NULL) {
        drop_null(th, r);
        r = NULL;
        io_chain(th, exc);
    }
    return r;
}

static Value
buffered_detach(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b) || !io_call(th, self, NAME(flush)) || !enter(th, self))
        return NULL;
    Value raw = field_exchange(th, &b->head, &b->raw, NULL);
    store_relaxed(&b->detached, 1);
    store_relaxed(&b->ok, 0);
    leave(b);
    return raw;
}

/* -- asking the raw stream ---------------------------------------------------------------- */

/* The raw stream, for methods that forward to it: new reference. */
static Value
raw_or_error(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    if (!usable(th, b))
        return NULL;
    Value raw = raw_of(th, b);
    if (raw == NULL)
        raise_unusable(th, b);
    return raw;
}

static Value
forward_call(Thread *th, Value self, Value name)
{
    Value raw = raw_or_error(th, self);
    if (raw == NULL)
        return NULL;
    Value r = call_method_0(th, raw, name);
    drop(th, raw);
    return r;
}

static Value
forward_get(Thread *th, Value self, Value name)
{
    Value raw = raw_or_error(th, self);
    if (raw == NULL)
        return NULL;
    Value r = get_attr(th, raw, name);
    drop(th, raw);
    return r;
}

static Value
buffered_simple_flush(Thread *th, Value self)
{
    return forward_call(th, self, NAME(flush));
}

static Value
buffered_seekable(Thread *th, Value self)
{
    return forward_call(th, self, NAME(seekable));
}

static Value
buffered_readable(Thread *th, Value self)
{
    return forward_call(th, self, NAME(readable));
}

static Value
buffered_writable(Thread *th, Value self)
{
    return forward_call(th, self, NAME(writable));
}

static Value
buffered_fileno(Thread *th, Value self)
{
    return forward_call(th, self, NAME(fileno));
}

static Value
buffered_isatty(Thread *th, Value self)
{
    return forward_call(th, self, NAME(isatty));
}

static Value
buffered_get_closed(Thread *th, Value self, void *closure)
{
    (void)closure;
    Buffered *b = as_buffered(self);
    Value raw = field_peek(&b->raw);
    if (LIKELY(raw != NULL && io_is_exact_file(raw))) {
        Answer a = io_buffered_closed(th, self);
        return a == FAILED ? NULL : bool_from(a == YES);
    }
    return forward_get(th, self, NAME(closed));
}

static Value
buffered_get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    return forward_get(th, self, NAME(name));
}

static Value
buffered_get_mode(Thread *th, Value self, void *closure)
{
    (void)closure;
    return forward_get(th, self, NAME(mode));
}

static Value
buffered_repr(Thread *th, Value self)
{
    Value name, r = NULL;
    Answer has = get_attr_optional(th, self, NAME(name), &name);
    if (has == FAILED) {
        if (!error_matches(th, &exc_ValueError))
            return NULL;
        error_clear(th); /* detached, or not initialised */
        has = NO;
    }
    if (has == NO)
        return str_format_c(th, "<%T>", self);
    Answer inside = repr_enter(th, self);
    if (inside == YES) {
        raise_error(th, &exc_RuntimeError, "reentrant call inside %T.__repr__", self);
    } else if (inside == NO) {
        r = str_format_c(th, "<%T name=%R>", self, name);
        repr_leave(th, self);
    }
    drop(th, name);
    return r;
}

static Value
buffered_sizeof(Thread *th, Value self)
{
    Buffered *b = as_buffered(self);
    size_t n = type_of(self)->basic_size;
    if (buffer_of(b) != NULL)
        n += (size_t)b->size;
    return int_from_size(th, n);
}

/* -- making and freeing ------------------------------------------------------------------- */

/* __init__; the buffer starts empty. */
static bool
set_up(Thread *th, Value self, Value raw, int64_t size, bool readable, bool writable)
{
    Buffered *b = as_buffered(self);
    if (io_lock_is_mine(th, &b->lock)) {
        raise_error(th, &exc_RuntimeError, "reentrant call inside %R", self);
        return false;
    }
    io_lock(th, &b->lock);
    store_relaxed(&b->ok, 0);
    store_relaxed(&b->detached, 0);
    io_unlock(&b->lock);
    if (readable && writable && !io_check_seekable(th, raw))
        return false;
    if ((readable && !io_check_readable(th, raw)) || (writable && !io_check_writable(th, raw)))
        return false;
    if (size <= 0) {
        raise_value_error(th, "buffer size must be strictly positive");
        return false;
    }
    uint8_t *buffer = buffer_new(th, (size_t)size);
    if (buffer == NULL)
        return false;
    io_lock(th, &b->lock);
    field_replace(th, &b->head, &b->raw, retain(th, raw));
    store_relaxed(&b->readable, readable);
    store_relaxed(&b->writable, writable);
    uint8_t *old = buffer_of(b);
    store_relaxed(&b->buffer, buffer);
    b->size = size;
    forget(b);
    if (raw_tell(th, b, raw) < 0)
        error_clear(th);
    store_relaxed(&b->ok, 1);
    io_unlock(&b->lock);
    buffer_free(old);
    return true;
}

static bool
init_by(Thread *th, Value self, const char *name, const Arg *args, size_t nargs, Value kwnames,
        bool readable, bool writable)
{
    ParamSpec params = {
        .name = name, .names = {"raw", "buffer_size"}, .positional = 2, .required = 1};
    Value v[2];
    int64_t size = IO_BUFFER_SIZE;
    return args_bind(th, &params, args, nargs, kwnames, v) && arg_ssize(th, v[1], &size) &&
           set_up(th, self, v[0], size, readable, writable);
}

static bool
reader_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return init_by(th, self, "BufferedReader", args, nargs, kwnames, true, false);
}

static bool
writer_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return init_by(th, self, "BufferedWriter", args, nargs, kwnames, false, true);
}

static bool
random_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return init_by(th, self, "BufferedRandom", args, nargs, kwnames, true, true);
}

static Value
buffered_alloc(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

Value
io_buffered_new(Thread *th, Type *type, Value raw, int64_t size)
{
    Value v = type_alloc(th, type, 0);
    if (v != NULL && !set_up(th, v, raw, size, type != &io_writer_type, type != &io_reader_type))
        DROP_CLEAR(th, v);
    return v;
}

static void
buffered_visit(Object *o, VisitFn visit, void *arg)
{
    field_visit(&((Buffered *)(void *)o)->raw, visit, arg);
}

static void
buffered_clear(Thread *th, Object *o)
{
    Buffered *b = (Buffered *)(void *)o;
    store_relaxed(&b->ok, 0);
    field_replace(th, o, &b->raw, NULL);
}

static void
buffered_dealloc(Thread *th, Object *o)
{
    Buffered *b = (Buffered *)(void *)o;
    buffer_free(plain_load(&b->buffer)); /* dying */
    field_drop(th, &b->raw);
}

#define COMMON_METHODS                                                         \
    NATIVE_0("detach", buffered_detach,                                        \
             "detach($self, /)\n--\n\nFlushes, and gives the raw stream back."), \
    NATIVE_0("close", buffered_close, "close($self, /)\n--\n\nFlushes and closes the stream."), \
    NATIVE_0("seekable", buffered_seekable, "seekable($self, /)\n--\n\nWhether seek() works."), \
    NATIVE_0("fileno", buffered_fileno, "fileno($self, /)\n--\n\nThe file descriptor."), \
    NATIVE_0("isatty", buffered_isatty,                                        \
             "isatty($self, /)\n--\n\nWhether the stream is interactive."),    \
    NATIVE_1("_dealloc_warn", buffered_dealloc_warn, NULL),                    \
    NATIVE_N("seek", buffered_seek, 1, 2,                                      \
             "seek($self, target, whence=0, /)\n--\n\n"                        \
             "Moves to a position; returns the new one."),                     \
    NATIVE_0("tell", buffered_tell, "tell($self, /)\n--\n\nThe position in the stream."), \
    NATIVE_N("truncate", buffered_truncate, 0, 1,                              \
             "truncate($self, pos=None, /)\n--\n\n"                            \
             "Makes the file end at `pos`, by default at the present position."), \
    NATIVE_0("__sizeof__", buffered_sizeof, NULL)

#define READ_METHODS                                                           \
    NATIVE_0("readable", buffered_readable,                                    \
             "readable($self, /)\n--\n\nWhether the raw stream can be read."), \
    NATIVE_N("read", buffered_read, 0, 1,                                      \
             "read($self, size=-1, /)\n--\n\nUp to `size` bytes; all if it is negative."), \
    NATIVE_N("peek", buffered_peek, 0, 1,                                      \
             "peek($self, size=0, /)\n--\n\n"                                  \
             "Bytes from the buffer, without moving; at most one read of the raw stream."), \
    NATIVE_N("read1", buffered_read1, 0, 1,                                    \
             "read1($self, size=-1, /)\n--\n\n"                                \
             "Up to `size` bytes, by at most one read of the raw stream."),    \
    NATIVE_1("readinto", buffered_readinto,                                    \
             "readinto($self, buffer, /)\n--\n\nReads into a writable buffer."), \
    NATIVE_1("readinto1", buffered_readinto1,                                  \
             "readinto1($self, buffer, /)\n--\n\n"                             \
             "Reads into a writable buffer by at most one read of the raw stream."), \
    NATIVE_N("readline", buffered_readline, 0, 1,                              \
             "readline($self, size=-1, /)\n--\n\nA line, at most `size` bytes of it.")

#define WRITE_METHODS                                                          \
    NATIVE_0("writable", buffered_writable,                                    \
             "writable($self, /)\n--\n\nWhether the raw stream can be written to."), \
    NATIVE_1("write", buffered_write,                                          \
             "write($self, buffer, /)\n--\n\nWrites bytes; returns how many."), \
    NATIVE_0("flush", io_buffered_flush, "flush($self, /)\n--\n\nWrites the buffer out.")

static const MethodDef reader_methods[] = {
    COMMON_METHODS,
    READ_METHODS,
    NATIVE_0("flush", buffered_simple_flush, "flush($self, /)\n--\n\nFlushes the raw stream."),
    NATIVE_END,
};

static const MethodDef writer_methods[] = {
    COMMON_METHODS,
    WRITE_METHODS,
    NATIVE_END,
};

static const MethodDef random_methods[] = {
    COMMON_METHODS,
    READ_METHODS,
    WRITE_METHODS,
    NATIVE_END,
};

static const GetterDef buffered_getters[] = {
    {.name = "closed", .get = buffered_get_closed},
    {.name = "name", .get = buffered_get_name},
    {.name = "mode", .get = buffered_get_mode},
    {.name = NULL},
};

static const MemberDef buffered_members[] = {
    {.name = "raw", .kind = MEMBER_VALUE_NONE, .offset = offsetof(Buffered, raw), .readonly = true},
    {.name = "_finalizing", .kind = MEMBER_BOOL, .offset = offsetof(Buffered, finalizing)},
    {.name = NULL},
};

#define BUFFERED_SPEC(tp_name, text, table, ...)                               \
    {                                                                          \
        .name = tp_name, .base = &io_buffered_base_type, .size = sizeof(Buffered), \
        .flags = TYPE_BASE | TYPE_WEAKREFS, .doc = text, .methods = table,     \
        .getters = buffered_getters, .members = buffered_members,              \
        .slots = {.repr = buffered_repr, .new = buffered_alloc, __VA_ARGS__},  \
        .visit = buffered_visit, .clear = buffered_clear, .dealloc = buffered_dealloc, \
    }

Type io_reader_type;
const TypeSpec io_reader_spec = BUFFERED_SPEC(
    "_io.BufferedReader",
    "BufferedReader(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n"
    "A buffer for a raw stream that can be read.",
    reader_methods, .init = reader_init, .next = buffered_next);

Type io_writer_type;
const TypeSpec io_writer_spec = BUFFERED_SPEC(
    "_io.BufferedWriter",
    "BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n"
    "A buffer for a raw stream that can be written to.",
    writer_methods, .init = writer_init);

Type io_random_type;
const TypeSpec io_random_spec = BUFFERED_SPEC(
    "_io.BufferedRandom",
    "BufferedRandom(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\n"
    "A buffer for a raw stream that can be read, written to and positioned.",
    random_methods, .init = random_init, .next = buffered_next);
