"""Class attributes, bases and methods changed while others use them; types made in threads."""
from race import race, done


class Base:
    tag = 0

    def method(self):
        return "base"


class Other:
    def method(self):
        return "other"

    def extra(self):
        return 1


class C(Base):
    value = 1

    def call(self):
        return self.value


class D(C):
    pass


objs = [C(), D()]


def change():
    for i in range(20):
        C.value = i
        Base.tag = i
        C.call = lambda self: self.value
    C.fresh = 1
    del C.fresh
    D.value = 5
    del D.value


def use():
    for o in objs:
        assert isinstance(o.value, int)
        assert isinstance(o.call(), int)
        assert isinstance(o.tag, int)
        assert o.method() in ("base", "other")
        hasattr(o, "fresh")


def bases():
    C.__bases__ = (Other, Base)
    assert C.__mro__[0] is C
    C.__bases__ = (Base,)


def specials():
    C.__len__ = lambda self: 3
    C.__eq__ = lambda self, other: self is other
    C.__hash__ = lambda self: 7
    try:
        len(objs[0])
    except TypeError:
        pass
    objs[0] == objs[1]
    del C.__len__, C.__eq__, C.__hash__


def make():
    class X(C):
        __slots__ = ("a",)

        def call(self):
            return super().call()

    x = X()
    x.a = 1
    x.b = 2
    assert isinstance(x.call(), int) and isinstance(x, Base)
    t = type("T", (Base,), {"z": 1})
    assert t().z == 1 and t().method() == "base"
    Base.__subclasses__(), C.__subclasses__()


race(change, use, make, specials, allow=(AttributeError, TypeError))
race(change, use, bases, make, allow=(AttributeError, TypeError))
done()
