"""Instance attributes, __dict__ and __class__ of one object changed by all."""
from race import race, together, done


class A:
    def who(self):
        return "A"


class B:
    def who(self):
        return "B"


class S:
    __slots__ = ("x", "y")


o = A()
s = S()
together(lambda i: [setattr(o, "n%d_%d" % (i, k), k) for k in range(500)])
assert len(o.__dict__) == 2000

o = A()


def write():
    o.a = "1"
    o.b = "2"
    o.c = "3"
    for i in range(10):
        setattr(o, "x%d" % i, str(i))
    s.x = "s"


def delete():
    for n in ("a", "b", "c", "x1", "x5"):
        try:
            delattr(o, n)
        except AttributeError:
            pass
    try:
        del s.x
    except AttributeError:
        pass


def read():
    for n in ("a", "b", "c", "x1", "x5"):
        v = getattr(o, n, None)
        assert v is None or type(v) is str
    assert o.who() in "AB"
    getattr(s, "x", None)
    try:
        for k, v in o.__dict__.items():
            assert type(k) is str and type(v) is str
    except RuntimeError:
        pass
    vars(o).copy(), dir(o)


def dicts():
    o.__dict__ = {"a": "d"}
    o.__dict__["b"] = "e"
    o.__dict__.pop("b", None)
    o.__dict__.update(c="f")


def classes():
    o.__class__ = B
    assert o.who() in "AB"
    o.__class__ = A


# A descriptor found in one class may meet the object when it is of the other: TypeError.
race(write, delete, read, classes, allow=(AttributeError, RuntimeError, TypeError))
race(write, dicts, read, delete, allow=(AttributeError, KeyError, RuntimeError))
race(classes, dicts, read, write, allow=(AttributeError, KeyError, RuntimeError, TypeError))
done()
