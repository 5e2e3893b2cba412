"""Cyclic garbage made by four threads while others collect; finalizers run once."""
import gc
import weakref
from race import race, together, done


class Node:
    def __init__(self):
        self.me = self
        self.other = [self, {"x": self}]


class Fin:
    count = 0

    def __init__(self, log):
        self.log = log
        self.me = self

    def __del__(self):
        self.log.append(1)


def cycles():
    for _ in range(50):
        a, b = Node(), Node()
        a.b, b.a = b, a


def functions():
    def f():
        return f
    g = (f for f in [f])
    next(g)

    class X:
        y = None
    X.y = X


shared = []


def share():
    n = Node()
    shared.append(n)
    n.list = shared
    if len(shared) > 50:
        shared.clear()


race(cycles, gc.collect, functions, share)
race(cycles, cycles, lambda: gc.collect(0), lambda: (len(gc.get_objects()), gc.get_count()), seconds=0.3)
refs = []


def dead(i):
    out = []
    for _ in range(500):
        n = Node()
        out.append(weakref.ref(n))
    return out


refs = together(dead)
gc.collect()
gc.collect()
assert all(r() is None for part in refs for r in part)

logs = [[] for _ in range(4)]


def finalizers(i):
    for _ in range(500):
        Fin(logs[i])


together(finalizers)
gc.collect()
gc.collect()
assert [len(x) for x in logs] == [500] * 4, [len(x) for x in logs]

log = []


def plain_del(i):
    class P:
        def __del__(self):
            log.append(i)
    for _ in range(2000):
        P()


together(plain_del)
gc.collect()
assert len(log) == 8000, len(log)
done()
