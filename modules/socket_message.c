/* socket_message.c -- module _socket: sendmsg() and recvmsg() with their ancillary data.
 *
 * Everything a message points to (buffers, control data) is gathered in memory of its own or held by
 * exports before the thread goes offline. */
#include "modules/socket.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <string.h>
#include <sys/uio.h>

#include "base/mem.h"

typedef struct Message {
    struct msghdr header;
    int flags;
    SocketAddress address;
    struct iovec *parts;
    Buffer *buffers;  /* held */
    size_t count;     /* of parts and buffers */
    uint8_t *control;
} Message;

static void
message_free(Thread *th, Message *m)
{
    for (size_t i = 0; i < m->count; i++)
        buffer_release(th, &m->buffers[i]);
    mem_free(m->parts);
    mem_free(m->buffers);
    mem_free(m->control);
}

/* Takes the buffers of an iterable. */
static bool
message_parts(Thread *th, Message *m, Value v, int flags, const char *not_iterable, const char *too_long)
{
    Value list = sequence_fast(th, v, not_iterable);
    Value items = list ? sequence_tuple(th, list) : NULL;
    drop_null(th, list);
    if (items == NULL)
        return false;
    size_t n = (size_t)tuple_length(items);
    bool ok = n <= INT_MAX;
    if (!ok)
        raise_error(th, &exc_OSError, "%s", too_long);
    if (ok) {
        m->parts = mem_alloc((n + 1) * sizeof *m->parts);
        m->buffers = mem_alloc((n + 1) * sizeof *m->buffers);
        ok = m->parts && m->buffers;
        if (!ok)
            raise_memory(th);
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = flags & BUFFER_WRITABLE ? buffer_get(th, tuple_item(items, (int64_t)i), &m->buffers[i], flags)
                                     : buffer_lend(th, tuple_item(items, (int64_t)i), &m->buffers[i], flags);
        if (!ok && error_matches(th, &exc_BufferError)) {
            error_clear(th);
            raise_type_error(th, "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers");
        }
        if (ok) {
            m->parts[i] = (struct iovec){m->buffers[i].data, (size_t)m->buffers[i].length};
            m->count = i + 1;
        }
    }
    drop(th, items);
    m->header.msg_iov = m->parts;
    m->header.msg_iovlen = m->count;
    return ok;
}

static ssize_t
do_recvmsg(int fd, void *data)
{
    Message *m = data;
    return recvmsg(fd, &m->header, m->flags);
}

static ssize_t
do_sendmsg(int fd, void *data)
{
    Message *m = data;
    return sendmsg(fd, &m->header, m->flags);
}

/* -- receiving -- */

/* [(level, type, data)]; descriptors in it that nobody will know of are closed by no one, as in CPython. */
static Value
ancillary_list(Thread *th, struct msghdr *h)
{
    Value list = list_new(th, 0);
    const uint8_t *end = (const uint8_t *)h->msg_control + h->msg_controllen;
    for (struct cmsghdr *c = h->msg_controllen ? CMSG_FIRSTHDR(h) : NULL; list && c; c = CMSG_NXTHDR(h, c)) {
        const uint8_t *data = CMSG_DATA(c);
        if (data > end || c->cmsg_len < CMSG_LEN(0)) {
            if (!warn(th, &exc_RuntimeWarning, 1, "received malformed or improperly-truncated ancillary data"))
                DROP_CLEAR(th, list);
            break;
        }
        size_t n = c->cmsg_len - CMSG_LEN(0), left = (size_t)(end - data);
        bool cut = n > left; /* the kernel may leave the length as it was */
        Value bytes = bytes_from(th, data, cut ? left : n);
        Value t = bytes ? tuple_pack(th, 3, value_from_fixnum(c->cmsg_level), value_from_fixnum(c->cmsg_type), bytes) : NULL;
        drop_null(th, bytes);
        if (t == NULL || !list_append_steal(th, list, t)) {
            DROP_CLEAR(th, list);
            break;
        }
        if (cut) {
            if (!warn(th, &exc_RuntimeWarning, 1, "received malformed or improperly-truncated ancillary data"))
                DROP_CLEAR(th, list);
            break;
        }
    }
    return list;
}

/* Receives into m's parts; *got is how many bytes. */
static bool
receive(Thread *th, Value self, Message *m, int64_t control_size, ssize_t *got)
{
    Socket *s = as_socket(self);
    if (control_size < 0 || control_size > INT_MAX - 1024) {
        raise_value_error(th, "invalid ancillary data buffer length");
        return false;
    }
    if (control_size > 0) {
        m->control = mem_alloc((size_t)control_size);
        if (m->control == NULL) {
            raise_memory(th);
            return false;
        }
    }
    memset(&m->address, 0, sizeof m->address);
    m->header.msg_name = &m->address;
    m->header.msg_namelen = sizeof m->address;
    m->header.msg_control = m->control;
    m->header.msg_controllen = (size_t)control_size;
    *got = socket_call(th, s, load_relaxed(&s->fd), false, do_recvmsg, m, socket_deadline(s));
    return *got >= 0;
}

/* (first, ancillary, flags, address) */
static Value
received(Thread *th, Value self, Message *m, Value first)
{
    Socket *s = as_socket(self);
    Value list = ancillary_list(th, &m->header), where = NULL, r = NULL;
    socklen_t n = m->header.msg_namelen <= sizeof m->address ? m->header.msg_namelen : (socklen_t)sizeof m->address;
    if (list)
        where = socket_address_to(th, load_relaxed(&s->fd), &m->address, n, load_relaxed(&s->proto));
    if (where)
        r = tuple_pack(th, 4, first, list, value_from_fixnum(m->header.msg_flags), where);
    drop_null(th, list);
    drop_null(th, where);
    return r;
}

Value
socket_recvmsg(Thread *th, Value self, const Arg *a, size_t n)
{
    int64_t size, control = 0;
    Message m = {.flags = 0};
    if (!arg_ssize(th, arg(a, 0), &size) || (n > 1 && !arg_ssize(th, arg(a, 1), &control)) ||
        (n > 2 && !arg_int(th, arg(a, 2), &m.flags)))
        return NULL;
    if (size < 0)
        return raise_value_error(th, "negative buffer size in recvmsg()");
    Value bytes = bytes_new(th, (size_t)size), r = NULL;
    if (bytes == NULL)
        return NULL;
    struct iovec part = {as_bytes(bytes)->data, (size_t)size};
    m.header.msg_iov = &part;
    m.header.msg_iovlen = 1;
    ssize_t got;
    if (receive(th, self, &m, control, &got)) {
        bytes = bytes_resize(th, bytes, (size_t)got);
        r = bytes ? received(th, self, &m, bytes) : NULL;
    }
    drop_null(th, bytes);
    message_free(th, &m);
    return r;
}

Value
socket_recvmsg_into(Thread *th, Value self, const Arg *a, size_t n)
{
    int64_t control = 0;
    Message m = {.flags = 0};
    Value r = NULL;
    ssize_t got;
    if ((n < 2 || arg_ssize(th, arg(a, 1), &control)) && (n < 3 || arg_int(th, arg(a, 2), &m.flags)) &&
        message_parts(th, &m, arg(a, 0), BUFFER_WRITABLE, "recvmsg_into() argument 1 must be an iterable",
                      "recvmsg_into() argument 1 is too long") &&
        receive(th, self, &m, control, &got))
        r = received(th, self, &m, value_from_fixnum(got));
    message_free(th, &m);
    return r;
}

/* -- sending -- */

/* Puts one more record behind `*used` bytes of control data. */
static bool
control_add(Thread *th, Message *m, size_t *used, int level, int type, const void *data, size_t n)
{
    if (n > UINT32_MAX / 2) {
        raise_error(th, &exc_OSError, "ancillary data item too large");
        return false;
    }
    size_t space = CMSG_SPACE(n);
    if (*used + space > UINT32_MAX / 2) {
        raise_error(th, &exc_OSError, "too much ancillary data");
        return false;
    }
    uint8_t *control = mem_resize(m->control, *used + space);
    if (control == NULL) {
        raise_memory(th);
        return false;
    }
    m->control = control;
    struct cmsghdr *c = (struct cmsghdr *)(void *)(control + *used);
    memset(c, 0, space);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    if (data)
        memcpy(CMSG_DATA(c), data, n);
    *used += space;
    m->header.msg_control = control;
    m->header.msg_controllen = *used;
    return true;
}

static bool
ancillary_from(Thread *th, Message *m, Value v)
{
    Value list = sequence_fast(th, v, "sendmsg() argument 2 must be an iterable");
    Value items = list ? sequence_tuple(th, list) : NULL;
    drop_null(th, list);
    if (items == NULL)
        return false;
    size_t used = 0;
    bool ok = true;
    for (int64_t i = 0; ok && i < tuple_length(items); i++) {
        Value item = tuple_item(items, i);
        int level, type;
        Buffer b;
        ok = is_tuple(item) && tuple_length(item) == 3;
        if (!ok) {
            if (is_tuple(item))
                raise_type_error(th, "[sendmsg() ancillary data items]() argument must be sequence of length 3, not %lld",
                                 (long long)tuple_length(item));
            else
                raise_type_error(th, "[sendmsg() ancillary data items]() argument must be 3-item sequence, not %B", item);
            break;
        }
        ok = arg_int(th, tuple_item(item, 0), &level) && arg_int(th, tuple_item(item, 1), &type) &&
             buffer_lend(th, tuple_item(item, 2), &b, BUFFER_SIMPLE);
        if (ok) {
            ok = control_add(th, m, &used, level, type, b.data, (size_t)b.length);
            buffer_release(th, &b);
        }
    }
    drop(th, items);
    return ok;
}

static Value
send_message(Thread *th, Value self, Message *m)
{
    Socket *s = as_socket(self);
    ssize_t r = socket_call(th, s, load_relaxed(&s->fd), true, do_sendmsg, m, socket_deadline(s));
    return r < 0 ? NULL : value_from_fixnum(r);
}

Value
socket_sendmsg(Thread *th, Value self, const Arg *a, size_t n)
{
    Socket *s = as_socket(self);
    Message m = {.flags = 0};
    Value r = NULL, to = n > 3 ? arg(a, 3) : NONE;
    if (n > 2 && !arg_int(th, arg(a, 2), &m.flags))
        return NULL;
    bool ok = true;
    if (to != NONE) {
        socklen_t length = 0;
        ok = socket_address_from(th, load_relaxed(&s->fd), load_relaxed(&s->family), load_relaxed(&s->proto), to,
                                 "sendmsg", &m.address, &length);
        m.header.msg_name = &m.address;
        m.header.msg_namelen = length;
    }
    if (ok && socket_audit(th, "socket.sendmsg", 2, (Value[]){self, to}) &&
        message_parts(th, &m, arg(a, 0), BUFFER_SIMPLE, "sendmsg() argument 1 must be an iterable",
                      "sendmsg() argument 1 is too long") &&
        (n < 2 || arg(a, 1) == NULL || ancillary_from(th, &m, arg(a, 1))))
        r = send_message(th, self, &m);
    message_free(th, &m);
    return r;
}

Value
socket_sendmsg_afalg(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "sendmsg_afalg", .names = {"msg", "op", "iv", "assoclen", "flags"},
                                     .positional = 1};
    Value v[5], r = NULL;
    Message m = {.flags = 0};
    int op = -1, associated = -1;
    size_t used = 0;
    if (load_relaxed(&as_socket(self)->family) != AF_ALG)
        return raise_error(th, &exc_OSError, "algset is only supported for AF_ALG");
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &op) || !arg_int(th, v[3], &associated) ||
        !arg_int(th, v[4], &m.flags))
        return NULL;
    if (op < 0)
        return v[1] ? raise_value_error(th, "Invalid or missing argument 'op'")
                    : raise_type_error(th, "Invalid or missing argument 'op'");
    if (v[3] && associated < 0)
        return raise_type_error(th, "assoclen must be positive");
    uint32_t word = (uint32_t)op;
    bool ok = control_add(th, &m, &used, SOL_ALG, ALG_SET_OP, &word, sizeof word);
    if (ok && v[2] && v[2] != NONE) {
        Buffer b;
        ok = buffer_lend(th, v[2], &b, BUFFER_SIMPLE);
        if (ok) { /* struct af_alg_iv: the length, then the vector */
            uint8_t *iv = mem_alloc((size_t)b.length + 4);
            ok = iv != NULL;
            if (ok) {
                uint32_t length = (uint32_t)b.length;
                memcpy(iv, &length, 4);
                memcpy(iv + 4, b.data, (size_t)b.length);
                ok = control_add(th, &m, &used, SOL_ALG, ALG_SET_IV, iv, (size_t)b.length + 4);
            } else
                raise_memory(th);
            mem_free(iv);
            buffer_release(th, &b);
        }
    }
    word = (uint32_t)associated;
    ok = ok && (associated < 0 || control_add(th, &m, &used, SOL_ALG, ALG_SET_AEAD_ASSOCLEN, &word, sizeof word));
    ok = ok && (v[0] == NULL || message_parts(th, &m, v[0], BUFFER_SIMPLE, "sendmsg_afalg() argument 1 must be an iterable",
                                              "sendmsg_afalg() argument 1 is too long"));
    if (ok)
        r = send_message(th, self, &m);
    message_free(th, &m);
    return r;
}
