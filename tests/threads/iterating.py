"""Iterating containers while others change them: an exception at most."""
import array
from race import race, done

l = list(range(50))
d = {i: i for i in range(50)}
s = set(range(50))
b = bytearray(range(50))
a = array.array("i", range(50))


def change():
    for i in range(50, 120):
        l.append(i)
        d[i] = i
        s.add(i)
        b.append(i)
        a.append(i)
    for i in range(50, 120):
        l.pop()
        d.pop(i, None)
        s.discard(i)
        b.pop()
        a.pop()


def walk():
    for c in (l, d, s, b, a, d.items(), d.values(), d.keys()):
        try:
            for x in c:
                pass
        except RuntimeError:
            pass


def walk_more():
    for c in (l, d, s, b, a):
        it = iter(c)
        try:
            next(it), it.__length_hint__()
            list(it)
        except (RuntimeError, AttributeError):
            pass
    for c in (l, b, a, d):
        try:
            list(reversed(c))
        except (RuntimeError, TypeError):
            pass


def consume():
    for f in (sum, min, max, list, tuple, set, sorted, any, all):
        for c in (l, d, s, b, a):
            try:
                f(c)
            except (RuntimeError, ValueError):
                pass


race(change, walk, walk_more, consume, allow=(IndexError, BufferError))
done()
