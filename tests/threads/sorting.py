"""Sorting a list that others change; keys and comparisons that change it, too."""
from race import race, done

l = [i * 7919 % 1000 for i in range(1000)]


def sort():
    try:
        l.sort()
    except ValueError as e:
        assert "modified during sort" in str(e)


def key():
    try:
        l.sort(key=lambda x: (l.append(x) if x % 500 == 0 else None, -x)[1])
    except ValueError:
        pass


def change():
    l.append(5)
    l.pop()
    l[3:5] = [8, 9]
    if len(l) > 2000:
        del l[1000:]


def read():
    sorted(l), min(l, default=0), max(l, default=0), sum(l), list(l)


race(sort, key, change, read, allow=IndexError)
race(sort, sort, sort, change, allow=IndexError)
done()
