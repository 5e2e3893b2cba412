"""Classes: bodies, metaclasses, inheritance, super, slots, descriptors, hooks, properties, name mangling."""
def show(label, f, *args, **kwargs):
    try:
        print(label, "->", f(*args, **kwargs))
    except BaseException as e:
        print(label, "raises", type(e).__name__, str(e).split(" at 0x")[0])


class Meta(type):
    @classmethod
    def __prepare__(meta, name, bases, **kw):
        print("prepare", name, bases, kw)
        return {"prepared": True}

    def __new__(meta, name, bases, namespace, **kw):
        print("new", name, [k for k in namespace if not k.startswith("__")], kw)
        return super().__new__(meta, name, bases, namespace)

    def __init__(cls, name, bases, namespace, **kw):
        print("init", name, kw)
        super().__init__(name, bases, namespace)

    def __call__(cls, *a, **k):
        print("call", cls.__name__, a, k)
        return super().__call__(*a, **k)

    def __instancecheck__(cls, x):
        return x == "magic" or super().__instancecheck__(x)

    def __subclasscheck__(cls, x):
        return x is int or super().__subclasscheck__(x)

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return f"meta {name}"

    def __len__(cls):
        return 42

    def __iter__(cls):
        return iter("meta")

    def __contains__(cls, x):
        return x == 1

    def __getitem__(cls, x):
        return x


class Base(metaclass=Meta, option=1):
    x = 1

    def __init__(self, *a):
        self.args = a


class Derived(Base, other=2):
    y = 2


print(Base(1, 2).args, Derived.prepared, Derived.missing, len(Base), list(Base), 1 in Base, Base[5], isinstance("magic", Base), issubclass(int, Derived))
print(type(Derived), Derived.__mro__[1:2], Derived.__bases__, type(Base).__mro__[0] is Meta)


class Hooked:
    registry = []

    def __init_subclass__(cls, /, tag=None, **kw):
        super().__init_subclass__(**kw)
        cls.registry.append((cls.__name__, tag))

    def __class_getitem__(cls, item):
        return f"{cls.__name__}[{item}]"


class H1(Hooked, tag="one"): pass
class H2(H1): pass


print(Hooked.registry, H2[int], Hooked["x", 1])
show("unknown keyword", lambda: type("H3", (Hooked,), {}, wrong=1))
show("no hook", lambda: type("N", (), {}, wrong=1))


class Named:
    def __set_name__(self, owner, name):
        print("set_name", owner.__name__, name)
        self.name = name

    def __get__(self, obj, owner=None):
        return self if obj is None else f"{self.name} of {type(obj).__name__} {owner.__name__}"


class DataNamed(Named):
    def __set__(self, obj, value):
        print("set", self.name, value)

    def __delete__(self, obj):
        print("delete", self.name)


class UsesDescriptors:
    plain = Named()
    data = DataNamed()


u = UsesDescriptors()
u.__dict__["plain"] = "own plain"
u.__dict__["data"] = "own data"
print(u.plain, u.data, UsesDescriptors.plain.name)
u.data = 5
del u.data
del u.plain
print(u.plain)


class A:
    def who(self): return ["A"]
    @classmethod
    def cls(cls): return ["A", cls.__name__]
    @staticmethod
    def st(): return "A"
    @property
    def p(self): return "pA"
class B(A):
    def who(self): return ["B"] + super().who()
    @classmethod
    def cls(cls): return ["B"] + super().cls()
    @property
    def p(self): return "pB" + super().p
class C(A):
    def who(self): return ["C"] + super().who()
    @classmethod
    def cls(cls): return ["C"] + super().cls()
class D(B, C):
    def who(self): return ["D"] + super(D, self).who()
    @classmethod
    def cls(cls): return ["D"] + super().cls()


d = D()
print(d.who(), D.cls(), d.st(), d.p, [c.__name__ for c in D.__mro__], super(B, d).who(), super(C, D).cls())
show("bad order", lambda: type("Bad", (A, B), {}))
show("bad order", lambda: type("Bad", (object, A), {}))
show("layout", lambda: type("Bad", (int, str), {}))
print(repr(super(B, d))[:17], super(B, d).__thisclass__.__name__, super(B, d).__self__ is d, super(B, d).__self_class__.__name__)


def no_class(self):
    return super().x


show("no class", no_class, d)


class Super:
    def f(self):
        self = 5
        return super().__init__()
    def g(*args):
        return super().__repr__()
    def h(self):
        return [super().__class__ for x in [1]]
    def i(self):
        return (lambda s: super(Super, s).__hash__() == hash(s))(self), __class__.__name__
    def j(self):
        del self
        return super()


for name in "fghij":
    show("super " + name, getattr(Super(), name))


class Slots:
    __slots__ = ("a", "_b", "__c", "__weakref__")
    def __init__(self): self.a = 1; self.__c = 3
    def c(self): return self.__c
class SubSlots(Slots):
    __slots__ = {"d": "doc of d"}
class WithDict(SubSlots): pass


s = SubSlots()
print(s.a, s.c(), s._Slots__c, SubSlots.d.__doc__, hasattr(s, "__dict__"), hasattr(WithDict(), "__dict__"), Slots.__slots__, sorted(n for n in dir(s) if "c" in n and n[1:2] != "_")[:3])
show("unset slot", lambda: s.d)
show("no slot", setattr, s, "zz", 1)
show("delete slot", delattr, s, "d")
s.d = 5
del s.d
show("deleted slot", lambda: s.d)
show("slot descriptor", lambda: Slots.a.__get__(5))
show("slot descriptor", lambda: Slots.a.__set__(5, 1))
show("slot twice", lambda: type("X", (), {"__slots__": ("a", "a")}))
show("slot and value", lambda: type("X", (), {"__slots__": ("a",), "a": 1}))
show("slots of int", lambda: type("X", (int,), {"__slots__": ("a",)}))
show("two slotted bases", lambda: type("X", (Slots, type("Y", (), {"__slots__": "q"})), {}))


class Private:
    __x = 1
    def __m(self, __arg=2): return self.__x, __arg
    def get(self):
        __local = 3
        def inner(): return __local
        return self.__m(), inner(), self.__class__.__name__
    class __Inner:
        __y = 5
    import os.path as __p
    try:
        raise ValueError
    except ValueError as __e: pass
    (__z := 6)


print(Private().get(), sorted(n for n in vars(Private) if "Private" in n or "Inner" in n))


class Prop:
    def __init__(self): self._v = 0
    @property
    def v(self):
        "the doc"
        return self._v
    @v.setter
    def v(self, value): self._v = value
    @v.deleter
    def v(self): self._v = "deleted"
    w = property(lambda self: self._v, doc="w doc")


p = Prop()
p.v = 5
print(p.v, Prop.v.__doc__, Prop.w.__doc__, Prop.v.fget.__name__)
del p.v
print(p.v)
show("no setter", setattr, p, "w", 1)
show("no deleter", delattr, p, "w")
show("no getter", lambda: property().__get__(1))


class Attr:
    def __getattr__(self, name):
        if name == "raises": raise ValueError(name)
        if name.startswith("no"): raise AttributeError(name)
        return "getattr " + name
    def __setattr__(self, name, value):
        print("setattr", name, value)
        super().__setattr__(name, value)
    def __delattr__(self, name):
        print("delattr", name)
        super().__delattr__(name)
    def __dir__(self): return ["z", "a"]
    def __getattribute__(self, name):
        if name == "via": return "getattribute"
        return super().__getattribute__(name)


a = Attr()
a.x = 1
print(a.x, a.y, a.via, getattr(a, "nope", "default"), hasattr(a, "nope"), dir(a))
del a.x
show("del missing", delattr, a, "x")
show("raises", lambda: hasattr(a, "raises"))


class Body:
    names = sorted(n for n in list(locals()) if not n.startswith("_"))
    x = 1
    y = [x for _ in range(2)] if 0 else [z for z in range(x)]
    if x:
        def conditional(self): return 1
    for i in range(2):
        exec(f"made{i} = {i}")
    del i
    print(__name__, __qualname__, __module__)
    __qualname__ = "Renamed.Body"
    class Nested:
        print(__qualname__)
        def f(self): pass


print(Body.names, Body.y, Body.made1, Body.__qualname__, Body.Nested.__qualname__, Body.Nested.f.__qualname__, hasattr(Body, "i"))
x = "global"


def scoping():
    x = "function"
    class K:
        print(x)
        x = "class"
        print(x)
        def m(self): return x
        y = [x for _ in "a"]
        z = (lambda: x)()
    return K().m(), K.y, K.z


print(scoping())


class DynamicBase: pass
class Dynamic(DynamicBase): pass


dyn = Dynamic()
Dynamic.__len__ = lambda self: 7
Dynamic.__call__ = lambda self, *a: a
Dynamic.__eq__ = lambda self, o: True
print(len(dyn), dyn(1, 2), dyn == 5, Dynamic.__hash__)
dyn.__len__ = lambda: 8
print(len(dyn))
del Dynamic.__len__
show("deleted", len, dyn)
Dynamic.__bases__ = (Hooked,)
print(Dynamic.__mro__[1].__name__, isinstance(dyn, Hooked), dyn.registry[0])
dyn.__class__ = H2
print(type(dyn).__name__)
T = type("T", (A,), {"z": 1, "__doc__": "made", "m": lambda self: self.z})
print(T().m(), T.__doc__, T.__module__, T.__name__, T.__qualname__, repr(T))
T.__name__ = "Other"
print(T, T.__subclasses__(), A.__subclasses__()[0].__name__, type.mro(T)[1].__name__)


class Compare:
    def __init__(self, v): self.v = v
    def __lt__(self, o): return self.v < o.v if isinstance(o, Compare) else NotImplemented
    def __eq__(self, o): return isinstance(o, Compare) and self.v == o.v


print(Compare(1) < Compare(2), Compare(1) > Compare(2), Compare(1) == Compare(1), Compare(1) != Compare(1))
show("unordered", lambda: Compare(1) < 5)
show("unordered", lambda: Compare(1) <= Compare(2))
show("unhashable", hash, Compare(1))


class New:
    def __new__(cls, *a): return 5 if a else super().__new__(cls)
    def __init__(self, *a): print("init", a)


print(New(1), type(New()).__name__)
for cls in (int, str, list, dict, tuple, float, bytes, set, frozenset, complex):
    sub = type("Sub", (cls,), {"x": 1})
    v = sub()
    v.y = 2
    print(cls.__name__, v == cls(), type(v).__name__, v.x, v.y, isinstance(v, cls), type(v + v).__name__ if hasattr(v, "__add__") else "")
from types import new_class, resolve_bases, prepare_class
print(new_class("NC", (A,), {}, lambda ns: ns.update(q=5)).q)


class MroEntries:
    def __mro_entries__(self, bases): return (A,)
class FromEntries(MroEntries()): pass
print(FromEntries.__bases__, type(FromEntries.__orig_bases__[0]).__name__)
for bad in ("class X(A, metaclass=5): pass", "class X(A, Base): pass", "class X(*[A], **{'metaclass': type}): pass\nprint(X.__bases__)"):
    show(bad, exec, bad, globals())
