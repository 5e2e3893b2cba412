"""Import statements of every form against modules made here; annotations, evaluated and as text."""
import os
import sys
import tempfile
import textwrap

folder = tempfile.mkdtemp()


def write(path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(textwrap.dedent(text))


write("plain.py", "value = 1\n_hidden = 2\ndef f(): return value\n")
write("with_all.py", "__all__ = ['a', '_b']\na, _b, c = 1, 2, 3\n")
write("bad_all.py", "__all__ = ['missing']\n")
write("odd_all.py", "__all__ = [5]\n")
write("fails.py", "before = 1\n1 / 0\n")
write("wrong.py", "x = = 1\n")
write("pkg/__init__.py", "print('init', __name__, __package__, __path__ is not None)\nfrom . import sub\nfrom .sub import thing as renamed\n")
write("pkg/sub.py", "print('init', __name__, __package__)\nthing = 'thing'\ndef rel():\n    from . import other\n    from .deep import deepest\n    from .deep.deepest import value\n    return other.name, deepest.value, value\n")
write("pkg/other.py", "name = __name__\n")
write("pkg/deep/__init__.py", "")
write("pkg/deep/deepest.py", "from ... import pkg\nfrom ..other import name\nfrom .. import sub as s\nvalue = name, s.thing\n") if 0 else write("pkg/deep/deepest.py", "from ..other import name\nfrom .. import sub as s\nvalue = name, s.thing\n")
write("space/one.py", "one = 1\n")
write("circ_a.py", "import circ_b\nx = 1\nfrom circ_b import y\n")
write("circ_b.py", "import circ_a\ny = 2\ndef later(): return circ_a.x\n")
write("circ_c.py", "from circ_d import z\nw = 1\n")
write("circ_d.py", "from circ_c import w\nz = 1\n")
write("lazy.py", "def __getattr__(name):\n    if name == 'dynamic': return 'made'\n    raise AttributeError(f'no {name} here')\ndef __dir__(): return ['dynamic']\n")
sys.path.insert(0, folder)
sys.dont_write_bytecode = True


def run(source):
    names = {"__name__": "runner"}
    try:
        exec(source, names)
        print(source.replace("\n", "; "), "->", sorted(k for k in names if not k.startswith("__")), [v for k, v in sorted(names.items()) if isinstance(v, (int, str, tuple)) and not k.startswith("__")])
    except BaseException as e:
        print(source.replace("\n", "; "), "raises", type(e).__name__, str(e).replace(folder, "FOLDER"), getattr(e, "name", None))


for source in """import plain|import plain as p|import plain, with_all as w|from plain import value|from plain import value as v, f|from plain import (value, f,)|from plain import *|from with_all import *|from bad_all import *|from odd_all import *|from plain import missing|from plain import valeu
import missing|import missing.sub|from missing import x|import plain.sub|import fails|import fails|from fails import before|import wrong|import pkg|import pkg.sub|import pkg.sub as ps|from pkg import sub|from pkg.sub import thing|from pkg import renamed|import pkg.deep.deepest|import pkg.deep.deepest as pd
from pkg.deep import deepest|from pkg import missing|import pkg.missing|from pkg.sub import rel\nr = rel()|import space|import space.one|from space import one|from space import two|import circ_a\nr = circ_a.circ_b.later()|import circ_c|from lazy import dynamic|from lazy import static|import lazy\nr = lazy.dynamic, dir(lazy)|lazy_ = __import__('lazy')\nlazy_.nothing
from . import x|from .sub import x|from .. import x|import os.path|import os.path as osp|from os import path|import sys as system\nr = system is __import__('sys')|__import__('pkg.sub').__name__\nr = __import__('pkg.sub').__name__|r = __import__('pkg.sub', fromlist=['x']).__name__|r = __import__('sub', {'__package__': 'pkg', '__name__': 'pkg.x'}, {}, ['thing'], 1).thing|__import__('x', level=-1)|__import__('x', {}, {}, [], 1)
import importlib\nr = importlib.import_module('.sub', 'pkg').__name__|import importlib\nimportlib.import_module('.sub')|import plain\nimport importlib\nr = importlib.reload(plain) is plain|import sys\nsys.modules['blocked'] = None\nimport blocked|import sys\nsys.modules['fake'] = 5\nimport fake|import sys\nsys.modules['fake2'] = type('M', (), {'a': 1})\nfrom fake2 import a|import sys\nsys.modules['fake3'] = type('M', (), {})()\nfrom fake3 import a""".replace("\n", "|", 0).split("|"):
    for one in source.split("\n") if source.count("\n") and source.split("\n")[1].startswith(("import ", "from ")) and "r = " not in source and "sys.modules" not in source else [source]:
        run(one)
import shutil
shutil.rmtree(folder)

# annotations
calls = []


def note(x):
    calls.append(x)
    return x


a: note("a") = 1
b: note("b")
(c): note("c") = 3
d = {}
d[note("key")]: note("item") = 4
d[note("key2")]: note("item2")


class K:
    x: note("x") = 1
    y: note("y")
    __private: note("private")
    def f(self, p: note("p"), *q: note("q"), r: note("r") = 1, **s: note("s")) -> note("return"):
        t: note("never") = 5
        u: note("never")
        self.v: note("never") = 6
        return t
    class Inner:
        z: note("z")


print(calls, __annotations__, K.__annotations__, K.f.__annotations__, K.Inner.__annotations__, d, K().f(1))
try:
    b
except NameError as e:
    print(e)
EXPRESSIONS = """int|a.b.c|a[b]|a[b, c]|a[b:c]|a[b:c:d]|a[:]|a[::2]|a[1:2, ...]|(a, b)|()|(a,)|[a, b]|{a, b}|{a: b, **c}|f(a, *b, c=d, **e)|a + b * c|(a + b) * c|a ** b ** c|(a ** b) ** c|-a ** -b|(-a) ** b|not a|not (a and b)|a and b or c|a and (b or c)|a if b else c|(a if b else c) if d else e|lambda: a|lambda x, /, y=1, *z, w=2, **v: x
a < b <= c|a in b|a not in b|a is not b|(a < b) < c|"text"|'it\\'s'|b"x"|u"u"|1.5|1e100|1j|10**20|None|...|True|f"{a}"|f"{a!r:>{b}}"|f"a{{b}}"|[x for x in y if z]|{x: y for x, y in z}|{x for x in y for z in w}|(x for x in y)|f(x for x in y)|await_|a @ b|a // b % c|a << b | c & d ^ e|~a|- -a|+a|a.b(c)[d]|(a)(b)|1 .real|1.0.real|(1).real|"a".join|(lambda: 1)()|a[lambda: b]|[lambda x: x]|*a, b|a[*b]|(yield_)|x[(a, b)]|x[(a := 1)] if 0 else 1""".replace("\n", "|").split("|")
for e in EXPRESSIONS + ["a | b"]:
    names = {}
    try:
        exec(f"from __future__ import annotations\nx: {e}\ndef f(p: {e}) -> {e}: pass\n", names)
        print(e, "=>", names["__annotations__"]["x"], "" if names["f"].__annotations__ == {"p": names["__annotations__"]["x"], "return": names["__annotations__"]["x"]} else "DIFFERENT")
    except SyntaxError as x:
        print(e, "SyntaxError", x.msg)
