"""deque: appends and pops at both ends, iteration, rotation at once."""
from collections import deque, OrderedDict, Counter, defaultdict
from race import race, together, done

q = deque()
N = 20000


def both(i):
    if i < 2:
        for k in range(N):
            q.append((i, k))
        return []
    got = []
    while len(got) < N:
        try:
            got.append(q.popleft())
        except IndexError:
            pass
    return got


results = together(both)
assert len({x for r in results for x in r}) == 2 * N and not q
for r in results:
    for i in range(2):
        mine = [k for t, k in r if t == i]
        assert mine == sorted(mine)

q = deque(str(i) for i in range(100))


def write():
    q.append("a")
    q.appendleft("b")
    q.extend("cde")
    q.extendleft("fgh")
    q.insert(5, "i")
    q[3] = "j"


def delete():
    while len(q) > 40:
        q.pop()
        q.popleft()
        del q[2]
    q.remove("c")


def read():
    try:
        for x in q:
            assert type(x) is str
    except RuntimeError:
        pass
    len(q), q[0], q[-1], q.count("a"), list(reversed(q)), q.copy(), "zz" in q, q.index("a")


race(write, delete, read, lambda: (q.rotate(3), q.rotate(-5), q.reverse()),
     allow=(IndexError, RuntimeError, ValueError))
m = deque(maxlen=10)
race(lambda: m.append("x"), lambda: m.appendleft("y"), lambda: list(m), m.clear, allow=RuntimeError)
o = OrderedDict()
race(lambda: o.__setitem__("a", 1), lambda: o.pop("a", None), lambda: (o.__setitem__("b", 2), o.move_to_end("b")),
     lambda: list(o.items()), allow=(KeyError, RuntimeError))
f = defaultdict(list)
c = Counter()
race(lambda: f["a"].append(1), lambda: f.pop("a", None), lambda: c.update("hello"), lambda: c.most_common(2),
     allow=RuntimeError)
done()
