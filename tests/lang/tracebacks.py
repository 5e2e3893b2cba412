"""Tracebacks as they are printed: marks, chains, causes, groups, notes, recursion, generators, SyntaxErrors."""
import io
import os
import sys
import tempfile
import traceback

folder = tempfile.mkdtemp()
CASES = {}


def case(source):
    CASES["case%d" % len(CASES)] = source


for line in """1 / 0|x = [1, 2]; x[5]|{}["key"]|f = lambda a: a.b.c; f(5)|print(undefined)|"a" + 1 + "b"|a = b = 1; (a + b) + (a / 0)|a = [[1], [2]]; a[0][0][0]
d = {"a": {"b": None}}; d["a"]["b"]["c"]["d"]|len(5)|max(1, "a")|(lambda: (lambda: 1 / 0)())()|[1 / x for x in (1, 0)]|list(1 / x for x in (1, 0))|{x: 1 / x for x in (1, 0)}|sorted([3, "a"])
assert 1 == 2, "message"|assert (lambda: 0)()|raise ValueError|raise ValueError("a", "b")|raise KeyError("k")|raise SystemError|raise type("Own", (Exception,), {})("own")|int("x" * 10)|"abc".foo|None.x|import nothing_here|from os import nothing
from os import path as p, environn|raise ValueError("two\\nlines")|raise ValueError("")|raise Exception("\\u20ac \\ud800")|del a|a, b = 1, 2, 3|for a, b in [(1, 2, 3)]: pass|5()|"x"()()|x = 5; x.y = 1|x = (); x[0] = 1|-"a"|not_defined.attr|1 + (2 * (3 / 0))|(1
 + 2)|eval("1 +")|exec("x = \\n")|compile("a b", "<text>", "exec")|eval("1/0")|exec("def f():\\n  return 1/0\\nf()")|a = 1; a   +   "b"|a = 1; a+"b"|a = [1]; a [ 5 ]|a = 1; (a)+("b")|f"{1/0}"|f"{undefined!r}"|f"{1:{2}}{3/0}"|x = 1 if 1/0 else 2|with open("/nonexistent"): pass
while 1/0: pass|if undefined: pass|for x in undefined: pass|return_ = undefined()|yield_ = (undefined for x in [1]); next(yield_)|(a := undefined)|print(1, 2, undefined, 3)|print(*undefined)|print(**5)|dict(a=1, **{"a": 2})|"%d" % "x"|"é" + 1|é = 1; é + "ü"|"日本" + 1 + "x"|x = "日本"; x.nothing; 1|t = "\\t"; t	+ 1""".split("|"):
    case(line)
case("""def f(n):
    if n == 0:
        raise ValueError("deep")
    f(n - 1)
f(3)
""")
case("""def f(n):
    return f(n + 1)
import sys
sys.setrecursionlimit(60)
try:
    f(0)
finally:
    sys.setrecursionlimit(1000)
""")
case("""def f(n):
    if n == 0: 1 / 0
    return f(n - 1)
f(10)
""")
case("""def a(n):
    if n == 0: 1 / 0
    return b(n - 1)
def b(n):
    return a(n)
a(4)
""")
case("""try:
    1 / 0
except ZeroDivisionError as e:
    raise ValueError("from") from e
""")
case("""try:
    1 / 0
except ZeroDivisionError:
    try:
        {}["k"]
    except KeyError:
        undefined
""")
case("""try:
    1 / 0
except ZeroDivisionError:
    raise ValueError("none") from None
""")
case("""try:
    try:
        1 / 0
    finally:
        {}["k"]
finally:
    pass
""")
case("""e = ValueError("noted")
e.add_note("first note")
e.add_note("second\\nnote")
raise e
""")
case("""e = ValueError("noted")
e.__notes__ = ["ok", 5]
raise e
""")
case("""e = ValueError("noted")
e.__notes__ = 5
raise e
""")
case("""raise ExceptionGroup("group", [ValueError(1), TypeError("t"), ExceptionGroup("inner", [KeyError("k"), OSError(2, "no")])])
""")
case("""def f():
    raise ValueError("in f")
excs = []
for i in range(3):
    try:
        f()
    except Exception as e:
        excs.append(e)
raise ExceptionGroup("caught", excs)
""")
case("""raise ExceptionGroup("many", [ValueError(i) for i in range(20)])
""")
case("""e = ValueError(0)
for i in range(15):
    e = ExceptionGroup(str(i), [e])
raise e
""")
case("""try:
    raise ExceptionGroup("eg", [ValueError(1), KeyError(2), TypeError(3)])
except* ValueError as e:
    raise RuntimeError("new") from e
except* KeyError:
    1 / 0
""")
case("""try:
    raise ExceptionGroup("eg", [ValueError(1)])
except* ValueError:
    raise
""")
case("""class C:
    def method(self, x):
        return self.other(x)
    def other(self, x):
        return (x
                .nothing
                .more)
C().method(1)
""")
case("""def f(*args, **kw):
    raise ValueError
f(1,
  2,
  a=3,
)
""")
case("""x = (1 +
     2 +
     undefined +
     3)
""")
case("""def f():
    x = [
        1,
        2 / 0,
    ]
f()
""")
case("""import functools
@functools.lru_cache
def f(x):
    return x / 0
f(1)
""")
case("""def deco(f):
    raise ValueError("deco")
@deco
def g():
    pass
""")
case("""class M(type):
    def __new__(m, n, b, d):
        raise ValueError("meta")
class X(metaclass=M):
    a = 1
""")
case("""class X:
    y = undefined
""")
case("""class X:
    def __getattr__(self, name):
        raise AttributeError(name + "!")
    def __add__(self, o):
        raise TypeError("add")
    def __enter__(self):
        raise ValueError("enter")
    def __exit__(self, *a): pass
try:
    X().foo
except AttributeError:
    try:
        X() + 1
    except TypeError:
        with X() as x:
            pass
""")
case("""class X:
    def __enter__(self): return self
    def __exit__(self, *a):
        raise ValueError("exit")
with X() as x:
    1 / 0
""")
case("""def g():
    yield 1
    raise ValueError("gen")
for x in g():
    pass
""")
case("""def g():
    yield 1
def h():
    yield from g()
    yield 1 / 0
list(h())
""")
case("""def g():
    yield
x = g()
next(x)
x.throw(ValueError("thrown"))
""")
case("""async def f():
    await g()
async def g():
    raise ValueError("async")
f().send(None)
""")
case("""match (1, 2):
    case (a, b) if a / 0:
        pass
""")
case("""def f(x):
    match x:
        case {"a": int(y)}:
            return y.nothing
f({"a": 1})
""")
case("""x = 1
def f():
    global x
    del x
    return x
f()
""")
case("""def f():
    print(value)
    value = 1
f()
""")
case("""lenght = 5
def f():
    lenth
f()
""")
case("""class Thing:
    color = 1
    def paint(self): pass
Thing().colour
""")
case("""import collections
collections.OrderedDic
""")
case("""from collections import OrderedDic
""")
case("x = 1\nif x:\n  y = 2\n z = 3\n")
case("def f(:\n  pass\n")
case("x = 'abc\ny = 1\n")
case("print 'hello'\n")
case("x = (1, 2\ny = 3\n")
case("for x in range(3)\n  print(x)\n")
case("é = 'ü' +\n")
case("class A:\n\tdef f(self):\n        pass\n")
case("x = 5 5\n")
case("return 1\n")
case("def f(a, a): pass\n")
case("f(**a, *b)\n")
case("x = 1 +\\\n  * 2\n")
case("raise SyntaxError('msg', ('file', 3, 5, 'some text here', 3, 9))\n")
case("raise SyntaxError('msg', ('file', 3, 5, '   some text here\\n'))\n")
case("raise SyntaxError('msg', ('file', 3, 50, 'text', 3, 60))\n")
case("raise SyntaxError('msg', (None, 3, 5, 'text'))\n")
case("raise SyntaxError('msg', ('file', None, None, None))\n")
case("raise SyntaxError('msg')\n")
case("raise SyntaxError\n")
case("raise IndentationError('ind', ('file', 1, 2, 'text', 2, 3))\n")
case("""import sys
sys.tracebacklimit = 1
def f(): 1 / 0
def g(): f()
try:
    g()
finally:
    import builtins
    builtins.reset = True
""")


def show(name, source):
    path = os.path.join(folder, name + ".py")
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as f:
        f.write(source)
    try:
        exec(compile(source, path, "exec"), {"__name__": name})
    except BaseException as e:
        for how in "hook", "module":
            out = io.StringIO()
            if how == "hook":
                saved, sys.stderr = sys.stderr, out
                try:
                    sys.__excepthook__(type(e), e, e.__traceback__.tb_next)
                finally:
                    sys.stderr = saved
            else:
                traceback.print_exception(type(e), e, e.__traceback__.tb_next, file=out)
            text = out.getvalue().replace(folder, "FOLDER").replace(os.path.abspath(__file__), "SCRIPT").replace(__file__, "SCRIPT")
            if how == "hook" or text != first:
                print(f"-- {name} {how}")
                print(text.encode("ascii", "backslashreplace").decode())
            first = text
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit


for name, source in CASES.items():
    print("==", source.encode("ascii", "backslashreplace").decode())
    show(name, source)
import shutil
shutil.rmtree(folder)
