"""Names: global, nonlocal, class blocks, comprehensions, exec and eval, del, exceptions' names, builtins."""
import builtins


def show(label, f, *args):
    try:
        print(label, "->", f(*args))
    except BaseException as e:
        print(label, "raises", type(e).__name__, e)


x = "module"


def reads(): return x
def assigns():
    x = "local"
    return x, globals()["x"]
def declares():
    global x, created
    created = "created"
    old, x = x, "changed"
    def inner(): return x
    return old, inner()
def unbound():
    y = x
    x = 1
def nested():
    x = "outer"
    def a():
        nonlocal x
        x += "+a"
        def b():
            nonlocal x
            x += "+b"
            def c():
                global x
                return x
            return c()
        return b(), x
    return a(), x
def deleted():
    x = 1
    def inner(): return x
    before = inner()
    del x
    try:
        inner()
    except NameError as e:
        return before, str(e)
def skips_class():
    y = "function"
    class K:
        y = "class"
        def m(self): return y
        z = [y for _ in range(1)]
        w = [v for v in y]
        global g
        g = "global from class"
        nonlocal_ = 1
    return K().m(), K.z, K.w, g
def class_nonlocal():
    y = 1
    class K:
        nonlocal y
        y = 2
    return y, hasattr(K, "y")
def comprehension():
    i = "kept"
    a = [i for i in range(3)]
    b = [(last := j) for j in range(3)]
    c = {k: (i, k) for k in "ab"}
    d = [[i * j for j in range(2)] for i in range(2)]
    e = list(i for _ in range(2))
    return i, a, b, last, c, d, e
def exception_name():
    e = "before"
    try:
        raise ValueError
    except ValueError as e:
        pass
    return e
def loop_leaks():
    for i in range(3):
        j = i
    with open("/dev/null") as f:
        pass
    import os.path as p
    return i, j, f.closed, p.__name__
def shadow():
    len = lambda x: "shadowed"
    return len([1])
def conditional(flag):
    if flag:
        v = 1
    return v
def lambda_default(): return [f() for f in [lambda i=i: i for i in range(3)]], [f() for f in [lambda: i for i in range(3)]]
def deep():
    a = 1
    def f1():
        b = 2
        def f2():
            c = 3
            class K:
                d = 4
                def f3(self):
                    return [a + b + c + n for n in (lambda: [a, b, c])()]
            return K().f3()
        return f2()
    return f1()


for f in reads, assigns, declares, reads, unbound, nested, deleted, skips_class, class_nonlocal, comprehension, exception_name, loop_leaks, shadow, lambda_default, deep:
    show(f.__name__, f)
show("conditional", conditional, True)
show("conditional", conditional, False)
print(created, g, x)


def local_exec():
    a = 1
    exec("a = 2; b = 3")
    ns = {}
    exec("c = a + 1\ndef f(): return c", {"a": 10}, ns)
    g = {"a": 5}
    exec("def f(): return a\na = 6", g)
    return a, sorted(ns), ns["c"], g["f"](), eval("a + 1"), eval("a", {"a": 3}), eval("a", {"a": 3}, {"a": 4})


show("exec", local_exec)
show("exec name", lambda: exec("undefined", {}))
show("exec closure", lambda: eval("[q for _ in range(2)]", {}, {"q": 1}))
show("exec class", lambda: exec("class A:\n    y = 1\n    z = y\nprint(A.z)", {}))
show("no builtins", lambda: eval("len", {"__builtins__": {}}))
show("own builtins", lambda: eval("foo", {"__builtins__": {"foo": 7}}))
show("builtins module", lambda: eval("len('abc')", {"__builtins__": builtins}))
g1 = {}
exec("", g1)
print(sorted(g1))


class Namespace(dict):
    def __missing__(self, key):
        return f"missing {key}"
    def __setitem__(self, key, value):
        print("   set", key, value)
        super().__setitem__(key, value)


ns = Namespace()
exec("a = 1\nb = z\nprint(b)\ndel a\nfor i in range(2): pass\nclass Q: pass", {"__name__": "n", "print": print, "range": range}, ns) if 0 else exec("a = 1\nb = zed\ndel a\nfor i in (1, 2): pass", {}, ns)
print(ns["b"])
builtins.added = "builtin name"
print(added)
added = "module name"
print(added)
del added
print(added)
del builtins.added
show("gone", lambda: added)
__private = 1


class Mangle:
    def get(self): return __private
    def set(self): self.__v = __name__


show("mangled global", Mangle().get)
_Mangle__private = 2
show("mangled global", Mangle().get)
print(sorted(k for k in vars() if k.startswith("_Mangle")), "vars" in dir(builtins))


def dir_of_locals(a, *b, c=1, **d):
    e = [f for f in b]
    def g(): return a
    return sorted(locals()), dir()


print(dir_of_locals(1)[0], dir_of_locals(1)[1] == sorted(dir_of_locals(1)[0]))
