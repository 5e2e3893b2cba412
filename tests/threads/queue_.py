"""SimpleQueue: nothing is lost or doubled, nobody sleeps on a full queue, timeouts and signals end a wait."""
import gc
import queue
import signal
import threading
import time
from race import race, together, done

assert queue.SimpleQueue.__module__ == "_queue"
N = 20000
q = queue.SimpleQueue()


def part(i):
    if i % 2:
        for k in range(N):
            q.put((i, k))
        return None
    return [q.get() for k in range(N)]


taken = [item for items in together(part) if items for item in items]
assert sorted(taken) == [(i, k) for i in (1, 3) for k in range(N)] and q.empty()

# One item at a time: each get() sleeps.
there, back = queue.SimpleQueue(), queue.SimpleQueue()


def ping(i):
    if i == 0:
        for k in range(2000):
            there.put(k)
            assert back.get(timeout=60) == k
    elif i == 1:
        for k in range(2000):
            back.put(there.get())


together(ping, threads=2)

# Sleepers and items in any order; a collection walks the ring meanwhile.
shared = queue.SimpleQueue()


def put():
    shared.put([object()])


def get():
    shared.get(timeout=0.001)


def look():
    shared.qsize(), shared.empty()
    shared.get_nowait()
    gc.collect(0)


race(put, get, put, look, allow=(queue.Empty,))
q = queue.SimpleQueue()
threads = [threading.Thread(target=q.get) for i in range(8)]
for t in threads:
    t.start()
for t in threads:
    q.put(1)
for t in threads:
    t.join(60)
    assert not t.is_alive()

# A queue that holds itself is collected.
q.put(q)
del q, threads, t
gc.collect()

q = queue.SimpleQueue()
start = time.monotonic()
try:
    q.get(timeout=0.1)
    raise AssertionError
except queue.Empty:
    assert 0.09 <= time.monotonic() - start < 20


class Alarm(Exception):
    pass


def handler(number, frame):
    raise Alarm


signal.signal(signal.SIGALRM, handler)
for timeout in None, 60:
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        q.get(timeout=timeout)
        raise AssertionError
    except Alarm:
        pass
done()
