"""gc.get_referents() of what holds ints, floats and other objects."""
import collections
import gc


class Thing:
    def __init__(self):
        self.a, self.b, self.c = 1, 2.5, "x"


def numbers():
    x, y = 1, 2.5
    yield x
    yield y


some = {1, 2, 3}
some.discard(2)
table = {1: 2, "a": 3.5, 7: "b"}
del table["a"]
running = numbers()
next(running)
for holder in [1, 3, 5], (1, 2.5, True), some, table, collections.deque([1, 2.5, None]), Thing(), running, slice(1, 2):
    found = [v for v in gc.get_referents(holder) if isinstance(v, (int, float))]
    print(type(holder).__name__, sorted(found, key=lambda v: (v, type(v).__name__)))
print(gc.get_referents(5, 2.5, "x", None), len(gc.get_referents([], [[]], [1, "a"])))
ring = []
ring.append(ring)
print(any(o is ring for o in gc.get_objects(0)), any(o is ring for o in gc.get_objects(2)))
gc.collect()
print(any(o is ring for o in gc.get_objects(0)), any(o is ring for o in gc.get_objects(2)))
