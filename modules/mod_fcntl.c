/* mod_fcntl.c -- module fcntl: fcntl(), ioctl(), flock() and lockf().  Stateless. */
#include "modules/posix.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>

#include "threads/blocking.h"
#include "threads/safepoint.h"

enum { BUFFER_SIZE = 1024 };

/* After a system call that gave -1: true, it was interrupted and is made again. */
static bool
again(Thread *th)
{
    return errno == EINTR && safepoint_poll(th);
}

static Value
failed(Thread *th)
{
    return error_set(th) ? NULL : posix_error(th);
}

static bool
audit(Thread *th, const char *event, size_t n, const Value *values)
{
    Value args = tuple_of(th, values, n);
    bool ok = args && upcalls.audit(th, event, args);
    drop_null(th, args);
    return ok;
}

/* An argument that is no number is bytes (str: UTF-8) of at most BUFFER_SIZE, copied with room for a zero. */
static bool
bytes_arg(Thread *th, Value v, const char *fname, char *data, size_t *n)
{
    if (is_str(v)) {
        const char *p = str_utf8(th, v, n);
        if (p == NULL)
            return false;
        if (*n <= BUFFER_SIZE)
            memcpy(data, p, *n);
    } else {
        Buffer b;
        if (!buffer_lend(th, v, &b, BUFFER_SIMPLE))
            return false;
        *n = (size_t)b.length;
        if (*n <= BUFFER_SIZE)
            memcpy(data, b.data, *n);
        buffer_release(th, &b);
    }
    if (*n > BUFFER_SIZE) {
        raise_value_error(th, "%s argument 3 is too long", fname);
        return false;
    }
    data[*n] = 0;
    return true;
}

static bool
is_data(Value v)
{
    return is_str(v) || (has_buffer(v) && !is_int(v));
}

static Value
fcntl_fcntl(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int fd, code, r;
    Value v = n > 2 ? arg(a, 2) : value_from_fixnum(0);
    if (!fd_arg(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &code) ||
        !audit(th, "fcntl.fcntl", 3, (Value[]){value_from_fixnum(fd), value_from_fixnum(code), v}))
        return NULL;
    if (is_data(v)) {
        char data[BUFFER_SIZE + 1];
        size_t length;
        if (!bytes_arg(th, v, "fcntl", data, &length))
            return NULL;
        do {
            BLOCKING(th, r, fcntl(fd, code, data));
        } while (r == -1 && again(th));
        return r < 0 ? failed(th) : bytes_from(th, data, length);
    }
    Value number = to_index(th, v);
    if (number == NULL) {
        if (error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th, "fcntl() argument 3 must be int, not %B", v);
        }
        return NULL;
    }
    int word = (int)(uint32_t)int_to_u64_wrap(number);
    drop(th, number);
    do {
        BLOCKING(th, r, fcntl(fd, code, word));
    } while (r == -1 && again(th));
    return r < 0 ? failed(th) : value_from_fixnum(r);
}

/* ioctl() on a copy of the data; what it becomes is put back into the buffer if `mutate`. */
static Value
ioctl_data(Thread *th, int fd, unsigned long code, Value v, bool mutate)
{
    char data[BUFFER_SIZE + 1];
    int r;
    Buffer b = {.owner = NULL};
    if (!is_str(v) && buffer_get(th, v, &b, BUFFER_WRITABLE)) {
        if (!mutate && b.length > BUFFER_SIZE) {
            buffer_release(th, &b);
            return raise_value_error(th, "ioctl argument 3 is too long");
        }
        char *p = mutate && b.length > BUFFER_SIZE ? (char *)b.data : data;
        if (p == data) {
            memory_move_raced(data, b.data, (size_t)b.length);
            data[b.length] = 0;
        }
        BLOCKING(th, r, ioctl(fd, code, p));
        int error = errno;
        if (mutate && p == data)
            memory_move_raced(b.data, data, (size_t)b.length);
        size_t length = (size_t)b.length;
        buffer_release(th, &b);
        errno = error;
        return r < 0 ? posix_error(th) : mutate ? value_from_fixnum(r) : bytes_from(th, data, length);
    }
    error_clear(th); /* a read-only buffer: the answer is a copy */
    size_t length;
    if (!bytes_arg(th, v, "ioctl", data, &length))
        return NULL;
    BLOCKING(th, r, ioctl(fd, code, data));
    return r < 0 ? posix_error(th) : bytes_from(th, data, length);
}

static Value
fcntl_ioctl(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int fd, r;
    bool mutate = true;
    Value v = n > 2 ? arg(a, 2) : value_from_fixnum(0), number;
    if (!fd_arg(th, arg(a, 0), &fd) || (number = to_index(th, arg(a, 1))) == NULL)
        return NULL;
    unsigned long code = (uint32_t)int_to_u64_wrap(number);
    drop(th, number);
    if (n > 3 && !arg_bool(th, arg(a, 3), &mutate))
        return NULL;
    if (!audit(th, "fcntl.ioctl", 3, (Value[]){value_from_fixnum(fd), value_from_fixnum((int64_t)code), v}))
        return NULL;
    if (is_data(v))
        return ioctl_data(th, fd, code, v, mutate);
    number = to_index(th, v);
    if (number == NULL) {
        if (error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th, "ioctl() argument 3 must be int, not %B", v);
        }
        return NULL;
    }
    int word = (int)(uint32_t)int_to_u64_wrap(number);
    drop(th, number);
    BLOCKING(th, r, ioctl(fd, code, word));
    return r < 0 ? posix_error(th) : value_from_fixnum(r);
}

static Value
fcntl_flock(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, operation, r;
    if (!fd_arg(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &operation) ||
        !audit(th, "fcntl.flock", 2, (Value[]){value_from_fixnum(fd), value_from_fixnum(operation)}))
        return NULL;
    do {
        BLOCKING(th, r, flock(fd, operation));
    } while (r == -1 && again(th));
    return r < 0 ? failed(th) : NONE;
}

static Value
fcntl_lockf(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int fd, operation, whence = 0, r;
    int64_t length = 0, start = 0;
    if (!fd_arg(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &operation) ||
        (n > 2 && !arg_long(th, arg(a, 2), &length)) || (n > 3 && !arg_long(th, arg(a, 3), &start)) ||
        (n > 4 && !arg_int(th, arg(a, 4), &whence)) ||
        !audit(th, "fcntl.lockf", 5, (Value[]){value_from_fixnum(fd), value_from_fixnum(operation),
                                              n > 2 ? arg(a, 2) : NONE, n > 3 ? arg(a, 3) : NONE,
                                              value_from_fixnum(whence)}))
        return NULL;
    struct flock l = {.l_start = start, .l_len = length, .l_whence = (short)whence};
    if (operation == LOCK_UN)
        l.l_type = F_UNLCK;
    else if (operation & LOCK_SH)
        l.l_type = F_RDLCK;
    else if (operation & LOCK_EX)
        l.l_type = F_WRLCK;
    else
        return raise_value_error(th, "unrecognized lockf argument");
    do {
        BLOCKING(th, r, fcntl(fd, operation & LOCK_NB ? F_SETLK : F_SETLKW, &l));
    } while (r == -1 && again(th));
    return r < 0 ? failed(th) : NONE;
}

static const MethodDef fcntl_methods[] = {
    NATIVE_N("fcntl", fcntl_fcntl, 2, 3, "fcntl($module, fd, cmd, arg=0, /)\n--\n\nPerform the operation `cmd` on file descriptor fd."),
    NATIVE_N("ioctl", fcntl_ioctl, 2, 4, "ioctl($module, fd, request, arg=0, mutate_flag=True, /)\n--\n\nPerform the operation request on file descriptor fd."),
    NATIVE_N("flock", fcntl_flock, 2, 2, "flock($module, fd, operation, /)\n--\n\nPerform the lock operation `operation` on file descriptor `fd`."),
    NATIVE_N("lockf", fcntl_lockf, 2, 5, "lockf($module, fd, cmd, len=0, start=0, whence=0, /)\n--\n\nA wrapper around the fcntl() locking calls."),
    NATIVE_END,
};

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define C(x) {#x, (int64_t)(x)},
    C(LOCK_SH) C(LOCK_EX) C(LOCK_NB) C(LOCK_UN) C(LOCK_MAND) C(LOCK_READ) C(LOCK_WRITE) C(LOCK_RW)
    C(F_DUPFD) C(F_DUPFD_CLOEXEC) C(F_GETFD) C(F_SETFD) C(F_GETFL) C(F_SETFL) C(F_GETLK) C(F_SETLK) C(F_SETLKW)
    C(F_OFD_GETLK) C(F_OFD_SETLK) C(F_OFD_SETLKW) C(F_GETOWN) C(F_SETOWN) C(F_GETSIG) C(F_SETSIG) C(F_RDLCK)
    C(F_WRLCK) C(F_UNLCK) C(F_GETLK64) C(F_SETLK64) C(F_SETLKW64) C(FASYNC) C(F_SETLEASE) C(F_GETLEASE) C(F_NOTIFY)
    C(F_EXLCK) C(F_SHLCK) C(DN_ACCESS) C(DN_MODIFY) C(DN_CREATE) C(DN_DELETE) C(DN_RENAME) C(DN_ATTRIB)
    C(DN_MULTISHOT) C(F_GETPIPE_SZ) C(F_SETPIPE_SZ) C(FD_CLOEXEC) C(F_ADD_SEALS) C(F_GET_SEALS) C(F_SEAL_SEAL)
    C(F_SEAL_SHRINK) C(F_SEAL_GROW) C(F_SEAL_WRITE)
#undef C
};

static bool
fcntl_exec(Thread *th, Value m)
{
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return true;
}

const ModuleSpec fcntl_module = {
    .name = "fcntl", .doc = "This module performs file control and I/O control on file descriptors.",
    .methods = fcntl_methods, .exec = fcntl_exec,
};
