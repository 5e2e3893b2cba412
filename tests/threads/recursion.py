"""The recursion limit holds in every thread, in Python and in C."""
import sys
import threading
from race import together, done


def deep():
    return deep()


def nested(n):
    l = []
    for _ in range(n):
        l = [l]
    return l


def run(i):
    for f in (deep, lambda: repr(nested(100000)), lambda: nested(100000) == nested(100000)):
        try:
            f()
        except RecursionError:
            pass
        else:
            raise AssertionError("no RecursionError")

    class C:
        def __getattr__(self, name):
            return getattr(self, name + "x")

        def __repr__(self):
            return repr(self)

        def __eq__(self, other):
            return self == other
    for f in (lambda: C().a, lambda: repr(C()), lambda: C() == 1):
        try:
            f()
        except RecursionError:
            pass
        else:
            raise AssertionError("no RecursionError")


together(run)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


go = threading.Event()
out = []


def late():
    go.wait()
    out.append(depth(2000))


t = threading.Thread(target=late)
t.start()
sys.setrecursionlimit(3000)
go.set()
t.join()
assert out == [2000]
done()
