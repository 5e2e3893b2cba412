"""Lists whose slices are assigned from one another, extended and shrunk at once: what is read was put there."""
from race import race, done


class Item:
    def __init__(self, n):
        self.name = "item %d" % n


items = [Item(i) for i in range(64)]
names = {i.name for i in items}
a, b = items[:20], items[20:40]


def turn():
    a[:5] = b[4::-1]
    b[3:9] = a[2:8]
    a[1:3] = (Item(1), Item(2))
    a[-4:] = b[:4]


def grow():
    if len(a) < 60:
        a.extend(b[:10])
        b[5:5] = a[3:9]
    a[10:12] = [Item(5)]
    b.extend((Item(7), Item(8)))


def shrink():
    del a[30:]
    b[25:] = []
    a[2:6] = []


def read():
    for x in a[2:8], b[::-1], a + b, tuple(a), b[-3:]:
        for i in x:
            assert i.name in names
    for i, x in enumerate(a):
        assert x.name in names
    for x, y in zip(a, b):
        assert x.name in names and y.name in names


race(turn, grow, shrink, read, turn, read)

d = {("k%d" % i): Item(i) for i in range(20)}
walker = [zip(items, items), enumerate(items), iter({i: Item(i) for i in range(50)}.items())]


def shared_pairs():
    for it in list(walker):
        for x, y in it:
            assert isinstance(y, Item)
            break


def renew():
    walker[:] = [zip(items, items), enumerate(items), iter({i: Item(i) for i in range(50)}.items())]


def store():
    for i in range(20):
        d["k%d" % i] = Item(i)
        d[i] = Item(i)


def look():
    for k, v in list(d.items()):
        assert v.name in names
    assert "k3" in d and d["k3"].name == "item 3"


race(shared_pairs, renew, store, look, shared_pairs)

s = set()


def add():
    s.update([1, 2, "a", "b"], (3, 4))
    s.add("c")


def union():
    t = s | {5, "z"}
    assert 5 in t and "z" in t
    assert frozenset(s) | {6} >= {6}


def remove():
    s.discard("c")
    s.discard(1)
    s.clear()


race(add, union, remove)
done()
