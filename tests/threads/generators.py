"""Generators and iterators that several threads advance at once."""
import itertools
import threading
from race import race, together, done


def count():
    n = 0
    while True:
        n += 1
        yield n


g = count()


def take(i):
    out = []
    busy = 0
    while len(out) < 5000:
        try:
            out.append(next(g))
        except ValueError as e:
            assert "already executing" in str(e)
            busy += 1
    return out


parts = together(take)
flat = [x for p in parts for x in p]
assert len(set(flat)) == len(flat), "a generator gave an item twice"

c = itertools.count()
parts = together(lambda i: [next(c) for _ in range(5000)])
flat = sorted(x for p in parts for x in p)
assert flat == list(range(20000)), "count() lost or repeated"

for make in (lambda: iter(list(range(20000))), lambda: iter(range(20000)), lambda: iter("x" * 20000),
             lambda: iter(tuple(range(20000))), lambda: enumerate(range(20000)),
             lambda: zip(range(20000), range(20000)), lambda: map(str, range(20000)),
             lambda: iter(dict.fromkeys(range(20000))), lambda: iter(set(range(20000))),
             lambda: reversed(list(range(20000))), lambda: filter(None, range(20000)),
             lambda: itertools.chain(range(9000), range(9000)), lambda: itertools.islice(range(20000), 9000),
             lambda: itertools.accumulate(range(9000)), lambda: itertools.product(range(90), range(90)),
             lambda: itertools.permutations(range(7)), lambda: itertools.cycle([1, 2, 3]),
             lambda: itertools.groupby([1, 1, 2, 2] * 1000), lambda: itertools.zip_longest(range(9000), range(5)),
             lambda: itertools.tee(range(9000))[0], lambda: itertools.pairwise(range(9000)),
             lambda: itertools.starmap(pow, [(2, 3)] * 9000), lambda: iter(b"x" * 9000),
             lambda: itertools.combinations(range(15), 4), lambda: itertools.compress(range(9000), [1] * 9000)):
    it = make()

    def drain(i):
        n = 0
        for x in it:
            n += 1
            if n > 20000:
                break
        return n

    together(drain)

gens = [None]


def inner():
    try:
        yield 1
        yield 2
    finally:
        pass


def outer():
    yield from inner()
    yield 3


def make_():
    gens[0] = outer()


def step():
    next(gens[0])


def close():
    gens[0].close()


def throw():
    gens[0].throw(KeyError("x"))


make_()
race(make_, step, close, throw, allow=(StopIteration, ValueError, KeyError, RuntimeError))
race(make_, step, lambda: (gens[0].gi_frame, gens[0].gi_running, gens[0].gi_yieldfrom), step,
     allow=(StopIteration, ValueError))


# A shared generator that one thread has named so often that its lock favours that thread: it is claimed by one at a time
# all the same.
def advance(g, start, got):
    start.wait()
    for _ in range(20000):
        try:
            got.append(next(g))
        except ValueError:  # it runs
            pass


for _ in range(12):
    g = count()
    got, start = [], threading.Barrier(2)
    t = threading.Thread(target=lambda: (g.__name__, advance(g, start, got)))
    t.start()
    while start.n_waiting == 0:
        pass
    for i in range(3000):
        g.__name__ = "count%d" % (i % 8)
    advance(g, start, got)
    t.join()
    assert len(set(got)) == len(got)
done()
