"""Sites that meet several classes, or the globals of several modules: their caches are filled by several threads at once,
while classes and modules change."""
import threading
import types

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


# One code object, functions of twelve modules (more than an instruction has words for), each with names of its own.
def names():
    return kind, number, len, abs(-3), kind


modules = [{"other%d" % i: 0 for i in range(i)} for i in range(12)]
for number, module in enumerate(modules):
    module.update(kind=["kind", number], number=["number", number])
functions = [types.FunctionType(names.__code__, module) for module in modules]
own_builtins = {**vars(__builtins__), "len": ["own", "len"]}
functions.append(types.FunctionType(names.__code__, {"__builtins__": own_builtins, "kind": ["kind", 12], "number": ["number", 12]}))
turn = threading.local()


def call_one(i):
    k, n, length, three, again = functions[i]()
    if (k[0], k[1], n[0], n[1]) != ("kind", i, "number", i) or again[1] != i or three != 3:
        raise AssertionError((i, k, n, three, again))
    if length is not len and length[:2] != (["own", "len"] if i == 12 else ["len", i]):
        raise AssertionError((i, length))


def call_two():
    turn.i = (getattr(turn, "i", threading.get_ident()) + 1) % 2
    call_one(turn.i)
    call_one(turn.i)


def call_all():
    for i in range(13):
        call_one(i)


def change_modules():
    for i, module in enumerate(modules):
        module["kind"] = ["kind", i, []]
        module["len"] = ["len", i]
        del module["len"]
        module["new%d" % len(module)] = None
        if len(module) > 100:
            for name in [name for name in module if name.startswith("new")]:
                del module[name]


race(call_two, call_two)
race(call_all, call_two, call_all, change_modules, seconds=1)

race(read_shared, own, write_shared, own)
race(read_shared, own, write_shared, change, fresh, seconds=1)
done()
