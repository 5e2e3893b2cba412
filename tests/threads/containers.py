"""Races on each numbered line of docs/thread-safety.md.

Each check runs its functions in several threads at once, and then looks at what must hold.
"""
import functools
import itertools
import os
import sys
import threading
from collections import OrderedDict, defaultdict, deque

THREADS = 4
# How long: percent of the full length; by default as long as the other scripts' races.
SCALE = int(sys.argv[1]) if len(sys.argv) > 1 else max(5, int(float(os.environ.get("RACE_SECONDS", "0.5")) * 200))
checks = []


def check(number):
    def note(f):
        checks.append((number, f))
        return f
    return note


def race(*functions, n=THREADS):
    """Runs each function in n threads at once; raises the first exception of any of them."""
    errors = []
    barrier = threading.Barrier(len(functions) * n)

    def run(f, i):
        barrier.wait()
        try:
            f(i)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=(f, i)) for f in functions for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def loop(n):
    return range(n * SCALE // 100)


# -- list --

@check("L1 L3")
def _():
    L = [(i, i) for i in range(100)]

    def read(_):
        for k in loop(3000):
            v = L[k % 100]
            assert v[0] == v[1] and len(L) == 100

    def write(t):
        for k in loop(3000):
            L[k % 100] = (k, k)
    race(read, write, n=2)


@check("L2")
def _():
    L = [str(i) for i in range(50)]

    def search(_):
        for k in loop(300):
            assert '49' in L and L.index('49') == 49 and L.count('49') == 1 and L == L
            assert not L < ['0'] and (L < L) in (True, False) and repr(L).endswith("'49']")

    def write(t):
        for k in loop(3000):
            L[k % 49] = str(k % 49)
    race(search, write, n=2)


@check("L4 L5")
def _():
    L, got = [], [[] for _ in range(THREADS)]

    def add(t):
        for k in loop(2000):
            L.append((t, k))

    def take(t):
        for k in loop(2000):
            try:
                got[t].append(L.pop() if k % 2 else L.pop(0))
            except IndexError:
                pass
    race(add, take)
    everything = L + sum(got, [])
    assert len(everything) == len(set(everything)) == THREADS * len(loop(2000)), len(everything)


@check("L6 L7 L14")
def _():
    L = list(range(100))

    def change(t):
        for k in loop(1000):
            L.insert(k % 50, k)
            L.pop(k % 50)
            L[0:0] = [1, 2, 3]
            del L[0:3]

    def read(t):
        for k in loop(3000):
            try:
                assert type(L[k % 90]) is int
            except IndexError:
                pass
    race(change, read, n=2)
    assert len(L) == 100


@check("L8 L9 L11 L15")
def _():
    L = []

    def change(t):
        for k in loop(500):
            L.extend([k] * 10)
            L.clear()

    def read(t):
        for k in loop(1000):
            for c in (L.copy(), L[:], list(L), tuple(L), L * 1, L + []):
                assert len(c) % 10 == 0, len(c)
    race(change, read, n=2)
    M = [1]

    def double(t):
        for k in loop(200):
            M[:] = [1]
            M.__imul__(8)

    def length(t):
        for k in loop(2000):
            n = len(M)
            while n % 8 == 0 and n > 1:
                n //= 8
            assert n in (0, 1), n
    race(double, length, n=2)


@check("L10")
def _():
    A, B = [0], [0]
    lock = threading.Lock()

    def change(t):
        for k in loop(1000):
            with lock:
                A[0] += 1
                B[0] += 1

    def read(t):
        for k in loop(1000):
            a, b = A + B
            assert a - b in (0, 1), (a, b)
    race(change, read, n=2)


@check("L12 L13")
def _():
    L = []

    def extend(t):
        for k in loop(50):
            L.extend(iter(range(100)))
            L.extend(x for x in range(100))

    race(extend, n=THREADS)
    assert len(L) == THREADS * len(loop(50)) * 200

    def assign_slice(t):
        for k in loop(500):
            L[2:5] = [7, 8, 9]
    race(assign_slice)
    assert len(L) == THREADS * len(loop(50)) * 200 and L[2:5] == [7, 8, 9]


@check("L20 D15")
def _():
    L, d, n = [0], {0: 0}, len(loop(1000))

    def add(t):
        for k in range(n):
            L[0] += 1
            d[0] += 1
            if k not in d:
                d[k] = t
    race(add)
    assert n <= L[0] <= THREADS * n and n <= d[0] <= THREADS * n and len(d) == n


@check("L16")
def _():
    L = [i % 10 for i in range(400 * SCALE // 100)]
    removed = []

    def remove(t):
        while True:
            try:
                L.remove(t)
            except ValueError:
                return
            removed.append(t)
    race(remove)
    assert sorted(removed) == sorted(i % 10 for i in range(400 * SCALE // 100) if i % 10 < THREADS)
    assert all(x >= THREADS for x in L)


@check("L17 L18")
def _():
    L = list(range(200))

    def sort(t):
        for k in loop(100):
            try:
                L.sort(key=lambda v: -v)
            except ValueError:
                pass

    def reverse(t):
        for k in loop(1000):
            L.reverse()

    def look(t):
        for k in loop(1000):
            n = len(L)
            assert n in (0, 200), n
            for v in L:
                assert 0 <= v < 200
    race(sort, reverse, look, n=1)


@check("L19")
def _():
    L = list(range(5000))
    for make in (iter, reversed):
        it, seen = make(L), []
        race(lambda t: seen.extend(it))
        assert sorted(seen) == L

    def change(t):
        for k in loop(500):
            L.append(k)
            L.pop(0)

    def walk(t):
        for k in loop(5):
            for v in L:
                assert type(v) is int
    race(change, walk, n=2)


# -- dict --

@check("D1 D2 D3")
def _():
    for key in (str, int, lambda i: (i,), lambda i: i + .5):
        d = {key(i): (i, i) for i in range(100)}
        taken = []

        def read(_):
            for k in loop(2000):
                v = d.get(key(k % 100))
                assert v is None or v[0] == v[1] == k % 100

        def write(t):
            for k in loop(1000):
                d[key(k % 100)] = (k % 100, k % 100)
                if k % 3 == 0 and d.pop(key(k % 100), None):
                    taken.append(k)
        race(read, write, n=2)
        d.clear()
        d[key(1)] = 1
        winners = []
        race(lambda t: winners.append(d.pop(key(1), None)))
        assert sorted(w for w in winners if w) == [1]
        d.update((key(i), i) for i in range(200))
        deleted = []

        def delete(t):
            for i in range(200):
                try:
                    del d[key(i)]
                    deleted.append(i)
                except KeyError:
                    pass
        race(delete)
        assert sorted(deleted) == list(range(200)) and not d


@check("D4")
def _():
    d = {i: i for i in range(2000)}
    got = []

    def take(t):
        while True:
            try:
                got.append(d.popitem())
            except KeyError:
                return
    race(take)
    assert sorted(got) == [(i, i) for i in range(2000)] and not d


@check("D5")
def _():
    for n in range(20 * SCALE // 100 + 1):
        d, got = {}, []
        race(lambda t: got.extend(d.setdefault(k, object()) for k in range(50)))
        assert len(set(map(id, got))) == 50


@check("D6 D7 D8")
def _():
    d, e = {}, {i: i for i in range(10)}

    def change(t):
        for k in loop(500):
            d.update(e)
            d.clear()

    def read(t):
        for k in loop(500):
            for c in (d.copy(), dict(d), list(d), list(d.values()), list(d.items()), d | {}):
                assert len(c) in (0, 10), len(c)
    race(change, read, n=2)


@check("D9 D10 D11 D12")
def _():
    d = {}

    def change(t):
        for k in loop(300):
            d.update((i, i) for i in range(20))
            d.update({i: i for i in range(20)})

    def read(t):
        for k in loop(300):
            assert set(d | {1: 1}) >= {1}
            assert (d == d.copy()) in (True, False)
            keys = list(dict.fromkeys(d))
            assert keys == list(range(len(keys))), keys
    race(change, read, n=2)
    assert d == {i: i for i in range(20)}


@check("D13 D14")
def _():
    d = {i: str(i) for i in range(300)}
    it, seen = iter(d.items()), []
    race(lambda t: seen.extend(it))
    assert sorted(seen) == sorted(d.items())

    def change(t):
        for k in loop(1000):
            d[k % 300] = str(k % 300)
            d[1000 + t] = ''
            d.pop(1000 + t, None)

    def walk(t):
        for k in loop(100):
            try:
                for a, b in d.items():
                    assert a >= 1000 or b == str(a)
                repr(d), d.keys() & {1, 2}, d.items() | set()
            except RuntimeError:
                pass
    race(change, walk, n=2)


@check("D16")
def _():
    for n in range(20 * SCALE // 100 + 1):
        d = defaultdict(list)
        d[0]
        race(lambda t: [d[0].append(t) for _ in range(100)])
        assert len(d[0]) == THREADS * 100
        shared = defaultdict(list)
        race(lambda t: shared.get(0))
        race(lambda t: [shared[k].append(t) for k in range(100)])
        assert sum(map(len, shared.values())) == THREADS * 100


@check("D17")
def _():
    od = OrderedDict((i, i) for i in range(100))

    def change(t):
        for k in loop(1000):
            try:
                od.move_to_end(k % 100, last=k % 2)
                od[k % 100] = k
                od.pop(k % 7, None)
                od[k % 7] = 1
                if k % 50 == 0:
                    od.popitem(last=False)
            except KeyError:
                pass

    def read(t):
        for k in loop(100):
            try:
                list(od.items()), od.copy(), repr(od)
            except (RuntimeError, KeyError):
                pass
    race(change, read, n=2)
    assert len(list(od)) == len(od) == len(dict(od))


# -- set --

@check("S1 S2 S3")
def _():
    for key in (str, int, lambda i: (i,)):
        s = {key(i) for i in range(100)}
        out = []

        def use(t):
            for k in loop(1000):
                s.add(key(k % 100))
                assert (key(k % 100) in s) in (True, False)
                s.discard(key(k % 50))
        race(use)
        s = {key(i) for i in range(1000)}

        def take(t):
            while True:
                try:
                    out.append(s.pop())
                except KeyError:
                    return
        race(take)
        assert len(out) == len(set(out)) == 1000
        s, won = {key(1)}, []

        def remove(t):
            try:
                s.remove(key(1))
                won.append(t)
            except KeyError:
                pass
        race(remove)
        assert len(won) == 1


@check("S4 S5 S6")
def _():
    s, t10 = set(), set(range(10))

    def change(t):
        for k in loop(500):
            s.update(t10)
            s.clear()

    def read(t):
        for k in loop(500):
            for c in (s.copy(), set(s), frozenset(s), list(s)):
                assert len(c) in (0, 10), len(c)
    race(change, read, n=2)


@check("S7")
def _():
    s = set(range(100))

    def add(t):
        for k in loop(300):
            s.add(200 + t * 2000 + k)
    s_before = len(s)

    def narrow(t):
        for k in loop(300):
            s.intersection_update(set(range(5000)))
            s.difference_update({6000})
            s.symmetric_difference_update(set())
    race(narrow, add, n=2)
    assert len(s) == s_before + 2 * len(loop(300)), len(s)


@check("S8 S9 S10")
def _():
    s = set(range(200))
    it, seen = iter(s), []
    race(lambda t: seen.extend(it))
    assert sorted(seen) == list(range(200))

    def change(t):
        for k in loop(500):
            s.update(iter([300 + t, 301 + t]))
            s.difference_update(iter([300 + t, 301 + t]))

    def read(t):
        for k in loop(100):
            assert len(s | {1}) >= 200 and len(s & set(range(200))) == 200 and s >= set(range(200))
            try:
                for v in s:
                    pass
            except RuntimeError:
                pass
    race(change, read, n=2)


# -- bytearray --

@check("B1 B2 B3 B4 B5")
def _():
    b = bytearray(100)

    def sure(f, *args):
        while True:
            try:
                return f(*args)
            except BufferError:  # a reader in another thread has a buffer of it just now
                pass

    def change(t):
        for k in loop(1000):
            b[k % 50] = k % 256
            sure(b.append, k % 256)
            sure(b.pop)
            sure(b.extend, b'abc')
            sure(b.__delitem__, slice(-3, None))
            sure(b.__setitem__, slice(0, 0), b'xy')
            sure(b.__delitem__, slice(0, 2))
            b.reverse()
            sure(b.__imul__, 1)
            sure(b.extend, b'0123')
            sure(b.__delitem__, slice(-4, None, 1))

    def read(t):
        for k in loop(1000):
            bytes(b), b[3:10], b + b'x', b.find(b'ab'), b == b, len(b)
    race(change, read, n=2)
    assert len(b) == 100


@check("B6")
def _():
    b = bytearray(b'abc')
    m = memoryview(b)

    def grow(t):
        for k in loop(300):
            try:
                b.append(1)
                assert False
            except BufferError:
                pass
    race(grow)
    m.release()
    assert b == b'abc'


# -- deque --

@check("Q1 Q2 Q3 Q4 Q5")
def _():
    q, got = deque(), [[] for _ in range(THREADS)]

    def add(t):
        for k in loop(2000):
            (q.append if k % 2 else q.appendleft)((t, k))
            if k % 100 == 0:
                q.rotate(3), q.reverse(), q.copy(), len(q)

    def take(t):
        for k in loop(2000):
            try:
                got[t].append(q.popleft() if k % 2 else q.pop())
            except IndexError:
                pass
    race(add, take)
    everything = list(q) + sum(got, [])
    assert len(everything) == len(set(everything)) == THREADS * len(loop(2000))
    bounded = deque(maxlen=10)
    race(lambda t: bounded.extend(range(len(loop(2000)))))
    assert len(bounded) == 10


@check("Q6 Q7")
def _():
    q = deque(i % 10 for i in range(400))

    def remove(t):
        for k in range(40):
            q.remove(t)

    def look(t):
        for k in loop(100):
            try:
                5 in q, q.count(5), q.index(9), q == q.copy(), list(q)
            except (RuntimeError, ValueError):
                pass
    race(remove, look)
    assert all(x >= THREADS for x in q)


# -- iterators --

@check("I1")
def _():
    for it in (iter(range(5000)), iter(tuple(range(5000))), itertools.islice(itertools.count(), 0),
               itertools.repeat(1, 5000)):
        seen = []
        race(lambda t: seen.extend(it))
        assert len(seen) in (0, 5000)
        assert len(set(seen)) in (0, 1, 5000)
    for c in (itertools.count(), itertools.count(2**62 - 100), itertools.count(2**63 - 100),
              itertools.count(0.0, 2)):
        seen = []
        race(lambda t: seen.extend(next(c) for _ in range(500)))
        assert len(set(seen)) == THREADS * 500


@check("I1a")
def _():
    e, seen = enumerate(iter(range(3000))), []
    race(lambda t: seen.extend(e))
    assert sorted(n for n, x in seen) == list(range(3000)) == sorted(x for n, x in seen)


@check("I2")
def _():
    for n in range(5 * SCALE // 100 + 1):
        results = [None] * THREADS
        copies = itertools.tee(iter(range(1000)), THREADS)

        def drain(t):
            results[t] = list(copies[t])
        race(drain)
        assert all(r == list(range(1000)) for r in results)
        one, = itertools.tee(iter(range(1000)), 1)
        seen = []
        race(lambda t: seen.extend(one))
        assert sorted(seen) == list(range(1000))


@check("I3")
def _():
    for make in (lambda: itertools.product(range(6), repeat=4),
                 lambda: itertools.combinations(range(12), 4),
                 lambda: itertools.combinations_with_replacement(range(8), 4),
                 lambda: itertools.permutations(range(6))):
        it, seen = make(), []
        race(lambda t: seen.extend(it))
        assert sorted(seen) == sorted(make())


@check("I4")
def _():
    R = range(2000)
    for make in (lambda: zip(iter(R), iter(R)), lambda: map(str, iter(R)),
                 lambda: filter(None, iter(R)), lambda: itertools.chain(iter(R), iter(R)),
                 lambda: itertools.islice(iter(R), 5, 1000, 2),
                 lambda: itertools.islice(itertools.cycle(iter(R)), 3000),
                 lambda: itertools.groupby(iter(R), lambda v: v // 10),
                 lambda: itertools.accumulate(iter(R)), lambda: itertools.pairwise(iter(R)),
                 lambda: itertools.zip_longest(iter(R), iter(R[:1000])), lambda: enumerate(iter(R)),
                 lambda: itertools.takewhile(lambda v: v < 1000, iter(R)),
                 lambda: itertools.dropwhile(lambda v: v < 1000, iter(R)),
                 lambda: itertools.starmap(max, zip(R, R)), lambda: itertools.compress(R, R),
                 lambda: iter(iter(R).__next__, 1500), lambda: reversed(list(R))):
        it, seen = make(), []

        def drain(t):
            for v in it:
                seen.append(v)
                if isinstance(v, tuple) and isinstance(v[1], itertools._grouper):
                    list(v[1])
        race(drain)


@check("I5")
def _():
    def numbers():
        yield from range(2000)
    g, seen = numbers(), []

    def drain(t):
        while True:
            try:
                seen.append(next(g))
            except StopIteration:
                return
            except ValueError:
                pass
    race(drain)
    assert sorted(seen) == list(range(2000))


@check("I6")
def _():
    for maxsize in (None, 0, 5, 1000):
        @functools.lru_cache(maxsize)
        def f(x):
            return x * 2

        def use(t):
            for k in loop(500):
                assert f(k % 20) == k % 20 * 2
        race(use)
        info = f.cache_info()
        assert info.hits + info.misses == THREADS * len(loop(500)), info
        assert maxsize is None or info.currsize <= maxsize


failed = 0
for i, (number, f) in enumerate(checks, 1):
    try:
        f()
        print("ok", i, "-", number, flush=True)
    except Exception as e:
        failed += 1
        print("not ok", i, "-", number, flush=True)
        import traceback
        for line in traceback.format_exc().splitlines():
            print("#", line, flush=True)
print("1..%d" % len(checks))
sys.exit(failed != 0)
