"""Lines of docs/thread-safety.md once more: what could be seen, or be raised, if the line were false.

containers.py races on each line in breadth; here each check has a state that exists at no moment, an operation that would be lost, or an
exception that must or must not come.  A container that "toggles" is empty or has ten items, because both changes are atomic.
"""
import collections
import csv
import functools
import itertools
import json
import os
import threading
import time
from race import race, together, done

SECONDS = float(os.environ.get("RACE_SECONDS", "0.5")) / 4


def check(lines):
    return lambda f: f()


def at_once(*functions, allow=()):
    race(*functions, allow=allow, seconds=SECONDS)


def stable(f, *args):
    """For bytearrays: a reader may have a buffer of it just now."""
    while True:
        try:
            return f(*args)
        except BufferError:
            pass


def elsewhere(f):
    """Calls f in another thread and waits; what it raised, or None."""
    raised = []

    def work():
        try:
            f()
        except BaseException as e:
            raised.append(e)
    t = threading.Thread(target=work)
    t.start()
    t.join()
    return raised[0] if raised else None


def refuses(error, f):
    assert isinstance(elsewhere(f), error), (error, f)


TEN = list(range(10))

# -- list --


@check("L6 L13 L14 L17")
def _():
    L = list(range(1000))

    def assign():
        L[3:6] = [1, 2]
        L[500:502] = [1, 2, 3]

    def strides():
        del L[10:20:2]
        L[10:10] = range(5)

    def single():
        L.insert(40, 1)
        L.pop(70)
        L.append(1)
        del L[0]

    at_once(assign, strides, single, L.reverse)
    assert len(L) == 1000, len(L)


@check("L17")
def _():
    L = list(range(100))

    def turn():
        L.append(L.pop(0))
    at_once(L.reverse, L.reverse, turn, turn)
    assert sorted(L) == list(range(100))


@check("L1 L3 L5 Q3 B1 B2")
def _():
    # An index from the end is of the moment at which the item is read, put or taken out.
    for c in ([1] * 10, collections.deque([1] * 10), bytearray(b"\x01" * 10)):
        def move():
            c.append(1)
            del c[0]

        def last():
            assert c[-1] == c[-10] == 1
            c[-1] = c[-10] = 1

        def take():
            c.append(1)
            del c[-1]
        at_once(move, last, move, take)

    L = list(range(100))

    def push():
        L.insert(0, -1)
        L.pop(0)

    def put():
        L[-1] = 99
        L.__setitem__(-1, 99)
    at_once(push, put)
    assert L == list(range(100)), L


@check("L9 L11 L13")
def _():
    # The items change one after the other, so that those that are changed come first at each moment.
    n = 2000
    L = [0] * n
    ended = False

    def changes():
        k = 0
        while not ended:
            k += 1
            for i in range(n):
                L[i] = k

    def assigned():
        x = []
        x[0:0] = L
        return x

    def extended():
        x = []
        x += L
        x.extend(L)
        assert len(x) == 2 * n
        return x[n:]

    ways = [lambda: L.copy(), lambda: L[:], lambda: L[::3], lambda: list(L), lambda: list(tuple(L)), lambda: L * 1, lambda: [*L],
            assigned, extended]

    def reads():
        nonlocal ended
        try:
            end = time.monotonic() + 2 * SECONDS
            while time.monotonic() < end:
                for way in ways:
                    seen = way()
                    assert seen == sorted(seen, reverse=True), way.__code__.co_firstlineno
        finally:
            ended = True

    together(lambda i: changes() if i else reads(), threads=2)


@check("L9 L11 L13")
def _():
    M, d, s = [], {}, set()

    def toggle():
        M.extend(TEN)
        d.update(dict.fromkeys(TEN, ()))
        s.update(set(TEN))
        M.clear()
        d.clear()
        s.clear()

    def parts():
        for n, of in ((len(M[::2]), 5), (len(sorted(M)), 10), (len(M * 3), 30), (len(M[:]), 10), (len(M[-10:]), 10)):
            assert n % of == 0, (n, of)

    def take():
        for source in (M, d, d.keys(), d.values(), d.items(), s):
            x = [None]
            x.extend(source)
            x += source
            assert len(x) % 10 == 1, len(x)
            x[1:] = source
            assert len(x) % 10 == 1, len(x)
            assert type(source) is not type(d.items()) or all(v == () for k, v in x[1:])
    at_once(toggle, toggle, parts, take)
    E, odd = [0] * 20, [1] * 10

    def strides():
        E[::2] = odd
        E[::2] = range(10)
        E[1::2] = [1] * 10

    def even():
        x = E[::2]
        assert x in ([0] * 10, odd, TEN), x
    at_once(strides, even)


@check("L16")
def _():
    class Odd:
        def __init__(self, n):
            self.n = n

        def __eq__(self, other):
            return self.n == getattr(other, "n", other)

    for wanted in ("x", Odd(77)):
        L = [str(i) if wanted == "x" else Odd(i) for i in range(20)] + [wanted]

        def remove():
            L.remove(wanted)  # no ValueError: it is there at every moment
            L.append(wanted)
        race(remove, L.reverse, L.reverse, lambda: L.insert(3, L.pop(4)), seconds=SECONDS, threads=4)
        assert L.count(wanted) == 1


@check("L16 Q6 Q7")
def _():
    # A comparison that changes a shared container each time: an end, and the exceptions of CPython.
    class Adds:
        def __init__(self, c, equal):
            self.c, self.equal, self.n = c, equal, 100

        def __eq__(self, other):
            self.n += 1
            self.c.insert(0, self.n)
            return self.equal

    for make in (list, collections.deque):
        for equal in (True, False):
            c = make([1, 2, 3])
            assert elsewhere(lambda: c.append(4)) is None
            try:
                c.remove(Adds(c, equal) if make is not list or equal else 7)
                assert equal
            except (ValueError, IndexError):
                pass
    q = collections.deque([1, 2, 3])
    assert elsewhere(lambda: q.append(4)) is None
    for f in (lambda x: x in q, q.index, q.count, lambda x: q == collections.deque([x] * len(q))):
        x = Adds(q, True)
        try:
            assert not f(x)
            assert False
        except RuntimeError:
            pass


@check("L18")
def _():
    L = [3, 1, 2]

    def key(x):
        if x == 1:
            assert elsewhere(lambda: L.append("late")) is None and len(L) == 1
        return x
    try:
        L.sort(key=key)
        assert False
    except ValueError:
        pass
    assert L == [1, 2, 3]


# -- dict --

@check("D7 D8 D10 D12")
def _():
    for make in (str, lambda i: (i, i)):
        d, e = {}, {make(i): i for i in range(10)}

        def toggle():
            d.update(e)
            d.clear()

        def take():
            x, y = {}, {"more": 1}
            x.update(d)
            y |= d
            for n in (len(x), len(y) - 1, len({**d}), len({"more": 1, **d}) - 1, len(d | {"more": 1}) - 1, len({"more": 1} | d) - 1,
                      len(dict.fromkeys(d)), len(dict(d, more=1)) - 1, len(list(d.keys())), len(tuple(d.items())),
                      len(tuple(d)), len(set(d))):
                assert n in (0, 10), n
        at_once(toggle, toggle, take, take)


@check("D11")
def _():
    seen = []

    class Probe:
        def __eq__(self, other):
            seen.append(other)
            return True
    probes = {"a": Probe(), "b": Probe()}
    d = {"a": 0, "b": 0}

    def count():
        d["a"] += 1
        d["b"] += 1

    def compare():
        seen.clear()
        assert probes == d
        a, b = seen
        assert a - b in (0, 1), (a, b)
    t = threading.Thread(target=lambda: [count() for _ in range(20000)])
    t.start()
    while t.is_alive():
        compare()
    t.join()


@check("D14 D17 S10 Q7")
def _():
    for c, grow in (({1: 1, 2: 2}, lambda c: c.update({9: 9})), ({1, 2}, lambda c: c.add(9)),
                    (collections.deque([1, 2]), lambda c: c.append(9)),
                    (collections.OrderedDict({1: 1, 2: 2}), lambda c: c.update({9: 9})),
                    (collections.OrderedDict({1: 1, 2: 2}), lambda c: c.move_to_end(1))):
        it = iter(c)
        next(it)
        assert elsewhere(lambda: grow(c)) is None
        try:
            next(it)
            assert False, c
        except RuntimeError:
            pass


# -- set --

@check("S6 S9")
def _():
    for make in (str, lambda i: (i, i)):
        s, ten = set(), {make(i) for i in range(10)}

        def toggle():
            s.update(ten)
            s.clear()

        def take():
            x, y = set(), {"more"}
            x.update(s)
            y |= s
            for n in (len(x), len(y) - 1, len(s | {"more"}) - 1, len(frozenset(s)), len(tuple(s)), len([*s]), len({*s, "more"}) - 1):
                assert n in (0, 10), n
        at_once(toggle, toggle, take, take)


@check("S7")
def _():
    full, even = set(range(100)), set(range(0, 100, 2))
    s = set(full)

    def change():
        nonlocal s
        mine = s
        mine &= even
        mine |= full
        mine -= full - even
        mine ^= full - even

    def look():
        assert len(s.copy()) in (50, 100)
    t = threading.Thread(target=lambda: [change() for _ in range(2000)])
    t.start()
    while t.is_alive():
        look()
    t.join()
    assert s == full


# -- bytearray --

@check("B2 B3 B4")
def _():
    b, x = bytearray(), bytearray()

    def toggle():
        stable(b.extend, b"0123456789")
        stable(b.__iadd__, b"0123456789")
        stable(b.__imul__, 2)
        stable(b.__setitem__, slice(0, 0), b"0123456789")
        stable(b.__delitem__, slice(0, 10))
        stable(b.clear)
        stable(x.extend, b"0123456789")
        stable(x.clear)

    def look():
        assert len(bytes(b)) % 10 == 0 and len(b + b"") % 10 == 0 and len(b) % 10 == 0
        y = bytearray()
        y.extend(x)
        y += x
        y[0:0] = x
        assert len(y) % 10 == 0
    at_once(toggle, toggle, look, look)
    c = bytearray(range(100))

    def move():
        stable(c.insert, 10, 7)
        stable(c.__delitem__, 20)
        stable(c.append, 7)
        stable(c.pop)
        stable(c.reverse)
    at_once(move, lambda: bytes(c))
    assert len(c) == 100
    e = bytearray(20)

    def thin():
        stable(e.__delitem__, slice(None, None, 2))
        stable(e.extend, bytes(10))

    def whole():
        assert len(e) % 10 == 0
    race(thin, whole, seconds=SECONDS, threads=2)


# -- deque --

@check("Q1 Q4")
def _():
    q = collections.deque(range(10), 10)

    def look():
        assert len(q) == len(q.copy()) == 10
    at_once(lambda: q.append(1), lambda: q.appendleft(2), look, look)
    turning = collections.deque(range(10))

    def in_order():
        c = list(turning.copy())
        assert all((a + 1) % 10 == b for a, b in zip(c, c[1:])), c
    at_once(lambda: turning.rotate(3), lambda: turning.rotate(-1), in_order, in_order)
    reversing = collections.deque(range(10))

    def one_way():
        c = list(reversing.copy())
        assert c in (TEN, TEN[::-1]), c
    at_once(reversing.reverse, reversing.reverse, one_way, one_way)


@check("Q3 Q5")
def _():
    q = collections.deque(range(200))

    def move():
        q.insert(50, -1)
        del q[60]
        q[3] = q[3]
        q.rotate(1)
        q.reverse()
    at_once(move)
    assert len(q) == 200
    q.clear()
    together(lambda i: q.extend(iter([i] * 1000)) if i % 2 else q.extendleft(iter([i] * 1000)))
    assert collections.Counter(q) == dict.fromkeys(range(4), 1000)


# -- iterators --

@check("I2")
def _():
    go, inside = threading.Event(), threading.Event()

    def slow():
        yield 1
        inside.set()
        go.wait()
        yield 2
    a, b = itertools.tee(slow())
    assert (next(a), next(b)) == (1, 1)
    got = []
    t = threading.Thread(target=lambda: got.append(next(a)))
    t.start()
    inside.wait()
    refuses(RuntimeError, lambda: next(b))
    go.set()
    t.join()
    assert got == [2] and list(b) == [2]


@check("I5")
def _():
    go, inside = threading.Event(), threading.Event()

    def slow():
        inside.set()
        go.wait()
        yield 1
    g = slow()
    t = threading.Thread(target=lambda: next(g))
    t.start()
    inside.wait()
    for f in (lambda: next(g), lambda: g.send(None), g.close, lambda: g.throw(KeyError), lambda: list(g)):
        refuses(ValueError, f)
    go.set()
    t.join()
    assert next(g, "end") == "end"


@check("I6")
def _():
    for maxsize in (None, 64):
        cached = functools.lru_cache(maxsize)(lambda x: object())
        together(lambda i: [cached(k) for k in range(50)])
        assert len({id(cached(k)) for k in range(50)}) == 50
        assert [cached(k) for k in range(50)] == [cached(k) for k in range(50)]


# -- native objects --

@check("N4")
def _():
    rows = [[str(i)] * 5 for i in range(2000)]
    reader = csv.reader(iter([",".join(r) + "\n" for r in rows]))
    got = sum(together(lambda i: list(reader)), [])
    assert sorted(got) == sorted(rows)

    class Sink:
        def __init__(self):
            self.lines = []

        def write(self, text):
            self.lines.append(text)
    sink = Sink()
    writer = csv.writer(sink)
    together(lambda i: [writer.writerow([i, k, i, k]) for k in range(500)])
    written = list(csv.reader(sink.lines))
    assert len(written) == 2000 and all(r[:2] == r[2:] for r in written)


@check("D7 D8 D10 D12 S6 S7")
def _():
    """Another thread first comes to a container just as its owner reads it: it changes the items one after the
    other, so that those that are changed come first at each moment."""
    n = 3000
    hand = [None]
    ended = False

    def changes():
        while not ended:
            c = hand[0]
            if c is None:
                continue
            hand[0] = None
            if type(c) is dict:
                for k in range(n):
                    c[k] = 1
            else:
                for k in range(n):
                    c.discard(k)
            c = None

    def values(d):
        return [d[k] for k in range(n)]

    def gone(s):
        return [k not in s for k in range(n)]

    dicts = [
        lambda e: values({**{-1: 1}, **e}),
        lambda e: values({-1: 1} | e),
        lambda e: values(dict(e, x=1)),
        lambda e: [v for k, v in list(e.items())],
        lambda e: list(e.values()),
    ]
    sets = [
        lambda e: gone({-1} | e),
        lambda e: gone(dict.fromkeys(e)),
        lambda e: gone(list(e) + [-1]),
        lambda e: gone(set().union({-1}, e)),
    ]

    def reads():
        nonlocal ended
        try:
            rounds = 0
            end = time.monotonic() + 4 * SECONDS
            while time.monotonic() < end:
                for make, ways in (lambda: dict.fromkeys(range(n), 0), dicts), (lambda: set(range(n)), sets):
                    for way in ways:
                        rounds += 1
                        e = make()
                        hand[0] = e
                        for _ in range(rounds % 50):
                            pass
                        seen = way(e)
                        assert seen == sorted(seen, reverse=True), way.__code__.co_firstlineno
        finally:
            ended = True

    together(lambda i: changes() if i else reads(), threads=2)

    # What the other adds is not lost when the contents are replaced.
    ended = False

    def adds():
        while not ended:
            s = hand[0]
            if s is not None:
                s.add(-1)
                s = hand[0] = None

    def replaces():
        nonlocal ended
        try:
            end = time.monotonic() + 2 * SECONDS
            while time.monotonic() < end:
                for k in range(50):
                    s, t = set(range(200)), set(range(-1, 200, 2))
                    hand[0] = s
                    for _ in range(k):
                        pass
                    s &= t
                    while hand[0] is not None:
                        pass
                    assert -1 in s
        finally:
            ended = True

    together(lambda i: adds() if i else replaces(), threads=2)

@check("N5")
def _():
    value = {"a": [1, 2.5, None, True, {"b": "\u20ac" * 20}], "c": {str(i): i for i in range(50)}}
    encoder, decoder = json.JSONEncoder(sort_keys=True), json.JSONDecoder()
    text = encoder.encode(value)

    def use():
        assert decoder.decode(text) == value and encoder.encode(value) == text and decoder.raw_decode(text)[1] == len(text)
    at_once(use)


done()
