/* socket_addr.c -- module _socket: addresses, from Python and to Python. */
#include "modules/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "threads/blocking.h"

/* Bluetooth addresses as the kernel has them (its headers are in a package of their own). */
typedef struct BtAddress { uint8_t b[6]; } BtAddress;
struct sockaddr_l2 { sa_family_t family; uint16_t psm; BtAddress address; uint16_t cid; uint8_t type; };
struct sockaddr_rc { sa_family_t family; BtAddress address; uint8_t channel; };
struct sockaddr_hci { sa_family_t family; uint16_t device, channel; };
struct sockaddr_sco { sa_family_t family; BtAddress address; };
enum { BT_L2CAP = 0, BT_HCI = 1, BT_SCO = 2, BT_RFCOMM = 3 };

/* -- names of hosts -- */

bool
host_name_arg(Thread *th, Value v, HostName *out)
{
    *out = (HostName){NULL, NULL};
    if (is_str(v) && as_str(v)->ascii) {
        out->held = retain(th, v);
        out->text = (const char *)as_str(v)->data;
        if (strlen(out->text) == str_length(v))
            return true;
    } else if (is_str(v)) {
        out->held = str_encode(th, v, "idna", NULL);
        if (out->held == NULL) {
            if (error_matches(th, &exc_UnicodeError)) {
                error_clear(th);
                raise_type_error(th, "encoding of hostname failed");
            }
            return false;
        }
    } else if (is_bytes(v)) {
        out->held = retain(th, v);
    } else if (is_bytearray(v)) {
        out->held = bytes_from_value(th, v);
        if (out->held == NULL)
            return false;
    } else {
        raise_type_error(th, "str, bytes or bytearray expected, not %T", v);
        return false;
    }
    if (is_bytes(out->held)) {
        out->text = (const char *)as_bytes(out->held)->data;
        if (strlen(out->text) == (size_t)as_bytes(out->held)->length)
            return true;
    }
    host_name_free(th, out);
    raise_type_error(th, "host name must not contain null character");
    return false;
}

void
host_name_free(Thread *th, HostName *h)
{
    drop_null(th, h->held);
    *h = (HostName){NULL, NULL};
}

bool
socket_resolve(Thread *th, const char *host, int family, SocketAddress *address, socklen_t *length)
{
    memset(address, 0, sizeof *address);
    struct sockaddr_in *in = (struct sockaddr_in *)address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
    if (strcmp(host, "<broadcast>") == 0 || strcmp(host, "255.255.255.255") == 0) {
        if (family != AF_INET && family != AF_UNSPEC) {
            raise_error(th, &exc_OSError, "address family mismatched");
            return false;
        }
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = INADDR_BROADCAST;
        *length = sizeof *in;
        return true;
    }
    if (*host && family != AF_INET6 && inet_pton(AF_INET, host, &in->sin_addr) > 0) {
        in->sin_family = AF_INET;
        *length = sizeof *in;
        return true;
    }
    /* With a scope ("fe80::1%eth0") the resolver is needed. */
    if (*host && family != AF_INET && !strchr(host, '%') && inet_pton(AF_INET6, host, &in6->sin6_addr) > 0) {
        in6->sin6_family = AF_INET6;
        *length = sizeof *in6;
        return true;
    }
    struct addrinfo hints = {.ai_family = family}, *found = NULL;
    if (*host == 0) {
        hints.ai_socktype = SOCK_DGRAM; /* one answer only */
        hints.ai_flags = AI_PASSIVE;
    }
    int code;
    BLOCKING(th, code, getaddrinfo(*host ? host : NULL, *host ? NULL : "0", &hints, &found));
    if (code != 0) {
        socket_gai_error(th, code);
        return false;
    }
    bool ok = true;
    if (*host == 0 && found->ai_next) {
        raise_error(th, &exc_OSError, "wildcard resolved to multiple address");
        ok = false;
    } else if (found->ai_family != AF_INET && found->ai_family != AF_INET6) {
        raise_error(th, &exc_OSError, "unknown address family");
        ok = false;
    } else {
        *length = found->ai_addrlen <= sizeof *address ? found->ai_addrlen : (socklen_t)sizeof *address;
        memcpy(address, found->ai_addr, *length);
    }
    freeaddrinfo(found);
    return ok;
}

Value
socket_ip_text(Thread *th, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    const void *ip = address->sa_family == AF_INET6
                         ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
                         : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (inet_ntop(address->sa_family, ip, text, sizeof text) == NULL)
        return socket_error(th);
    return str_from_c(th, text);
}

/* -- from Python -- */

/* The items of a tuple address, min..max of them; `pattern` is the message if it is otherwise. */
static bool
tuple_items(Thread *th, Value v, const char *fname, const char *family, int64_t min, int64_t max, const char *pattern)
{
    if (!is_tuple(v)) {
        raise_type_error(th, "%s(): %s address must be tuple, not %T", fname, family, v);
        return false;
    }
    if (tuple_length(v) < min || tuple_length(v) > max) {
        raise_type_error(th, "%s", pattern);
        return false;
    }
    return true;
}

static bool
port_item(Thread *th, Value v, const char *fname, const char *what, long max, long *out)
{
    int64_t n;
    if (!arg_long(th, v, &n)) {
        if (!error_matches(th, &exc_OverflowError))
            return false;
        error_clear(th);
        n = -1;
    }
    if (n < 0 || n > max) {
        raise_error(th, &exc_OverflowError, "%s(): %s must be 0-%ld.", fname, what, max);
        return false;
    }
    *out = (long)n;
    return true;
}

/* An item that is any 32-bit number. */
static bool
word_item(Thread *th, Value v, uint32_t *out)
{
    if (!is_int(v) && !type_of(v)->s.index) {
        raise_type_error(th, "'%T' object cannot be interpreted as an integer", v);
        return false;
    }
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    *out = (uint32_t)int_to_u64_wrap(n);
    drop(th, n);
    return true;
}

static bool
inet_from(Thread *th, Value v, int family, const char *fname, SocketAddress *address, socklen_t *length)
{
    bool six = family == AF_INET6;
    if (!tuple_items(th, v, fname, six ? "AF_INET6" : "AF_INET", 2, six ? 4 : 2,
                     six ? "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"
                         : "AF_INET address must be a pair (host, port)"))
        return false;
    HostName host;
    long port, flow = 0;
    uint32_t scope = 0;
    int64_t n = tuple_length(v);
    if (!host_name_arg(th, tuple_item(v, 0), &host))
        return false;
    bool ok = port_item(th, tuple_item(v, 1), fname, "port", 0xffff, &port) &&
              (n < 3 || port_item(th, tuple_item(v, 2), fname, "flowinfo", 0xfffff, &flow)) &&
              (n < 4 || word_item(th, tuple_item(v, 3), &scope)) &&
              socket_resolve(th, host.text, family, address, length);
    host_name_free(th, &host);
    if (!ok)
        return false;
    if (six) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)address;
        a->sin6_family = AF_INET6;
        a->sin6_port = htons((uint16_t)port);
        a->sin6_flowinfo = htonl((uint32_t)flow);
        if (n >= 4)
            a->sin6_scope_id = scope;
        *length = sizeof *a;
    } else {
        struct sockaddr_in *a = (struct sockaddr_in *)address;
        a->sin_family = AF_INET;
        a->sin_port = htons((uint16_t)port);
        *length = sizeof *a;
    }
    return true;
}

static bool
unix_from(Thread *th, Value v, SocketAddress *address, socklen_t *length)
{
    struct sockaddr_un *a = (struct sockaddr_un *)address;
    Value path = is_str(v) ? str_encode(th, v, "utf-8", "surrogateescape") : NULL;
    Buffer b = {.owner = NULL};
    if (is_str(v) ? path == NULL : !buffer_read(th, v, &b, BUFFER_SIMPLE))
        return false;
    const uint8_t *p = path ? as_bytes(path)->data : b.data;
    size_t n = (size_t)(path ? as_bytes(path)->length : b.length);
    bool abstract = n == 0 || p[0] == 0; /* "": the system chooses a name */
    bool ok = abstract ? n <= sizeof a->sun_path : n < sizeof a->sun_path;
    if (ok) {
        a->sun_family = AF_UNIX;
        memcpy(a->sun_path, p, n);
        *length = (socklen_t)(n + offsetof(struct sockaddr_un, sun_path) + !abstract);
    } else {
        raise_error(th, &exc_OSError, "AF_UNIX path too long");
    }
    drop_null(th, path);
    if (b.owner)
        buffer_release(th, &b);
    return ok;
}

/* A short name of the kernel's: str (UTF-8) or bytes, shorter than `size`. */
static bool
name_item(Thread *th, Value v, char *out, size_t size, const char *too_long)
{
    size_t n = 0;
    const char *p = NULL;
    if (is_str(v))
        p = str_utf8(th, v, &n);
    else if (is_bytes(v)) {
        p = (const char *)as_bytes(v)->data;
        n = (size_t)as_bytes(v)->length;
    } else
        raise_type_error(th, "must be str, not %T", v);
    if (p == NULL)
        return false;
    if (n >= size) {
        raise_value_error(th, "%s", too_long);
        return false;
    }
    memcpy(out, p, n);
    out[n] = 0;
    return true;
}

/* The index of the interface named by str or bytes; 0 for "". */
static bool
interface_item(Thread *th, int fd, Value v, int *index)
{
    struct ifreq r = {.ifr_ifindex = 0};
    *index = 0;
    if (!name_item(th, v, r.ifr_name, sizeof r.ifr_name, "interface name too long"))
        return false;
    if (r.ifr_name[0] == 0)
        return true;
    int code;
    BLOCKING(th, code, ioctl(fd, SIOCGIFINDEX, &r));
    if (code < 0) {
        socket_error(th);
        return false;
    }
    *index = r.ifr_ifindex;
    return true;
}

static bool
packet_from(Thread *th, int fd, Value v, const char *fname, SocketAddress *address, socklen_t *length)
{
    if (!tuple_items(th, v, fname, "AF_PACKET", 2, 5,
                     "AF_PACKET address must be a tuple of two to five elements"))
        return false;
    int index, kind = 0, hardware = 0;
    long proto;
    int64_t n = tuple_length(v);
    if (!interface_item(th, fd, tuple_item(v, 0), &index) ||
        !port_item(th, tuple_item(v, 1), fname, "proto", 0xffff, &proto) ||
        (n > 2 && !arg_int(th, tuple_item(v, 2), &kind)) || (n > 3 && !arg_int(th, tuple_item(v, 3), &hardware)))
        return false;
    struct sockaddr_ll *a = (struct sockaddr_ll *)address;
    if (n > 4) {
        Buffer b;
        if (!buffer_read(th, tuple_item(v, 4), &b, BUFFER_SIMPLE))
            return false;
        bool fits = b.length <= 8;
        if (fits) {
            memcpy(a->sll_addr, b.data, (size_t)b.length);
            a->sll_halen = (unsigned char)b.length;
        }
        buffer_release(th, &b);
        if (!fits) {
            raise_value_error(th, "Hardware address must be 8 bytes or less");
            return false;
        }
    }
    a->sll_family = AF_PACKET;
    a->sll_protocol = htons((uint16_t)proto);
    a->sll_ifindex = index;
    a->sll_pkttype = (unsigned char)kind;
    a->sll_hatype = (unsigned short)hardware;
    *length = sizeof *a;
    return true;
}

/* CAN: (interface,), (interface, rx, tx) or (interface, name, pgn, address) by protocol. */
static bool
can_from(Thread *th, int fd, int proto, Value v, const char *fname, SocketAddress *address, socklen_t *length)
{
    struct sockaddr_can *a = (struct sockaddr_can *)address;
    int index;
    int64_t items = proto == CAN_ISOTP ? 3 : proto == CAN_J1939 ? 4 : 1;
    if (proto != CAN_RAW && proto != CAN_BCM && items == 1) {
        raise_error(th, &exc_OSError, "%s(): unsupported CAN protocol", fname);
        return false;
    }
    if (!tuple_items(th, v, fname, "AF_CAN", items, items,
                     items == 1   ? "AF_CAN address must be a tuple (interface, )"
                     : items == 3 ? "AF_CAN address must be a tuple (interface, rx_addr, tx_addr)"
                                  : "AF_CAN address must be a tuple (interface, name, pgn, addr)") ||
        !interface_item(th, fd, tuple_item(v, 0), &index))
        return false;
    if (proto == CAN_ISOTP) {
        uint32_t rx, tx;
        if (!word_item(th, tuple_item(v, 1), &rx) || !word_item(th, tuple_item(v, 2), &tx))
            return false;
        a->can_addr.tp.rx_id = rx;
        a->can_addr.tp.tx_id = tx;
    } else if (proto == CAN_J1939) {
        uint64_t name;
        uint32_t pgn, at;
        if (!arg_ulong(th, tuple_item(v, 1), &name) || !word_item(th, tuple_item(v, 2), &pgn) ||
            !word_item(th, tuple_item(v, 3), &at))
            return false;
        a->can_addr.j1939.name = name;
        a->can_addr.j1939.pgn = pgn;
        a->can_addr.j1939.addr = (uint8_t)at;
    }
    a->can_family = AF_CAN;
    a->can_ifindex = index;
    *length = sizeof *a;
    return true;
}

static bool
bt_address_item(Thread *th, Value v, BtAddress *out)
{
    const char *text = is_str(v) ? str_c(th, v) : NULL;
    unsigned b[6];
    int used = 0;
    if (text == NULL) {
        if (!error_set(th))
            raise_type_error(th, "must be str, not %T", v);
        return false;
    }
    if (sscanf(text, "%2X:%2X:%2X:%2X:%2X:%2X%n", &b[5], &b[4], &b[3], &b[2], &b[1], &b[0], &used) != 6 || text[used]) {
        raise_error(th, &exc_OSError, "bad bluetooth address");
        return false;
    }
    for (int i = 0; i < 6; i++)
        out->b[i] = (uint8_t)b[i];
    return true;
}

static bool
bluetooth_from(Thread *th, int proto, Value v, const char *fname, SocketAddress *address, socklen_t *length)
{
    int n = 0;
    switch (proto) {
    case BT_L2CAP: {
        struct sockaddr_l2 *a = (struct sockaddr_l2 *)address;
        if (!is_tuple(v) || tuple_length(v) != 2) {
            raise_error(th, &exc_OSError, "%s(): wrong format", fname);
            return false;
        }
        if (!bt_address_item(th, tuple_item(v, 0), &a->address) || !arg_int(th, tuple_item(v, 1), &n))
            return false;
        a->psm = (uint16_t)n;
        *length = sizeof *a;
        break;
    }
    case BT_RFCOMM: {
        struct sockaddr_rc *a = (struct sockaddr_rc *)address;
        if (!is_tuple(v) || tuple_length(v) != 2) {
            raise_error(th, &exc_OSError, "%s(): wrong format", fname);
            return false;
        }
        if (!bt_address_item(th, tuple_item(v, 0), &a->address) || !arg_int(th, tuple_item(v, 1), &n))
            return false;
        a->channel = (uint8_t)n;
        *length = sizeof *a;
        break;
    }
    case BT_HCI: {
        struct sockaddr_hci *a = (struct sockaddr_hci *)address;
        if (!is_tuple(v) || tuple_length(v) < 1 || tuple_length(v) > 2) {
            raise_error(th, &exc_OSError, "%s(): wrong format", fname);
            return false;
        }
        if (!arg_int(th, tuple_item(v, 0), &n))
            return false;
        a->device = (uint16_t)n;
        if (tuple_length(v) > 1) {
            if (!arg_int(th, tuple_item(v, 1), &n))
                return false;
            a->channel = (uint16_t)n;
        }
        *length = sizeof *a;
        break;
    }
    case BT_SCO: {
        struct sockaddr_sco *a = (struct sockaddr_sco *)address;
        if (!is_bytes(v)) {
            raise_error(th, &exc_OSError, "%s(): wrong format", fname);
            return false;
        }
        Value text = str_from_utf8(th, (const char *)as_bytes(v)->data, (size_t)as_bytes(v)->length);
        bool ok = text && bt_address_item(th, text, &a->address);
        drop_null(th, text);
        if (!ok)
            return false;
        *length = sizeof *a;
        break;
    }
    default:
        raise_error(th, &exc_OSError, "%s(): unknown Bluetooth protocol", fname);
        return false;
    }
    address->any.sa_family = AF_BLUETOOTH;
    return true;
}

/* TIPC: (type, v1, v2, v3[, scope]) */
static bool
tipc_from(Thread *th, Value v, SocketAddress *address, socklen_t *length)
{
    struct sockaddr_tipc *a = (struct sockaddr_tipc *)address;
    static const char pattern[] = "TIPC address must be a tuple (addr_type, v1, v2, v3[, scope])";
    uint32_t w[5] = {0, 0, 0, 0, TIPC_CLUSTER_SCOPE};
    if (!is_tuple(v)) {
        raise_type_error(th, "AF_TIPC address must be tuple, not %T", v);
        return false;
    }
    if (tuple_length(v) < 4 || tuple_length(v) > 5) {
        raise_type_error(th, "%s", pattern);
        return false;
    }
    for (int64_t i = 0; i < tuple_length(v); i++)
        if (!word_item(th, tuple_item(v, i), &w[i]))
            return false;
    a->family = AF_TIPC;
    a->scope = (signed char)w[4];
    switch (w[0]) {
    case TIPC_ADDR_NAMESEQ:
        a->addrtype = TIPC_ADDR_NAMESEQ;
        a->addr.nameseq.type = w[1];
        a->addr.nameseq.lower = w[2];
        a->addr.nameseq.upper = w[3];
        break;
    case TIPC_ADDR_NAME:
        a->addrtype = TIPC_ADDR_NAME;
        a->addr.name.name.type = w[1];
        a->addr.name.name.instance = w[2];
        break;
    case TIPC_ADDR_ID:
        a->addrtype = TIPC_ADDR_ID;
        a->addr.id.node = w[1];
        a->addr.id.ref = w[2];
        break;
    default:
        raise_type_error(th, "Invalid address type");
        return false;
    }
    *length = sizeof *a;
    return true;
}

static bool
alg_from(Thread *th, Value v, const char *fname, SocketAddress *address, socklen_t *length)
{
    struct sockaddr_alg *a = (struct sockaddr_alg *)address;
    uint32_t feature = 0, mask = 0;
    if (!tuple_items(th, v, fname, "AF_ALG", 2, 4, "AF_ALG address must be a tuple (type, name[, feat[, mask]])") ||
        !name_item(th, tuple_item(v, 0), (char *)a->salg_type, sizeof a->salg_type, "AF_ALG type too long.") ||
        !name_item(th, tuple_item(v, 1), (char *)a->salg_name, sizeof a->salg_name, "AF_ALG name too long.") ||
        (tuple_length(v) > 2 && !word_item(th, tuple_item(v, 2), &feature)) ||
        (tuple_length(v) > 3 && !word_item(th, tuple_item(v, 3), &mask)))
        return false;
    a->salg_family = AF_ALG;
    a->salg_feat = feature;
    a->salg_mask = mask;
    *length = sizeof *a;
    return true;
}

/* A pair of 32-bit numbers. */
static bool
pair_from(Thread *th, Value v, const char *fname, const char *family, uint32_t *a, uint32_t *b)
{
    if (!is_tuple(v)) {
        raise_type_error(th, "%s(): %s address must be tuple, not %T", fname, family, v);
        return false;
    }
    if (tuple_length(v) != 2) {
        raise_type_error(th, "%s(): %s address must be a pair", fname, family);
        return false;
    }
    return word_item(th, tuple_item(v, 0), a) && word_item(th, tuple_item(v, 1), b);
}

bool
socket_address_from(Thread *th, int fd, int family, int proto, Value v, const char *fname, SocketAddress *address,
                    socklen_t *length)
{
    memset(address, 0, sizeof *address);
    uint32_t a, b;
    switch (family) {
    case AF_INET:
    case AF_INET6:
        return inet_from(th, v, family, fname, address, length);
    case AF_RDS:
        return inet_from(th, v, AF_INET, fname, address, length);
    case AF_UNIX:
        return unix_from(th, v, address, length);
    case AF_PACKET:
        return packet_from(th, fd, v, fname, address, length);
    case AF_CAN:
        return can_from(th, fd, proto, v, fname, address, length);
    case AF_BLUETOOTH:
        return bluetooth_from(th, proto, v, fname, address, length);
    case AF_TIPC:
        return tipc_from(th, v, address, length);
    case AF_ALG:
        return alg_from(th, v, fname, address, length);
    case AF_NETLINK: {
        struct sockaddr_nl *s = (struct sockaddr_nl *)address;
        if (!pair_from(th, v, fname, "AF_NETLINK", &a, &b))
            return false;
        s->nl_family = AF_NETLINK;
        s->nl_pid = a;
        s->nl_groups = b;
        *length = sizeof *s;
        return true;
    }
    case AF_VSOCK: {
        struct sockaddr_vm *s = (struct sockaddr_vm *)address;
        if (!pair_from(th, v, fname, "AF_VSOCK", &a, &b))
            return false;
        s->svm_family = AF_VSOCK;
        s->svm_cid = a;
        s->svm_port = b;
        *length = sizeof *s;
        return true;
    }
    case AF_QIPCRTR: {
        struct sockaddr_qrtr *s = (struct sockaddr_qrtr *)address;
        if (!pair_from(th, v, fname, "AF_QIPCRTR", &a, &b))
            return false;
        s->sq_family = AF_QIPCRTR;
        s->sq_node = a;
        s->sq_port = b;
        *length = sizeof *s;
        return true;
    }
    default:
        raise_error(th, &exc_OSError, "%s(): bad family", fname);
        return false;
    }
}

/* -- to Python -- */

/* A tuple of `text` (stolen, may be NULL: failed) and n numbers. */
static Value
tuple_text_numbers(Thread *th, Value STEALS text, size_t n, const int64_t *numbers)
{
    Value t = text ? tuple_new(th, n + 1) : NULL;
    if (t == NULL) {
        drop_null(th, text);
        return NULL;
    }
    tuple_init_item(t, 0, text);
    for (size_t i = 0; i < n; i++)
        tuple_init_item(t, (int64_t)i + 1, value_from_fixnum(numbers[i]));
    return t;
}

static Value
tuple_numbers(Thread *th, size_t n, const int64_t *numbers)
{
    Value t = tuple_new(th, n);
    for (size_t i = 0; t && i < n; i++)
        tuple_init_item(t, (int64_t)i, value_from_fixnum(numbers[i]));
    return t;
}

/* The name of an interface; "" if there is none. */
static Value
interface_text(Thread *th, int fd, int index)
{
    struct ifreq r = {.ifr_ifindex = index};
    int code = -1;
    if (index)
        BLOCKING(th, code, ioctl(fd, SIOCGIFNAME, &r));
    return code == 0 ? str_from_fs(th, r.ifr_name, strnlen(r.ifr_name, sizeof r.ifr_name)) : str_from_c(th, "");
}

static Value
bt_text(Thread *th, const BtAddress *a)
{
    char text[24];
    snprintf(text, sizeof text, "%02X:%02X:%02X:%02X:%02X:%02X", a->b[5], a->b[4], a->b[3], a->b[2], a->b[1], a->b[0]);
    return str_from_c(th, text);
}

static Value
unix_to(Thread *th, const SocketAddress *address, socklen_t length)
{
    const struct sockaddr_un *a = (const struct sockaddr_un *)address;
    size_t n = length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
    if (n > sizeof a->sun_path)
        n = sizeof a->sun_path;
    if (n > 0 && a->sun_path[0] == 0)
        return bytes_from(th, a->sun_path, n);
    return str_from_fs(th, a->sun_path, strnlen(a->sun_path, n));
}

static Value
packet_to(Thread *th, int fd, const SocketAddress *address)
{
    const struct sockaddr_ll *a = (const struct sockaddr_ll *)address;
    Value name = interface_text(th, fd, a->sll_ifindex);
    Value hardware = bytes_from(th, a->sll_addr, a->sll_halen <= 8 ? a->sll_halen : 8), t = NULL;
    if (name && hardware)
        t = tuple_pack(th, 5, name, value_from_fixnum(ntohs(a->sll_protocol)), value_from_fixnum(a->sll_pkttype),
                       value_from_fixnum(a->sll_hatype), hardware);
    drop_null(th, name);
    drop_null(th, hardware);
    return t;
}

static Value
can_to(Thread *th, int fd, const SocketAddress *address, int proto)
{
    const struct sockaddr_can *a = (const struct sockaddr_can *)address;
    Value name = interface_text(th, fd, a->can_ifindex);
    if (proto == CAN_ISOTP)
        return tuple_text_numbers(th, name, 2, (int64_t[]){a->can_addr.tp.rx_id, a->can_addr.tp.tx_id});
    if (proto == CAN_J1939) {
        Value who = name ? int_from_u64(th, a->can_addr.j1939.name) : NULL, t = NULL;
        if (who)
            t = tuple_pack(th, 4, name, who, value_from_fixnum(a->can_addr.j1939.pgn),
                           value_from_fixnum(a->can_addr.j1939.addr));
        drop_null(th, who);
        drop_null(th, name);
        return t;
    }
    return tuple_text_numbers(th, name, 1, (int64_t[]){a->can_family});
}

static Value
bluetooth_to(Thread *th, const SocketAddress *address, int proto)
{
    switch (proto) {
    case BT_L2CAP: {
        const struct sockaddr_l2 *a = (const struct sockaddr_l2 *)address;
        return tuple_text_numbers(th, bt_text(th, &a->address), 1, (int64_t[]){a->psm});
    }
    case BT_RFCOMM: {
        const struct sockaddr_rc *a = (const struct sockaddr_rc *)address;
        return tuple_text_numbers(th, bt_text(th, &a->address), 1, (int64_t[]){a->channel});
    }
    case BT_HCI:
        return tuple_numbers(th, 1, (int64_t[]){((const struct sockaddr_hci *)address)->device});
    case BT_SCO:
        return bt_text(th, &((const struct sockaddr_sco *)address)->address);
    default:
        return raise_value_error(th, "Unknown Bluetooth protocol");
    }
}

Value
socket_address_to(Thread *th, int fd, const SocketAddress *address, socklen_t length, int proto)
{
    if (length == 0)
        return NONE;
    if (length < sizeof(sa_family_t))
        return bytes_from(th, address, length);
    switch (address->any.sa_family) {
    case AF_INET:
        return tuple_text_numbers(th, socket_ip_text(th, &address->any), 1,
                                  (int64_t[]){ntohs(((const struct sockaddr_in *)address)->sin_port)});
    case AF_INET6: {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)address;
        return tuple_text_numbers(th, socket_ip_text(th, &address->any), 3,
                                  (int64_t[]){ntohs(a->sin6_port), ntohl(a->sin6_flowinfo), a->sin6_scope_id});
    }
    case AF_UNIX:
        return unix_to(th, address, length);
    case AF_PACKET:
        return packet_to(th, fd, address);
    case AF_CAN:
        return can_to(th, fd, address, proto);
    case AF_BLUETOOTH:
        return bluetooth_to(th, address, proto);
    case AF_NETLINK: {
        const struct sockaddr_nl *a = (const struct sockaddr_nl *)address;
        return tuple_numbers(th, 2, (int64_t[]){a->nl_pid, a->nl_groups});
    }
    case AF_VSOCK: {
        const struct sockaddr_vm *a = (const struct sockaddr_vm *)address;
        return tuple_numbers(th, 2, (int64_t[]){a->svm_cid, a->svm_port});
    }
    case AF_QIPCRTR: {
        const struct sockaddr_qrtr *a = (const struct sockaddr_qrtr *)address;
        return tuple_numbers(th, 2, (int64_t[]){a->sq_node, a->sq_port});
    }
    case AF_TIPC: {
        const struct sockaddr_tipc *a = (const struct sockaddr_tipc *)address;
        switch (a->addrtype) {
        case TIPC_ADDR_NAMESEQ:
            return tuple_numbers(th, 5, (int64_t[]){a->addrtype, a->addr.nameseq.type, a->addr.nameseq.lower,
                                                    a->addr.nameseq.upper, a->scope});
        case TIPC_ADDR_NAME:
            return tuple_numbers(th, 5, (int64_t[]){a->addrtype, a->addr.name.name.type, a->addr.name.name.instance,
                                                    a->addr.name.name.instance, a->scope});
        case TIPC_ADDR_ID:
            return tuple_numbers(th, 5, (int64_t[]){a->addrtype, a->addr.id.node, a->addr.id.ref, 0, a->scope});
        default:
            return raise_value_error(th, "Invalid address type");
        }
    }
    default: {
        Value bytes = bytes_from(th, address->any.sa_data, length - sizeof(sa_family_t)), t = NULL;
        if (bytes)
            t = tuple_pack(th, 2, value_from_fixnum(address->any.sa_family), bytes);
        drop_null(th, bytes);
        return t;
    }
    }
}
