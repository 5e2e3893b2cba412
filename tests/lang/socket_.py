"""Module _socket: constants, argument checks, conversions, and sockets that talk to themselves."""
import array
import os
import select
import socket
import threading
import _socket

print(sorted((n, v) for n, v in vars(_socket).items() if type(v) in (int, str) and n[0] != "_" and n != "CAPI"))


def t(f, *args, **kw):
    try:
        r = repr(f(*args, **kw))
    except BaseException as e:
        r = type(e).__name__ + " " + str(e)
    print(getattr(f, "__name__", f), repr(args)[:70], r[:200])


import warnings
warnings.simplefilter("ignore")
s = socket.socket()
for a in (1, (1,), ("a",), ("127.0.0.1", "x"), ("127.0.0.1", -1), ("127.0.0.1", 70000), ("127.0.0.1", 10**30),
          (None, 1), ("a\0b", 1), (b"127.0.0.1", 0, 1)):
    t(s.bind, a)
u = socket.socket(socket.AF_UNIX)
for a in (1, "x" * 200, b"\0" * 200, None, "/nonexist"):
    t(u.connect, a)
for f in (s.recv, s.recvfrom, s.recvmsg):
    t(f, -1)
    t(f, "a")
t(s.recv_into, bytearray(4), -1)
t(s.recv_into, bytearray(4), 5)
t(s.recv_into, b"1")
t(s.recvfrom_into, bytearray(4), 5)
t(s.send, "a")
t(s.sendto, b"a")
t(s.sendto)
t(s.sendto, b"a", 0, 1, 2)
t(s.sendall, None)
for v in (-1, "a", float("nan"), 1e300, 1.5, 30, None, 0):
    t(s.settimeout, v)
    t(s.gettimeout)
    t(s.getblocking)
t(s.getsockopt, 1, 2, -1)
t(s.getsockopt, socket.SOL_SOCKET, socket.SO_TYPE)
t(s.setsockopt, 1, 2)
t(s.setsockopt, 1, 2, None)
t(socket.socket, fileno=-1)
t(socket.socket, fileno="a")
for f in (socket.htons, socket.ntohs, socket.htonl, socket.ntohl):
    for v in (-1, 1, 70000, 2**31, "a", 1.0):
        if v != 2**31 or f in (socket.htonl, socket.ntohl):
            t(f, v)
t(socket.inet_aton, "1.2.3.4")
t(socket.inet_aton, "x")
t(socket.inet_ntoa, b"abcd")
t(socket.inet_ntoa, b"a")
t(socket.inet_pton, 10, "::1")
t(socket.inet_pton, 2, "::1")
t(socket.inet_ntop, 10, b"1" * 16)
t(socket.inet_ntop, 3, b"")
t(socket.inet_ntop, 2, b"")
t(socket.gethostbyname, "127.0.0.1")
t(socket.gethostbyname, "<broadcast>")
t(socket.getaddrinfo, "127.0.0.1", 80)
t(socket.getaddrinfo, 1, 1)
t(socket.getaddrinfo, "a", 1.5)
t(socket.getaddrinfo, "no number", 1, flags=socket.AI_NUMERICHOST)
t(socket.getnameinfo, ("127.0.0.1", 80), 3)
t(socket.getnameinfo, 1, 1)
t(socket.getnameinfo, ("::1", 80, 2**21), 1)
for n in (-1, 0, 4, 5, 2**31 - 17, 2**40):
    t(socket.CMSG_LEN, n)
    t(socket.CMSG_SPACE, n)

a, b = socket.socketpair()
t(a.sendmsg, [b"ab", bytearray(b"c")])
t(b.recvmsg, 10, 100)
t(a.sendmsg, 1)
t(a.sendmsg, [b"a"], [(1, 2)])
a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [a.fileno()]))])
data, ancillary, flags, where = b.recvmsg(5, socket.CMSG_SPACE(4))
print(data, [(x, y, len(z)) for x, y, z in ancillary], flags, where)
os.close(array.array("i", ancillary[0][2])[0])
b.settimeout(0.05)
t(b.recv, 1)
b.settimeout(0)
t(b.recv, 1)
print(a.family, a.type, a.proto, a.timeout, select.select([b], [a], [], 0) == ([], [a], []))

server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]


def client():
    with socket.create_connection(("127.0.0.1", port)) as c:
        c.sendall(b"x" * 1000000)
        c.shutdown(socket.SHUT_WR)
        print(c.recv(10))


thread = threading.Thread(target=client)
thread.start()
c, address = server.accept()
print(address[0], sum(len(x) for x in iter(lambda: c.recv(65536), b"")))
c.sendall(b"bye")
c.close()
thread.join()
server.close()
t(lambda: socket.create_connection(("127.0.0.1", port)))
with socket.socket(type=socket.SOCK_DGRAM) as d:
    d.bind(("127.0.0.1", 0))
    d.sendto(b"hi", d.getsockname())
    t(lambda: d.recvfrom(10)[0])
    d.sendto(b"hi", 0, d.getsockname())
    room = bytearray(5)
    print(d.recvfrom_into(room)[0], room)
u.bind("")
print(len(u.getsockname()), u.getsockname()[:1])
print(socket.gaierror.__mro__, socket.herror.__module__, socket.timeout)
