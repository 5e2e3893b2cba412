"""Instances of variable-size subclasses keep attributes and slots behind their items, whatever the size."""


class Ints(int):
    pass


class Tuples(tuple):
    pass


class Bytes(bytes):
    pass


for n in range(0, 200):
    for v in (Ints(3 << (61 * n)), Tuples(range(n)), Bytes(bytes(n))):
        assert not hasattr(v, "a") and v.__dict__ == {}
        v.a, v.b = n, [n]
        assert (v.a, v.b) == (n, [n]) and v == type(v).__mro__[1](v)
        assert vars(v) == {"a": n, "b": [n]}
        del v.a
        assert not hasattr(v, "a")
print("done")
