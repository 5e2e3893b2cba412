"""Searches of the heap, in the same thread and in others, meet tuples and frozensets that are being
filled, and the result tuples that iterators use again: nobody sees items missing, or items change."""
import gc
import itertools
import operator
from race import race, done

before = set(map(id, gc.get_objects()))
held = []


def look():
    """Holds a tuple or a frozenset that was not there at the beginning, and reads all of it."""
    for o in gc.get_objects():
        kind = type(o)
        if (kind is tuple or kind is frozenset) and id(o) not in before and len(o) < 50:
            held.append((o, [x for x in o]))
            hash((len(o), len(list(o))))
    for o, items in held:
        assert len(items) == len(o) and all(map(operator.is_, o, items)), (o, items)
    held.clear()


def items(n):
    for i in range(n):
        look()
        yield ("item", i)


class Key:
    def __hash__(self):
        return 5

    def __eq__(self, other):
        look()
        return False


class Found:
    def __getattr__(self, name):
        look()
        return (name,)

    __getitem__ = __getattr__


class Frozen(frozenset):
    pass


def use(result):
    for _ in result:
        pass


def in_this_thread():
    use(zip(items(3), items(3), items(3)))
    use(zip(*[items(2) for _ in range(12)]))
    use(itertools.zip_longest(items(3), items(2)))
    use(itertools.zip_longest(*[items(2) for _ in range(12)]))
    use(itertools.product(items(2), items(2)))
    use(itertools.pairwise(items(4)))
    use(enumerate(items(3)))
    operator.attrgetter("a", "b", "c")(Found())
    operator.itemgetter(1, 2, 3)(Found())
    assert len(frozenset([Key(), Key(), Key()]) | {Key()}) == 4
    assert len(frozenset([Key()]).union([Key()], items(2))) == 4
    assert len(frozenset([Key(), 1]) - {Key(), Key()}) == 2
    assert len(frozenset([1, ("item", 0)]).intersection(items(2))) == 1
    assert len(frozenset([1]).symmetric_difference(items(2))) == 3
    assert len(frozenset(items(4))) == len(Frozen(items(4))) == 4


class Last:
    """An iterator that asks for what zip() and its like remember of their last step."""
    def __init__(self, make):
        self.n = 0
        self.seen = []
        self.outer = make(self, itertools.count())

    def __iter__(self):
        return self

    def __next__(self):
        self.n += 1
        if self.n == 10:
            raise StopIteration
        for o in gc.get_referents(self.outer):
            if type(o) is tuple and len(o) == 2:
                self.seen.append((o, list(o)))
        return self.n


for make in zip, itertools.zip_longest:
    last = Last(make)
    for _ in zip(range(15), last.outer):
        _ = None
    for o, was in last.seen:
        assert list(o) == was, (make, o, was)
last = None
in_this_thread()
before.update(map(id, gc.get_objects()))


def fill():
    """As in_this_thread(), and others look."""
    def slow():
        for i in range(40):
            yield str(i)
    assert len(frozenset(slow())) == 40
    assert len(frozenset("a").union(slow())) == 41
    assert len(frozenset(slow()) | frozenset("ab") | {"c", "d"}) == 44
    assert len(frozenset(slow()) ^ frozenset("ab")) == 42
    for a, b in zip(slow(), slow()):
        pass
    for t in zip(slow(), slow(), slow()):
        assert t[0] == t[2]
    for t in itertools.zip_longest(slow(), slow()):
        assert t[0] == t[1]


def others():
    for o in gc.get_objects():
        kind = type(o)
        if (kind is tuple or kind is frozenset) and id(o) not in before:
            now = [x for x in o]
            assert len(now) == len(o) and list(o) == now
            try:
                o == tuple(now), hash(o)
            except TypeError:
                pass


shared = frozenset(map(str, range(30)))


def read_shared():
    assert len(list(shared)) == len([*shared]) == 30 and len(set(shared)) == 30
    mine = []
    mine.extend(shared)
    assert len(mine) == len(sorted(shared)) == len(shared | {"x"}) - 1


race(read_shared)
race(fill, others, fill, others)
done()
