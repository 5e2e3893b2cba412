"""Functions: parameters of all kinds, defaults, closures, attributes, decorators, annotations, recursion, binding."""
import inspect
import types


def show(label, f, *args, **kwargs):
    try:
        print(label, "->", f(*args, **kwargs))
    except BaseException as e:
        print(label, "raises", type(e).__name__, e)


SIGNATURES = """() (a) (a,) (a,b=2) (a,/) (a,/,b) (a,/,b,*,c) (*,a) (*,a,b=2) (*a) (**k) (*a,**k) (a,*b,c,**d) (a,b=1,/,c=2,*d,e,f=3,**g) (a=1,*,b) (a,b,c=3,*d)""".split()
CALLS = ["", "1", "1,2", "1,2,3", "1,2,3,4,5", "a=1", "1,a=2", "1,b=2", "1,c=2", "1,2,c=3", "1,2,e=5", "e=5", "1,z=1", "*(1,2)", "*[1],*[2,3]", "**{'a':1}", "1,**{'b':2,'c':3}", "*(1,),**{'e':3}",
         "*'ab',e=1,**{'z':2}", "b=2,a=1", "c=1,b=2,a=3", "1,b=2,**{'b':3}", "*(),**{}", "**{'a':1},**{'a':2}"]
for signature in SIGNATURES:
    names = {}
    exec(f"def f{signature}: return sorted(locals().items())", names)
    f = names["f"]
    print(signature, inspect.signature(f), f.__defaults__, f.__kwdefaults__, f.__code__.co_argcount, f.__code__.co_posonlyargcount,
          f.__code__.co_kwonlyargcount, f.__code__.co_varnames, f.__code__.co_flags & 12)
    for call in CALLS:
        try:
            print("   ", call, "->", eval(f"f({call})", names))
        except TypeError as e:
            print("   ", call, "raises", e)


def outer(x):
    y = x + 1
    def inner(z=y):
        nonlocal y
        y += z
        return x, y, z
    def reader():
        return y
    return inner, reader


i, r = outer(1)
print(i(), r(), i(5), r(), i.__closure__ is not None, [c.cell_contents for c in i.__closure__], i.__code__.co_freevars, outer.__code__.co_cellvars)
cell = i.__closure__[1]
cell.cell_contents = 100
print(r(), i(1), cell == i.__closure__[1], cell < i.__closure__[0] if 0 else "cells")
del cell.cell_contents
show("empty cell", r)
show("empty cell", lambda: cell.cell_contents)
made = types.CellType(5)
print(made.cell_contents, types.FunctionType(r.__code__, {}, "made", None, (made,))())
show("wrong closure", types.FunctionType, r.__code__, {}, "made", None, ())
show("wrong closure", types.FunctionType, r.__code__, {}, "made", None, (5,))

counters = [lambda i=i: i * 10 for i in range(3)] + [lambda: i for i in range(3)]
print([c() for c in counters])


def attributes():
    "doc"


attributes.x = 1
print(attributes.__dict__, attributes.__doc__, attributes.__name__, attributes.__qualname__, attributes.__module__, attributes.__annotations__)
attributes.__name__ = "other"
attributes.__qualname__ = "some.other"
attributes.__doc__ = 5
print(attributes.__name__, attributes.__qualname__, attributes.__doc__, repr(attributes).split(" at ")[0])
for bad in "__name__", "__qualname__", "__dict__", "__defaults__", "__kwdefaults__", "__code__", "__annotations__", "__globals__", "__closure__":
    show("set " + bad, setattr, attributes, bad, 5)
for name in "__defaults__", "__kwdefaults__", "__annotations__", "__dict__", "__name__", "__code__":
    show("del " + name, delattr, attributes, name)


def defaults(a, b=[], *, c={}):
    b.append(a)
    c[a] = len(b)
    return b, c


print(defaults(1), defaults(2), defaults(3, [], c={}))
defaults.__defaults__ = (10, 20)
defaults.__kwdefaults__ = None
show("changed", defaults)
show("changed", defaults, c={})
defaults.__kwdefaults__ = {"c": {}}
show("changed", defaults, 5, [])
defaults.__code__ = (lambda x, y=3: (x, y)).__code__
show("other code", defaults)
show("other code", defaults, 1)


def decorate(*marks):
    def with_marks(f):
        def wrapper(*a, **k):
            return marks, f(*a, **k)
        print("decorating", f.__name__, marks)
        return wrapper
    print("decorator", marks)
    return with_marks


@decorate(1)
@decorate(2, 3)
@(lambda f: f)
def decorated(a, b=2):
    return a + b


print(decorated(1), decorated(1, b=5))


def annotated(a: "int", b: 1 + 1 = 3, /, *args: list, c: dict = {}, **kw: print("evaluated") or tuple) -> "result":
    local: undefined_name = 5
    other: also_undefined
    return local


print(annotated.__annotations__, annotated(1))


class Bound:
    def method(self, *a, **k):
        return self.name, a, k

    name = "instance"
    klass = classmethod(lambda cls, *a: (cls.__name__, a))
    static = staticmethod(lambda *a: a)


b = Bound()
m = b.method
print(m(1, x=2), Bound.method(b, 3), m.__self__ is b, m.__func__ is Bound.method, m == b.method, m is b.method, hash(m) == hash(b.method))
print(b.klass(1), Bound.klass(2), b.static(3), Bound.static(4), m.__name__, m.__qualname__)
print(types.MethodType(len, "abc")(), types.MethodType(lambda *a: a, 1)(2, 3))
show("method needs", types.MethodType, 5, 6)
show("method needs", types.MethodType, len, None)
show("method attribute", setattr, m, "x", 1)


def recursive(n):
    return 1 if n < 2 else n * recursive(n - 1)


print(recursive(20), (lambda f: f(f, 10))(lambda f, n: n if n < 2 else f(f, n - 1) + f(f, n - 2)))


def many(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, *rest, k0=0, k1=1, k2=2, **others):
    return a0, a9, rest, k0, k1, k2, others


print(many(*range(10)), many(*range(15), k1=5, z=1), many(*range(9), a9=7, **{"k%d" % i: i for i in range(2, 5)}))
source = "def big(%s): return %s" % (", ".join("p%d" % i for i in range(300)), " + ".join("p%d" % i for i in range(300)))
names = {}
exec(source, names)
print(names["big"](*range(300)), names["big"](**{"p%d" % i: 1 for i in range(300)}))
show("big", names["big"], *range(299))
show("strange keywords", lambda **k: k, **{"a b": 1, "": 2, "\u00e9": 3})
show("keywords that are no strings", lambda: (lambda **k: k)(**{1: 2}))


class Mapping:
    def keys(self):
        return ["x", "y"]

    def __getitem__(self, k):
        return k * 2


show("mapping", lambda **k: k, **Mapping())
show("mapping twice", lambda: (lambda **k: k)(x=1, **Mapping()))
show("iterator", lambda *a: a, *(x for x in "abc"), *{"k": 1})
print((lambda: (yield))().__class__.__name__, (lambda a, /, b, *, c: (a, b, c))(1, b=2, c=3))


def mutates_locals():
    x = 1
    locals()["x"] = 2
    locals()["new"] = 3
    return x, "new" in dir()


print(mutates_locals())


def late():
    def use():
        return value
    try:
        use()
    except NameError as e:
        print(type(e).__name__, e)
    value = 5
    return use()


print(late())
