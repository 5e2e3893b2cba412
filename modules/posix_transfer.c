/* posix_transfer.c -- module posix: reading and writing several buffers at once, copying between descriptors in the
 * kernel, and the descriptors that are made for that: eventfd(), memfd_create().
 *
 * Every call that may sleep runs offline; one that is interrupted answers signals and goes on (PEP 475).
 */
#include "modules/posix.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static Value
count_or_error(Thread *th, ssize_t n)
{
    return n >= 0 ? int_from_i64(th, n) : error_set(th) ? NULL : posix_error(th);
}

/* An int that is not negative. */
static bool
natural_arg(Thread *th, Value v, uint64_t *out)
{
    if (!is_int(v))
        raise_type_error(th, "an integer is required");
    else if (int_sign(v) < 0)
        raise_value_error(th, "value must be positive");
    else
        return int_to_u64(th, v, out);
    return false;
}

static bool
unsigned_arg(Thread *th, Value v, unsigned *out)
{
    uint64_t n;
    if (v == NULL)
        return true;
    if (!natural_arg(th, v, &n))
        return false;
    if (n > UINT32_MAX) {
        raise_overflow(th, "Python int too large for C unsigned int");
        return false;
    }
    *out = (unsigned)n;
    return true;
}

/* -- vectors of buffers ------------------------------------------------------------------------------------- */

typedef struct Vector {
    int count;
    struct iovec *io;
    Buffer *buffers; /* the first `count` are to be released */
} Vector;

static void
vector_free(Thread *th, Vector *v)
{
    for (int i = 0; i < v->count; i++)
        buffer_release(th, &v->buffers[i]);
    buffer_free(v->io);
    buffer_free(v->buffers);
}

/* The buffers of a sequence, for writing into if `flags` says so; `fname` is for the message. */
static bool
vector_from(Thread *th, const char *fname, Value sequence, int flags, Vector *v)
{
    *v = (Vector){.count = 0};
    if (!is_sequence(sequence)) {
        raise_type_error(th, "%s() arg 2 must be a sequence", fname);
        return false;
    }
    Value list = sequence_list(th, sequence);
    if (list == NULL)
        return false;
    int64_t n = list_length(list);
    v->io = buffer_new(th, (size_t)(n + 1) * sizeof *v->io);
    v->buffers = v->io ? buffer_new(th, (size_t)(n + 1) * sizeof *v->buffers) : NULL;
    bool ok = v->buffers != NULL;
    for (int64_t i = 0; ok && i < n && i < INT32_MAX; i++) {
        Value item = list_get(th, list, i);
        Buffer *b = &v->buffers[i];
        ok = flags & BUFFER_WRITABLE ? buffer_get(th, item, b, flags) : buffer_lend(th, item, b, flags);
        drop(th, item);
        if (ok) {
            v->io[i] = (struct iovec){.iov_base = b->data, .iov_len = (size_t)b->length};
            v->count++;
        }
    }
    drop(th, list);
    if (!ok)
        vector_free(th, v);
    return ok;
}

/* NAME(fd, buffers[, offset[, flags]]) by preadv2() or pwritev2(); `messages` is the name that messages give. */
static Value
transfer(Thread *th, const Arg *a, size_t n, const char *messages, int access,
         ssize_t (*call)(int, const struct iovec *, int, off_t, int))
{
    int fd, flags = 0;
    int64_t offset = -1; /* where the descriptor is */
    Vector v;
    ssize_t r;
    if (!arg_int(th, arg(a, 0), &fd) || (n > 2 && !arg_long(th, arg(a, 2), &offset)) ||
        (n > 3 && !arg_int(th, arg(a, 3), &flags)) || !vector_from(th, messages, arg(a, 1), access, &v))
        return NULL;
    OFFLINE(th, r, call(fd, v.io, v.count, offset, flags));
    Value result = count_or_error(th, r);
    vector_free(th, &v);
    return result;
}

static Value
posix_readv(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return transfer(th, a, n, "readv", BUFFER_WRITABLE, preadv2);
}

static Value
posix_writev(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return transfer(th, a, n, "writev", BUFFER_SIMPLE, pwritev2);
}

static Value
posix_preadv(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return transfer(th, a, n, "preadv2", BUFFER_WRITABLE, preadv2);
}

static Value
posix_pwritev(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return transfer(th, a, n, "pwritev", BUFFER_SIMPLE, pwritev2);
}

/* -- copying in the kernel ------------------------------------------------------------------------------------ */

/* An offset, or None for the position of the descriptor (*out is NULL then). */
static bool
offset_arg(Thread *th, Value v, int64_t *offset, int64_t **out)
{
    *out = NULL;
    if (v == NULL || v == NONE)
        return true;
    *out = offset;
    return arg_long(th, v, offset);
}

/* What copy_file_range() and splice() have in common. */
static bool
copy_args(Thread *th, Value *v, int *src, int *dst, int64_t *count, int64_t *offsets, int64_t **from, int64_t **to)
{
    if (!arg_int(th, v[0], src) || !arg_int(th, v[1], dst) || !arg_ssize(th, v[2], count))
        return false;
    if (*count < 0) {
        raise_value_error(th, "negative value for 'count' not allowed");
        return false;
    }
    return offset_arg(th, v[3], &offsets[0], from) && offset_arg(th, v[4], &offsets[1], to);
}

static Value
posix_copy_file_range(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "copy_file_range",
                                     .names = {"src", "dst", "count", "offset_src", "offset_dst"},
                                     .positional = 5, .required = 3};
    Value v[5];
    int src, dst;
    int64_t count, offsets[2], *from, *to;
    ssize_t r;
    if (!args_bind(th, &params, a, n, kwnames, v) ||
        !copy_args(th, v, &src, &dst, &count, offsets, &from, &to))
        return NULL;
    OFFLINE(th, r, copy_file_range(src, from, dst, to, (size_t)count, 0));
    return count_or_error(th, r);
}

static Value
posix_splice(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "splice",
                                     .names = {"src", "dst", "count", "offset_src", "offset_dst", "flags"},
                                     .positional = 6, .required = 3};
    Value v[6];
    int src, dst;
    unsigned flags = 0;
    int64_t count, offsets[2], *from, *to;
    ssize_t r;
    if (!args_bind(th, &params, a, n, kwnames, v) ||
        !copy_args(th, v, &src, &dst, &count, offsets, &from, &to) || !unsigned_arg(th, v[5], &flags))
        return NULL;
    OFFLINE(th, r, splice(src, from, dst, to, (size_t)count, flags));
    return count_or_error(th, r);
}

/* -- descriptors without a file --------------------------------------------------------------------------------- */

static Value
posix_eventfd(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "eventfd", .names = {"initval", "flags"}, .positional = 2,
                                     .required = 1};
    Value v[2];
    unsigned start = 0;
    int flags = EFD_CLOEXEC;
    if (!args_bind(th, &params, a, n, kwnames, v) || !unsigned_arg(th, v[0], &start) ||
        !arg_int(th, v[1], &flags))
        return NULL;
    return count_or_error(th, eventfd(start, flags));
}

static Value
posix_eventfd_read(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "eventfd_read", .names = {"fd"}, .positional = 1, .required = 1};
    Value v[1];
    int fd, r;
    eventfd_t value;
    if (!args_bind(th, &params, a, n, kwnames, v) || !fd_arg(th, v[0], &fd))
        return NULL;
    OFFLINE(th, r, eventfd_read(fd, &value));
    return r < 0 ? count_or_error(th, r) : int_from_u64(th, value);
}

static Value
posix_eventfd_write(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "eventfd_write", .names = {"fd", "value"}, .positional = 2,
                                     .required = 2};
    Value v[2];
    int fd, r;
    uint64_t value;
    if (!args_bind(th, &params, a, n, kwnames, v) || !fd_arg(th, v[0], &fd) || !natural_arg(th, v[1], &value))
        return NULL;
    OFFLINE(th, r, eventfd_write(fd, value));
    return r < 0 ? count_or_error(th, r) : NONE;
}

static Value
posix_memfd_create(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "memfd_create", .names = {"name", "flags"}, .positional = 2,
                                     .required = 1};
    Value v[2];
    uint64_t flags = MFD_CLOEXEC;
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    Value name = fs_encode(th, v[0]), bits = name && v[1] ? to_index(th, v[1]) : NULL;
    if (name == NULL || (v[1] && bits == NULL)) {
        drop_null(th, name);
        return NULL;
    }
    if (bits)
        flags = int_to_u64_wrap(bits);
    int fd = memfd_create((const char *)as_bytes(name)->data, (unsigned)flags);
    Value r = count_or_error(th, fd);
    drop_null(th, bits);
    drop(th, name);
    return r;
}

const MethodDef posix_transfer_methods[] = {
    NATIVE_N("readv", posix_readv, 2, 2, "readv($module, fd, buffers, /)\n--\n\nRead from a file descriptor fd into an iterable of buffers.\n\nEach buffer is filled before the next one; the number of bytes read is returned."),
    NATIVE_N("writev", posix_writev, 2, 2, "writev($module, fd, buffers, /)\n--\n\nWrite the contents of each of a sequence of buffers to a file descriptor.\n\nThe number of bytes written is returned."),
    NATIVE_N("preadv", posix_preadv, 3, 4, "preadv($module, fd, buffers, offset, flags=0, /)\n--\n\nReads from a position of a file descriptor into a number of mutable bytes-like objects."),
    NATIVE_N("pwritev", posix_pwritev, 3, 4, "pwritev($module, fd, buffers, offset, flags=0, /)\n--\n\nWrites the contents of bytes-like objects to a file descriptor at a given offset."),
    NATIVE_K("copy_file_range", posix_copy_file_range, "copy_file_range($module, /, src, dst, count, offset_src=None,\n                offset_dst=None)\n--\n\nCopy count bytes from one file descriptor to another."),
    NATIVE_K("splice", posix_splice, "splice($module, /, src, dst, count, offset_src=None, offset_dst=None,\n       flags=0)\n--\n\nTransfer count bytes from one pipe to a descriptor or vice versa."),
    NATIVE_K("eventfd", posix_eventfd, "eventfd($module, /, initval, flags=EFD_CLOEXEC)\n--\n\nCreates and returns an event notification file descriptor."),
    NATIVE_K("eventfd_read", posix_eventfd_read, "eventfd_read($module, /, fd)\n--\n\nRead eventfd value"),
    NATIVE_K("eventfd_write", posix_eventfd_write, "eventfd_write($module, /, fd, value)\n--\n\nWrite eventfd value."),
    NATIVE_K("memfd_create", posix_memfd_create, "memfd_create($module, /, name, flags=MFD_CLOEXEC)\n--\n\n"),
    NATIVE_END,
};
