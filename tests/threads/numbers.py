"""Reference counts under load: objects passed between threads are neither lost nor kept."""
import gc
import sys
import weakref
from race import race, together, done


class C:
    alive = 0


o = C()
box = [o]
before = sys.getrefcount(o)


def pass_around():
    for _ in range(200):
        x = box[0]
        y = (x, x)
        z = {"k": x}
        [x for _ in range(3)]
        box[0] = y[1]
        del x, y, z


race(pass_around)
gc.collect()
assert sys.getrefcount(o) == before, (sys.getrefcount(o), before)
ring = [None] * 16


def exchange(i):
    refs = []
    for k in range(4000):
        c = C()
        if k % 100 == 0:
            refs.append(weakref.ref(c))
        ring[(i + k) % 16] = c
        ring[(i * 3 + k) % 16]
    return refs


refs = together(exchange)
ring[:] = [None] * 16
gc.collect()
gc.collect()
assert all(r() is None for part in refs for r in part)
big = [10 ** 50 + i for i in range(100)]
race(lambda: [a * b for a, b in zip(big, reversed(big))], lambda: sorted(big), lambda: big.append(big.pop(0)),
     lambda: sum(big), allow=IndexError)
done()
