"""fail_allocation.py [limit [name...]] -- debug builds: every allocation of a scenario fails once.

Each scenario is run again and again while the 1st, 2nd, 3rd ... allocation (of memory or of an
object) fails, until it comes to its end before that happens, or `limit` is reached.  It must raise
MemoryError or succeed; another exception, a crash or a hang is an error.
"""
import _thread
import gc
import io
import itertools
import math
import re
import sys
import threading
import time
import weakref

LIMIT = int(sys.argv[1]) if len(sys.argv) > 1 else 400
scenarios = []


def scenario(f):
    scenarios.append(f)
    return f


@scenario
def lists():
    l = [i for i in range(40)]
    l.append(1.5)
    l.extend((1, 2, 3))
    l += [4] * 30
    l[2:5] = "abcdef"
    l.insert(3, None)
    sorted(l[10:20], reverse=True), l.copy(), l[::2], l * 2, repr(l)
    l.sort(key=str)
    a, *b = l
    del l[::3]


@scenario
def dicts():
    d = {str(i): i for i in range(40)}
    d.update(a=1, b=2)
    d |= {1: 2}
    {**d, "x": 1}
    list(d.items()), dict(d), d.copy(), dict.fromkeys(range(20))
    d.setdefault("q", []).append(1)
    d.pop("a"), d.popitem()
    repr(d), d.keys() & {"b"}, d == d.copy()


@scenario
def sets():
    s = {str(i) for i in range(40)}
    s |= {1, 2, 3}
    s & {1}, s - {2}, s ^ {9}, frozenset(s), sorted(map(str, s))
    s.update(range(30))


@scenario
def text():
    s = "héllo wörld €" * 5
    s.upper(), s.split(), s.encode(), s.encode("utf-16"), s.replace("l", "LL"), "%s %r %5d" % (s, s, 3)
    f"{s!r:>100} {1.5:.3f} {10**40:,}", "{0} {a}".format(1, a=2), "-".join(s), s.translate({104: "x"})
    s.encode().decode(), ascii(s), s.partition(" "), s.splitlines(), s.center(200), s.title(), s.casefold()
    b = bytearray(b"abc") * 20
    b += b"xyz"
    b[2:4] = b"12345"
    bytes(b), memoryview(b)[1:5].tobytes(), b.hex(), b.split(b"c")


@scenario
def numbers():
    a = 3 ** 200
    a * a, a // 7, a % 12345678901234567890, a >> 50, a << 70, str(a), int(str(a)), hex(a), a.to_bytes(60, "big")
    float("1e300") * 1e10, repr(1 / 3), complex(1, 2) ** 2, round(2.567, 2), divmod(a, 10 ** 30), pow(3, 100, 10 ** 20)
    sum(range(100)), (10 ** 25).bit_length(), float(a), a == a + 1, hash(a)


@scenario
def big_numbers():
    # So many limbs that GMP wants working space of its own.
    a, b = (1 << 1200000) - 12345, (1 << 900000) + 6789
    c = a * b
    a * a, c // b, c % 3 ** 9999, 7 ** 300000, math.isqrt(c), math.gcd(a, b), (a + 1) / a, pow(-3, -1, b)
    sys.set_int_max_str_digits(0)
    int(str(b)) == b, pow(3, 65537, 1 << 40000)
    sys.set_int_max_str_digits(4300)


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    def __repr__(self):
        return f"Point({self.x}, {self.y})"


@scenario
def classes():
    class A:
        z = 1

        def f(self, *args, k=None, **kw):
            return args, kw

        @property
        def p(self):
            return self.__dict__

        @classmethod
        def c(cls):
            return cls

        @staticmethod
        def s():
            return 1

    class B(A, dict):
        __slots__ = ("q",)

        def f(self, *args, **kw):
            return super().f(*args, **kw)

    b = B()
    b.q = b.w = 1
    b.f(1, 2, k=3, m=4), b.p, B.c(), b.s(), B.__mro__, dir(b), vars(b)
    for i in range(20):
        setattr(b, "attr%d" % i, i)
    B.extra = 1
    B.__len__ = lambda self: 3
    len(b), Point(1, 2) == Point(1, 2), repr(Point(3, 4))
    type("T", (A,), {"x": 1})().x
    b.__dict__ = {"n": 1}
    A.__subclasses__()
    B.__bases__ = B.__bases__


@scenario
def functions():
    def outer(n):
        x = []

        def inner(a, b=2, *args, c=3, **kw):
            x.append(a)
            return lambda: x
        return inner
    f = outer(1)
    f(1)(), f(1, 2, 3, c=4, d=5)(), f(*[1, 2], **{"z": 1})
    f.__name__, f.__defaults__, f.__kwdefaults__, f.__closure__, f.__code__.co_varnames
    f.attr = 1


@scenario
def generators():
    def g(n):
        try:
            for i in range(n):
                got = yield i
        finally:
            yield -1

    def h():
        return (yield from g(3))
    list(h())
    it = g(5)
    next(it), it.send(1)
    try:
        it.throw(KeyError)
    except KeyError:
        pass
    list(x * y for x in range(5) for y in range(3) if x)
    list(zip(range(5), "abcde")), list(enumerate("ab")), list(map(str, range(9)))


@scenario
def iterators():
    list(itertools.chain([1], "ab")), list(itertools.product("ab", range(3))), list(itertools.permutations(range(4)))
    list(itertools.combinations("abcd", 2)), list(itertools.accumulate(range(9))), list(itertools.tee(range(5))[1])
    [list(g) for k, g in itertools.groupby("aabbc")], list(itertools.islice(itertools.count(), 3, 20, 4))
    list(itertools.zip_longest("abc", "d")), list(itertools.pairwise("abcd")), list(itertools.starmap(pow, [(2, 3)]))


@scenario
def exceptions():
    import traceback
    try:
        try:
            raise ValueError("inner")
        except ValueError as e:
            raise KeyError("outer") from e
    except KeyError as e:
        "".join(traceback.format_exception(e))
        e.add_note("note")
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
    except* ValueError as g:
        repr(g.exceptions)
    except* TypeError:
        pass
    try:
        None.missing
    except AttributeError as e:
        str(e)
    try:
        [].pop()
    except IndexError:
        pass


@scenario
def compiling():
    source = """
import sys
class A(object):
    x: int = 1
    def f(self, a, b=1, *c, d, e=2, **g) -> int:
        'doc'
        with open(a) as q, b:
            return [x for x in self if x] or {**g}
        match a:
            case [1, *rest] | {"k": rest}: pass
            case A(x=1) if b: pass
        try: raise
        except* (ValueError, KeyError) as e: pass
        lambda: (yield)
async def co():
    async for x in y: await z
f'{a!r:>{b}} {c=}'
"""
    code = compile(source, "<s>", "exec")
    code.replace(co_name="q")
    eval("1 + 2 * len('abc')"), exec("x = [i for i in range(3)]", {})
    try:
        compile("def f(:\n  pass", "<s>", "exec")
    except SyntaxError as e:
        str(e)


@scenario
def tree():
    import ast
    t = ast.parse("def f(a, b=1): return [x + 1 for x in a if x] or f(b, c=3)")
    ast.dump(t)
    compile(ast.fix_missing_locations(t), "<t>", "exec")


@scenario
def expressions():
    p = re.compile(r"(?P<w>\w+)-(\d{2,})|[a-c]+?x")
    p.findall("ab-12 cax zz-999"), p.sub(lambda m: m.group("w") or "", "ab-12 zz-333"), p.split("ab-12cax")
    p.match("ab-12").groupdict(), re.escape("a.b")


@scenario
def weak():
    class C:
        pass
    o = C()
    r = weakref.ref(o, lambda r: None)
    d = weakref.WeakValueDictionary()
    d["a"] = o
    s = weakref.WeakSet([o])
    p = weakref.proxy(o)
    p.x = 1
    f = weakref.finalize(o, int)
    del o
    r(), len(d), len(s)


@scenario
def cycles():
    class N:
        def __del__(self):
            self.done = True
    for i in range(5):
        a, b = N(), N()
        a.b, b.a = b, [a]
    del a, b
    gc.collect()
    len(gc.get_objects()), gc.get_referrers(N), gc.get_referents(N)


@scenario
def files():
    with open(__file__, encoding="utf-8") as f:
        f.readline(), f.read(100), list(f)
    s = io.StringIO()
    print("a", 1, 2.5, file=s)
    s.getvalue()
    b = io.BytesIO(b"x" * 100)
    io.TextIOWrapper(io.BufferedReader(b)).read()
    import os
    os.listdir("."), os.stat("."), os.path.join("a", "b"), os.environ.get("HOME")


@scenario
def threads():
    # Not threading.Thread: its start() waits for a thread that may have ended with MemoryError.
    out = []
    local = threading.local()
    before = _thread._count()

    def work():
        local.x = 1
        out.append(threading.get_ident())
    try:
        for i in range(2):
            try:
                _thread.start_new_thread(work, ())
            except RuntimeError as e:
                if "can't start new thread" not in str(e):
                    raise
    finally:
        while _thread._count() > before:
            time.sleep(0.0002)
    c = threading.Condition()
    with c:
        c.notify_all()


@scenario
def importing():
    for name in ("colorsys", "this_module_is_missing"):
        sys.modules.pop(name, None)
        try:
            __import__(name)
        except ModuleNotFoundError:
            pass


@scenario
def marshalled():
    import marshal
    marshal.loads(marshal.dumps([1, "a", (2.5, None), {1: 2}, b"x", 10 ** 30, (lambda: 1).__code__]))


@scenario
def structures():
    import collections
    import dataclasses
    import enum
    P = collections.namedtuple("P", "x y")
    P(1, 2)._replace(x=3)
    collections.OrderedDict(a=1).move_to_end("a")
    collections.Counter("hello").most_common(1), collections.defaultdict(list)["a"], collections.deque(range(70), 50)
    collections.ChainMap({}, {1: 2})[1]

    @dataclasses.dataclass(order=True)
    class D:
        a: int = 1
    D() < D(2)

    class E(enum.Enum):
        A = 1
        B = 2
    E(1), E.B.name


names = sys.argv[2:]
# What a thread that could not start, or a finalizer, reports is not of interest here.
threading.excepthook = lambda args: None
sys.unraisablehook = lambda args: None
wrong = 0
for f in scenarios:
    if names and f.__name__ not in names:
        continue
    for _ in range(2):
        f()
    n = failures = 0
    while n < LIMIT:
        n += 1
        error = None
        sys._fail_allocation(n)
        try:
            f()
        except MemoryError:
            failures += 1
        except BaseException as e:
            error = e
        if not sys._fail_allocation(0):
            break
        if error is not None:
            wrong += 1
            print("%s, allocation %d: %r" % (f.__name__, n, error), file=sys.stderr)
    print("%s: %d allocations failed, MemoryError %d times" % (f.__name__, n - 1, failures), flush=True)
    f()
if wrong:
    sys.exit("%d wrong" % wrong)
print("ok")
