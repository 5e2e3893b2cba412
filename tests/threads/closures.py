"""Cells, globals, functions and code replaced while others run them."""
import builtins
from race import race, done


def make():
    x = "0"

    def get():
        return x

    def put(v):
        nonlocal x
        x = v

    def wipe():
        nonlocal x
        del x
        x = "w"
    return get, put, wipe


get, put, wipe = make()


def read():
    assert type(get()) is str


race(read, lambda: put("a"), lambda: put("b" * 50), wipe, allow=(NameError, UnboundLocalError))

name = "g"


def set_global():
    global name, gone
    name = "h"
    gone = "here"
    globals()["later"] = "x"


def del_global():
    global gone
    globals().pop("later", None)
    del gone


def read_global():
    assert type(name) is str
    len(name), later, gone  # noqa: F821


def many():
    for i in range(100):
        globals()["new%d" % i] = i
    for i in range(100):
        globals().pop("new%d" % i, None)


race(set_global, del_global, read_global, many, allow=(NameError, KeyError))


def shadow():
    global len
    len = lambda x: 3
    del len


def builtin():
    builtins.extra = 1
    del builtins.extra


race(shadow, builtin, lambda: len("abc"), read_global, allow=(NameError, AttributeError))


def f(a, b=1, *, c=2):
    return a


def g(a, b=5, *, c=6):
    return b


code = f.__code__


def swap():
    f.__code__ = g.__code__
    f.__defaults__ = (7,)
    f.__kwdefaults__ = {"c": 9}
    f.__code__ = code
    f.__defaults__ = None
    f.__defaults__ = (1,)
    f.__dict__["x"] = 1
    f.attr = 2
    f.__name__ = "ff"


race(swap, lambda: f(1), lambda: f(1, 2, c=3), lambda: f(1, 2), allow=TypeError)
done()
