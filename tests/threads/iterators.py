"""Every iterator type and every itertools object, advanced, asked and copied by all threads at once.

For each kind: what comes out of a shared one is counted where docs/thread-safety.md promises
"once" (I1, I1a, I3); elsewhere it must only be of the right type.  Then the same kinds again with
what they iterate changed meanwhile, and with __reduce__, __setstate__, __length_hint__, copy() and
the garbage collector in between.
"""
import array
import collections
import copy
import functools
import gc
import io
import itertools
import operator
import os
import re
import struct
import warnings
import weakref
from race import race, together, done

N = 2000
R = range(N)


class Sequence:
    """Iterated by __getitem__ alone."""

    def __len__(self):
        return N

    def __getitem__(self, i):
        if i >= N:
            raise IndexError
        return i


class Slow:
    """An iterator written in Python; several threads may be inside __next__."""

    def __init__(self, n=N):
        self.i, self.n = 0, n

    def __iter__(self):
        return self

    def __next__(self):
        i = self.i
        if i >= self.n:
            raise StopIteration
        self.i = i + 1
        return i


D = {i: str(i) for i in R}
OD = collections.OrderedDict(D)
S = set(R)
DD = collections.defaultdict(int, D)

# -- each item comes once --

ONCE = {
    "list_iterator": (lambda: iter(list(R)), R),
    "list_reverseiterator": (lambda: reversed(list(R)), R),
    "tuple_iterator": (lambda: iter(tuple(R)), R),
    "range_iterator": (lambda: iter(R), R),
    "longrange_iterator": (lambda: iter(range(1 << 70, (1 << 70) + N)), range(1 << 70, (1 << 70) + N)),
    "range_reversed": (lambda: reversed(R), R),
    "longrange_reversed": (lambda: reversed(range(1 << 70, (1 << 70) + N)), range(1 << 70, (1 << 70) + N)),
    "dict_keyiterator": (lambda: iter(D), D),
    "dict_valueiterator": (lambda: iter(D.values()), D.values()),
    "dict_itemiterator": (lambda: iter(D.items()), D.items()),
    "dict_reversekeyiterator": (lambda: reversed(D), D),
    "dict_reversevalueiterator": (lambda: reversed(D.values()), D.values()),
    "dict_reverseitemiterator": (lambda: reversed(D.items()), D.items()),
    "set_iterator": (lambda: iter(S), S),
    "frozenset_iterator": (lambda: iter(frozenset(S)), S),
    "deque_iterator": (lambda: iter(collections.deque(R)), R),
    "deque_reverse_iterator": (lambda: reversed(collections.deque(R)), R),
    "product": (lambda: itertools.product(range(10), repeat=3), list(itertools.product(range(10), repeat=3))),
    "permutations": (lambda: itertools.permutations(range(6)), list(itertools.permutations(range(6)))),
    "combinations": (lambda: itertools.combinations(range(12), 4), list(itertools.combinations(range(12), 4))),
    "combinations_with_replacement": (lambda: itertools.combinations_with_replacement(range(7), 4),
                                      list(itertools.combinations_with_replacement(range(7), 4))),
    "repeat": (lambda: itertools.repeat("r", N), ["r"] * N),
}

for name, (make, expected) in ONCE.items():
    expected = sorted(expected)
    for _ in range(3):
        it = make()
        parts = together(lambda i: list(it))
        flat = sorted(x for p in parts for x in p)
        assert flat == expected, (name, len(flat), len(expected))

for start, step in ((0, 1), (2**62 - 500, 1), (2**63 - 500, 1), (0, -1), (0.5, 0.25), (5, 10**30)):
    c = itertools.count(start, step)
    parts = together(lambda i: [next(c) for _ in range(500)])
    flat = [x for p in parts for x in p]
    assert len(flat) == len(set(flat)) == 2000, (start, step)
    repr(c), copy.copy(c)

e = enumerate(iter(R))
parts = together(lambda i: list(e))
assert sorted(n for p in parts for n, x in p) == list(R) == sorted(x for p in parts for n, x in p)

# -- never a crash: items may be distributed in any way --

text = "The quick brown fox " * 50
blob = text.encode()
packed = struct.pack("<500i", *range(500))
pattern = re.compile(r"\w+")


def generator(n=N):
    for i in range(n):
        yield i


ANY = {
    "bytes_iterator": lambda: iter(blob),
    "bytearray_iterator": lambda: iter(bytearray(blob)),
    "str_iterator": lambda: iter(text),
    "str_iterator wide": lambda: iter("a\u20ac\U0001f600" * 300),
    "str_ascii_iterator": lambda: iter("ascii" * 300),
    "memoryview": lambda: iter(memoryview(blob)),
    "arrayiterator": lambda: iter(array.array("d", R)),
    "iterator": lambda: iter(Sequence()),
    "reversed": lambda: reversed(Sequence()),
    "callable_iterator": lambda: iter(Slow().__next__, N - 1),
    "generator": generator,
    "generator_expression": lambda: (x * 2 for x in Slow()),
    "yield from": lambda: (lambda: (yield from Slow()))(),
    "enumerate": lambda: enumerate(Slow(), 1 << 62),
    "zip": lambda: zip(iter(R), Slow(), generator()),
    "zip strict": lambda: zip(iter(R), iter(R), strict=True),
    "map": lambda: map(operator.add, iter(R), Slow()),
    "filter": lambda: filter(lambda x: x & 1, iter(R)),
    "filter None": lambda: filter(None, Slow()),
    "odict_iterator": lambda: iter(OD),
    "odict_items": lambda: iter(OD.items()),
    "odict_reversed": lambda: reversed(OD.values()),
    "defaultdict": lambda: iter(DD.items()),
    "mappingproxy": lambda: iter(type("M", (), dict.fromkeys("abc")).__dict__),
    "chain": lambda: itertools.chain(iter(R), Slow(), "abc"),
    "chain.from_iterable": lambda: itertools.chain.from_iterable(iter([[1, 2]] * N)),
    "cycle": lambda: itertools.islice(itertools.cycle(iter(range(7))), N),
    "cycle itself": lambda: itertools.cycle(Slow(50)),
    "accumulate": lambda: itertools.accumulate(iter(R), initial=5),
    "accumulate func": lambda: itertools.accumulate(Slow(), lambda a, b: a ^ b),
    "compress": lambda: itertools.compress(Slow(), itertools.cycle([1, 0])),
    "dropwhile": lambda: itertools.dropwhile(lambda x: x < 50, Slow()),
    "filterfalse": lambda: itertools.filterfalse(None, itertools.repeat(0, N)),
    "islice": lambda: itertools.islice(Slow(), 3, N, 2),
    "pairwise": lambda: itertools.pairwise(iter(R)),
    "starmap": lambda: itertools.starmap(pow, zip(R, itertools.repeat(2))),
    "takewhile": lambda: itertools.takewhile(lambda x: x < N - 5, Slow()),
    "zip_longest": lambda: itertools.zip_longest(Slow(), iter(R[:700]), fillvalue=-1),
    "tee": lambda: itertools.tee(iter(R))[0],
    "groupby": lambda: itertools.groupby(Slow(), lambda x: x // 7),
    "finditer": lambda: pattern.finditer(text * 3),
    "scanner": lambda: iter(pattern.scanner(text).search, None),
    "iter_unpack": lambda: struct.iter_unpack("<i", packed),
    "unpack_from": lambda: struct.Struct("<hh").iter_unpack(packed),
    "StringIO": lambda: io.StringIO(text.replace(" ", "\n")),
    "BytesIO": lambda: io.BytesIO(blob.replace(b" ", b"\n")),
    "BufferedReader": lambda: io.BufferedReader(io.BytesIO(blob.replace(b" ", b"\n")), 64),
    "TextIOWrapper": lambda: io.TextIOWrapper(io.BytesIO(blob.replace(b" ", b"\n"))),
    "generic alias": lambda: iter(list[int]),
    "weakref.WeakSet": lambda: iter(weakref.WeakSet([Sequence])),
    "str.split": lambda: iter(text.split()),
    "functools.partial": lambda: iter(functools.partial(next, iter(R), None), None),
    "scandir": lambda: os.scandir("/proc/self"),
}

# What two threads in one Python-written iterator, or in an object whose parts are shared, may raise.
FINE = (StopIteration, ValueError, RuntimeError, TypeError, IndexError, OSError)


def drain(it, limit=N):
    n = 0
    try:
        for x in it:
            n += 1
            if isinstance(x, tuple) and len(x) == 2 and type(x[1]) is itertools._grouper:
                list(x[1])
            if n > limit:
                break
    except FINE:
        pass
    return n


for name, make in ANY.items():
    for _ in range(2):
        it = make()
        counts = together(lambda i: drain(it))
        assert sum(counts) > 0, name
        del it

# -- asked, copied and set back while they run --

QUESTIONS = ("__length_hint__", "__reduce__", "__copy__", "__iter__", "__repr__", "close", "gi_frame",
             "gi_running", "gi_yieldfrom", "cr_frame")
cell = [None]
makers = list(ANY.values()) + [make for make, expected in ONCE.values()] + [lambda: itertools.count(3)]


def ask():
    it = cell[0]
    for name in QUESTIONS:
        try:
            f = getattr(it, name, None)
            if callable(f):
                f()
        except FINE:
            pass
    try:
        copy.copy(it)
    except FINE + (AttributeError,):
        pass


def step():
    it = cell[0]
    for _ in range(10):
        next(it)


def set_state():
    it = cell[0]
    f = getattr(it, "__setstate__", None)
    if f:
        for state in (0, 5, -1, (0,), ((1, 2), 3), (R, 1), None, [1, 2]):
            try:
                f(state)
            except FINE + (OverflowError, AttributeError):
                pass


for make in makers:
    def renew():
        cell[0] = make()
    renew()
    race(renew, step, ask, set_state, allow=FINE + (AttributeError,), seconds=0.03)

# -- what they iterate changes, and the collector takes them apart --

l, d, s, q = list(range(50)), dict.fromkeys(range(50)), set(range(50)), collections.deque(range(50))
b, a, o = bytearray(range(50)), array.array("i", range(50)), collections.OrderedDict.fromkeys(range(50))
shared = [lambda: iter(l), lambda: reversed(l), lambda: iter(d), lambda: iter(d.items()), lambda: iter(d.values()),
          lambda: reversed(d), lambda: iter(s), lambda: iter(q), lambda: reversed(q), lambda: iter(b), lambda: iter(a),
          lambda: iter(o), lambda: reversed(o), lambda: iter(o.items())]
wrappers = [lambda it: it, lambda it: zip(it, l), lambda it: map(str, it), lambda it: itertools.chain(it, it),
            lambda it: itertools.tee(it, 2)[1], lambda it: itertools.groupby(it), lambda it: itertools.cycle(it),
            lambda it: itertools.pairwise(it), lambda it: enumerate(it), lambda it: itertools.islice(it, 30),
            lambda it: (x for x in it), lambda it: itertools.product(it, l[:3]), lambda it: itertools.zip_longest(it, s)]
live = [iter(l)] * 4


def change():
    for i in range(50, 80):
        l.append(i)
        d[i] = i
        s.add(i)
        q.append(i)
        b.append(i)
        a.append(i)
        o[i] = i
    for c in (l, b, a):
        del c[50:]
    while len(q) > 50:
        q.pop()
    for i in range(50, 80):
        d.pop(i, None)
        s.discard(i)
        o.pop(i, None)


def put():
    for k, make in enumerate(shared):
        for wrap in wrappers:
            try:
                live[k % 4] = wrap(make())
            except FINE:
                pass


def take():
    for it in live:
        try:
            for _ in range(7):
                next(it)
        except FINE + (KeyError,):
            pass


def collect():
    ring = [live[0]]
    ring.append(ring)
    del ring
    gc.collect(0)
    gc.get_referents(*live)


race(change, put, take, take, collect, allow=FINE + (BufferError, KeyError))

# -- asynchronous generators and coroutines, stepped by hand --


async def agen():
    try:
        for i in range(5):
            yield i
    finally:
        pass


async def coro():
    async for x in agen():
        pass
    return 5


box = [agen(), coro(), agen().asend(None)]


def renew():
    for c in (box[1],):
        c.close()
    box[0], box[1] = agen(), coro()
    box[2] = box[0].asend(None)


def run():
    for c in (box[1], box[2], box[0].__anext__(), box[0].aclose(), box[0].athrow(KeyError)):
        try:
            c.send(None)
        except (StopIteration, StopAsyncIteration, ValueError, RuntimeError, KeyError):
            pass
        c.close()


def look():
    box[1].cr_frame, box[1].cr_running, box[1].cr_await, box[0].ag_frame, box[0].ag_running, box[0].ag_await


warnings.simplefilter("ignore")
race(renew, run, run, look, allow=(RuntimeError, ValueError, StopIteration, StopAsyncIteration))
done()
