/* io.h -- what the files of module _io share.
 *
 * The types are static and belong to the process; only UnsupportedOperation is made for each
 * interpreter.  Streams that call others while they work (buffers, text) have an IoLock, which
 * is taken for whole operations; object locks are not used round calls.
 */
#ifndef MODULES_IO_H
#define MODULES_IO_H

#include "modules/modules.h"

#include "base/mem.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"
#include "threads/interp.h"
#include "threads/mutex.h"

#define IO_BUFFER_SIZE 8192

/* Of an interpreter, as long as that lives. */
typedef struct IoState {
    Type *unsupported; /* [const] io.UnsupportedOperation */
} IoState;

static inline IoState *
io_state(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_IO]); /* pairs with native_publish() */
}

/* Names that names.def does not have. */
#define IO_NAMES(N)                                                            \
    N(readall) N(_dealloc_warn) N(_finalizing) N(__IOBase_closed) N(_blksize)

typedef struct IoNames {
#define N(x) Value x;
    IO_NAMES(N)
#undef N
} IoNames;
extern IoNames io_names; /* [const] after the module was executed for the first time */

/* -- io_base.c -- */

extern Type io_base_type, io_raw_base_type, io_buffered_base_type, io_text_base_type;
extern const TypeSpec io_base_spec, io_raw_base_spec, io_buffered_base_spec, io_text_base_spec;

COLD void *io_unsupported(Thread *th, const char *message);
/* The truth of stream.closed. */
Answer io_closed(Thread *th, Value stream);
/* ValueError if it is closed. */
RAISES bool io_check_closed(Thread *th, Value stream);
/* UnsupportedOperation unless stream.readable() (...) is True. */
RAISES bool io_check_readable(Thread *th, Value stream);
RAISES bool io_check_writable(Thread *th, Value stream);
RAISES bool io_check_seekable(Thread *th, Value stream);
/* If the exception is an interrupted system call: clears it, runs signal handlers; true: the
 * call may be tried again. */
bool io_interrupted(Thread *th);
/* An optional size: None and NULL leave *out alone. */
RAISES bool io_size_arg(Thread *th, Value v, int64_t *out);
/* A position in a file; `overflow` is the exception for ints that are too large. */
RAISES bool io_offset(Thread *th, Value v, int64_t *out, Type *overflow);
/* stream.name(), result ignored. */
RAISES bool io_call(Thread *th, Value stream, Value name);
/* Puts `exc` (may be NULL) back: as the context of what is being raised now, or alone. */
void io_chain(Thread *th, Value STEALS exc);
/* A writable buffer; `fname` is for the message. */
RAISES bool io_writable_buffer(Thread *th, const char *fname, Value v, Buffer *out);
/* Whether an instance attribute of that name hides the method of its type. */
bool io_has_own(Thread *th, Value v, Value name);
/* IOBase.close() of a type's own close(). */
RAISES bool io_base_close(Thread *th, Value self);

/* -- a lock for whole operations -- */

typedef struct IoLock {
    Mutex mutex;
    ATOMIC(uint32_t) owner;      /* Thread.run of the thread that holds it, or 0 */
    ATOMIC(uint32_t) generation; /* [lock] renew_lock; fork generation in which it was last looked at */
    uint32_t depth;              /* [lock] how often the owner has taken it */
} IoLock;

extern ATOMIC(uint32_t) io_fork_generation; /* forks that this process is the child of */
extern ATOMIC(uint32_t) io_fork_survivor;   /* Thread.run of the thread that made the last of them */

/* The first use in the child of a fork: makes it free if the process has not got its holder. */
void io_lock_renew(IoLock *l);
void io_lock_slow(Thread *th, IoLock *l);

static inline bool
io_lock_is_mine(Thread *th, const IoLock *l)
{
    return load_relaxed(&l->owner) == th->run;
}

/* Takes it, again if the thread has it already.  A safepoint. */
static inline void
io_lock(Thread *th, IoLock *l)
{
    if (io_lock_is_mine(th, l)) {
        l->depth++;
        return;
    }
    if (UNLIKELY(load_acquire(&l->generation) != load_relaxed(&io_fork_generation)))
        io_lock_renew(l); /* acquire: the lock is free [fork_mutex] */
    uint8_t free_state = 0;
    if (UNLIKELY(!cas_acquire(&l->mutex.state, &free_state, 1))) /* [mutex.state] */
        io_lock_slow(th, l);
    store_relaxed(&l->owner, th->run);
    l->depth = 1;
}

static inline void
io_unlock(IoLock *l)
{
    if (--l->depth == 0) {
        store_relaxed(&l->owner, 0);
        mutex_unlock(&l->mutex);
    }
}

/* A lock round work on memory that calls no Python code: while the process has one thread,
 * nothing is locked. */
static inline bool
io_memory_lock(Thread *th, Mutex *m)
{
    if (LIKELY(load_relaxed(&threads_started) == 0))
        return false;
    mutex_lock(th, m);
    return true;
}

static inline void
io_memory_unlock(Mutex *m, bool taken)
{
    if (taken)
        mutex_unlock(m);
}

/* -- io_file.c -- */

typedef struct FileIo {
    struct Object head;
    ATOMIC(int) fd;             /* -1: closed */
    ATOMIC(uint8_t) created, readable, writable, appending;
    ATOMIC(int8_t) seekable;    /* -1: not known yet */
    ATOMIC(uint8_t) closefd;
    ATOMIC(uint8_t) finalizing;
    ATOMIC(uint8_t) regular;    /* a file on a disk: never a terminal */
    ATOMIC(int) block_size;
} FileIo;

extern Type io_file_type;
extern const TypeSpec io_file_spec;

static inline FileIo *
as_file(Value v)
{
    return (FileIo *)(void *)value_object(v);
}

static inline bool
io_is_exact_file(Value v)
{
    return type_of(v) == &io_file_type;
}

static inline bool
io_file_closed(Value v)
{
    return load_relaxed(&as_file(v)->fd) < 0;
}

enum { IO_ERROR = -1, IO_WOULD_BLOCK = -2 };

/* Reads into, or writes from, memory that stays where it is.  IO_ERROR with an exception. */
int64_t io_file_read(Thread *th, Value self, void *p, int64_t n);
int64_t io_file_write(Thread *th, Value self, const void *p, int64_t n);
int64_t io_file_seek(Thread *th, Value self, int64_t offset, int whence); /* -1: exception */
RAISES Value io_file_readall(Thread *th, Value self);

/* -- io_buffered.c -- */

typedef struct Buffered {
    struct Object head;
    Field raw;                  /* NULL before __init__ and after detach() */
    IoLock lock;
    ATOMIC(uint8_t) ok, detached, readable, writable;
    ATOMIC(uint8_t) finalizing;
    /* [lock] from here on.  Clean: buffer[pos..end) has been read ahead.  Dirty: it has not
     * been written yet.  The raw stream stands at the end, or at the beginning. */
    ATOMIC(uint8_t *) buffer;   /* NULL once closed */
    int64_t size;
    ATOMIC(int64_t) pos, end;
    ATOMIC(uint8_t) dirty;
    int64_t position;           /* of the raw stream; -1: not known */
} Buffered;

extern Type io_reader_type, io_writer_type, io_random_type, io_pair_type;
extern const TypeSpec io_reader_spec, io_writer_spec, io_random_spec, io_pair_spec;

static inline Buffered *
as_buffered(Value v)
{
    return (Buffered *)(void *)value_object(v);
}

/* Whether `v` is exactly one of our three buffered types. */
static inline bool
io_is_exact_buffered(Value v)
{
    Type *t = type_of(v);
    return t == &io_writer_type || t == &io_reader_type || t == &io_random_type;
}

/* A buffered stream over `raw` with a buffer of `size` bytes. */
RAISES Value io_buffered_new(Thread *th, Type *type, Value raw, int64_t size);
Answer io_buffered_closed(Thread *th, Value self);
/* The methods write(), flush() and read1(), for our own text streams. */
RAISES bool io_buffered_write(Thread *th, Value self, const void *p, int64_t n);
Value io_buffered_flush(Thread *th, Value self);
Value io_buffered_read1(Thread *th, Value self, int64_t n);

/* -- io_newline.c -- */

enum { SEEN_CR = 1, SEEN_LF = 2, SEEN_CRLF = 4 };

/* What the translation of line ends remembers. */
typedef struct Newlines {
    uint8_t translate;
    uint8_t pending_cr; /* the last character was "\r", which has been kept back */
    uint8_t seen;
} Newlines;

/* The text with "\r\n" and "\r" turned into "\n" (if nl->translate), "\r" at the end kept
 * back unless `final`; takes note of what ends lines. */
RAISES Value io_newlines_decode(Thread *th, Newlines *nl, Value STEALS text, bool final);
/* None, a str or a tuple of them: the attribute `newlines`. */
RAISES Value io_newlines_seen(Thread *th, uint8_t seen);

extern Type io_newline_decoder_type;
extern const TypeSpec io_newline_decoder_spec;

enum NewlineMode { NEWLINE_UNIVERSAL, NEWLINE_KEEP, NEWLINE_LF, NEWLINE_CR, NEWLINE_CRLF };
/* None, "", "\n", "\r", "\r\n" -> mode; false: none of these, without an exception. */
bool io_newline_mode(Value newline, enum NewlineMode *mode);
/* Where the line that begins at `start` of s ends, behind its end of line; -1: there is no end
 * before `end`. */
int64_t io_line_end(const void *data, uint8_t width, int64_t start, int64_t end,
                    enum NewlineMode mode);

/* -- io_text.c -- */

extern Type io_text_type;
extern const TypeSpec io_text_spec;
RAISES Value io_text_new(Thread *th, Value buffer, Value encoding, Value errors, Value newline,
                         bool line_buffering);
/* text.write(s) for print(): io_is_plain_text(th, text), s any str. */
RAISES bool io_text_write(Thread *th, Value text, Value s);
/* Whether `file` is exactly a TextIOWrapper, with the write() of its type. */
static inline bool
io_is_plain_text(Thread *th, Value file)
{
    return type_of(file) == &io_text_type && !io_has_own(th, file, NAME(write));
}
/* "utf-8", or what the locale says. */
RAISES Value io_locale_encoding(Thread *th);

/* -- io_bytesio.c, io_stringio.c -- */

extern Type io_bytesio_type, io_bytes_view_type, io_stringio_type;
extern const TypeSpec io_bytesio_spec, io_bytes_view_spec, io_stringio_spec;
bool io_never_finalize(Object *o);

#endif
