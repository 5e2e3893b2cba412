"""list: every operation at once on one list; no item is lost or seen half made."""
from race import race, together, done

l = []
N = 20000
together(lambda i: [l.append((i, k)) for k in range(N)])
assert len(l) == 4 * N
for i in range(4):  # each thread's appends keep their order
    mine = [k for t, k in l if t == i]
    assert mine == list(range(N))
assert len(set(l)) == 4 * N

got = together(lambda i: [l.pop() for _ in range(N)])
assert not l and len({x for part in got for x in part}) == 4 * N

l = [str(i) for i in range(100)]


def grow():
    l.append("a" + str(len(l)))
    l.extend(["x", "y", "z"])
    l.insert(3, "i")
    l[2:4] = ["s", "t", "u"]
    l.__iadd__(["e"])


def shrink():
    while len(l) > 50:
        l.pop()
        l.pop(0)
        del l[-1]
        del l[5:9]


def read():
    for x in l:
        assert type(x) is str
    l[0], l[-1]
    l[10:20], l[::3], l.copy(), list(l), tuple(l), l * 2, l + l
    l.index("i"), l.count("x"), "nothing" in l
    sorted(l), reversed(l), str(l), l == l.copy(), hash(tuple(l))
    a, *b = l


def reorder():
    l.reverse()
    l[0], l[1] = l[1], l[0]
    try:
        l.sort()
    except ValueError:
        pass
    l.remove("x")




def first_seen():
    """Lists grow beyond a megabyte at home; others begin to look at any moment of it."""
    import threading
    box, wrong = [], []

    def look():
        while box or not ended:
            for seen in box[:1]:
                n = len(seen)
                if n and (seen[0] != "0" or seen[n // 2] != str(n // 2) or seen[n - 1] != str(n - 1)):
                    wrong.append(n)

    ended = False
    reader = threading.Thread(target=look)
    reader.start()
    for at in range(0, 400000, 20011):
        big = [str(i) for i in range(at)]
        box[:] = [big]
        for i in range(at, at + 40000):
            big.append(str(i))
        assert len(big) == at + 40000 and big[-1] == str(at + 39999) and big[at // 2] == str(at // 2)
        box.clear()
    ended = True
    reader.join()
    assert not wrong, wrong


first_seen()
race(grow, shrink, read, reorder, allow=(IndexError, ValueError))
race(grow, l.clear, read, lambda: l.extend(l[:10]), allow=(IndexError, ValueError))
done()
