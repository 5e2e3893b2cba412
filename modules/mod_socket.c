/* mod_socket.c -- module _socket: socket objects and what makes them.
 *
 * A blocking call leaves the interpreter (blocking_begin), so other threads and collections go on; when
 * a signal interrupts it, handlers run, and it is made again with what is left of the timeout.  A socket
 * with a timeout has a descriptor that does not block, and waits in poll(). */
#include "modules/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <math.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "modules/static_types.h"
#include "threads/blocking.h"
#include "threads/safepoint.h"

Type gaierror_type, herror_type, socket_type;

void *
socket_error(Thread *th)
{
    return raise_os_error(th, errno);
}

void *
socket_gai_error(Thread *th, int code)
{
    if (code == EAI_SYSTEM)
        return socket_error(th);
    Value text = str_from_c(th, gai_strerror(code));
    Value args = text ? tuple_pack(th, 2, value_from_fixnum(code), text) : NULL;
    Value exc = args ? call_tuple_dict(th, value_of_type(&gaierror_type), args, NULL) : NULL;
    drop_null(th, text);
    drop_null(th, args);
    return exc ? raise_instance(th, exc) : NULL;
}

bool
socket_audit(Thread *th, const char *event, size_t n, const Value *values)
{
    Value args = tuple_new(th, n);
    if (args == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        tuple_init_item(args, (int64_t)i, values[i] ? retain(th, values[i]) : NONE);
    bool ok = upcalls.audit(th, event, args);
    drop(th, args);
    return ok;
}

static SocketState *
socket_state(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_SOCKET]); /* pairs with socket_exec() */
}

/* -- waiting -- */

int64_t
socket_deadline(Socket *s)
{
    return clock_deadline_ns(load_relaxed(&s->timeout));
}

/* Waits until `fd` is ready.  NO: the time is over; FAILED: a handler raised, or poll() failed. */
static Answer
wait_ready(Thread *th, int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int ms = -1;
        if (deadline != INT64_MAX) {
            int64_t left = deadline - clock_monotonic_ns();
            left = left <= 0 ? 0 : (left + NS_PER_MS - 1) / NS_PER_MS;
            ms = left > INT_MAX ? INT_MAX : (int)left;
        }
        int r;
        BLOCKING(th, r, poll(&p, 1, ms));
        if (r > 0)
            return YES;
        if (r == 0) {
            if (deadline != INT64_MAX && clock_monotonic_ns() >= deadline)
                return NO;
        } else if (errno != EINTR) {
            socket_error(th);
            return FAILED;
        }
        if (!safepoint_poll(th))
            return FAILED;
    }
}

static void
raise_timed_out(Thread *th)
{
    raise_error(th, &exc_TimeoutError, "timed out");
}

ssize_t
socket_call(Thread *th, Socket *s, int fd, bool writing, SocketCall call, void *data, int64_t deadline)
{
    bool timed = load_relaxed(&s->timeout) > 0;
    for (;;) {
        if (timed) {
            Answer ready = wait_ready(th, fd, writing ? POLLOUT : POLLIN, deadline);
            if (ready != YES) {
                if (ready == NO)
                    raise_timed_out(th);
                return -1;
            }
        }
        ssize_t r;
        BLOCKING(th, r, call(fd, data));
        if (r >= 0)
            return r;
        if (errno == EINTR) {
            if (!safepoint_poll(th))
                return -1;
        } else if (!timed || (errno != EAGAIN && errno != EWOULDBLOCK)) {
            socket_error(th);
            return -1;
        }
    }
}

/* -- timeouts -- */

/* Seconds or None; -1: None. */
static bool
timeout_arg(Thread *th, Value v, int64_t *out)
{
    *out = -1;
    if (v == NONE)
        return true;
    double seconds;
    if (is_float(v)) {
        seconds = float_value(v);
        if (isnan(seconds)) {
            raise_value_error(th, "Invalid value NaN (not a number)");
            return false;
        }
    } else {
        int64_t whole;
        if (!arg_long(th, v, &whole)) {
            if (error_matches(th, &exc_OverflowError)) {
                error_clear(th);
                raise_overflow(th, "timestamp too large to convert to C _PyTime_t");
            }
            return false;
        }
        seconds = (double)whole;
    }
    if (fabs(seconds) > 9.2e9) {
        raise_overflow(th, "timestamp too large to convert to C _PyTime_t");
        return false;
    }
    if (seconds < 0) {
        raise_value_error(th, "Timeout value out of range");
        return false;
    }
    *out = (int64_t)ceil(seconds * 1e9);
    return true;
}

static Value
timeout_to(Thread *th, int64_t timeout)
{
    return timeout < 0 ? NONE : float_from(th, (double)timeout / 1e9);
}

static bool
set_blocking(Thread *th, int fd, bool block)
{
    int flags, r;
    blocking_begin(th);
    flags = r = fcntl(fd, F_GETFL, 0);
    int wanted = block ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (flags >= 0 && wanted != flags)
        r = fcntl(fd, F_SETFL, wanted);
    blocking_end(th);
    if (r < 0)
        socket_error(th);
    return r >= 0;
}

static Value
socket_settimeout(Thread *th, Value self, Value v)
{
    Socket *s = as_socket(self);
    int64_t timeout;
    if (!timeout_arg(th, v, &timeout))
        return NULL;
    store_relaxed(&s->timeout, timeout);
    return set_blocking(th, load_relaxed(&s->fd), timeout < 0) ? NONE : NULL;
}

static Value
socket_setblocking(Thread *th, Value self, Value v)
{
    Socket *s = as_socket(self);
    Answer block = is_true(th, v);
    if (block == FAILED)
        return NULL;
    store_relaxed(&s->timeout, block == YES ? -1 : 0);
    return set_blocking(th, load_relaxed(&s->fd), block == YES) ? NONE : NULL;
}

static Value
socket_gettimeout(Thread *th, Value self)
{
    return timeout_to(th, load_relaxed(&as_socket(self)->timeout));
}

static Value
socket_getblocking(Thread *th, Value self)
{
    (void)th;
    return bool_from(load_relaxed(&as_socket(self)->timeout) != 0);
}

/* -- making -- */

static Value
socket_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    (void)a, (void)n, (void)kwnames; /* __init__ looks at them */
    Value v = type_alloc(th, type, 0);
    if (v) {
        Socket *s = as_socket(v);
        plain_store(&s->fd, -1); /* not published yet */
        plain_store(&s->timeout, load_relaxed(&socket_state(th)->default_timeout));
    }
    return v;
}

/* The descriptor that fileno= names, and what the system knows about it for what is not given. */
static bool
adopt(Thread *th, Value v, int *fd, int *family, int *type, int *proto)
{
    if (is_float(v)) {
        raise_type_error(th, "integer argument expected, got float");
        return false;
    }
    int64_t n;
    if (!arg_long(th, v, &n))
        return false;
    if (n < 0 || n > INT_MAX) {
        raise_value_error(th, "negative file descriptor");
        return false;
    }
    *fd = (int)n;
    SocketAddress address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(*fd, &address.any, &length) < 0) {
        if (*family == -1 || errno == EBADF || errno == ENOTSOCK) {
            socket_error(th);
            return false;
        }
    } else if (*family == -1) {
        *family = address.any.sa_family;
    }
    length = sizeof *type;
    if (*type == -1 && getsockopt(*fd, SOL_SOCKET, SO_TYPE, type, &length) < 0) {
        socket_error(th);
        return false;
    }
    length = sizeof *proto;
    if (*proto == -1 && getsockopt(*fd, SOL_SOCKET, SO_PROTOCOL, proto, &length) < 0) {
        socket_error(th);
        return false;
    }
    return true;
}

static bool
socket_init(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "socket", .names = {"family", "type", "proto", "fileno"}, .positional = 4};
    Socket *s = as_socket(self);
    Value v[4];
    int family = -1, type = -1, proto = -1, fd = -1;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &family) || !arg_int(th, v[1], &type) ||
        !arg_int(th, v[2], &proto))
        return false;
    if (!socket_audit(th, "socket.__new__", 4, (Value[]){self, value_from_fixnum(family), value_from_fixnum(type),
                                                         value_from_fixnum(proto)}))
        return false;
    if (v[3] && v[3] != NONE) {
        if (!adopt(th, v[3], &fd, &family, &type, &proto))
            return false;
    } else {
        family = family == -1 ? AF_INET : family;
        type = type == -1 ? SOCK_STREAM : type;
        proto = proto == -1 ? 0 : proto;
        BLOCKING(th, fd, socket(family, type | SOCK_CLOEXEC, proto));
        if (fd < 0) {
            socket_error(th);
            return false;
        }
    }
    store_relaxed(&s->family, family);
    store_relaxed(&s->type, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK));
    store_relaxed(&s->proto, proto);
    store_release(&s->fd, fd); /* who shares a socket that is being set up may see it without the fields above */
    int64_t timeout = type & SOCK_NONBLOCK ? 0 : load_relaxed(&socket_state(th)->default_timeout);
    store_relaxed(&s->timeout, timeout);
    return (type & SOCK_NONBLOCK) || timeout < 0 || set_blocking(th, fd, false);
}

static Value
socket_repr(Thread *th, Value self)
{
    Socket *s = as_socket(self);
    return str_format_c(th, "<socket object, fd=%d, family=%d, type=%d, proto=%d>", load_relaxed(&s->fd),
                        load_relaxed(&s->family), load_relaxed(&s->type), load_relaxed(&s->proto));
}

/* -- ending -- */

/* close() is made once: after EINTR the descriptor is gone, too. */
static bool
close_descriptor(Thread *th, int fd)
{
    int r;
    BLOCKING(th, r, close(fd));
    if (r < 0 && errno != ECONNRESET) {
        socket_error(th);
        return false;
    }
    return true;
}

static Value
socket_close(Thread *th, Value self)
{
    int fd = exchange_acq_rel(&as_socket(self)->fd, -1);
    return fd < 0 || close_descriptor(th, fd) ? NONE : NULL;
}

static Value
socket_detach(Thread *th, Value self)
{
    (void)th;
    return value_from_fixnum(exchange_acq_rel(&as_socket(self)->fd, -1));
}

static Value
socket_fileno(Thread *th, Value self)
{
    (void)th;
    return value_from_fixnum(load_relaxed(&as_socket(self)->fd));
}

static void
socket_finalize(Thread *th, Object *o)
{
    Socket *s = (Socket *)o;
    if (load_relaxed(&s->fd) < 0)
        return;
    Value saved = error_take(th);
    if (!warn(th, &exc_ResourceWarning, 1, "unclosed %R", value_of(o))) {
        if (error_matches(th, &exc_Warning))
            error_unraisable(th, NULL, value_of(o));
        else
            error_clear(th);
    }
    int fd = exchange_acq_rel(&s->fd, -1); /* a warning's filter may have closed it */
    if (fd >= 0)
        close(fd);
    error_restore(th, saved);
}

/* For objects that die without having been finalized (the interpreter ends). */
static void
socket_dealloc(Thread *th, Object *o)
{
    (void)th;
    Socket *s = (Socket *)o;
    if (plain_load(&s->fd) >= 0) /* dying; -1 since it was made */
        close(plain_load(&s->fd));
}

static Value
socket_shutdown(Thread *th, Value self, Value v)
{
    int how, r;
    if (!arg_int(th, v, &how))
        return NULL;
    int fd = load_relaxed(&as_socket(self)->fd);
    BLOCKING(th, r, shutdown(fd, how));
    return r < 0 ? socket_error(th) : NONE;
}

/* -- addresses -- */

static bool
own_address(Thread *th, Value self, Value v, const char *fname, SocketAddress *address, socklen_t *length)
{
    Socket *s = as_socket(self);
    return socket_address_from(th, load_relaxed(&s->fd), load_relaxed(&s->family), load_relaxed(&s->proto), v, fname,
                               address, length);
}

static Value
address_value(Thread *th, Value self, const SocketAddress *address, socklen_t length)
{
    Socket *s = as_socket(self);
    if (length > sizeof *address)
        length = sizeof *address;
    return socket_address_to(th, load_relaxed(&s->fd), address, length, load_relaxed(&s->proto));
}

static Value
socket_bind(Thread *th, Value self, Value v)
{
    SocketAddress address;
    socklen_t length;
    if (!own_address(th, self, v, "bind", &address, &length) ||
        !socket_audit(th, "socket.bind", 2, (Value[]){self, v}))
        return NULL;
    int fd = load_relaxed(&as_socket(self)->fd), r;
    BLOCKING(th, r, bind(fd, &address.any, length));
    return r < 0 ? socket_error(th) : NONE;
}

/* Connects; *error gets the errno, EWOULDBLOCK after a timeout.  False: a signal handler raised. */
static bool
connect_to(Thread *th, Socket *s, const SocketAddress *address, socklen_t length, int *error)
{
    int fd = load_relaxed(&s->fd), r;
    int64_t timeout = load_relaxed(&s->timeout), deadline = socket_deadline(s);
    *error = 0;
    BLOCKING(th, r, connect(fd, &address->any, length));
    if (r == 0)
        return true;
    *error = errno;
    if (*error == EINTR) {
        if (!safepoint_poll(th))
            return false;
        if (timeout == 0)
            return true;
    } else if (*error != EINPROGRESS || timeout <= 0) {
        return true;
    }
    /* It goes on in the background. */
    Answer ready = wait_ready(th, fd, POLLOUT, deadline);
    if (ready == FAILED)
        return false;
    if (ready == NO) {
        *error = EWOULDBLOCK;
        return true;
    }
    socklen_t size = sizeof *error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &size) < 0)
        *error = errno;
    if (*error == EISCONN)
        *error = 0;
    return true;
}

static Value
socket_connect(Thread *th, Value self, Value v)
{
    SocketAddress address;
    socklen_t length;
    int error;
    if (!own_address(th, self, v, "connect", &address, &length) ||
        !socket_audit(th, "socket.connect", 2, (Value[]){self, v}) ||
        !connect_to(th, as_socket(self), &address, length, &error))
        return NULL;
    if (error == 0)
        return NONE;
    if (error == EWOULDBLOCK && load_relaxed(&as_socket(self)->timeout) > 0) {
        raise_timed_out(th);
        return NULL;
    }
    return raise_os_error(th, error);
}

static Value
socket_connect_ex(Thread *th, Value self, Value v)
{
    SocketAddress address;
    socklen_t length;
    int error;
    if (!own_address(th, self, v, "connect_ex", &address, &length) ||
        !socket_audit(th, "socket.connect", 2, (Value[]){self, v}) ||
        !connect_to(th, as_socket(self), &address, length, &error))
        return NULL;
    return value_from_fixnum(error);
}

static Value
socket_listen(Thread *th, Value self, const Arg *a, size_t n)
{
    int backlog = SOMAXCONN < 128 ? SOMAXCONN : 128, r;
    if (n && !arg_int(th, arg(a, 0), &backlog))
        return NULL;
    int fd = load_relaxed(&as_socket(self)->fd);
    BLOCKING(th, r, listen(fd, backlog < 0 ? 0 : backlog));
    return r < 0 ? socket_error(th) : NONE;
}

typedef struct AddressCall {
    SocketAddress address;
    socklen_t length;
    void *data;
    size_t size;
    int flags;
} AddressCall;

static ssize_t
do_accept(int fd, void *data)
{
    AddressCall *c = data;
    c->length = sizeof c->address;
    return accept4(fd, &c->address.any, &c->length, SOCK_CLOEXEC);
}

static Value
socket_accept(Thread *th, Value self)
{
    Socket *s = as_socket(self);
    AddressCall c;
    memset(&c, 0, sizeof c);
    int fd = (int)socket_call(th, s, load_relaxed(&s->fd), false, do_accept, &c, socket_deadline(s));
    if (fd < 0)
        return NULL;
    Value address = address_value(th, self, &c.address, c.length);
    Value r = address ? tuple_pack(th, 2, value_from_fixnum(fd), address) : NULL;
    drop_null(th, address);
    if (r == NULL)
        close(fd);
    return r;
}

/* The address at one end of the socket: `ask` is getsockname() or getpeername(). */
static Value
socket_name(Thread *th, Value self, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    SocketAddress address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (ask(load_relaxed(&as_socket(self)->fd), &address.any, &length) < 0)
        return socket_error(th);
    return address_value(th, self, &address, length);
}

static Value
socket_getsockname(Thread *th, Value self)
{
    return socket_name(th, self, getsockname);
}

static Value
socket_getpeername(Thread *th, Value self)
{
    return socket_name(th, self, getpeername);
}

/* -- options -- */

static Value
socket_getsockopt(Thread *th, Value self, const Arg *a, size_t n)
{
    int level, option, size = 0;
    if (!arg_int(th, arg(a, 0), &level) || !arg_int(th, arg(a, 1), &option) || (n > 2 && !arg_int(th, arg(a, 2), &size)))
        return NULL;
    Socket *s = as_socket(self);
    int fd = load_relaxed(&s->fd);
    bool vsock = load_relaxed(&s->family) == AF_VSOCK; /* its options have 64 bits */
    if (size == 0) {
        int value = 0;
        uint64_t wide = 0;
        socklen_t length = vsock ? sizeof wide : sizeof value;
        if (getsockopt(fd, level, option, vsock ? (void *)&wide : &value, &length) < 0)
            return socket_error(th);
        return vsock ? int_from_u64(th, wide) : value_from_fixnum(value);
    }
    if (vsock)
        return raise_error(th, &exc_OSError, "getsockopt string buffer not allowed");
    if (size < 0 || size > 1024)
        return raise_error(th, &exc_OSError, "getsockopt buflen out of range");
    char data[1024];
    socklen_t length = (socklen_t)size;
    if (getsockopt(fd, level, option, data, &length) < 0)
        return socket_error(th);
    return bytes_from(th, data, length);
}

static Value
socket_setsockopt(Thread *th, Value self, const Arg *a, size_t n)
{
    int level, option, r;
    if (n != 3 && n != 4)
        return raise_type_error(th, "setsockopt() takes exactly 3 arguments (%zu given)", n);
    Socket *s = as_socket(self);
    int fd = load_relaxed(&s->fd);
    Value v = arg(a, 2);
    if (!arg_int(th, arg(a, 0), &level) || !arg_int(th, arg(a, 1), &option))
        return NULL;
    if (n == 4) {
        int length;
        if (v != NONE)
            return raise_type_error(th, "setsockopt() takes exactly 3 arguments (4 given)");
        if (!arg_int(th, arg(a, 3), &length))
            return NULL;
        r = setsockopt(fd, level, option, NULL, (socklen_t)length);
    } else if (load_relaxed(&s->family) == AF_VSOCK && is_int(v)) {
        uint64_t wide;
        if (!arg_ulong(th, v, &wide))
            return NULL;
        r = setsockopt(fd, level, option, &wide, sizeof wide);
    } else if (is_int(v)) {
        int value;
        if (!arg_int(th, v, &value))
            return NULL;
        r = setsockopt(fd, level, option, &value, sizeof value);
    } else {
        Buffer b;
        if (!buffer_read(th, v, &b, BUFFER_SIMPLE))
            return NULL;
        r = setsockopt(fd, level, option, b.data, (socklen_t)b.length);
        int error = errno;
        buffer_release(th, &b);
        errno = error;
    }
    return r < 0 ? socket_error(th) : NONE;
}

/* -- receiving -- */

static ssize_t
do_recv(int fd, void *data)
{
    AddressCall *c = data;
    return recv(fd, c->data, c->size, c->flags);
}

static ssize_t
do_recvfrom(int fd, void *data)
{
    AddressCall *c = data;
    c->length = sizeof c->address;
    return recvfrom(fd, c->data, c->size, c->flags, &c->address.any, &c->length);
}

/* recv() and recvfrom() into new bytes. */
static Value
receive_bytes(Thread *th, Value self, const Arg *a, size_t n, const char *name, SocketCall call, AddressCall *c)
{
    Socket *s = as_socket(self);
    int64_t size;
    memset(c, 0, sizeof *c);
    if (!arg_ssize(th, arg(a, 0), &size) || (n > 1 && !arg_int(th, arg(a, 1), &c->flags)))
        return NULL;
    if (size < 0)
        return raise_value_error(th, "negative buffersize in %s", name);
    Value bytes = bytes_new(th, (size_t)size);
    if (bytes == NULL)
        return NULL;
    c->data = as_bytes(bytes)->data; /* not published: nobody else looks while this thread is offline */
    c->size = (size_t)size;
    ssize_t got = socket_call(th, s, load_relaxed(&s->fd), false, call, c, socket_deadline(s));
    if (got < 0) {
        drop(th, bytes);
        return NULL;
    }
    return got == size ? bytes : bytes_resize(th, bytes, (size_t)got);
}

static Value
socket_recv(Thread *th, Value self, const Arg *a, size_t n)
{
    AddressCall c;
    return receive_bytes(th, self, a, n, "recv", do_recv, &c);
}

static Value
socket_recvfrom(Thread *th, Value self, const Arg *a, size_t n)
{
    AddressCall c;
    Value bytes = receive_bytes(th, self, a, n, "recvfrom", do_recvfrom, &c);
    Value address = bytes ? address_value(th, self, &c.address, c.length) : NULL;
    Value r = address ? tuple_pack(th, 2, bytes, address) : NULL;
    drop_null(th, bytes);
    drop_null(th, address);
    return r;
}

/* The same into a buffer of the caller's; the number of bytes, or -1. */
static ssize_t
receive_into(Thread *th, Value self, const Arg *a, size_t n, Value kwnames, bool from, AddressCall *c)
{
    ParamSpec params = {.name = from ? "recvfrom_into" : "recv_into", .names = {"buffer", "nbytes", "flags"},
                        .positional = 3, .required = 1};
    Socket *s = as_socket(self);
    Value v[3];
    int64_t size = 0;
    Buffer b;
    ssize_t got = -1;
    memset(c, 0, sizeof *c);
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[1], &size) || !arg_int(th, v[2], &c->flags) ||
        !buffer_get(th, v[0], &b, BUFFER_WRITABLE)) {
        if (error_matches(th, &exc_BufferError)) {
            error_clear(th);
            raise_type_error(th, "%s() argument 1 must be read-write bytes-like object, not %B", params.name, v[0]);
        }
        return -1;
    }
    if (size < 0) {
        raise_value_error(th, "negative buffersize in %s", params.name);
    } else if (size > b.length) {
        raise_value_error(th, from ? "nbytes is greater than the length of the buffer"
                                   : "buffer too small for requested bytes");
    } else {
        c->data = b.data;
        c->size = size ? (size_t)size : (size_t)b.length;
        got = socket_call(th, s, load_relaxed(&s->fd), false, from ? do_recvfrom : do_recv, c, socket_deadline(s));
    }
    buffer_release(th, &b);
    return got;
}

static Value
socket_recv_into(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    AddressCall c;
    ssize_t got = receive_into(th, self, a, n, kwnames, false, &c);
    return got < 0 ? NULL : value_from_fixnum(got);
}

static Value
socket_recvfrom_into(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    AddressCall c;
    ssize_t got = receive_into(th, self, a, n, kwnames, true, &c);
    Value address = got < 0 ? NULL : address_value(th, self, &c.address, c.length);
    Value r = address ? tuple_pack(th, 2, value_from_fixnum(got), address) : NULL;
    drop_null(th, address);
    return r;
}

/* -- sending -- */

static ssize_t
do_send(int fd, void *data)
{
    AddressCall *c = data;
    return send(fd, c->data, c->size, c->flags);
}

static ssize_t
do_sendto(int fd, void *data)
{
    AddressCall *c = data;
    return sendto(fd, c->data, c->size, c->flags, &c->address.any, c->length);
}

static Value
socket_send(Thread *th, Value self, const Arg *a, size_t n)
{
    Socket *s = as_socket(self);
    AddressCall c = {.flags = 0};
    Buffer b;
    if ((n > 1 && !arg_int(th, arg(a, 1), &c.flags)) || !buffer_lend(th, arg(a, 0), &b, BUFFER_SIMPLE))
        return NULL;
    c.data = b.data;
    c.size = (size_t)b.length;
    ssize_t r = socket_call(th, s, load_relaxed(&s->fd), true, do_send, &c, socket_deadline(s));
    buffer_release(th, &b);
    return r < 0 ? NULL : value_from_fixnum(r);
}

static Value
socket_sendall(Thread *th, Value self, const Arg *a, size_t n)
{
    Socket *s = as_socket(self);
    AddressCall c = {.flags = 0};
    Buffer b;
    if ((n > 1 && !arg_int(th, arg(a, 1), &c.flags)) || !buffer_lend(th, arg(a, 0), &b, BUFFER_SIMPLE))
        return NULL;
    c.data = b.data;
    c.size = (size_t)b.length;
    int64_t deadline = socket_deadline(s); /* for all of it */
    bool ok = true;
    do {
        ssize_t r = socket_call(th, s, load_relaxed(&s->fd), true, do_send, &c, deadline);
        if (r < 0) {
            ok = false;
            break;
        }
        c.data = (char *)c.data + r;
        c.size -= (size_t)r;
        ok = safepoint_poll(th);
    } while (ok && c.size > 0);
    buffer_release(th, &b);
    return ok ? NONE : NULL;
}

static Value
socket_sendto(Thread *th, Value self, const Arg *a, size_t n)
{
    Socket *s = as_socket(self);
    AddressCall c = {.flags = 0};
    Buffer b;
    if (n < 2 || n > 3)
        return raise_type_error(th, "sendto() takes 2 or 3 arguments (%zd given)", (ssize_t)n);
    if ((n > 2 && !arg_int(th, arg(a, 1), &c.flags)) || !buffer_lend(th, arg(a, 0), &b, BUFFER_SIMPLE))
        return NULL;
    Value to = arg(a, n - 1);
    ssize_t r = -1;
    if (own_address(th, self, to, "sendto", &c.address, &c.length) &&
        socket_audit(th, "socket.sendto", 2, (Value[]){self, to})) {
        c.data = b.data;
        c.size = (size_t)b.length;
        r = socket_call(th, s, load_relaxed(&s->fd), true, do_sendto, &c, socket_deadline(s));
    }
    buffer_release(th, &b);
    return r < 0 ? NULL : value_from_fixnum(r);
}

/* -- the type -- */

static Value
get_int(Thread *th, Value self, void *closure)
{
    (void)th;
    return value_from_fixnum(load_relaxed((ATOMIC(int) *)(void *)((char *)value_object(self) + (size_t)closure)));
}

static Value
get_timeout(Thread *th, Value self, void *closure)
{
    (void)closure;
    return socket_gettimeout(th, self);
}

static const GetterDef socket_getters[] = {
    {"family", get_int, NULL, "the socket family", (void *)offsetof(Socket, family)},
    {"type", get_int, NULL, "the socket type", (void *)offsetof(Socket, type)},
    {"proto", get_int, NULL, "the socket protocol", (void *)offsetof(Socket, proto)},
    {"timeout", get_timeout, NULL, "the socket timeout", NULL},
    {.name = NULL},
};

static const MethodDef socket_methods[] = {
    NATIVE_0("_accept", socket_accept, "_accept() -> (integer, address info)\n\nWaits for a connection: a new descriptor, and the address of the other side."),
    NATIVE_1("bind", socket_bind, "bind(address)\n\nBinds the socket to a local address."),
    NATIVE_0("close", socket_close, "close()\n\nClose the socket.  It cannot be used after this call."),
    NATIVE_1("connect", socket_connect, "connect(address)\n\nConnects the socket to a remote address."),
    NATIVE_1("connect_ex", socket_connect_ex, "connect_ex(address) -> errno\n\nAs connect(), but returns an error number."),
    NATIVE_0("detach", socket_detach, "detach()\n\nGives the descriptor away: the object is closed, the descriptor is not."),
    NATIVE_0("fileno", socket_fileno, "fileno() -> integer\n\nReturn the integer file descriptor of the socket."),
    NATIVE_0("getpeername", socket_getpeername, "getpeername() -> address info\n\nThe address of the other side."),
    NATIVE_0("getsockname", socket_getsockname, "getsockname() -> address info\n\nThe address of this side."),
    NATIVE_N("getsockopt", socket_getsockopt, 2, 3, "getsockopt(level, option[, buffersize]) -> value\n\nAn option: an int, or bytes if a buffer's size is given."),
    NATIVE_N("listen", socket_listen, 0, 1, "listen([backlog])\n\nLets others connect."),
    NATIVE_N("recv", socket_recv, 1, 2, "recv(buffersize[, flags]) -> data\n\nReceives up to buffersize bytes; b'' at the end."),
    NATIVE_K("recv_into", socket_recv_into, "recv_into(buffer, [nbytes[, flags]]) -> nbytes_read\n\nReceives into a buffer."),
    NATIVE_N("recvfrom", socket_recvfrom, 1, 2, "recvfrom(buffersize[, flags]) -> (data, address info)\n\nReceives, and says from whom."),
    NATIVE_K("recvfrom_into", socket_recvfrom_into, "recvfrom_into(buffer[, nbytes[, flags]]) -> (nbytes, address info)\n\nReceives into a buffer, and says from whom."),
    NATIVE_N("send", socket_send, 1, 2, "send(data[, flags]) -> count\n\nSends; returns how many bytes, which may be less than all."),
    NATIVE_N("sendall", socket_sendall, 1, 2, "sendall(data[, flags])\n\nSends all of the data."),
    NATIVE_N("sendto", socket_sendto, 0, -1, "sendto(data[, flags], address) -> count\n\nSends to an address."),
    NATIVE_N("recvmsg", socket_recvmsg, 1, 3, "recvmsg(bufsize[, ancbufsize[, flags]]) -> (data, ancdata, msg_flags, address)\n\nReceives data and ancillary data."),
    NATIVE_N("recvmsg_into", socket_recvmsg_into, 1, 3, "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (nbytes, ancdata, msg_flags, address)\n\nReceives data into several buffers, and ancillary data."),
    NATIVE_N("sendmsg", socket_sendmsg, 1, 4, "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count\n\nSends the data of several buffers, and ancillary data."),
    NATIVE_K("sendmsg_afalg", socket_sendmsg_afalg, "sendmsg_afalg([msg], *, op[, iv[, assoclen[, flags=MSG_MORE]]])\n\nSets the operation of an AF_ALG socket, and sends."),
    NATIVE_1("setblocking", socket_setblocking, "setblocking(flag)\n\nWhether operations block: settimeout(None) or settimeout(0.0)."),
    NATIVE_0("getblocking", socket_getblocking, "getblocking()\n\nWhether operations block (timeout not 0)."),
    NATIVE_N("setsockopt", socket_setsockopt, 0, -1, "setsockopt(level, option, value: int)\nsetsockopt(level, option, value: buffer)\nsetsockopt(level, option, None, optlen: int)\n\nSets an option."),
    NATIVE_1("settimeout", socket_settimeout, "settimeout(timeout)\n\nHow many seconds operations may take; None: for ever."),
    NATIVE_0("gettimeout", socket_gettimeout, "gettimeout() -> timeout\n\nThe timeout in seconds, or None."),
    NATIVE_1("shutdown", socket_shutdown, "shutdown(flag)\n\nEnds receiving (SHUT_RD), sending (SHUT_WR) or both (SHUT_RDWR)."),
    NATIVE_END,
};

static const TypeSpec socket_spec = {
    .name = "_socket.socket", .size = sizeof(Socket), .flags = TYPE_BASE,
    .doc = "socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object\n"
           "socket(family=-1, type=-1, proto=-1, fileno=None) -> socket object\n\n"
           "One end of a connection.  With fileno, what is not given is found out from the descriptor.",
    .methods = socket_methods, .getters = socket_getters,
    .slots = {.new = socket_new, .init = socket_init, .repr = socket_repr},
    .finalize = socket_finalize, .dealloc = socket_dealloc,
};
static const TypeSpec gaierror_spec = {.name = "socket.gaierror", .base = &exc_OSError, .flags = TYPE_BASE};
static const TypeSpec herror_spec = {.name = "socket.herror", .base = &exc_OSError, .flags = TYPE_BASE};

/* -- functions -- */

static Value
socket_close_fd(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    return arg_int(th, v, &fd) && close_descriptor(th, fd) ? NONE : NULL;
}

static Value
socket_dup(Thread *th, Value self, Value v)
{
    (void)self;
    int fd, r;
    if (!arg_int(th, v, &fd))
        return NULL;
    BLOCKING(th, r, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return r < 0 ? socket_error(th) : value_from_fixnum(r);
}

/* A socket for a descriptor, which is closed if that fails. */
static Value
socket_of_fd(Thread *th, int fd, int family, int type, int proto)
{
    Value v = type_alloc(th, &socket_type, 0);
    if (v == NULL) {
        close(fd);
        return NULL;
    }
    Socket *s = as_socket(v);
    plain_store(&s->fd, fd); /* not published yet */
    plain_store(&s->family, family);
    plain_store(&s->type, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK));
    plain_store(&s->proto, proto);
    int64_t timeout = type & SOCK_NONBLOCK ? 0 : load_relaxed(&socket_state(th)->default_timeout);
    plain_store(&s->timeout, timeout);
    if (!(type & SOCK_NONBLOCK) && timeout >= 0 && !set_blocking(th, fd, false))
        DROP_CLEAR(th, v);
    return v;
}

static Value
socket_socketpair(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int family = AF_UNIX, type = SOCK_STREAM, proto = 0, fds[2], r;
    if ((n > 0 && !arg_int(th, arg(a, 0), &family)) || (n > 1 && !arg_int(th, arg(a, 1), &type)) ||
        (n > 2 && !arg_int(th, arg(a, 2), &proto)))
        return NULL;
    BLOCKING(th, r, socketpair(family, type | SOCK_CLOEXEC, proto, fds));
    if (r < 0)
        return socket_error(th);
    Value one = socket_of_fd(th, fds[0], family, type, proto), two = NULL, t = NULL;
    if (one)
        two = socket_of_fd(th, fds[1], family, type, proto);
    else
        close(fds[1]);
    if (two)
        t = tuple_pack(th, 2, one, two);
    drop_null(th, one);
    drop_null(th, two);
    return t;
}

static Value
socket_getdefaulttimeout(Thread *th, Value self)
{
    (void)self;
    return timeout_to(th, load_relaxed(&socket_state(th)->default_timeout));
}

static Value
socket_setdefaulttimeout(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t timeout;
    if (!timeout_arg(th, v, &timeout))
        return NULL;
    store_relaxed(&socket_state(th)->default_timeout, timeout);
    return NONE;
}

static Value
control_length(Thread *th, Value v, const char *name, bool padded)
{
    int64_t n;
    if (!arg_ssize(th, v, &n))
        return NULL;
    if (n < 0 || n > INT_MAX - (int64_t)(padded ? CMSG_SPACE(1) : CMSG_LEN(0)))
        return raise_error(th, &exc_OverflowError, "%s() argument out of range", name);
    return value_from_fixnum((int64_t)(padded ? CMSG_SPACE((size_t)n) : CMSG_LEN((size_t)n)));
}

static Value
socket_cmsg_len(Thread *th, Value self, Value v)
{
    (void)self;
    return control_length(th, v, "CMSG_LEN", false);
}

static Value
socket_cmsg_space(Thread *th, Value self, Value v)
{
    (void)self;
    return control_length(th, v, "CMSG_SPACE", true);
}

static const MethodDef socket_functions[] = {
    NATIVE_1("close", socket_close_fd, "close(integer) -> None\n\nClose an integer socket file descriptor."),
    NATIVE_1("dup", socket_dup, "dup(integer) -> integer\n\nA copy of a descriptor, not inheritable."),
    NATIVE_N("socketpair", socket_socketpair, 0, 3, "socketpair([family[, type [, proto]]]) -> (socket object, socket object)\n\nTwo connected sockets."),
    NATIVE_0("getdefaulttimeout", socket_getdefaulttimeout, "getdefaulttimeout() -> timeout\n\nThe timeout of new sockets in seconds, or None."),
    NATIVE_1("setdefaulttimeout", socket_setdefaulttimeout, "setdefaulttimeout(timeout)\n\nSets the timeout of new sockets."),
    NATIVE_1("CMSG_LEN", socket_cmsg_len, "CMSG_LEN(length) -> control message length\n\nThe length of an ancillary data item without padding."),
    NATIVE_1("CMSG_SPACE", socket_cmsg_space, "CMSG_SPACE(length) -> buffer size\n\nThe room an ancillary data item takes, padding included."),
    NATIVE_END,
};

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define SAME(name) {#name, (int64_t)(name)},
#define VALUE(name, value) {#name, (int64_t)(value)},
#include "modules/socket_constants.def"
#undef SAME
#undef VALUE
};

static bool
socket_exec(Thread *th, Value m)
{
    static const StaticType types[] = {
        {&gaierror_type, &gaierror_spec}, {&herror_type, &herror_spec}, {&socket_type, &socket_spec}};
    if (socket_state(th) == NULL) {
        SocketState *state = buffer_new(th, sizeof *state);
        void *none = NULL;
        if (state == NULL)
            return false;
        plain_store(&state->default_timeout, -1);
        if (!cas_acq_rel(&th->interp->slots[NATIVE_SOCKET], &none, (void *)state)) /* pairs with socket_state() */
            buffer_free(state); /* another thread was faster */
    }
    if (!static_types_ready(th, types, ARRAY_LEN(types)) || !module_add_type(th, m, &socket_type) ||
        !module_add(th, m, "SocketType", retain(th, value_of_type(&socket_type))) ||
        !module_add(th, m, "error", retain(th, value_of_type(&exc_OSError))) ||
        !module_add(th, m, "timeout", retain(th, value_of_type(&exc_TimeoutError))) ||
        !module_add_type(th, m, &gaierror_type) || !module_add_type(th, m, &herror_type) ||
        !module_add(th, m, "has_ipv6", TRUE) || !module_add_str(th, m, "BDADDR_ANY", "00:00:00:00:00:00") ||
        !module_add_str(th, m, "BDADDR_LOCAL", "00:00:00:FF:FF:FF") || !module_add_methods(th, m, socket_name_functions))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return true;
}

const ModuleSpec socket_module = {
    .name = "_socket", .doc = "Implementation module for socket operations.\n\nSee the socket module for documentation.",
    .methods = socket_functions, .exec = socket_exec,
};
