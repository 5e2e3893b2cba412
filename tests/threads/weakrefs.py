"""Weak references read while their referents die."""
import gc
import weakref
from race import race, together, done


class C:
    pass


box = [C()]
refs = [weakref.ref(box[0])]
calls = []


def replace():
    o = C()
    box[0] = o
    refs[0] = weakref.ref(o)
    weakref.ref(o, lambda r: None)
    proxies[0] = weakref.proxy(o)


def read():
    o = refs[0]()
    assert o is None or type(o) is C
    refs[0] == refs[0], repr(refs[0])


proxies = [weakref.proxy(box[0])]
values = weakref.WeakValueDictionary()
keyd = weakref.WeakKeyDictionary()
wset = weakref.WeakSet()


def containers():
    o = C()
    values["a"] = o
    keyd[o] = 1
    wset.add(o)
    values.get("a"), len(values), len(keyd), len(wset), list(wset), list(values.items())


def proxy():
    proxies[0].attr = 1
    proxies[0].attr


race(replace, read, proxy, read, allow=(ReferenceError, AttributeError))
race(containers, allow=(RuntimeError, KeyError))

# every callback is called exactly once
N = 2000


def callbacks(i):
    count = [0]

    def called(r):
        count[0] += 1
    keep = []
    for k in range(N):
        o = C()
        keep.append(weakref.ref(o, called))
        del o
    gc.collect()
    return count[0]


assert together(callbacks) == [N] * 4
done()
