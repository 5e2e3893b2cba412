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
