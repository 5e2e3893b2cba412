/* io_file.c -- FileIO: a file descriptor as a raw stream.
 *
 * All state is in atomics: nothing is locked.  A thread that reads while another closes gets
 * an error, or what the system call gives; memory is never at risk, since buffers are held by
 * the callers.
 */
#include "modules/io.h"

#include "objects/model/upcall.h"
#include "objects/protocol/slot.h"
#include "threads/blocking.h"
#include "threads/safepoint.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The most that one system call is asked to transfer. */
#define TRANSFER_MAX ((int64_t)0x7ffff000)

static COLD void *
raise_closed(Thread *th)
{
    return raise_value_error(th, "I/O operation on closed file");
}

static bool
is_open(Thread *th, Value self, int *fd)
{
    *fd = load_relaxed(&as_file(self)->fd);
    if (LIKELY(*fd >= 0))
        return true;
    raise_closed(th);
    return false;
}

static COLD void *
raise_mode(Thread *th, const char *action)
{
    return raise_error(th, io_state(th)->unsupported, "File not open for %s", action);
}

/* -- system calls ------------------------------------------------------------------------- */

/* After a system call that gave -1: true, it was interrupted and may be tried again. */
static bool
again(Thread *th)
{
    return errno == EINTR && safepoint_poll(th);
}

static int64_t
transfer_failed(Thread *th)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return IO_WOULD_BLOCK;
    if (!error_set(th)) /* else a signal handler raised */
        raise_os_error(th, errno);
    return IO_ERROR;
}

int64_t
io_file_read(Thread *th, Value self, void *p, int64_t n)
{
    int fd;
    if (!is_open(th, self, &fd))
        return IO_ERROR;
    if (!load_relaxed(&as_file(self)->readable)) {
        raise_mode(th, "reading");
        return IO_ERROR;
    }
    if (n > TRANSFER_MAX)
        n = TRANSFER_MAX;
    ssize_t got;
    do {
        BLOCKING(th, got, read(fd, p, (size_t)n));
    } while (got < 0 && again(th));
    return got >= 0 ? got : transfer_failed(th);
}

int64_t
io_file_write(Thread *th, Value self, const void *p, int64_t n)
{
    int fd;
    if (!is_open(th, self, &fd))
        return IO_ERROR;
    if (!load_relaxed(&as_file(self)->writable)) {
        raise_mode(th, "writing");
        return IO_ERROR;
    }
    if (n > TRANSFER_MAX)
        n = TRANSFER_MAX;
    ssize_t put;
    do {
        BLOCKING(th, put, write(fd, p, (size_t)n));
    } while (put < 0 && again(th));
    return put >= 0 ? put : transfer_failed(th);
}

int64_t
io_file_seek(Thread *th, Value self, int64_t offset, int whence)
{
    int fd;
    if (!is_open(th, self, &fd))
        return -1;
    off_t at = lseek(fd, offset, whence);
    if (load_relaxed(&as_file(self)->seekable) < 0)
        store_relaxed(&as_file(self)->seekable, at >= 0);
    if (at < 0)
        raise_os_error(th, errno);
    return at;
}

/* Closes the descriptor; the object is closed in any case. */
static bool
close_fd(Thread *th, FileIo *f)
{
    int fd = exchange_acq_rel(&f->fd, -1); /* one of several closers gets it */
    if (fd < 0)
        return true;
    int r;
    BLOCKING(th, r, close(fd));
    if (r < 0) {
        raise_os_error(th, errno);
        return false;
    }
    return true;
}

/* -- opening ------------------------------------------------------------------------------ */

/* Reads the mode: flags for open(2), -1 with an exception. */
static int
parse_mode(Thread *th, FileIo *f, Value mode)
{
    size_t n;
    const char *p = str_utf8(th, mode, &n);
    if (p == NULL)
        return -1;
    int flags = 0, kinds = 0;
    bool plus = false, readable = false, writable = false, bad = false;
    store_relaxed(&f->created, 0);
    store_relaxed(&f->appending, 0);
    for (size_t i = 0; i < n; i++) {
        switch (p[i]) {
        case 'r':
            kinds++;
            readable = true;
            break;
        case 'w':
            kinds++;
            writable = true;
            flags |= O_CREAT | O_TRUNC;
            break;
        case 'a':
            kinds++;
            writable = true;
            store_relaxed(&f->appending, 1);
            flags |= O_APPEND | O_CREAT;
            break;
        case 'x':
            kinds++;
            writable = true;
            store_relaxed(&f->created, 1);
            flags |= O_EXCL | O_CREAT;
            break;
        case '+':
            bad = bad || plus;
            plus = true;
            break;
        case 'b':
            break;
        default:
            raise_value_error(th, "invalid mode: %V", mode);
            return -1;
        }
        if (kinds > 1 || bad)
            break;
    }
    if (kinds != 1 || bad) {
        raise_value_error(th, "Must have exactly one of create/read/write/append mode and at "
                              "most one plus");
        return -1;
    }
    readable = readable || plus;
    writable = writable || plus;
    store_relaxed(&f->readable, readable);
    store_relaxed(&f->writable, writable);
    flags |= readable && writable ? O_RDWR : readable ? O_RDONLY : O_WRONLY;
    return flags | O_CLOEXEC;
}

/* A descriptor given as an int; -1: `file` is none.  False with an exception. */
static bool
fd_of(Thread *th, Value file, int *fd)
{
    *fd = -1;
    if (!is_int(file) && SLOT(type_of(file), index) == NULL)
        return true;
    int64_t n;
    Value index = to_index(th, file);
    if (index == NULL) {
        error_clear(th);
        return true;
    }
    bool fits = int_fits_i64(index, &n) && n >= INT32_MIN && n <= INT32_MAX;
    drop(th, index);
    if (!fits)
        return true;
    if (n < 0) {
        raise_value_error(th, "negative file descriptor");
        return false;
    }
    *fd = (int)n;
    return true;
}

static int
call_opener(Thread *th, Value opener, Value file, int flags)
{
    Value r = call_2(th, opener, file, value_from_fixnum(flags));
    if (r == NULL)
        return -1;
    int fd = -1;
    if (!is_int(r))
        raise_type_error(th, "expected integer from opener");
    else if (arg_int(th, r, &fd) && fd < 0)
        raise_value_error(th, "opener returned %d", fd);
    drop(th, r);
    if (error_set(th))
        return -1;
    int old = fcntl(fd, F_GETFD);
    if (old < 0 || (!(old & FD_CLOEXEC) && fcntl(fd, F_SETFD, old | FD_CLOEXEC) < 0)) {
        int error = errno;
        close(fd);
        raise_os_error(th, error);
        return -1;
    }
    return fd;
}

static int
open_path(Thread *th, Value path, Value file, int flags)
{
    const char *p = (const char *)as_bytes(path)->data;
    int fd;
    do {
        BLOCKING(th, fd, open(p, flags, 0666));
    } while (fd < 0 && again(th));
    if (fd < 0 && !error_set(th))
        raise_os_error_path(th, errno, file);
    return fd;
}

static bool
examine(Thread *th, FileIo *f, int fd, Value file)
{
    struct stat st;
    int r;
    BLOCKING(th, r, fstat(fd, &st));
    store_relaxed(&f->block_size, IO_BUFFER_SIZE);
    store_relaxed(&f->regular, 0);
    if (r < 0) {
        if (errno != EBADF)
            return true;
        raise_os_error(th, errno);
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        raise_os_error_path(th, EISDIR, file);
        return false;
    }
    if (st.st_blksize > 1)
        store_relaxed(&f->block_size, (int)st.st_blksize);
    if (S_ISREG(st.st_mode))
        store_relaxed(&f->regular, 1);
    return true;
}

static bool
file_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "FileIO",
                                     .names = {"file", "mode", "closefd", "opener"},
                                     .positional = 4,
                                     .required = 1};
    Value v[4], path = NULL;
    int closefd = 1, fd;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return false;
    if (v[1] != NULL && !arg_str(th, "FileIO", "argument 'mode'", v[1]))
        return false;
    Value mode = v[1] ? v[1] : NAME(r), file = v[0];
    if (str_c(th, mode) == NULL || (v[2] != NULL && !arg_int(th, v[2], &closefd)))
        return false;
    FileIo *f = as_file(self);
    if (load_relaxed(&f->fd) >= 0) {
        if (!load_relaxed(&f->closefd))
            store_relaxed(&f->fd, -1);
        else if (!close_fd(th, f))
            return false;
    }
    if (!fd_of(th, file, &fd) || (fd < 0 && (path = fs_encode(th, file)) == NULL))
        return false;
    bool own = fd < 0;
    int flags = parse_mode(th, f, mode);
    if (flags < 0)
        goto fail;
    store_relaxed(&f->seekable, -1);
    Value audited = tuple_pack(th, 3, file, mode, value_from_fixnum(flags));
    bool allowed = audited && upcalls.audit(th, "open", audited);
    drop_null(th, audited);
    if (!allowed)
        goto fail;
    if (own) {
        store_relaxed(&f->closefd, 1);
        if (!closefd) {
            raise_value_error(th, "Cannot use closefd=False with file name");
            goto fail;
        }
        fd = v[3] == NULL || v[3] == NONE ? open_path(th, path, file, flags)
                                          : call_opener(th, v[3], file, flags);
        if (fd < 0)
            goto fail;
    } else {
        store_relaxed(&f->closefd, closefd != 0);
    }
    if (!examine(th, f, fd, file)) {
        if (own)
            close(fd);
        goto fail;
    }
    store_relaxed(&f->fd, fd);
    if (!set_attr(th, self, NAME(name), file))
        goto close;
    if (load_relaxed(&f->appending) && lseek(fd, 0, SEEK_END) >= 0)
        store_relaxed(&f->seekable, 1);
    drop_null(th, path);
    return true;
close:
    if (own) {
        Value exc = error_take(th);
        if (!close_fd(th, f))
            error_clear(th);
        error_restore(th, exc);
    } else {
        store_relaxed(&f->fd, -1);
    }
fail:
    drop_null(th, path);
    return false;
}

static Value
file_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    Value v = type_alloc(th, type, 0);
    if (v != NULL) {
        FileIo *f = as_file(v);
        plain_store(&f->fd, -1); /* not published yet */
        plain_store(&f->seekable, -1);
        plain_store(&f->closefd, 1);
    }
    return v;
}

/* -- closing ------------------------------------------------------------------------------ */

static void
warn_unclosed(Thread *th, Value self, Value source)
{
    FileIo *f = as_file(self);
    if (load_relaxed(&f->fd) < 0 || !load_relaxed(&f->closefd))
        return;
    Value exc = error_take(th);
    if (!warn(th, &exc_ResourceWarning, 1, "unclosed file %R", source)) {
        if (error_matches(th, &exc_Warning))
            error_unraisable(th, NULL, self);
        else
            error_clear(th);
    }
    error_restore(th, exc);
}

static Value
file_dealloc_warn(Thread *th, Value self, Value source)
{
    warn_unclosed(th, self, source);
    return NONE;
}

static Value
file_close(Thread *th, Value self)
{
    FileIo *f = as_file(self);
    bool ok = io_base_close(th, self);
    if (!load_relaxed(&f->closefd)) {
        store_relaxed(&f->fd, -1);
        return ok ? NONE : NULL;
    }
    Value exc = ok ? NULL : error_take(th);
    if (load_relaxed(&f->finalizing))
        warn_unclosed(th, self, self);
    if (!close_fd(th, f))
        ok = false;
    io_chain(th, exc);
    return ok ? NONE : NULL;
}

/* -- reading and writing ------------------------------------------------------------------ */

/* How many bytes the file has left, if it can tell; else 0. */
static int64_t
bytes_left(Thread *th, int fd)
{
    struct stat st;
    int r;
    BLOCKING(th, r, fstat(fd, &st));
    if (r < 0 || st.st_size <= 0)
        return 0;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at >= 0 && at <= st.st_size ? st.st_size - at : 0;
}

Value
io_file_readall(Thread *th, Value self)
{
    int fd;
    if (!is_open(th, self, &fd))
        return NULL;
    if (!load_relaxed(&as_file(self)->readable))
        return raise_mode(th, "reading");
    int64_t room = bytes_left(th, fd), used = 0;
    room = room > 0 && room < INT64_MAX - 1 ? room + 1 : IO_BUFFER_SIZE;
    Value bytes = bytes_new(th, (size_t)room);
    while (bytes != NULL) {
        if (used == room) {
            room += room < 65536 ? room + 256 : room / 4 > 65536 ? room / 4 : 65536;
            bytes = bytes_resize(th, bytes, (size_t)room);
            if (bytes == NULL)
                return NULL;
        }
        int64_t n = io_file_read(th, self, as_bytes(bytes)->data + used, room - used);
        if (n == 0)
            break;
        if (n == IO_WOULD_BLOCK) {
            if (used > 0)
                break;
            drop(th, bytes);
            return NONE;
        }
        if (n < 0) {
            drop(th, bytes);
            return NULL;
        }
        used += n;
    }
    return bytes ? bytes_resize(th, bytes, (size_t)used) : NULL;
}

static Value
file_readall(Thread *th, Value self)
{
    return io_file_readall(th, self);
}

static Value
file_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t size = -1;
    if (nargs > 0 && !io_size_arg(th, arg(args, 0), &size))
        return NULL;
    if (size < 0)
        return io_file_readall(th, self);
    int fd;
    if (!is_open(th, self, &fd))
        return NULL;
    if (!load_relaxed(&as_file(self)->readable))
        return raise_mode(th, "reading");
    if (size > TRANSFER_MAX)
        size = TRANSFER_MAX;
    Value bytes = bytes_new(th, (size_t)size);
    if (bytes == NULL)
        return NULL;
    int64_t n = io_file_read(th, self, as_bytes(bytes)->data, size);
    if (n < 0) {
        drop(th, bytes);
        return n == IO_WOULD_BLOCK ? NONE : NULL;
    }
    return bytes_resize(th, bytes, (size_t)n);
}

static Value
file_readinto(Thread *th, Value self, Value target)
{
    Buffer b;
    if (!io_writable_buffer(th, "readinto", target, &b))
        return NULL;
    int64_t n = io_file_read(th, self, b.data, b.length);
    buffer_release(th, &b);
    return n >= 0 ? value_from_fixnum(n) : n == IO_WOULD_BLOCK ? NONE : NULL;
}

static Value
file_write(Thread *th, Value self, Value data)
{
    Buffer b;
    if (!buffer_lend(th, data, &b, BUFFER_SIMPLE))
        return NULL;
    int64_t n = io_file_write(th, self, b.data, b.length);
    buffer_release(th, &b);
    return n >= 0 ? value_from_fixnum(n) : n == IO_WOULD_BLOCK ? NONE : NULL;
}

/* -- position ----------------------------------------------------------------------------- */

static Value
file_seek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int whence = 0, fd;
    int64_t offset;
    if (nargs > 1 && !arg_int(th, arg(args, 1), &whence))
        return NULL;
    if (!is_open(th, self, &fd) || !arg_long(th, arg(args, 0), &offset))
        return NULL;
    int64_t at = io_file_seek(th, self, offset, whence);
    return at < 0 ? NULL : int_from_i64(th, at);
}

static Value
file_tell(Thread *th, Value self)
{
    int64_t at = io_file_seek(th, self, 0, SEEK_CUR);
    return at < 0 ? NULL : int_from_i64(th, at);
}

static Value
file_truncate(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int fd;
    int64_t size;
    if (!is_open(th, self, &fd))
        return NULL;
    if (!load_relaxed(&as_file(self)->writable))
        return raise_mode(th, "writing");
    if (nargs == 0 || arg(args, 0) == NONE) {
        size = io_file_seek(th, self, 0, SEEK_CUR);
        if (size < 0)
            return NULL;
    } else if (!arg_long(th, arg(args, 0), &size)) {
        return NULL;
    }
    int r;
    do {
        BLOCKING(th, r, ftruncate(fd, size));
    } while (r < 0 && again(th));
    if (r < 0)
        return error_set(th) ? NULL : raise_os_error(th, errno);
    return nargs == 0 || arg(args, 0) == NONE ? int_from_i64(th, size)
                                              : retain(th, arg(args, 0));
}

/* -- asking ------------------------------------------------------------------------------- */

static Value
file_seekable(Thread *th, Value self)
{
    int fd;
    if (!is_open(th, self, &fd))
        return NULL;
    FileIo *f = as_file(self);
    if (load_relaxed(&f->seekable) < 0)
        store_relaxed(&f->seekable, lseek(fd, 0, SEEK_CUR) >= 0);
    return bool_from(load_relaxed(&f->seekable) > 0);
}

static Value
file_readable(Thread *th, Value self)
{
    int fd;
    return is_open(th, self, &fd) ? bool_from(load_relaxed(&as_file(self)->readable)) : NULL;
}

static Value
file_writable(Thread *th, Value self)
{
    int fd;
    return is_open(th, self, &fd) ? bool_from(load_relaxed(&as_file(self)->writable)) : NULL;
}

static Value
file_fileno(Thread *th, Value self)
{
    int fd;
    return is_open(th, self, &fd) ? value_from_fixnum(fd) : NULL;
}

static Value
file_isatty(Thread *th, Value self)
{
    int fd, r;
    if (!is_open(th, self, &fd))
        return NULL;
    BLOCKING(th, r, isatty(fd));
    return bool_from(r != 0);
}

static const char *
mode_of(const FileIo *f)
{
    bool readable = load_relaxed(&f->readable);
    if (load_relaxed(&f->created))
        return readable ? "xb+" : "xb";
    if (load_relaxed(&f->appending))
        return readable ? "ab+" : "ab";
    return !readable ? "wb" : load_relaxed(&f->writable) ? "rb+" : "rb";
}

static Value
file_repr(Thread *th, Value self)
{
    FileIo *f = as_file(self);
    int fd = load_relaxed(&f->fd);
    if (fd < 0)
        return str_format_c(th, "<%T [closed]>", self);
    const char *closefd = load_relaxed(&f->closefd) ? "True" : "False";
    Value name, result = NULL;
    Answer has = get_attr_optional(th, self, NAME(name), &name);
    if (has == FAILED)
        return NULL;
    if (has == NO)
        return str_format_c(th, "<%T fd=%d mode='%s' closefd=%s>", self, fd, mode_of(f), closefd);
    Answer inside = repr_enter(th, self);
    if (inside == YES)
        raise_error(th, &exc_RuntimeError, "reentrant call inside %T.__repr__", self);
    else if (inside == NO) {
        result = str_format_c(th, "<%T name=%R mode='%s' closefd=%s>", self, name, mode_of(f),
                              closefd);
        repr_leave(th, self);
    }
    drop(th, name);
    return result;
}

static Value
file_get_closed(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    return bool_from(io_file_closed(self));
}

static Value
file_get_closefd(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    return bool_from(load_relaxed(&as_file(self)->closefd));
}

static Value
file_get_mode(Thread *th, Value self, void *closure)
{
    (void)closure;
    return str_from_c(th, mode_of(as_file(self)));
}

static const MethodDef file_methods[] = {
    NATIVE_N("read", file_read, 0, 1,
             "read($self, size=-1, /)\n--\n\n"
             "Up to `size` bytes, by one system call; all if it is negative.\n"
             "None if nothing is there and the file does not block."),
    NATIVE_0("readall", file_readall, "readall($self, /)\n--\n\nAll bytes up to the end."),
    NATIVE_1("readinto", file_readinto,
             "readinto($self, buffer, /)\n--\n\n"
             "Reads into a writable buffer; returns the number of bytes."),
    NATIVE_1("write", file_write,
             "write($self, b, /)\n--\n\n"
             "Writes bytes by one system call; returns how many were written, None if none\n"
             "could be without blocking."),
    NATIVE_N("seek", file_seek, 1, 2,
             "seek($self, pos, whence=0, /)\n--\n\nMoves to a position; returns the new one."),
    NATIVE_0("tell", file_tell, "tell($self, /)\n--\n\nThe position in the file."),
    NATIVE_N("truncate", file_truncate, 0, 1,
             "truncate($self, size=None, /)\n--\n\n"
             "Makes the file `size` bytes long, by default up to the present position."),
    NATIVE_0("close", file_close,
             "close($self, /)\n--\n\nCloses the file; again: does nothing."),
    NATIVE_0("seekable", file_seekable, "seekable($self, /)\n--\n\nWhether seek() works."),
    NATIVE_0("readable", file_readable,
             "readable($self, /)\n--\n\nWhether the file was opened for reading."),
    NATIVE_0("writable", file_writable,
             "writable($self, /)\n--\n\nWhether the file was opened for writing."),
    NATIVE_0("fileno", file_fileno, "fileno($self, /)\n--\n\nThe file descriptor."),
    NATIVE_0("isatty", file_isatty, "isatty($self, /)\n--\n\nWhether the file is a terminal."),
    NATIVE_1("_dealloc_warn", file_dealloc_warn, NULL),
    NATIVE_END,
};

static const GetterDef file_getters[] = {
    {.name = "closed", .get = file_get_closed, .doc = "whether the file is closed"},
    {.name = "closefd", .get = file_get_closefd,
     .doc = "whether the file descriptor is closed with the object"},
    {.name = "mode", .get = file_get_mode, .doc = "how the file was opened"},
    {.name = NULL},
};

static const MemberDef file_members[] = {
    {.name = "_blksize", .kind = MEMBER_INT, .offset = offsetof(FileIo, block_size)},
    {.name = "_finalizing", .kind = MEMBER_BOOL, .offset = offsetof(FileIo, finalizing)},
    {.name = NULL},
};

Type io_file_type;
const TypeSpec io_file_spec = {
    .name = "_io.FileIO",
    .base = &io_raw_base_type,
    .size = sizeof(FileIo),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\n"
           "Opens a file as a raw stream of bytes.\n\n"
           "`file` is a path or a file descriptor.  The mode is 'r', 'w', 'a' or 'x' for\n"
           "reading, writing, appending, exclusive creation; a '+' allows the other direction,\n"
           "too.  `opener`, if given, is called with (file, flags) and returns a descriptor.",
    .methods = file_methods,
    .getters = file_getters,
    .members = file_members,
    .slots = {.repr = file_repr, .new = file_new, .init = file_init},
};
