"""dict: every operation at once on one dict."""
from race import race, together, done

d = {}
N = 10000
together(lambda i: [d.__setitem__((i, k), k) for k in range(N)])
assert len(d) == 4 * N and all(d[i, k] == k for i in range(4) for k in range(N))
together(lambda i: [d.pop((i, k)) for k in range(N)])
assert d == {}

won = together(lambda i: [d.setdefault(k, i) for k in range(N)])
assert all(won[i][k] == d[k] for i in range(4) for k in range(N))
popped = together(lambda i: sum(1 for k in range(N) if d.pop(k, None) is not None))
assert sum(popped) == N

d = {str(i): str(i) for i in range(100)}


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n & 3

    def __eq__(self, other):
        return isinstance(other, Key) and other.n == self.n


keys = [Key(i) for i in range(30)]


def write():
    for i in range(50):
        d[str(i)] = str(i)
        d["k%d" % (i * 7 % 1000)] = "v"
    d.update({"a": "b"}, c="d")
    d.setdefault("e", "f")


def delete():
    for i in range(0, 50, 2):
        d.pop(str(i), None)
    for k in list(d)[:20]:
        d.pop(k, None)
    d.popitem()


def read():
    for i in range(50):
        assert d.get(str(i)) in (None, str(i))
    try:
        for k, v in d.items():
            assert type(k) in (str, Key) and type(v) is str, (k, v)
        for k in d:
            pass
        for v in d.values():
            pass
        for k in reversed(d):
            pass
    except RuntimeError:
        pass
    len(d), "a" in d, list(d), d.copy(), {**d}, d == d.copy(), repr(len(d))
    d | {"q": "r"}
    list(d.items()), list(d.values())


def odd():
    for k in keys:
        d[k] = "v"
    for k in keys:
        d.get(k)
    for k in keys:
        d.pop(k, None)


race(write, delete, read, odd, allow=(KeyError, RuntimeError))
race(write, d.clear, read, odd, allow=(KeyError, RuntimeError))
done()
