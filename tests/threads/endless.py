"""Classes and names without end, by several threads: what dead classes used is used again.

With WEFT_SHAPES=n in a debug build there are only n numbers for shapes; then also what happens when
living classes have them all.
"""
import gc
import os

from race import together, done

few = "WEFT_SHAPES" in os.environ
names = ["a%d" % i for i in range(40)]


def make(i):
    class C:
        pass
    o = C()
    for n in names:
        setattr(o, n, i)
    assert o.a7 == i and len(o.__dict__) == len(names)
    return o


def classes(_):
    for i in range(1500):
        make(i)


together(classes)
if few: # only running out collects
    gc.disable()
    together(classes)
    gc.enable()


class Shared:
    pass


def attributes(thread):
    for i in range(20000):
        name = "n%d_%d" % (thread, i)
        o = Shared()
        setattr(o, name, i)
        setattr(Shared, name + "c", i)
        assert getattr(o, name) == i and getattr(o, name + "c") == i
        delattr(Shared, name + "c")


together(attributes)
assert [n for n in vars(Shared) if n.startswith("n")] == []

if few:
    keep = []
    try:
        while len(keep) < 10 ** 6:
            class K:
                pass
            k = K()
            k.first = 1
            keep.append(k)
    except MemoryError:
        pass
    # No class can be made, but every object can still get any attribute.
    for k in keep:
        k.second = k.first + 1
        assert k.__dict__ == {"first": 1, "second": 2}
    assert 100 < len(keep) < 10 ** 6, len(keep)
    del keep, K, k
    assert make(5).a39 == 5
done()
