"""Functions that several threads count: made, called, raised through and dropped at once; they die, all of them, soon
after their last reference went, and their counts are right."""
import gc
import sys
import threading
import time
import weakref
from collections import deque
from race import race, done


made, died = deque(), deque()


class Content:
    """What a closure holds."""

    def __init__(self):
        made.append(1)

    def __del__(self):
        died.append(1)


def make():
    content = Content()

    def function(n):
        if n == 0:
            raise ValueError(content)
        return content

    return function


def cyclic():
    def function(n):
        if n == 0:
            raise ValueError(function)
        return content

    content = Content()
    return function


N = 4
shared = [make() for _ in range(N)]


def use():
    for f in list(shared):
        try:
            f(0)
        except ValueError as e:
            assert e.__traceback__.tb_next.tb_frame.f_code is f.__code__
        assert isinstance(f(1), Content)
        list(map(f, (1, 2)))


def replace():
    shared[int(time.monotonic() * 1000) % N] = make()


def replace_cyclic():
    shared[int(time.monotonic() * 1000) % N] = cyclic()


def collect():
    gc.collect()


def keep_weakly():
    r = weakref.ref(shared[0])
    f = r()
    if f is not None:
        f(1)


race(use, use, replace, replace_cyclic, collect, keep_weakly)


def soon(condition):
    """Waits for what happens within some 10 ms on a free machine."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        gc.collect()
        time.sleep(0.005)


# Shared by a thread that computes on: what it keeps does not keep a function alive for long.
stop = False
started = threading.Event()
box = [make()]


def compute():
    f = box[0]
    for _ in range(100):
        try:
            f(0)
        except ValueError:
            pass
    del f
    started.set()
    n = 0
    while not stop:
        n += 1


t = threading.Thread(target=compute)
t.start()
started.wait()
assert sys.getrefcount(box[0]) == 2, sys.getrefcount(box[0])
shared.clear()
box.clear()
soon(lambda: len(made) == len(died))
stop = True
t.join()


# A generator goes from thread to thread.
def numbers():
    for i in range(1 << 40):
        yield i


gens = [numbers() for _ in range(N)]
seen = [[] for _ in range(N)]


def step(k=[0]):
    k[0] += 1
    i = k[0] % N
    try:
        seen[i].append(next(gens[i]))
    except ValueError:
        pass


def new_generator():
    g = numbers()
    gens.append(g)
    for _ in range(5):
        try:
            next(g)
        except (ValueError, StopIteration):
            pass
    gens.pop()


def disturb():
    for g in gens[N:]:
        try:
            next(g)
        except (ValueError, StopIteration):
            pass


def close_last():
    for g in gens[N:]:
        try:
            g.close()
        except ValueError:
            pass


race(step, step, new_generator, new_generator, disturb, close_last)
for s in seen:
    assert len(s) == len(set(s))
done()
