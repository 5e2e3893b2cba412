"""Recursion of native code through its own slots, in the main thread and in threads with small stacks:
RecursionError or a result, never the end of the process; long chains die without recursion.  (CPython 3.11
ends by a signal here, so there is nothing to compare with.)"""
import collections
import copy
import functools
import itertools
import threading
import types
import weakref

N = 30000


class Instance:
    def __init__(self, inner):
        self.inner = inner


def closure(v):
    return lambda: v


def generator(v):
    def g():
        yield v
    made = g()
    next(made)
    return made


def chained(v):
    e = ValueError()
    e.__context__ = v
    return e


MAKERS = {
    "list": lambda v: [v], "tuple": lambda v: (v,), "dict": lambda v: {1: v}, "instance": Instance,
    "closure": closure, "generator": generator, "exception": chained, "args": lambda v: ValueError(v),
    "partial": lambda v: functools.partial(print, v), "deque": lambda v: collections.deque([v]),
    "namespace": lambda v: types.SimpleNamespace(a=v), "cell": lambda v: types.CellType(v),
    "frozenset": lambda v: (frozenset([1]), v), "weak": lambda v: (v, weakref.ref(Instance(v))),
    "alias": lambda v: list[int] if v is None else list[v], "slice": lambda v: slice(v),
    "map": lambda v: map(None, v or ()), "filter": lambda v: filter(None, v or ()),
    "zip": lambda v: zip(v or ()), "enumerate": lambda v: enumerate(v or ()),
    "islice": lambda v: itertools.islice(v or (), 5), "chain": lambda v: itertools.chain(v or (), ()),
    "accumulate": lambda v: itertools.accumulate(v or ()), "starmap": lambda v: itertools.starmap(print, v or ()),
    "groupby": lambda v: itertools.groupby(v or ()), "takewhile": lambda v: itertools.takewhile(bool, v or ()),
    "proxy": lambda v: types.MappingProxyType(v or {}), "classmethod": lambda v: classmethod(v),
    "property": lambda v: property(v), "method": lambda v: types.MethodType(print, v or 1),
    "group": lambda v: ExceptionGroup("g", [v or ValueError()]),
}
OPERATIONS = {
    "repr": repr, "hash": hash, "equal": lambda v: v == copy.copy(v) or True, "next": lambda v: next(v),
    "isinstance": lambda v: isinstance(1, v), "true": bool, "len": len, "item": lambda v: v[0],
    "in": lambda v: 0 in v, "format": lambda v: "{}".format(v), "deepcopy": copy.deepcopy, "call": lambda v: v(),
    "get": lambda v: v.__get__(None, int), "split": lambda v: v.split(KeyError), "abstract": lambda v: v.__isabstractmethod__,
}


def deep(make):
    v = make(None)
    for _ in range(N):
        v = make(v)
    return v


def run(depths):
    for name in sorted(MAKERS):
        value = deep(MAKERS[name])
        for operation in OPERATIONS.values():
            try:
                operation(value)
            except (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError, StopIteration,
                    MemoryError, ExceptionGroup):
                pass
        del value
        depths.append(name)


def in_thread(size):
    old = threading.stack_size(size)
    names = []
    t = threading.Thread(target=run, args=(names,))
    t.start()
    t.join()
    threading.stack_size(old)
    return names == sorted(MAKERS)


names = []
run(names)
assert names == sorted(MAKERS)
for size in (32768, 65536, 1 << 20):
    assert in_thread(size), size


def endless():
    return endless()


def recursions():
    out = []
    for f in (endless, lambda: eval("(" * 150 + ")" * 150), lambda: hash(deep(MAKERS["tuple"])) and 1 / 0,
              lambda: repr(deep(MAKERS["list"])), lambda: deep(MAKERS["list"]) == deep(MAKERS["list"])):
        try:
            f()
            out.append("no error")
        except RecursionError as e:
            out.append("RecursionError")
        except Exception as e:
            out.append(type(e).__name__)
    return out


got = recursions()
assert got[0] == got[3] == got[4] == "RecursionError", got
print("ok")
