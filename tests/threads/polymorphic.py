"""Sites that meet several classes: their caches are filled by several threads at once, while classes change."""
from race import race, done


class A:
    def __init__(self): self.v = ("v", 1)
    def m(self): return ("m", "A")
    p = property(lambda self: ("p", "A"))


class B:
    __slots__ = ("v", "w")
    def __init__(self): self.v = ("v", 2); self.w = None
    def m(self): return ("m", "B")
    p = ("p", "B")


class C(A):
    @staticmethod
    def m(): return ("m", "C")
    v = ("v", 3)
    def __init__(self): self.p2 = 1


class D:
    def __init__(self): self.a = self.b = 0; self.v = ("v", 4)
    def m(self): return ("m", "D")
    p = ("p", "D")


class E(D): pass
class F(E): pass


shared = [A(), B(), C(), D(), E(), F()]


def look(o):
    v, m, p = o.v, o.m(), o.p
    if v[0] != "v" or m[0] != "m" or p[0] != "p":
        raise AssertionError((v, m, p))


def keep(o, v):
    o.v = v


def read_shared():
    for o in shared:
        look(o)


def own():
    for cls in (A, B, C, D, E, F):
        o = cls()
        look(o)
        keep(o, ("v", cls))
        look(o)


def write_shared():
    for o in shared:
        keep(o, ("v", [o]))
    look(shared[1])


def change():
    for cls in (A, D, E, F):
        cls.m = lambda self: ("m", [cls])
    D.p = property(lambda self: ("p", "getter"))
    F.p = ("p", "plain")
    del F.p
    D.p = ("p", [1])


def fresh():
    cls = type("Fresh", (D,), {"m": lambda self: ("m", "fresh")})
    o = cls()
    look(o)
    keep(o, ("v", 5))
    look(o)
    shared[5] = o


race(read_shared, own, write_shared, own)
race(read_shared, own, write_shared, change, fresh, seconds=1)
done()
