"""Thread-local data: nobody sees another's, and it dies with its thread."""
import gc
import threading
import weakref
from race import race, together, done


class W:
    pass


class L(threading.local):
    shared = "class"

    def __init__(self, start):
        self.n = start
        self.who = threading.get_ident()


l = L(10)
plain = threading.local()


def use(i):
    assert not hasattr(plain, "x") and l.n == 10 and l.who == threading.get_ident()
    for k in range(3000):
        plain.x = (i, k)
        l.n += 1
        assert plain.x == (i, k) and l.n == 11 + k
    w = W()
    plain.w = w
    return weakref.ref(w)


refs = together(use)
gc.collect()
assert [r() for r in refs] == [None] * 4
made = []


def create():
    x = threading.local()
    x.a = x
    x.b = 1
    made.append(x)
    if len(made) > 20:
        made.clear()


def touch():
    for x in list(made):
        x.c = getattr(x, "c", 0) + 1
        del x.c


race(create, touch, touch, lambda: L(1).n)
done()
