"""set: every operation at once on one set."""
from race import race, together, done

s = set()
N = 10000
together(lambda i: [s.add((i, k)) for k in range(N)])
assert len(s) == 4 * N
together(lambda i: [s.remove((i, k)) for k in range(N)])
assert not s

s = {str(i) for i in range(100)}
other = {str(i) for i in range(50, 150)}


def write():
    for i in range(100):
        s.add(str(i))
    s.update(other)
    s.symmetric_difference_update({"x", "y"})


def delete():
    for i in range(100):
        s.discard(str(i))
    s.pop()
    s.difference_update(other)
    s.intersection_update(other)


def read():
    try:
        for x in s:
            assert type(x) is str
    except RuntimeError:
        pass
    len(s), "5" in s, s.copy(), frozenset(s), list(s)
    s | other, s & other, s - other, s ^ other, s <= other, s == other
    s.isdisjoint(other), other & s, other - s




def first_seen():
    """As many keys go as come while nobody else knows the set; then others look at any moment."""
    import threading
    box, wrong, ended = [], [], False

    def look():
        while not ended:
            for seen, kept in box[:1]:
                if not all(k in seen for k in kept) or "never" in seen:
                    wrong.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(300):
        kept = ["kept%d" % k for k in range(n % 40 + 1)]
        mine = set(kept)
        for k in range(500):
            if k == n % 500:
                box[:] = [(mine, kept)]
            mine.add(str(k))
            mine.discard(str(k - 5))
        assert len(mine) == len(kept) + 5
        box.clear()
    ended = True
    reader.join()
    assert not wrong


first_seen()
race(write, delete, read, s.clear, allow=(KeyError, RuntimeError))
done()
