"""Modules imported by several threads at once, and changed while they are used."""
import sys
import types
from race import race, together, done

NAMES = ["json", "textwrap", "string", "bisect", "heapq", "copy", "calendar", "difflib", "shlex"]


def load(i):
    for n in NAMES:
        m = __import__(n)
        assert m.__name__ == n and m is sys.modules[n]
        assert hasattr(m, "__spec__")


for n in NAMES:
    sys.modules.pop(n, None)
together(load)

# A native module is seen when it is filled, not before.
NATIVE = ["array", "_struct", "math", "_random", "_csv", "_json", "select", "_bisect", "zlib", "_socket", "unicodedata"]
sizes = {n: len(vars(__import__(n))) for n in NATIVE}


def load_native(i):
    for n in NATIVE:
        assert len(vars(__import__(n))) == sizes[n], n


for _ in range(20):
    for n in NATIVE:
        del sys.modules[n]
    together(load_native)
m = types.ModuleType("m")


def change():
    m.a = "1"
    m.b = "2"
    del m.a
    m.__dict__["c"] = "3"


def read():
    for n in "abc":
        v = getattr(m, n, None)
        assert v is None or type(v) is str


def again():
    import json
    from textwrap import dedent
    assert json and dedent


race(change, read, again, read, allow=AttributeError)
done()
