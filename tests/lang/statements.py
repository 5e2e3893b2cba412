"""Statements: loops with else, try in all shapes, with, del, assert, assignments, return through finally."""
def show(f, *args):
    try:
        print(f.__name__, args, "->", f(*args))
    except BaseException as e:
        print(f.__name__, args, "raises", type(e).__name__, e, "from", repr(e.__cause__), "in", repr(e.__context__))


def for_else(items, stop):
    seen = []
    for x in items:
        if x == stop:
            break
        if x == "skip":
            continue
        seen.append(x)
    else:
        seen.append("else")
    return seen


show(for_else, [1, 2, 3], 2)
show(for_else, [1, "skip", 3], 9)
show(for_else, [], 9)


def while_else(n, stop):
    seen = []
    while n:
        n -= 1
        if n == stop:
            break
        if n % 2:
            continue
        seen.append(n)
    else:
        seen.append("else")
    return seen


show(while_else, 6, -1)
show(while_else, 6, 2)


def try_all(kind):
    out = []
    try:
        out.append("try")
        if kind == "value":
            raise ValueError(1)
        if kind == "key":
            raise KeyError(2)
        if kind == "return":
            return out
        if kind == "other":
            raise OSError(3)
    except ValueError as e:
        out.append(f"value {e}")
    except (KeyError, IndexError) as e:
        out.append(f"key {e}")
        raise RuntimeError("new") from e
    else:
        out.append("else")
    finally:
        out.append("finally")
        print("   ", out)
    return out


for kind in "none", "value", "key", "return", "other":
    show(try_all, kind)


def finally_return(kind):
    for i in range(3):
        try:
            if kind == "raise":
                raise ValueError(i)
            if kind == "break":
                break
            if kind == "continue":
                continue
            return "try"
        finally:
            if kind != "raise" or i == 2:
                return f"finally {i}"
    return "end"


for kind in "raise", "break", "continue", "return":
    show(finally_return, kind)


def nested_finally():
    out = []
    try:
        try:
            try:
                1 / 0
            finally:
                out.append(1)
                raise KeyError("k")
        except KeyError as e:
            out.append((2, repr(e.__context__)))
            raise
        finally:
            out.append(3)
    except Exception as e:
        out.append((4, type(e).__name__))
    try:
        e
    except UnboundLocalError as x:
        out.append(str(x))
    return out


show(nested_finally)


class CM:
    def __init__(self, name, swallow=False, fail_enter=False, fail_exit=False):
        self.name, self.swallow, self.fail_enter, self.fail_exit = name, swallow, fail_enter, fail_exit

    def __repr__(self):
        return f"CM({self.name!r})"

    def __enter__(self):
        print("    enter", self.name)
        if self.fail_enter:
            raise LookupError("enter " + self.name)
        return self.name

    def __exit__(self, t, v, tb):
        print("    exit", self.name, t and t.__name__, v, tb is not None)
        if self.fail_exit:
            raise LookupError("exit " + self.name)
        return self.swallow


def withs(*cms, body=None):
    a, b, c = cms
    with a as x, b as (y, *z), c:
        print("   ", x, y, z)
        if body == "raise":
            raise ValueError("body")
        if body == "return":
            return "returned"
    return "end"


show(withs, CM("a"), CM("bcd"), CM("c"))
for body in "raise", "return":
    withs_ = lambda *a: withs(*a, body=body)
    show(withs_, CM("a"), CM("bcd"), CM("c"))
    show(withs_, CM("a", True), CM("bcd"), CM("c"))
    show(withs_, CM("a"), CM("bcd"), CM("c", fail_exit=True))
    show(withs_, CM("a", True), CM("bcd", fail_enter=True), CM("c"))
    show(withs_, CM("a"), CM("", True), CM("c"))
with (CM("p") as p, CM("q"),):
    pass
with (CM("p"), CM("q")) if 0 else CM("r") as r:
    print(r)
for i in range(3):
    with CM(str(i)):
        if i == 1:
            continue
        if i == 2:
            break
for bad in 1, "x", CM, type("E", (), {"__enter__": lambda s: 1})(), type("X", (), {"__exit__": lambda *a: 1})():
    try:
        with bad:
            pass
    except (TypeError, AttributeError) as e:
        print(type(e).__name__, str(e).split(" at 0x")[0])


def deletes():
    a = b = c = 1
    d = [1, 2, 3, 4, 5]
    e = {"x": 1}
    class O: pass
    o = O()
    o.p = 1
    del a, (b, [c]), d[0], d[::2], e["x"], o.p
    print(d, e, o.__dict__)
    for text in "a", "b", "c":
        try:
            print(eval(text))
        except NameError as x:
            print(type(x).__name__, x)
    try:
        del a
    except UnboundLocalError as x:
        print(x)
    del d[:]
    print(d)
    for bad in ("del d[0]", "del e['x']", "del o.p", "del (1).real", "del d[0:1:0]", "del 'abc'[0]", "del nope"):
        try:
            exec(bad, {}, {"d": d, "e": e, "o": o})
        except Exception as x:
            print(bad, type(x).__name__, x)


deletes()


def assigns():
    a = b = [c, (d, *e)] = [1, "xyz"]
    print(a, b, c, d, e)
    (f), [g], (h, (i, j)) = 1, [2], (3, (4, 5))
    print(f, g, h, i, j)
    *k, l = range(4)
    m, *n = "a"
    o, *p, q = (1, 2)
    print(k, l, m, n, o, p, q)
    x = [0, 1, 2]
    i = 0
    i, x[i] = 1, 9
    print(i, x)
    x[0], x[1], i = x[1], x[0], x[2]
    print(x, i)
    y = {}
    y["a"], y["b"] = y["c"] = 1, 2
    print(y)
    z = 1,
    print(z)
    z += 2, 3
    print(z)
    for t[0] in range(2) if (t := [5]) else ():
        pass
    print(t)
    for k, (l, *m) in [(1, (2, 3, 4)), (5, "ab")]:
        print(k, l, m)
    a: int = 3
    b: "not evaluated(" = 4
    c: undefined_name
    (d): int = 5
    x[0]: int = 6
    print(a, b, d, x, "__annotations__" in locals())


assigns()


def asserts(x, message=None):
    if message is None:
        assert x
    else:
        assert x, message
    return "fine"


for args in (1,), (0,), (0, "m"), (0, ("a", "b")), ([], KeyError("k")):
    show(asserts, *args)


def augmented():
    x = [1]
    y = x
    x += [2]
    x *= 2
    print(x is y, x)
    s = "a"
    s += "b"
    s *= 3
    n = 7
    n -= 1; n *= 3; n //= 2; n **= 2; n %= 50; n <<= 2; n >>= 1; n |= 1; n &= 0xff; n ^= 3
    f = 1.0
    f /= 4
    print(s, n, f)
    d = {"k": [1]}
    d["k"] += [2]
    d["k"][0] += 5
    print(d)
    t = ([1],)
    try:
        t[0] += [2]
    except TypeError as e:
        print(e, t)
    class O: v = 1
    o = O()
    o.v += 1
    print(o.v, O.v)


augmented()


def raising(kind):
    match kind:
        case 0: raise ValueError
        case 1: raise ValueError("x") from None
        case 2: raise ValueError("x") from KeyError
        case 3: raise 5
        case 4: raise ValueError from 5
        case 5: raise int
        case 6: raise
        case 7:
            try:
                1 / 0
            except ZeroDivisionError:
                raise
        case 8:
            try:
                1 / 0
            except ZeroDivisionError as e:
                raise e from e


for kind in range(9):
    show(raising, kind)
try:
    for x in 5: pass
except TypeError as e:
    print(e)
if 1: print("one line"); print("two")
if 0: pass
elif 1: print("elif")
else: print("else")
while True:
    break
else:
    print("never")
pass; ...; 5; "text"
global later
later = 1
print(later)
