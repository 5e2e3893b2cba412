"""The machine's quick forms and their edges: comparing jumps, small subscripts, unpacking, mixed arithmetic, calls and
exceptions inside generators, lines of traceback entries.  Each site runs often enough to be specialised, then meets
something else."""
import traceback


def jumps(x, y):
    out = []
    if x < y: out.append("<")
    if x <= y: out.append("<=")
    if x == y: out.append("==")
    if x != y: out.append("!=")
    if x > y: out.append(">")
    if x >= y: out.append(">=")
    if not x < y: out.append("n<")
    if not x <= y: out.append("n<=")
    if not x == y: out.append("n==")
    if not x != y: out.append("n!=")
    if not x > y: out.append("n>")
    if not x >= y: out.append("n>=")
    while x < y: out.append("w"); break
    while x != y and not x > y: out.append("v"); break
    return " ".join(out)


def small_jumps(x):
    out = []
    if x < 3: out.append("<")
    if x <= 3: out.append("<=")
    if x == 3: out.append("==")
    if x != 3: out.append("!=")
    if x > 3: out.append(">")
    if x >= 3: out.append(">=")
    if not x < -3: out.append("n<")
    if not x <= -3: out.append("n<=")
    if not x == -3: out.append("n==")
    if not x != -3: out.append("n!=")
    if not x > -3: out.append("n>")
    if not x >= -3: out.append("n>=")
    return " ".join(out)


class Odd:
    def __eq__(self, other): return [1]
    def __lt__(self, other): return ""
    def __gt__(self, other): raise ValueError("gt")
    def __repr__(self): return "Odd"


NUMBERS = [1, 2, 3, -3, -4, 2.5, 3.0, -3.0, 0.0, -0.0, float("nan"), float("inf"), 2 ** 62, 2 ** 53 + 1, float(2 ** 53),
           1e300, 5e-324, True, False]
for x in NUMBERS:
    print(repr(x), small_jumps(x))
    for y in NUMBERS:
        print(repr(x), repr(y), jumps(x, y))
print(jumps("a", "b"), jumps("b", "b"), jumps("é" * 300, "é" * 300), jumps((1, 2), (1, 3)))
for pair in [(Odd(), 1), (1, Odd()), (1, "a"), (1j, 1)]:
    for f in (jumps, lambda x, y: small_jumps(x)):
        try:
            print(f(*pair))
        except (TypeError, ValueError) as e:
            print(type(e).__name__, e)


def get(o): return o[0], o[2], o[-1]
def first(o): return o[0]
def far(o): return o[300]
def put(o, v): o[1] = v; o[-1] = v; return o
def bump(o): o[0] += 5; o[-1] *= 2; return o
def low(o): o[-32768] = 0
def big(o): return o[40000]


class Item:
    def __getitem__(self, k): return ("get", k)
    def __setitem__(self, k, v): print("set", k, v)


for o in [[1, 2, 3], (4.5, 5, 6), "xyz", "aé\U0001f600", {0: "zero", 2: "two", -1: "minus"}, Item(), b"abc", range(5)] * 3:
    print(get(o))
for o in [[], (), "", {}, 5, None, b"", [1], (2,), "y"] * 2:
    for f in (first, far, big, low):
        try:
            print(f(o))
        except (LookupError, TypeError) as e:
            print(type(e).__name__, e)
for o in [[1, 2, 3], {}, Item(), bytearray(b"abc"), [1], (1, 2), "s"] * 2:
    try:
        print(put(o, 7) if not isinstance(o, Item) else put(o, 8) is o)
    except (LookupError, TypeError) as e:
        print(type(e).__name__, e)
for o in [[1, 2, 3], [1.5], {0: 1, -1: 3}, {0: 1}, [], ["a", [1]]] * 2:
    try:
        print(bump(o))
    except (LookupError, TypeError) as e:
        print(type(e).__name__, e)


def two(o):
    a, b = o
    return [b, a]
def nested(o):
    (a, b), [c, d] = o
    return a, b, c, d
def again(a):
    a, b = a
    return a, b
def many(pairs):
    last = None
    for k, v in pairs:
        last = (v, k)
    return last


class Dies:
    def __init__(self, n): self.n = n
    def __del__(self): print("del", self.n)


for o in [(1, 2), [3, 4], "ab", {5: 6, 7: 8}, range(2), iter([1, 2]), (1,), [1, 2, 3], 5, ((1, 2), [3, 4]), [(1, 2), "ab"]] * 2:
    for f in (two, nested, again):
        try:
            print(f(o))
        except (ValueError, TypeError) as e:
            print(type(e).__name__, e)
print(many([(1, 2), [3, 4], "xy"]), many({}.items()), many({1: 2}.items()))
a, b = Dies(1), Dies(2)
a, b = [Dies(3), Dies(4)]
def swap():
    x = y = None
    for pair in ([Dies(5), Dies(6)], (Dies(7), Dies(8))):
        x, y = pair
        del pair
    print("end")
swap()
del a, b


def mixed(x, y):
    out = []
    for f in (lambda: x + y, lambda: x - y, lambda: x * y, lambda: x / y, lambda: x + 3, lambda: x - 3, lambda: -x,
              lambda: x // y, lambda: x % y):
        try:
            out.append(repr(f()))
        except (ZeroDivisionError, OverflowError) as e:
            out.append(str(e))
    return ", ".join(out)


for x in [0, 1, -7, 2 ** 61, -2 ** 62, 2 ** 53 + 1, 0.0, -0.0, 2.5, -1e-300, 1e300, float("inf")]:
    for y in [0, 3, -2, 2 ** 60 + 1, 0.0, 1.5, -1e10, 1e-310, float("inf")]:
        print(repr(x), repr(y), mixed(x, y))


def helper(*args, k=1): return sum(args) * k
def plain(a, b): return a - b


class C:
    def __init__(self, v): self.v = v
    def m(self, x): return self.v + x


def calls(n):
    c = C(n)
    for i in range(n):
        yield plain(i, 1)
        yield helper(i, 2, k=3)
        yield c.m(i)
        yield C(i).v
        got = yield len([i] * i)
        if got:
            yield ("got", got)
        try:
            plain(i)
        except TypeError as e:
            yield str(e)


print(list(calls(3)), sum(x for x in (plain(i, 2) for i in range(50))))
g = calls(9)
for _ in range(5):
    next(g)
print(g.send("hello"), next(g), next(g))


def deep(n):
    if n:
        yield from deep(n - 1)
        yield n
    else:
        yield 0


print(list(deep(20)), sum(deep(100)))
def self_running():
    yield 1
    yield next(me)
me = self_running()
next(me)
try:
    next(me)
except ValueError as e:
    print(e)
print(list(me))


def returning():
    x = yield 1
    return ("result", x)


def raises(n):
    if n == 0:
        return (1 /
                0)
    return raises(n - 1)


def in_generator():
    yield 1
    raises(
        1)


g = returning()
next(g)
try:
    g.send(4)
except StopIteration as e:
    print(e.value)
try:
    for _ in in_generator():
        pass
except ZeroDivisionError as e:
    t = e.__traceback__
    while t:
        print(t.tb_lineno, t.tb_frame.f_code.co_name, t.tb_lasti >= 0)
        t = t.tb_next
    print([(f.name, f.lineno) for f in traceback.extract_tb(e.__traceback__)])
    try:
        raise KeyError("again") from e
    except KeyError as k:
        print(k.__traceback__.tb_lineno, k.__cause__ is e, k.__context__ is e)


# Operators with a constant in the instruction.
FORMS = [lambda x: x * 3, lambda x: x // 3, lambda x: x % 3, lambda x: x << 3, lambda x: x << 61, lambda x: x >> 3,
         lambda x: x & -5, lambda x: x & 255, lambda x: x * -7, lambda x: x // -3, lambda x: x % -3, lambda x: x // 0,
         lambda x: x % 0, lambda x: x + 1.5, lambda x: x - 1.5, lambda x: x * 1.5, lambda x: x / 1.5, lambda x: 1.5 - x,
         lambda x: 1.5 / x, lambda x: x - 0.0, lambda x: 0.0 - x, lambda x: x + 32767, lambda x: x - -32768,
         lambda x: x * 1e300, lambda x: 1e-300 / x, lambda x: x << -1]


def inplace(x):
    x *= 3; x += 1.5; x -= 0.5; x /= 2.0; x //= 2; x %= 5
    return x
def inplace_ints(x):
    x *= 5; x <<= 2; x >>= 1; x &= 1023; x //= 3; x %= 100
    return x


class Num:
    def __init__(self, name): self.name = name
    def __repr__(self): return self.name
    def __mul__(self, o): return Num("%s*%r" % (self.name, o))
    def __rsub__(self, o): return Num("%r-%s" % (o, self.name))
    def __rtruediv__(self, o): return Num("%r/%s" % (o, self.name))
    def __imul__(self, o): self.name += "*=%r" % (o,); return self
    def __iadd__(self, o): self.name += "+=%r" % (o,); return self
    def __add__(self, o): return NotImplemented
    def __and__(self, o): return [self]


for x in [0, 1, -1, 7, -8, 100, 2 ** 31, 2 ** 32 + 5, -2 ** 40, 2 ** 60, 2 ** 61 + 1, -2 ** 62, 2 ** 62 - 1, 2 ** 80, 0.0, -0.0,
          2.5, -7.25, 1e300, 1e-310, float("inf"), True, Num("n"), "ab", [1], None, 2 + 1j]:
    line = []
    for f in FORMS + [inplace, inplace_ints]:
        try:
            line.append(repr(f(x)))
        except (TypeError, ZeroDivisionError, OverflowError, ValueError) as e:
            line.append("%s: %s" % (type(e).__name__, e))
    print(repr(x), "; ".join(s if len(s) < 100 else str(len(s)) for s in line))
