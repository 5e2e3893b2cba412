"""Sockets that several threads use, wait on, change and close; a blocked thread holds up nobody."""
import gc
import select
import signal
import socket
import threading
import time
from race import race, together, done

# One thread waits in recv(); the others collect, start threads and go on.
a, b = socket.socketpair()
got = []
waiter = threading.Thread(target=lambda: got.append(b.recv(10)))
waiter.start()
for i in range(20):
    gc.collect()
    t = threading.Thread(target=lambda: None)
    t.start()
    t.join()
a.send(b"end")
waiter.join(20)
assert got == [b"end"], got

# A server and its clients: nothing is lost or mixed up.
server = socket.create_server(("127.0.0.1", 0))
port = server.getsockname()[1]


def echo(connection):
    with connection:
        while data := connection.recv(5000):
            connection.sendall(data)


def serve():
    for i in range(8):
        connection, address = server.accept()
        threading.Thread(target=echo, args=(connection,)).start()


threading.Thread(target=serve).start()


def client(i):
    data = bytes([i]) * 200000
    with socket.create_connection(("127.0.0.1", port), timeout=30) as c:
        sender = threading.Thread(target=lambda: (c.sendall(data), c.shutdown(socket.SHUT_WR)))
        sender.start()
        back = bytearray()
        while len(back) < len(data) and (n := c.recv(70000)):
            back += n
        sender.join()
        return back == data


assert together(client) == [True] * 4
assert together(client) == [True] * 4
server.close()

# One pair that everybody changes.
a, b = socket.socketpair()
a.settimeout(0.01)
b.settimeout(0.01)
room = bytearray(8)


def send():
    a.send(b"x" * 100)


def receive():
    b.recv(1000)
    b.recv_into(room)


def change():
    a.settimeout(0.02)
    b.setblocking(False)
    a.gettimeout(), b.getblocking(), repr(a), a.family, a.getsockname()
    b.settimeout(0.01)


race(send, receive, change, allow=(TimeoutError, BlockingIOError))
a.close()
b.close()

# Closing what others are using: their calls fail, nothing else happens.
pairs = [socket.socketpair()]


def use():
    a, b = pairs[-1]
    a.send(b"y")
    b.recv(10)
    socket.socket(fileno=socket.dup(a.fileno())).close()


def replace():
    old = pairs[-1]
    new = socket.socketpair()
    for s in new:
        s.settimeout(0.01)
    pairs.append(new)
    del pairs[:-1]
    old[0].close()
    old[1].close()


for s in pairs[0]:
    s.settimeout(0.01)
race(use, replace, allow=(OSError, ValueError))

# poll and epoll objects that several threads share.
a, b = socket.socketpair()
poll, epoll = select.poll(), select.epoll()
poll.register(a, select.POLLIN)
epoll.register(a, select.EPOLLIN)


def polling():
    poll.register(b, select.POLLOUT)
    poll.poll(1)
    poll.modify(b, select.POLLIN)
    poll.unregister(b)


def epolling():
    epoll.poll(0.001)
    epoll.register(b, select.EPOLLOUT)
    epoll.modify(b, 0)
    epoll.unregister(b)


def selecting():
    select.select([a, b], [b], [a], 0.001)


race(polling, epolling, selecting, allow=(RuntimeError, OSError, KeyError))

# A signal interrupts a blocked recv(): the handler runs, and its exception ends the call.


class Alarm(Exception):
    pass


def handler(number, frame):
    raise Alarm


signal.signal(signal.SIGALRM, handler)
for timeout in None, 60:
    b.settimeout(timeout)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    start = time.monotonic()
    try:
        b.recv(1)
        raise AssertionError("recv() came back")
    except Alarm:
        assert time.monotonic() - start < 20
signal.signal(signal.SIGALRM, lambda *args: None)
b.settimeout(0.3)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
start = time.monotonic()
try:
    b.recv(1)
    raise AssertionError("recv() came back")
except TimeoutError:
    assert time.monotonic() - start >= 0.29
signal.setitimer(signal.ITIMER_REAL, 0)
done()
