"""References read from shared containers while others take them out: nothing read is freed too early.

One race for each of the rules A1-A13 of the soundness contract (docs/rules-tested.md).  Every object
that is handed round is an Item, which knows when it is read after its death: its fields are wiped by
the finalizer, and memory of the dead is poisoned in debug builds.
"""
import functools
import gc
import operator
import queue
import sys
import weakref
from collections import deque
from race import race, done


class Item:
    def __init__(self):
        self.mark = "alive"
        self.pair = ["first", "second"]

    def good(self):
        return self.mark == "alive" and self.pair[0] == "first" and len(self.pair) == 2

    def __del__(self):
        self.mark = "dead"


def new():
    return Item()


N = 8
shared = [new() for _ in range(N)]
table = {i: new() for i in range(N)}
names = ["n%d" % i for i in range(N)]


class Holder:
    pass


holder = Holder()
for name in names:
    setattr(holder, name, new())


def replace():
    for i in range(N):
        shared[i] = new()
        table[i] = new()
        setattr(holder, names[i], new())


# A1: temporaries that are dead, or not yet written, when the thread is asked to announce an epoch.
def temporaries():
    for i in range(N):
        shared[i].mark
        shared[i].pair[0], shared[i - 1].pair[1]
        assert shared[i].good() and table[i].good() and getattr(holder, names[i]).good()
        x = shared[i]
        for _ in range(5):
            pass
        assert x.good() if i & 1 else x.pair[1] == "second"


race(temporaries, replace, temporaries)


# A2: a generator that holds what it read while it is suspended, resumed by whoever comes.
def reader():
    while True:
        x, y = shared[0], table[1]
        yield x.good() and y.good()
        assert x.good() and y.good()
        z = yield from inner()
        assert z.good()


def inner():
    x = shared[2]
    yield True
    return x


gens = [reader() for _ in range(2)]


def resume():
    for g in gens:
        assert next(g)


def abandon():
    g = reader()
    next(g)
    next(g)
    if shared[3].good():
        g.close()


race(resume, replace, abandon, resume, allow=ValueError)


# A3: frames that were looked at already return and borrow anew below the mark.
def depth(n):
    x = shared[n % N]
    if n == 0:
        for _ in range(10):
            pass
        return x.good()
    y = table[n % N]
    good = depth(n - 1) and depth(n // 3)
    return good and x.good() and y.good()


def deep():
    assert depth(20)


race(deep, replace, deep)

# A4: what a container gives out is still borrowed by others.
stock, lookup, bag, line, box = [], {}, set(), deque(), queue.SimpleQueue()


def fill():
    for i in range(N):
        stock.append(new())
        lookup[i] = new()
        bag.add(new())
        line.append(new())
        box.put(new())


def pop():
    for take in (stock.pop, lambda: stock.pop(0), lookup.popitem, bag.pop, line.popleft, line.pop, box.get_nowait):
        x = take()
        x = x[1] if type(x) is tuple else x
        assert x.good()
        del x
    lookup.pop(3, None)
    del stock[1:3]
    stock[:] = [new()]
    stock.__init__([new(), new()])
    stock.sort(key=id)
    bag.clear()
    line.rotate(1)


def borrow():
    for c in (stock, line):
        assert c[0].good() and c[-1].good()
    for i in range(N):
        x = lookup.get(i)
        assert x is None or x.good()
    for c in (stock, line, bag, lookup.values()):
        try:
            for x in c:
                assert x.good()
        except RuntimeError:
            pass


EMPTY = (IndexError, KeyError, queue.Empty, ValueError)
race(fill, pop, borrow, borrow, allow=EMPTY)

# A5: immutable containers whose last reference goes while their items are borrowed.
immutable = [None] * 8


def make_immutable():
    x = new()
    immutable[0] = (x, (x, new()))
    immutable[1] = frozenset([x])
    immutable[2] = slice(x, new())
    immutable[3] = x.good
    immutable[4] = functools.partial(operator.attrgetter("mark"), x)
    immutable[5] = (lambda y: lambda: y)(new())
    immutable[6] = ValueError(x, new())

    def with_default(a=new(), *, b=new()):
        return a.good() and b.good()
    immutable[7] = with_default


def read_immutable():
    t, f, s, m, p, c, e, d = immutable
    del e
    assert immutable[0][0].good() and immutable[0][1][1].good()
    for x in immutable[1]:
        assert x.good()
    assert immutable[2].start.good() and immutable[2].stop.good()
    assert immutable[3]() and immutable[3].__self__.good()
    assert immutable[4]() == "alive" and immutable[4].args[0].good()
    assert immutable[5]().good() and immutable[5].__closure__[0].cell_contents.good()
    assert immutable[6].args[1].good()
    assert immutable[7]() and immutable[7].__defaults__[0].good()
    x = immutable[0]
    y = x[0]
    del x, t, f, s, m, p, c, d
    assert y.good()


make_immutable()
race(make_immutable, read_immutable, read_immutable)


# A7: the owner reads what it takes for private at the moment when others find it.
published = [[], {}, set(), Holder()]


def flip():
    for _ in range(5):
        l, d, s, o = [new()], {0: new()}, {1, 2}, Holder()
        o.x = new()
        published[:] = l, d, s, o
        for i in range(20):
            l.append(new())
            d[i] = new()
            s.add(i)
            setattr(o, names[i % N], new())
            assert l[0].good() and l[-1].good() and d.get(i % 7, l[0]).good() and o.x.good() and i in s


def disturb():
    l, d, s, o = published
    for i in range(30):
        if len(l) > 3:
            l.pop(1)
            l[1:2] = [new(), new()]
        d[100 + i] = new()
        d.pop(100 + i - 1, None)
        s.add(-i)
        setattr(o, "y%d" % (i % 3), new())


race(flip, disturb, disturb, allow=(IndexError, RuntimeError))


# A8: header bits set by several threads: sharing, finalizing, weak references.
def bits():
    ring = Item()
    ring.me = ring
    published[3] = ring
    weakref.ref(ring)
    del ring
    gc.collect(0)


def touch():
    o = published[3]
    o.pair, weakref.ref(o)
    o.late = 1


race(bits, touch, touch, allow=AttributeError)


# A9: native code that holds what it read while it calls back.
def key(x):
    for i in range(3):
        shared[i] = new()
    return x.pair[0]


def natives():
    assert max(shared, key=key).good()
    assert all(map(Item.good, shared)) and all(x.good() for x in sorted(shared, key=key))
    assert all(x.good() for x in filter(key, list(shared)))
    functools.reduce(lambda a, b: b if a.good() else None, shared)
    assert min(shared, key=operator.attrgetter("mark")).good()
    assert (lambda: shared[4])().good()
    list(map(lambda x: shared[1], shared))
    dict.fromkeys(map(id, shared))


race(natives, replace, natives)


# A10: an instruction with several borrowed values, the first of which ends another's life.
class Last:
    def __del__(self):
        for i in range(N):
            shared[i] = new()
        for _ in range(20):
            pass


def unpack():
    a = b = c = Last()
    a, b, *c = shared
    assert a.good() and b.good() and all(x.good() for x in c)
    d = {"k": Last(), "l": Last()}
    d["k"], d["l"] = shared[0], shared[1]
    assert d["k"].good() and d["l"].good()
    x = Last()
    x, y = y, x = shared[2], shared[3]
    assert x.good() and y.good()


race(unpack, replace, unpack)


# A11: functions, modules and code that disappear while they run.
def vanish():
    global victim

    def victim(n=20):
        global victim
        victim = None
        for i in range(n):
            pass
        return n
    return victim


def run_victim():
    f = victim
    if f:
        assert f() == 20
    if victim:
        victim()


def new_code():
    space = {}
    exec("def f(x):\n    for i in range(10): x = [x, f]\n    return len(x)", space)
    space["f"].__code__ = (lambda x: 2).__code__
    codes[:] = [space["f"]]


codes = [len]


def run_code():
    codes[0]([1, 2])


victim = None
race(vanish, run_victim, run_victim, new_code, allow=TypeError)
race(new_code, run_code, run_code)


# A12: other threads look at running frames.
def busy():
    a, b = shared[0], table[1]
    for i in range(30):
        c = [a, b, i]
        a = shared[i % N]
    return c


def spy():
    for frame in sys._current_frames().values():
        while frame:
            frame.f_lineno, frame.f_code.co_name
            for v in list(frame.f_locals.values()):
                if type(v) is Item and frame.f_code.co_name == "busy":
                    assert v.good()
            frame = frame.f_back


race(busy, spy, replace, busy)

# A13: one object in different forms of a word is one object.
constants = [None, True, False, ..., NotImplemented, 1.0, -1.0, 2.5, -2.5, 7, -7, "one", (), Item, len]


def identity():
    for i, x in enumerate(constants):
        y = constants[i]
        assert x is y and x is constants[i] and constants[i] is y and not (x is not y)
        assert (x is None) == (i == 0) and (constants[i] is None) == (i == 0)
        assert x == y
        z = constants[:][i]
        assert z is x
        assert {id(x)} == {id(constants[i])}


race(identity)
done()
