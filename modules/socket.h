/* socket.h -- what the files of module _socket share. */
#ifndef MODULES_SOCKET_H
#define MODULES_SOCKET_H

#include "core/run/run.h"
#include "modules/modules.h"

#include <sys/socket.h>

/* A socket.  Everything but `fd` changes only in __init__, settimeout() and setblocking(); who uses a
 * socket that another thread closes gets EBADF, or what the descriptor has become, as with any file. */
typedef struct Socket {
    struct Object head;
    ATOMIC(int) fd;               /* -1: closed, or not yet opened */
    ATOMIC(int) family, type, proto;
    ATOMIC(int64_t) timeout;      /* ns; -1: blocks, 0: never waits */
} Socket;

/* [interp slot] */
typedef struct SocketState {
    ATOMIC(int64_t) default_timeout; /* as Socket.timeout */
} SocketState;

extern Type gaierror_type, herror_type, socket_type;

/* Raises OSError from errno; returns NULL. */
COLD void *socket_error(Thread *th);
/* Raises gaierror (or OSError, for EAI_SYSTEM) from what getaddrinfo() returned; returns NULL. */
COLD void *socket_gai_error(Thread *th, int code);
/* sys.audit(event, values...), borrowed; NULL ones are None. */
RAISES bool socket_audit(Thread *th, const char *event, size_t n, const Value *values);

/* -- socket_addr.c: addresses -- */

/* Large enough for each family. */
typedef union SocketAddress {
    struct sockaddr any;
    struct sockaddr_storage storage;
    char bytes[sizeof(struct sockaddr_storage)];
} SocketAddress;

/* The address that `v` means to a socket of `family` and `proto`, for function `fname` of messages.
 * `fd` serves to look up interfaces' names.  May wait for a name server. */
RAISES bool socket_address_from(Thread *th, int fd, int family, int proto, Value v, const char *fname,
                                SocketAddress *address, socklen_t *length);
/* What Python shows for an address; None if `length` is 0. */
RAISES Value socket_address_to(Thread *th, int fd, const SocketAddress *address, socklen_t length, int proto);

/* A host or service name as bytes for the system; str goes through "idna". */
typedef struct HostName {
    const char *text;
    Value held;
} HostName;
RAISES bool host_name_arg(Thread *th, Value v, HostName *out);
void host_name_free(Thread *th, HostName *h);

/* Fills `address` (family AF_INET or AF_INET6; AF_UNSPEC: either) with a host's; *length gets its size. */
RAISES bool socket_resolve(Thread *th, const char *host, int family, SocketAddress *address, socklen_t *length);
RAISES Value socket_ip_text(Thread *th, const struct sockaddr *address);

/* -- socket_names.c: the module's functions -- */
extern const MethodDef socket_name_functions[];

/* -- socket_message.c: methods for messages with ancillary data -- */
RAISES Value socket_recvmsg(Thread *th, Value self, const Arg *a, size_t n);
RAISES Value socket_recvmsg_into(Thread *th, Value self, const Arg *a, size_t n);
RAISES Value socket_sendmsg(Thread *th, Value self, const Arg *a, size_t n);
RAISES Value socket_sendmsg_afalg(Thread *th, Value self, const Arg *a, size_t n, Value kwnames);

/* -- mod_socket.c -- */
static inline Socket *as_socket(Value v) { return (Socket *)(void *)value_object(v); }

/* A system call on `fd`, made offline: returns what the call does. */
typedef ssize_t (*SocketCall)(int fd, void *data);
/* Makes `call` when the descriptor is ready, waiting up to `deadline` (clock_monotonic_ns; INT64_MAX:
 * for ever) if the socket has a timeout; signal handlers run in between.  -1 with an exception. */
ssize_t socket_call(Thread *th, Socket *s, int fd, bool writing, SocketCall call, void *data, int64_t deadline);
/* The moment when an operation that begins now times out. */
int64_t socket_deadline(Socket *s);

#endif
