"""Inline caches: sites that several threads specialise, fill and invalidate at once.

Rules C1-C5: a slot keeps its name, opcode and cache word belong together, a filled cache is never
stale for ever, globals' versions stand in the table.
"""
import builtins
import threading
from race import race, together, done


# C1: a slot index is bound to one name for the object's life.
class Plain:
    pass


o = Plain()
ATTRS = ["a", "b", "c", "d", "e"]


def rewrite():
    for n in ATTRS:
        setattr(o, n, "value of " + n)
    for n in ATTRS[1:4]:
        delattr(o, n)
    o.b = "value of b"
    o.__dict__ = {n: "value of " + n for n in reversed(ATTRS)}
    del o.c


def check():
    for _ in range(5):
        v = getattr(o, "a", "value of a")
        assert v == "value of a", v
        try:
            assert o.b == "value of b" and o.d == "value of d"
            assert o.c == "value of c" and o.e == "value of e"
        except AttributeError:
            pass


race(rewrite, check, check, rewrite, allow=AttributeError)


# C2: one site meets instances, methods, properties, slots, classes, modules in any order.
class WithMethod:
    def x(self):
        return "x"


class WithSlot:
    __slots__ = ("x",)

    def __init__(self):
        self.x = lambda: "x"


class WithProperty:
    @property
    def x(self):
        return lambda: "x"


class WithInstance:
    def __init__(self):
        self.y = None
        self.x = lambda: "x"


class WithClass:
    x = staticmethod(lambda: "x")


class WithGetattr:
    def __getattr__(self, name):
        return lambda: name


class WithDict(dict):
    def x(self):
        return "x"


kinds = [WithMethod(), WithSlot(), WithProperty(), WithInstance(), WithClass(), WithClass, WithGetattr(), WithDict(),
         type(threading)("m")]
kinds[-1].x = lambda: "x"


def one_site(objects):
    for k in objects:
        assert k.x() == "x"


def sites():
    one_site(kinds)


def backwards():
    one_site(kinds[::-1])


def hot():
    for k in kinds:
        one_site([k] * 20)


race(sites, backwards, hot)
operands = [(1, 2, 3), (1.5, 2.5, 4.0), ("a", "b", "ab"), ([1], [2], [1, 2]), ((1,), (2,), (1, 2)), (2 ** 62, 2 ** 62, 2 ** 63),
            (True, 1, 2), (1, 0.5, 1.5), (b"a", b"b", b"ab"), (1j, 1, 1 + 1j)]


def add(rows):
    for a, b, c in rows:
        assert a + b == c and (a == a) and not (a != a)


race(lambda: add(operands), lambda: add(operands[::-1]), lambda: [add([row] * 10) for row in operands])
boxes = [[0, 1, 2], (0, 1, 2), {0: 0, 1: 1, 2: 2}, bytearray(b"\0\1\2"), range(3), b"\0\1\2"]


def items(objects):
    for c in objects:
        assert c[1] == 1 and len(c) == 3 and 2 in c
        assert sorted(c) == [0, 1, 2]


race(lambda: items(boxes), lambda: items(boxes[::-1]), lambda: [items([c] * 10) for c in boxes])


# C4: who sees the writer's mark sees the value that was written before it, or a later one.
class Counted:
    value = 0

    def method(self):
        return 0


class Below(Counted):
    pass


mark = [0]
instance = Below()


def writer():
    n = mark[0] + 1
    Counted.value = n
    Counted.method = lambda self: n
    mark[0] = n


def monotonic():
    seen = mark[0]
    assert instance.value >= seen
    assert Below.value >= seen
    assert instance.method() >= seen
    assert Counted.value >= seen


race(writer, monotonic, monotonic, threads=3)

# C5: globals, what shadows them, and builtins.
number = 0
gmark = [0]


def set_number():
    global number
    n = gmark[0] + 1
    number = n
    for i in range(n % 40):  # the table grows, shrinks, changes its place
        globals()["extra%d" % i] = i
    for i in range(n % 40):
        del globals()["extra%d" % i]
    gmark[0] = n


def get_number():
    seen = gmark[0]
    assert number >= seen
    assert len("abc") == 3 and abs(-1) == 1


race(set_number, get_number, get_number, threads=3)


# The same for stores: each name keeps what was stored under it, in a function and in a module's body.
first = ["first"]
second = ["second"]
passing = ["passing"]


def store_names():
    global first, second, passing
    for i in range(8):
        first = ["first"]
        second = ["second"]
        passing = ["passing"]


def disturb():
    g = globals()
    for i in range(20):
        g["more%d" % i] = i
    try:
        del g["passing"]
    except KeyError:
        pass
    for i in range(20):
        g.pop("more%d" % i, None)


def look():
    g = globals()
    assert first == ["first"] and second == ["second"]
    assert g.get("passing", ["passing"]) == ["passing"]


body = compile("for i in [3, 1, 2] * 5:\n    text = 'text'\n    number = i\n    pair = (i, i)\n", "<s>", "exec")
common = {}


def run_body():
    exec(body, common)
    assert common["text"] == "text" and type(common["number"]) is int
    assert type(common["pair"]) is tuple
    if common["i"] == 3:
        common["more%d" % len(common)] = 0
    if len(common) > 40:
        common.pop("more%d" % (len(common) - 1), None)


race(store_names, disturb, look, store_names)
race(run_body, run_body, run_body)
code = compile("def f():\n    return which, len('ab')", "<s>", "exec")
spaces = []
for i in range(4):
    space = {"which": i}
    if i & 1:
        space["len"] = lambda s, i=i: i
    exec(code, space)
    spaces.append(space)


def run_spaces():
    for i, space in enumerate(spaces):
        exec(code, space)
        assert space["f"]() == (i, i if i & 1 else 2)


def change_builtins():
    for i in range(30):
        setattr(builtins, "temporary%d" % i, i)
    for i in range(30):
        delattr(builtins, "temporary%d" % i)


race(run_spaces, change_builtins, run_spaces)
together(lambda i: [run_spaces() for _ in range(20)])


# The bases of one class assigned by all: no dangling entry in any list of subclasses.
class X:
    def who(self):
        return "X"


class Y:
    def who(self):
        return "Y"


class Z:
    def who(self):
        return "Z"


class Moving(X):
    pass


moving = Moving()


def assign():
    class Child(Moving):
        pass
    for b in ((X,), (Y,), (Z,), (X, Y), (Z, X)):
        Moving.__bases__ = b
    Child.__bases__ = (X,)
    Child.__bases__ = (Moving,)


def ask():
    assert moving.who() in "XYZ"
    for b in (X, Y, Z):
        for c in b.__subclasses__():
            c.__name__, c.__mro__, c.__base__, c.__bases__
        b.mark = 1
    assert isinstance(moving, Moving) and moving.mark == 1


race(assign, ask, assign, ask, allow=(TypeError, AttributeError))
Moving.__bases__ = (Y,)
assert Moving in Y.__subclasses__() and Moving not in X.__subclasses__() + Z.__subclasses__()
done()
