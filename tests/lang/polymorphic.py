"""Attributes and methods at sites that meet several classes, while the classes change."""


class A:
    kind = "class a"
    def __init__(self, v): self.v = v
    def m(self, x): return ("A.m", self.v, x)
    @property
    def p(self): return ("A.p", self.v)


class B:
    __slots__ = ("v", "kind")
    def __init__(self, v): self.v = v; self.kind = "slot b"
    def m(self, x): return ("B.m", self.v, x)
    p = "plain b"


class C(A):
    def m(self, x): return ("C.m",) + super().m(x)


class D:
    def __init__(self, v): self.other = 1; self.v = v; self.m = lambda x: ("D own m", x); self.p = 5
    kind = property(lambda self: "property d")


class E:
    v = "class v"
    @staticmethod
    def m(x): return ("E.m static", x)
    @classmethod
    def kind(cls): return cls.__name__
    def __getattr__(self, name): return "getattr " + name


class F(B):
    @classmethod
    def m(cls, x): return (cls.__name__, x)


class G:
    def __init__(self, v): self.__dict__["v"] = v; self.__dict__["p"] = "dict p"
    def __getattribute__(self, name): return "all " + name if name == "kind" else object.__getattribute__(self, name)
    def m(self, x): return x


def look(o):
    out = []
    for f in (lambda: o.v, lambda: o.kind, lambda: o.p, lambda: o.m(1), lambda: o.missing):
        try:
            r = f()
            out.append(r if not callable(r) else "callable")
        except AttributeError as e:
            out.append(str(e))
    return out


def value(o): return o.v
def store(o, v): o.v = v; return o.v
def grow(o, v): o.extra = v; return o.extra
def call(o): return o.m(2)
def get(o):
    p = o.p
    return "callable" if callable(p) else p


def everyone(): return [A(1), B(2), C(3), D(4), E(), F(5), G(6), A(7), C(8)]


def show(title):
    print("--", title)
    for _ in range(6):
        for o in everyone():
            line = look(o)
            try:
                line += [value(o), store(o, 9), grow(o, [1])]
            except AttributeError as e:
                line.append(str(e))
            line += [call(o), get(o)]
    for o in everyone():
        line = look(o)
        try:
            line += [value(o), store(o, 9), grow(o, [1])]
        except AttributeError as e:
            line.append(str(e))
        print(type(o).__name__, line, call(o), get(o))


show("at first")
A.m = lambda self, x: ("A new m", x)
show("A.m replaced")
del C.m
show("C.m deleted")
A.v = property(lambda self: "data now", lambda self, v: None)
show("A.v a property")
del A.v
show("A.v gone")
B.p = property(lambda self: ("B.p", self.v))
D.p = 6
E.p = lambda self: 1
show("p changed")
D.m = lambda self, x: "hidden"
D.kind = "class d"
C.__bases__ = (E,)
try:
    C(1)
except TypeError as e:
    print(e)
C.__init__ = lambda self, v: None
show("C has another base")
o = A(1)
for _ in range(20):
    call(o), value(o), get(o)
o.m = lambda x: "own"
print(call(o))
del o.m
print(call(o))
o.__class__ = D
print(value(o))
try:
    get(o)
    call(o)
except AttributeError as e:
    print(e)
del o.v
try:
    value(o)
except AttributeError as e:
    print(e)
for x in (1, 2.5, "s", None, True, A, int, o, print) * 3:
    try:
        value(x)
    except AttributeError as e:
        print(e)
for x in (3, 2.5, True, 2 ** 70, 3 + 4j) * 4:
    print(x.real, x.imag, x.conjugate(), end=" ")
print()


class Many: pass


def make(i):
    return type("T%d" % i, (Many,), {"v": i, "m": lambda self, x: i + x, "p": property(lambda self: -i)})()


crowd = [make(i) for i in range(20)]
for _ in range(30):
    total = [0, 0, 0]
    for o in crowd:
        total[0] += value(o)
        total[1] += call(o)
        total[2] += get(o)
        o.fresh = total[0]
print(total)
print([store(o, i) for i, o in enumerate(crowd)], sum(map(value, crowd)))


# super() in every place it may stand.
class P:
    def m(self, *a, **k): return ("P.m", a, k)
    @classmethod
    def c(cls, x=0): return ("P.c", cls.__name__, x)
    @staticmethod
    def s(x): return ("P.s", x)
    attr = "P.attr"
    prop = property(lambda self: "P.prop")
    def __init__(self, v=1): self.v = v
    def __len__(self): return 7
    nested = property(lambda self: lambda x: ("nested", x))


class Q(P):
    def __init__(self): super().__init__(5)
    def m(self, *a, **k): return ("Q.m", super().m(*a, **k), super().m(1), super().m(k=2), super().m())
    @classmethod
    def c(cls, x=0): return ("Q.c", super().c(x), super().c())
    @staticmethod
    def s(x): return ("Q.s", super(Q, Q).s(x))
    def rest(self): return (super().attr, super().prop, super().s(3), super().nested(4), super().__len__(), super().v
                            if hasattr(super(), "v") else "no v", super().__class__ is super)
    def missing(self): return super().missing(1)
    def in_comprehension(self): return [super(Q, self).m(i) for i in range(2)]
    def deleted(self):
        del self
        return super().m()
    def cell(self):
        f = lambda: self
        return super().m(f() is self)
    def reassigned(self, other):
        self = other
        return super().m()
    def nothing(): return super().m()
    def star(*args): return super().m(1)
    def generator(self):
        yield super().m("g")
        yield super().attr
    def shadowed(self, super): return super().upper()
    def handled(self):
        try:
            return super().nothing_there()
        except AttributeError as e:
            return str(e)


q = Q()
print(q.v, q.m(1, k=3), Q.c(2), q.c(), q.s(4), q.rest(), q.in_comprehension(), q.cell(), list(q.generator()), q.handled())
print(q.shadowed(lambda: "low"))
for f in (q.missing, q.deleted, lambda: q.reassigned(Q()), lambda: q.reassigned(1), Q.nothing, q.star):
    try:
        print(f())
    except (AttributeError, RuntimeError, TypeError) as e:
        print(type(e).__name__, e)


def outside(): return super().x
try:
    outside()
except RuntimeError as e:
    print(e)
super_ = super
class R(P):
    def m(self): return super_().m()
try:
    print(R().m())
except RuntimeError as e:
    print(e)
def words(a, b):
    out = []
    if a == b: out.append("==")
    if a != b: out.append("!=")
    if not a == b: out.append("n==")
    if not a != b: out.append("n!=")
    while a == b: out.append("w"); break
    if a.upper() == b + "": out.append("up")
    return out
for _ in range(3):
    for a in ("", "a", "b", "ab", "é", "\u0100", "\U00010000", "x" * 50, "A"):
        for b in ("", "a", "b", "ac", "é", "\u0100", "\U00010000", "x" * 50, "x" * 49 + "y"):
            print(a[:3] + "".join(words(a, b)), end=" ")
    print(words("".join([]), "ab"[:0]), words(str(12), "12"))
class S(str):
    def __eq__(self, o): return "own eq"
    def __ne__(self, o): return []
for pair in ((S("a"), "a"), ("a", S("b")), (1, "a"), ("a", None), (b"a", "a")):
    try:
        print(words(*pair))
    except (AttributeError, TypeError) as e:
        print(type(e).__name__)
def gen(a):
    got = yield a
    print("got", got)
    yield a; yield a
    for a in range(2):
        x = yield a
        print(x)
    yield
    del a
    try:
        yield a
    except UnboundLocalError as e:
        print(e)
g = gen([1])
print(next(g), g.send(2), next(g), next(g), g.send("x"), g.send("y"), next(g, "end"))
def rows(pairs):
    a = b = c = None
    out = []
    for a, b in pairs:
        out.append((b, a))
    for c, (a, b) in [(1, (2, 3)), [4, [5, 6]], ("x", "yz")] * 3:
        out.append((a, b, c))
    for b, a in pairs:
        out.append((a, b))
    try:
        a, b, c = pairs
    except ValueError as e:
        out += [str(e), a, b, c]
    (a, b), c = pairs[0], pairs
    a, b, c = [c, b, a]
    return out, b
print(rows([(1, 2), [3, 4], "ab", (Dead := [5], 6)]), Dead)
class Last:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n, end=" ")
def ends():
    a = b = None
    for i in range(6):
        a, b = (Last(i), Last(-i)) if i % 2 else [Last(i), Last(-i)]
    print("out", end=" ")
ends()
print()
def pair_loops():
    i = x = k = v = None
    for i, x in enumerate([Last(10), Last(11), Last(12)]):
        print(i, x.n, end=" ")
    del x
    for k, v in zip([Last(20), Last(21)], (Last(30), Last(31))):
        print(k.n, v.n, end=" ")
    for k, v in {1: Last(40), 2: Last(41)}.items():
        print(k, v.n, end=" ")
    k = v = None
    print("last", end=" ")
    try:
        for k, v in zip([1, 2], (3, 4), [5, 6]):
            print("no")
    except ValueError as e:
        print(e, k, v)
    return i
print(pair_loops())
