/* socket_names.c -- module _socket: hosts, services, interfaces and byte orders.  Everything that asks the
 * system's resolver runs offline, with its re-entrant functions. */
#include "modules/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "threads/blocking.h"

/* -- hosts -- */

static Value
socket_gethostname(Thread *th, Value self)
{
    (void)self;
    char name[1024];
    if (!socket_audit(th, "socket.gethostname", 0, NULL))
        return NULL;
    int r;
    BLOCKING(th, r, gethostname(name, sizeof name - 1));
    if (r < 0)
        return socket_error(th);
    name[sizeof name - 1] = 0;
    return str_from_fs(th, name, strlen(name));
}

static Value
socket_sethostname(Thread *th, Value self, Value v)
{
    (void)self;
    if (!socket_audit(th, "socket.sethostname", 1, &v))
        return NULL;
    Value held = is_bytes(v) ? retain(th, v) : is_str(v) ? fs_encode(th, v) : NULL;
    if (held == NULL)
        return error_set(th) ? NULL : raise_type_error(th, "expected str, bytes or os.PathLike object, not %T", v);
    int r;
    const char *p = (const char *)as_bytes(held)->data;
    size_t n = (size_t)as_bytes(held)->length;
    BLOCKING(th, r, sethostname(p, n));
    drop(th, held);
    return r < 0 ? socket_error(th) : NONE;
}

/* One host argument and its audit event. */
static bool
host_audit(Thread *th, const char *event, const HostName *host)
{
    Value text = str_from_fs(th, host->text, strlen(host->text));
    bool ok = text && socket_audit(th, event, 1, &text);
    drop_null(th, text);
    return ok;
}

static Value
socket_gethostbyname(Thread *th, Value self, Value v)
{
    (void)self;
    HostName host;
    SocketAddress address;
    socklen_t length;
    if (!host_name_arg(th, v, &host))
        return NULL;
    Value r = NULL;
    if (host_audit(th, "socket.gethostbyname", &host) && socket_resolve(th, host.text, AF_INET, &address, &length))
        r = socket_ip_text(th, &address.any);
    host_name_free(th, &host);
    return r;
}

/* (name, [aliases], [addresses]) */
static Value
hostent_to(Thread *th, const struct hostent *h, int family)
{
    if (h->h_addrtype != family)
        return raise_os_error(th, EAFNOSUPPORT);
    Value name = str_from_fs(th, h->h_name, strlen(h->h_name)), aliases = list_new(th, 0), ips = list_new(th, 0), r = NULL;
    bool ok = name && aliases && ips;
    for (char **p = h->h_aliases; ok && p && *p; p++) {
        Value v = str_from_fs(th, *p, strlen(*p));
        ok = v && list_append_steal(th, aliases, v);
    }
    for (char **p = h->h_addr_list; ok && p && *p; p++) {
        char text[INET6_ADDRSTRLEN] = "";
        inet_ntop(family, *p, text, sizeof text);
        Value v = str_from_c(th, text);
        ok = v && list_append_steal(th, ips, v);
    }
    if (ok)
        r = tuple_pack(th, 3, name, aliases, ips);
    drop_null(th, name);
    drop_null(th, aliases);
    drop_null(th, ips);
    return r;
}

/* By name (`address` NULL) or by address; the system's tables are read offline. */
static Value
host_lookup(Thread *th, const char *name, const SocketAddress *address)
{
    size_t size = 16384;
    for (;;) {
        char *room = mem_alloc(size);
        struct hostent h, *found = NULL;
        int r, why = 0;
        if (room == NULL)
            return raise_memory(th);
        int family = address->any.sa_family;
        const void *ip = family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                                            : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
        blocking_begin(th);
        if (name)
            r = gethostbyname_r(name, &h, room, size, &found, &why);
        else
            r = gethostbyaddr_r(ip, family == AF_INET6 ? 16 : 4, family, &h, room, size, &found, &why);
        blocking_end(th);
        if (r == ERANGE && size < 1 << 20) {
            mem_free(room);
            size *= 4;
            continue;
        }
        Value result = NULL;
        if (found)
            result = hostent_to(th, found, family);
        else {
            Value text = str_from_c(th, hstrerror(why));
            Value args = text ? tuple_pack(th, 2, value_from_fixnum(why), text) : NULL;
            Value exc = args ? call_tuple_dict(th, value_of_type(&herror_type), args, NULL) : NULL;
            drop_null(th, text);
            drop_null(th, args);
            if (exc)
                raise_instance(th, exc);
        }
        mem_free(room);
        return result;
    }
}

/* gethostbyname_ex() and gethostbyaddr(): the aliases of a host of `family`, called as it was asked for or as the system
 * calls it. */
static Value
host_aliases(Thread *th, Value v, const char *event, int family, bool named)
{
    HostName host;
    SocketAddress address;
    socklen_t length;
    if (!host_name_arg(th, v, &host))
        return NULL;
    Value r = NULL;
    if (host_audit(th, event, &host) && socket_resolve(th, host.text, family, &address, &length))
        r = host_lookup(th, named ? host.text : NULL, &address);
    host_name_free(th, &host);
    return r;
}

static Value
socket_gethostbyname_ex(Thread *th, Value self, Value v)
{
    (void)self;
    return host_aliases(th, v, "socket.gethostbyname", AF_INET, true);
}

static Value
socket_gethostbyaddr(Thread *th, Value self, Value v)
{
    (void)self;
    return host_aliases(th, v, "socket.gethostbyaddr", AF_UNSPEC, false);
}

static Value
socket_getaddrinfo(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "getaddrinfo",
                                     .names = {"host", "port", "family", "type", "proto", "flags"},
                                     .positional = 6, .required = 2};
    Value v[6];
    struct addrinfo hints = {.ai_family = AF_UNSPEC}, *found = NULL;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[2], &hints.ai_family) ||
        !arg_int(th, v[3], &hints.ai_socktype) || !arg_int(th, v[4], &hints.ai_protocol) ||
        !arg_int(th, v[5], &hints.ai_flags))
        return NULL;
    HostName host = {NULL, NULL}, port = {NULL, NULL};
    Value result = NULL;
    char number[24];
    if (v[0] != NONE) {
        if (is_str(v[0])) {
            host.held = str_encode(th, v[0], "idna", NULL);
            if (host.held == NULL)
                return NULL;
        } else if (is_bytes(v[0])) {
            host.held = retain(th, v[0]);
        } else {
            return raise_type_error(th, "getaddrinfo() argument 1 must be string or None");
        }
        host.text = (const char *)as_bytes(host.held)->data;
        if (strlen(host.text) != (size_t)as_bytes(host.held)->length) {
            raise_value_error(th, "embedded null character");
            goto done;
        }
    }
    if (is_int(v[1])) {
        int64_t value;
        if (!arg_long(th, v[1], &value))
            goto done;
        snprintf(number, sizeof number, "%lld", (long long)value);
        port.text = number;
    } else if (is_str(v[1])) {
        port.text = str_utf8(th, v[1], NULL);
        if (port.text == NULL)
            goto done;
    } else if (is_bytes(v[1])) {
        port.text = (const char *)as_bytes(v[1])->data;
    } else if (v[1] != NONE) {
        raise_error(th, &exc_OSError, "Int or String expected");
        goto done;
    }
    Value audited[5] = {v[0], v[1], value_from_fixnum(hints.ai_family), value_from_fixnum(hints.ai_socktype),
                        value_from_fixnum(hints.ai_protocol)};
    if (!socket_audit(th, "socket.getaddrinfo", 5, audited))
        goto done;
    int code;
    BLOCKING(th, code, getaddrinfo(host.text, port.text, &hints, &found));
    if (code != 0) {
        socket_gai_error(th, code);
        goto done;
    }
    result = list_new(th, 0);
    for (struct addrinfo *p = found; result && p; p = p->ai_next) {
        SocketAddress address;
        socklen_t length = p->ai_addrlen <= sizeof address ? p->ai_addrlen : (socklen_t)sizeof address;
        memset(&address, 0, sizeof address);
        memcpy(&address, p->ai_addr, length);
        Value where = socket_address_to(th, -1, &address, length, p->ai_protocol);
        Value canonical = where ? str_from_fs(th, p->ai_canonname ? p->ai_canonname : "",
                                              p->ai_canonname ? strlen(p->ai_canonname) : 0)
                                : NULL;
        Value item = canonical ? tuple_pack(th, 5, value_from_fixnum(p->ai_family), value_from_fixnum(p->ai_socktype),
                                            value_from_fixnum(p->ai_protocol), canonical, where)
                               : NULL;
        drop_null(th, where);
        drop_null(th, canonical);
        if (item == NULL || !list_append_steal(th, result, item))
            DROP_CLEAR(th, result);
    }
    freeaddrinfo(found);
done:
    host_name_free(th, &host);
    return result;
}

static Value
socket_getnameinfo(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Value t = arg(a, 0);
    int flags;
    if (!arg_int(th, arg(a, 1), &flags))
        return NULL;
    if (!is_tuple(t))
        return raise_type_error(th, "getnameinfo() argument 1 must be a tuple");
    int64_t items = tuple_length(t);
    if (items < 2 || items > 4)
        return raise_type_error(th, "getnameinfo(): illegal sockaddr argument");
    const char *host = NULL;
    int port;
    uint64_t flow = 0, scope = 0;
    if (!is_str(tuple_item(t, 0)))
        return raise_type_error(th, "getnameinfo(): illegal sockaddr argument");
    if ((host = str_c(th, tuple_item(t, 0))) == NULL || !arg_int(th, tuple_item(t, 1), &port) ||
        (items > 2 && !arg_ulong(th, tuple_item(t, 2), &flow)) || (items > 3 && !arg_ulong(th, tuple_item(t, 3), &scope)))
        return NULL;
    if (flow > 0xfffff)
        return raise_overflow(th, "getnameinfo(): flowinfo must be 0-1048575.");
    if (!socket_audit(th, "socket.getnameinfo", 1, &t))
        return NULL;
    char number[16];
    snprintf(number, sizeof number, "%d", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found = NULL;
    int code;
    BLOCKING(th, code, getaddrinfo(host, number, &hints, &found));
    if (code != 0)
        return socket_gai_error(th, code);
    Value r = NULL;
    if (found->ai_next) {
        raise_error(th, &exc_OSError, "sockaddr resolved to multiple addresses");
    } else if (found->ai_family == AF_INET && items != 2) {
        raise_error(th, &exc_OSError, "IPv4 sockaddr must be 2 tuple");
    } else {
        char name[NI_MAXHOST], service[NI_MAXSERV];
        if (found->ai_family == AF_INET6) {
            struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)found->ai_addr;
            six->sin6_flowinfo = htonl((uint32_t)flow);
            six->sin6_scope_id = (uint32_t)scope;
        }
        BLOCKING(th, code, getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof name, service, sizeof service, flags));
        if (code != 0) {
            socket_gai_error(th, code);
        } else {
            Value x = str_from_fs(th, name, strlen(name)), y = x ? str_from_fs(th, service, strlen(service)) : NULL;
            r = y ? tuple_pack(th, 2, x, y) : NULL;
            drop_null(th, x);
            drop_null(th, y);
        }
    }
    freeaddrinfo(found);
    return r;
}

/* -- services and protocols -- */

/* The protocol name of an optional argument. */
static bool
proto_arg(Thread *th, const Arg *a, size_t n, const char **proto)
{
    *proto = NULL;
    if (n > 1 && !is_str(arg(a, 1))) {
        raise_type_error(th, "argument 2 must be str, not %B", arg(a, 1));
        return false;
    }
    return n < 2 || (*proto = str_c(th, arg(a, 1))) != NULL;
}

static Value
socket_getservbyname(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    const char *name, *proto;
    if (!is_str(arg(a, 0)))
        return raise_type_error(th, "getservbyname() argument 1 must be str, not %B", arg(a, 0));
    if ((name = str_c(th, arg(a, 0))) == NULL || !proto_arg(th, a, n, &proto) ||
        !socket_audit(th, "socket.getservbyname", 2, (Value[]){arg(a, 0), n > 1 ? arg(a, 1) : str_empty}))
        return NULL;
    char room[8192];
    struct servent s, *found = NULL;
    int r;
    BLOCKING(th, r, getservbyname_r(name, proto, &s, room, sizeof room, &found));
    if (r != 0 || found == NULL)
        return raise_error(th, &exc_OSError, "service/proto not found");
    return value_from_fixnum(ntohs((uint16_t)found->s_port));
}

static Value
socket_getservbyport(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int port;
    const char *proto;
    if (!arg_int(th, arg(a, 0), &port) || !proto_arg(th, a, n, &proto))
        return NULL;
    if (port < 0 || port > 0xffff)
        return raise_overflow(th, "getservbyport: port must be 0-65535.");
    if (!socket_audit(th, "socket.getservbyport", 2, (Value[]){arg(a, 0), n > 1 ? arg(a, 1) : str_empty}))
        return NULL;
    char room[8192];
    struct servent s, *found = NULL;
    int r;
    BLOCKING(th, r, getservbyport_r(htons((uint16_t)port), proto, &s, room, sizeof room, &found));
    if (r != 0 || found == NULL)
        return raise_error(th, &exc_OSError, "port/proto not found");
    return str_from_fs(th, found->s_name, strlen(found->s_name));
}

static Value
socket_getprotobyname(Thread *th, Value self, Value v)
{
    (void)self;
    if (!is_str(v))
        return raise_type_error(th, "getprotobyname() argument must be str, not %B", v);
    const char *name = str_c(th, v);
    if (name == NULL)
        return NULL;
    char room[8192];
    struct protoent p, *found = NULL;
    int r;
    BLOCKING(th, r, getprotobyname_r(name, &p, room, sizeof room, &found));
    if (r != 0 || found == NULL)
        return raise_error(th, &exc_OSError, "protocol not found");
    return value_from_fixnum(found->p_proto);
}

/* -- byte orders -- */

static Value
swap_short(Thread *th, const char *name, Value v)
{
    int n;
    if (!arg_int(th, v, &n))
        return NULL;
    if (n < 0)
        return raise_error(th, &exc_OverflowError, "%s: can't convert negative Python int to C 16-bit unsigned integer", name);
    if (n > 0xffff)
        return raise_error(th, &exc_OverflowError, "%s: Python int too large to convert to C 16-bit unsigned integer", name);
    return value_from_fixnum(htons((uint16_t)n));
}

static Value
swap_long(Thread *th, Value v)
{
    uint64_t n;
    if (!is_int(v))
        return raise_type_error(th, "expected int, %T found", v);
    if (!int_to_u64(th, v, &n))
        return NULL;
    if (n > 0xffffffffu)
        return raise_overflow(th, "int larger than 32 bits");
    return value_from_fixnum(htonl((uint32_t)n));
}

static Value socket_htons(Thread *th, Value self, Value v) { (void)self; return swap_short(th, "htons", v); }
static Value socket_ntohs(Thread *th, Value self, Value v) { (void)self; return swap_short(th, "ntohs", v); }
static Value socket_htonl(Thread *th, Value self, Value v) { (void)self; return swap_long(th, v); }
static Value socket_ntohl(Thread *th, Value self, Value v) { (void)self; return swap_long(th, v); }

/* -- addresses as text and as bytes -- */

static Value
socket_inet_aton(Thread *th, Value self, Value v)
{
    (void)self;
    struct in_addr ip;
    if (!is_str(v))
        return raise_type_error(th, "inet_aton() argument 1 must be str, not %B", v);
    const char *text = str_c(th, v);
    if (text == NULL)
        return NULL;
    if (!inet_aton(text, &ip))
        return raise_error(th, &exc_OSError, "illegal IP address string passed to inet_aton");
    return bytes_from(th, &ip, sizeof ip);
}

static Value
socket_inet_ntoa(Thread *th, Value self, Value v)
{
    (void)self;
    Buffer b;
    char text[INET6_ADDRSTRLEN];
    if (!buffer_read(th, v, &b, BUFFER_SIMPLE))
        return NULL;
    bool fits = b.length == sizeof(struct in_addr);
    if (fits)
        inet_ntop(AF_INET, b.data, text, sizeof text);
    buffer_release(th, &b);
    return fits ? str_from_c(th, text) : raise_error(th, &exc_OSError, "packed IP wrong length for inet_ntoa");
}

static Value
socket_inet_pton(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int family;
    char packed[sizeof(struct in6_addr)];
    if (!arg_int(th, arg(a, 0), &family))
        return NULL;
    if (!is_str(arg(a, 1)))
        return raise_type_error(th, "inet_pton() argument 2 must be str, not %B", arg(a, 1));
    const char *text = str_c(th, arg(a, 1));
    if (text == NULL)
        return NULL;
    int r = inet_pton(family, text, packed);
    if (r < 0)
        return socket_error(th);
    if (r == 0)
        return raise_error(th, &exc_OSError, "illegal IP address string passed to inet_pton");
    return bytes_from(th, packed, family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr));
}

static Value
socket_inet_ntop(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int family;
    Buffer b;
    char text[INET6_ADDRSTRLEN];
    if (!arg_int(th, arg(a, 0), &family) || !buffer_read(th, arg(a, 1), &b, BUFFER_SIMPLE))
        return NULL;
    Value r = NULL;
    if (family != AF_INET && family != AF_INET6)
        raise_value_error(th, "unknown address family %d", family);
    else if (b.length != (family == AF_INET ? 4 : 16))
        raise_value_error(th, "invalid length of packed IP address string");
    else
        r = inet_ntop(family, b.data, text, sizeof text) ? str_from_c(th, text) : socket_error(th);
    buffer_release(th, &b);
    return r;
}

/* -- interfaces -- */

static Value
socket_if_nameindex(Thread *th, Value self)
{
    (void)self;
    struct if_nameindex *all;
    BLOCKING(th, all, if_nameindex());
    if (all == NULL)
        return socket_error(th);
    Value list = list_new(th, 0);
    for (struct if_nameindex *p = all; list && p->if_index != 0; p++) {
        Value name = str_from_fs(th, p->if_name, strlen(p->if_name));
        Value t = name ? tuple_pack(th, 2, value_from_fixnum(p->if_index), name) : NULL;
        drop_null(th, name);
        if (t == NULL || !list_append_steal(th, list, t))
            DROP_CLEAR(th, list);
    }
    if_freenameindex(all);
    return list;
}

static Value
socket_if_nametoindex(Thread *th, Value self, Value v)
{
    (void)self;
    Value name = fs_encode(th, v);
    if (name == NULL)
        return NULL;
    unsigned index;
    const char *p = (const char *)as_bytes(name)->data;
    BLOCKING(th, index, if_nametoindex(p));
    drop(th, name);
    return index ? value_from_fixnum(index) : raise_error(th, &exc_OSError, "no interface with this name");
}

static Value
socket_if_indextoname(Thread *th, Value self, Value v)
{
    (void)self;
    uint64_t index;
    char name[IF_NAMESIZE + 1], *r = NULL;
    if (!arg_ulong(th, v, &index))
        return NULL;
    if (index > UINT32_MAX)
        return raise_overflow(th, "Python int too large to convert to C int");
    BLOCKING(th, r, if_indextoname((unsigned)index, name));
    return r ? str_from_fs(th, name, strlen(name)) : socket_error(th);
}

const MethodDef socket_name_functions[] = {
    NATIVE_0("gethostname", socket_gethostname, "gethostname() -> string\n\nThe name of this host."),
    NATIVE_1("sethostname", socket_sethostname, "sethostname(name)\n\nSets the name of this host."),
    NATIVE_1("gethostbyname", socket_gethostbyname, "gethostbyname(host) -> address\n\nThe IPv4 address of a host, like '255.255.255.255'."),
    NATIVE_1("gethostbyname_ex", socket_gethostbyname_ex, "gethostbyname_ex(host) -> (name, aliaslist, addresslist)\n\nA host's true name, its other names and its IPv4 addresses."),
    NATIVE_1("gethostbyaddr", socket_gethostbyaddr, "gethostbyaddr(host) -> (name, aliaslist, addresslist)\n\nThe names and addresses of the host that has an IP address."),
    NATIVE_K("getaddrinfo", socket_getaddrinfo, "getaddrinfo(host, port [, family, type, proto, flags])\n    -> list of (family, type, proto, canonname, sockaddr)\n\nResolves a host and a port."),
    NATIVE_N("getnameinfo", socket_getnameinfo, 2, 2, "getnameinfo(sockaddr, flags) --> (host, port)\n\nThe names of a host and a port."),
    NATIVE_N("getservbyname", socket_getservbyname, 1, 2, "getservbyname(servicename[, protocolname]) -> integer\n\nThe port of a service."),
    NATIVE_N("getservbyport", socket_getservbyport, 1, 2, "getservbyport(port[, protocolname]) -> string\n\nThe service of a port."),
    NATIVE_1("getprotobyname", socket_getprotobyname, "getprotobyname(name) -> integer\n\nThe number of a protocol."),
    NATIVE_1("htons", socket_htons, "htons(integer) -> integer\n\nA 16-bit integer from host to network byte order."),
    NATIVE_1("ntohs", socket_ntohs, "ntohs(integer) -> integer\n\nA 16-bit integer from network to host byte order."),
    NATIVE_1("htonl", socket_htonl, "htonl(integer) -> integer\n\nA 32-bit integer from host to network byte order."),
    NATIVE_1("ntohl", socket_ntohl, "ntohl(integer) -> integer\n\nA 32-bit integer from network to host byte order."),
    NATIVE_1("inet_aton", socket_inet_aton, "inet_aton(string) -> bytes giving packed 32-bit IP representation\n\nThe four bytes of an IPv4 address."),
    NATIVE_1("inet_ntoa", socket_inet_ntoa, "inet_ntoa(packed_ip) -> ip_address_string\n\nThe text of an IPv4 address of four bytes."),
    NATIVE_N("inet_pton", socket_inet_pton, 2, 2, "inet_pton(af, ip) -> packed IP address string\n\nThe bytes of an address of the family."),
    NATIVE_N("inet_ntop", socket_inet_ntop, 2, 2, "inet_ntop(af, packed_ip) -> string formatted IP address\n\nThe text of a packed address of the family."),
    NATIVE_0("if_nameindex", socket_if_nameindex, "if_nameindex()\n\nA list of the network interfaces as (index, name)."),
    NATIVE_1("if_nametoindex", socket_if_nametoindex, "if_nametoindex(if_name)\n\nThe index of an interface."),
    NATIVE_1("if_indextoname", socket_if_indextoname, "if_indextoname(if_index)\n\nThe name of an interface."),
    NATIVE_END,
};
