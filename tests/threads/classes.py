"""Class attributes, bases and methods changed while others use them; types made in threads."""
import threading
from race import race, together, done


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


# Two threads name a class at once: messages show the name that it has.
class Named:
    pass


def rename(i):
    for k in range(400):
        barrier.wait()
        for _ in range(3):
            Named.__name__ = "thread_%d_round_%d_" % (i, k) + "x" * 40
        barrier.wait()
        try:
            Named().missing
        except AttributeError as e:
            assert Named.__name__ in str(e), (Named.__name__, str(e))


barrier = threading.Barrier(2)
together(rename, 2)


# A class gets a __del__ and loses it while its objects die.
class Mortal:
    pass


def give_and_take():
    Mortal.__del__ = lambda self: None
    try:
        del Mortal.__del__
    except AttributeError:
        pass


def die():
    objects = [Mortal() for _ in range(50)]
    del objects
    a = Mortal()
    a.itself = a


race(give_and_take, give_and_take, die, die, allow=AttributeError)
done()
