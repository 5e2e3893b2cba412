"""What goes wrong at run time: type and text of the exception for every operator, statement and kind of call."""
import itertools

SETUP = '''
import math, collections
class A:
    x = 1
    def m(self, a, b=2, *, k): return a
    @classmethod
    def c(cls, a): pass
    @staticmethod
    def s(a): pass
    @property
    def p(self): raise AttributeError("inside p")
    @property
    def ro(self): return 1
class S:
    __slots__ = ("foo", "bar")
class Empty: pass
class NoInit:
    def __new__(cls, a): return super().__new__(cls)
class WithInit:
    def __init__(self, a, b=1): pass
class BadBool:
    def __bool__(self): return 5
class BadLen:
    def __len__(self): return -1
class BadStr:
    def __str__(self): return 5
    def __repr__(self): return None
class BadIter:
    def __iter__(self): return 5
class BadIndex:
    def __index__(self): return "x"
class BadHash:
    def __hash__(self): return "x"
class BadInit:
    def __init__(self): return 5
class Getitem:
    def __getitem__(self, i):
        if i > 2: raise IndexError("end")
        return i
def f0(): pass
def f1(a): pass
def f2(a, b): pass
def f3(a, b, c): pass
def fd(a, b=1, c=2): pass
def fk(*, k, l): pass
def fkd(*, k=1): pass
def fp(a, b, /): pass
def fpd(a, b=1, /, c=2, *, d): pass
def fv(*a): pass
def fkw(**k): pass
def fall(a, /, b, *c, d, **e): pass
lam = lambda x: x
def gen(): yield 1
async def coro(): pass
a = A(); s = S(); e = Empty()
lst = [1, 2, 3]; tup = (1, 2); dct = {"k": 1}; st = {1, 2}; txt = "abc"; byt = b"abc"; num = 5; flo = 1.5; none = None
'''
CALLS = '''f0(1)|f0(1, 2)|f0(x=1)|f1()|f1(1, 2)|f1(b=1)|f1(1, a=1)|f1(1, b=1)|f1(a=1, b=2)|f2()|f2(1)|f2(b=1)|f2(a=1)|f2(1, 2, 3)|f2(1, 2, a=3)|f3()|f3(1)
f3(1, 2)|f3(c=1)|fd()|fd(1, 2, 3, 4)|fd(b=1)|fd(1, 2, b=3)|fd(1, z=3)|fd(1, 2, 3, 4, z=5)|fk()|fk(1)|fk(k=1)|fk(1, 2, k=1)|fk(1, k=1, l=2)|fk(m=1)|fkd(1)|fkd(1, 2)
fkd(m=2)|fp()|fp(1)|fp(a=1, b=2)|fp(1, b=2)|fp(1, 2, 3)|fp(1, 2, c=3)|fpd()|fpd(1)|fpd(1, 2, 3, 4)|fpd(1, 2, 3, 4, d=1)|fpd(1, b=2, d=3)|fpd(1, b=2, a=1, d=3)|fv(a=1)
fkw(1)|fkw(1, 2, x=3)|fall()|fall(1)|fall(1, 2)|fall(a=1, b=2, d=3)|fall(1, 2, b=3, d=4)|lam()|lam(1, 2)|lam(y=1)|a.m()|a.m(1)|a.m(1, 2, 3)|a.m(1, k=1, z=2)|A.m()|A.m(1)|a.c()
A.c(1, 2)|a.s()|A.s(1, 2)|f1(*5)|f1(**5)|f1(*[1], **{1: 2})|f1(**{"a": 1}, **{"a": 2})|f1(1, **{"a": 1})|f1(*lst)|f2(*[1], *[2], *[3])|f1(**dct)|f1(a=1, **{"a": 2})
Empty(1)|Empty(x=1)|NoInit()|NoInit(1, 2)|NoInit(b=1)|WithInit()|WithInit(1, 2, 3)|WithInit(c=1)|BadInit()|int(1, 2, 3)|int([])|int("x")|int("12", 1)|int("z", 36, 1)|int(1, 10)
int("9" * 5000)|int("1_")|int(" ")|int("", 0)|int(b"x")|int(float("nan"))|int(float("inf"))|float("x")|float([])|float("")|float(10 ** 400)|complex("x")|complex("1", 2)|complex(1, "2")
complex([])|str(1, 2)|str(b"x", 5)|str(b"\\xff", "ascii")|str(b"", "nope")|bytes(-1)|bytes("x")|bytes([256])|bytes(["a"])|bytes(1, 2)|bytes(1.5)|bytearray([300])|list(5)|list(1, 2)|tuple(5)|dict(5)
dict([1])|dict([(1, 2, 3)])|dict(1, 2)|set(5)|set([[]])|frozenset(5)|range()|range(1.5)|range(1, 2, 0)|range("a")|range(1, 2, 3, 4)|slice()|slice(1, 2, 3, 4)|enumerate()|enumerate(5)
zip(5)|zip([1], [1, 2], strict=True).__next__() and list(zip([1], [1, 2], strict=True))|list(zip([1, 2], [1], strict=True))|list(zip([1],[1],[1,2], strict=True))|map()|map(f1)|list(map(5, [1]))|filter(5)|list(filter(5, [1]))|reversed(5)|reversed({1})
iter(5)|iter(5, 1)|next(5)|next(iter([]))|next()|len(5)|len()|len(1, 2)|len(BadLen())|abs("x")|abs()|min()|min(5)|min([])|min(1, "x")|max([], key=f1)|max(1, 2, default=3)|sum(5)|sum(["a"])|sum([1], "")|sum(["a"], "")|sum([b""], b"")
sum([1, "x"])|sorted(5)|sorted([1, "a"])|sorted([1], 2)|sorted([1], key=5)|sorted([1, 2], reverse="x")|round("x")|round(1.5, "x")|round(1, 1.5)|pow(1, 2, 3, 4)|pow("a", 2)|pow(2, -1, 4)|pow(2, 3, 0)|pow(1.5, 2, 3)|divmod(1, 0)|divmod("a", 1)
divmod(1.5, 0)|chr(-1)|chr(0x110000)|chr("a")|ord("")|ord("ab")|ord(5)|ord(b"ab")|hex(1.5)|oct("x")|bin(None)|hash([])|hash({})|hash(BadHash())|id()|isinstance(1, 5)|isinstance(1, (int, 5))|issubclass(1, int)|issubclass(int, 5)
isinstance(1, list[int])|getattr(5)|getattr(5, 6)|getattr(a, "nope")|setattr(5, "x", 1)|setattr(a, 5, 1)|delattr(a, "x")|hasattr(a, 5)|callable()|repr(BadStr())|str(BadStr())|bool(BadBool())|format(5, "z")|format("a", "d")|format(1.5, "d")|format(5, 5)
format(e, "x")|eval("1 +")|eval(5)|eval("1", 5)|exec("1", {}, 5)|compile("1", "f", "nope")|compile("1", "f", "exec", 1 << 30)|compile(5, "f", "exec")|open()|open("/nonexistent/file")|open("/tmp")|open("x", "zz")|open("x", "rb", encoding="u")|input(1, 2)
print(1, sep=5)|print(1, end=5)|print(1, file=5)|print(1, nope=5)|__import__("nope_module")|__import__(5)|__import__("")|type()|type(1, 2)|type(1, 2, 3)|type("X", (), 5)|type("X", (5,), {})|type("X", (int, str), {})|type("X", (bool,), {})
type("X", (A, A), {})|type("X", (object, A), {})|super().x|super(5)|super(A, 5).x|property(1, 2, 3, 4, 5)|classmethod()|staticmethod(1, 2)|object(1)|object().x|object().__init__(1)|memoryview(5)|vars(5)|vars(1, 2)|dir(1, 2)|globals(1)
math.sqrt(-1)|math.sqrt("x")|math.factorial(-1)|math.factorial(1.5)|math.log(0)|math.gcd(1.5)|collections.OrderedDict(5)|collections.deque(5)|collections.deque([], -1)|collections.namedtuple("X", "a a")|collections.namedtuple("X", "a")(1, 2)|collections.Counter(5)'''
METHODS = '''lst.nope|lst.apend|lst.append()|lst.append(1, 2)|lst.append(x=1)|lst.pop(9)|lst.pop("x")|[].pop()|lst.index(9)|lst.index(1, 5)|lst.remove(9)|lst.insert(1)|lst.insert("x", 1)|lst.extend(5)|lst.sort(1)|lst.sort(key=5)|lst.count()|lst.reverse(1)
lst["a"]|lst[1.5]|lst[9]|lst[-9]|lst[None]|lst[1, 2]|tup[9]|tup["a"]|tup.index(9)|tup.count()|tup.append|txt[9]|txt["a"]|txt[1.5]|byt[9]|byt["a"]|dct["nope"]|dct[[]]|dct[{}]|dct.get()|dct.get([])|dct.pop("z")|dct.pop()|{}.popitem()|dct.update(5)
dct.update([1])|dct.update([(1, 2, 3)])|dct.fromkeys()|dct.fromkeys(5)|dct.setdefault()|dct.nope|st.add([])|st.add()|st.remove(9)|set().pop()|st[0]|st.nope|st.union(5)|st.update(5)|frozenset([1]).add|num.nope|num[0]|num()|flo[0]|flo()|none.x|none[0]|none()
txt.nope|txt()|txt.join(5)|txt.join([1])|txt.join(["a", b"b"])|txt.split(5)|txt.split("")|txt.replace("a")|txt.replace(1, 2)|txt.find()|txt.find(5)|txt.index("z")|txt.rindex("z")|txt.count(5)|txt.startswith(5)|txt.startswith(("a", 5))|txt.encode("nope")
txt.encode(5)|"\\xe9".encode("ascii")|txt.center()|txt.center("x")|txt.center(5, "ab")|txt.strip(5)|txt.translate(5)|txt.format_map(5)|str.maketrans("a", "bc")|str.maketrans(5)|txt.partition("")|txt.partition(5)|txt.zfill("x")|txt.expandtabs("x")|txt.splitlines(x=1)
"{}".format()|"{1}".format(0)|"{x}".format()|"{0.nope}".format(1)|"{0[9]}".format([])|"{".format()|"}".format()|"{!z}".format(1)|"{:z}".format(1)|"{}{1}".format(1, 2)|"{0}{}".format(1, 2)|"%d" % "x"|"%d" % ()|"%d %d" % 1|"%d" % (1, 2)|"%(a)d" % 5|"%(a)d" % {}|"%z" % 1|"%" % 1
"%c" % "ab"|"%c" % -1|"%x" % 1.5|"%*d" % ("a", 1)|"%s" % (1, 2)|"abc" % 1|b"%d" % "x"|b"%s" % "x"|b"%b" % 5|byt.decode("nope")|b"\\xff".decode()|b"\\xff".decode("ascii")|byt.join([1])|byt.join(["a"])|byt.replace("a", "b")|byt.find("a")|byt.split("a")|byt.index(b"z")|byt.hex(5)
byt.hex("ab")|bytes.fromhex("zz")|bytes.fromhex("a")|bytes.fromhex(5)|byt.startswith("a")|byt.center(5, "a")|byt.translate(5)|bytearray(b"abc").append("x")|bytearray(b"abc").append(256)|bytearray(b"").pop()|bytearray(b"abc").remove(9)|bytearray(b"abc")[9]
(5).to_bytes(0, "big")|(300).to_bytes(1, "big")|(-1).to_bytes(1, "big")|(5).to_bytes(1, "x")|int.from_bytes("x", "big")|int.from_bytes(b"x", "y")|(5).bit_length(1)|(1.5).as_integer_ratio(1)|float("inf").as_integer_ratio()|float("nan").as_integer_ratio()|float.fromhex("zz")|(1.5).is_integer(1)
(1j).conjugate(1)|1j < 2j|1j // 1|1j % 2|int(1j)|float(1j)|range(5)[9]|range(5)["a"]|range(5).index(9)|range(5).count()|range(5).start = 1|slice(1).indices("x")|slice(1).indices(-1)|slice(0, 1, 0).indices(5)|memoryview(byt)[9]|memoryview(byt)["x"]|memoryview(byt).cast("z")|memoryview(byt).nope
a.nope|a.xx|a.M|a.p|a.ro|A.nope|A.M|s.foo|s.nope|s.fooo|e.x|f1.nope|f1.__nam__|lam.x|gen.x|gen().x|gen().nxt|math.nope|math.squt|math.Pi|collections.dequeue|type.nope|int.nope|object.nope|super(A, a).nope|(lambda: 1).y|len.nope|[].append.nope|Exception.nope|Exception().nope
gen().send(1)|gen().throw()|gen().throw(5)|gen().throw(ValueError)|gen().throw(ValueError, "x")|gen().throw(ValueError("a"), "b")|coro().send(None)|coro().x|next(coro())|iter(gen)|len(gen())|gen()[0]|f1[0]|A[0]|int[0]|list[int]()|list[int]([1], 2)|list[int].nope|dict[int, str][0]|(int | str)()|int | 5|int | "x"|list[int] | 5|type[0]|type(None)(1)
NotImplemented()|...()|bool(NotImplemented)|type(...)(1)|Getitem()[5]|list(Getitem())|9 in Getitem()|len(Getitem())|BadIter()|list(BadIter())|for_iter(BadIter())|lst[BadIndex()]|range(BadIndex())|"a" * BadIndex()|if_test(BadBool())|not BadBool()|BadLen() and 1|bool(BadLen())'''
STATEMENTS = '''a, b = 1|a, b = 1, 2, 3|a, b = (1,)|a, b, c = "ab"|a, *b = ()|a, *b, c = [1]|[x, y] = {}|a, b = None|a, (b, c) = 1, 2|a, b = gen()|a, b = iter([1, 2, 3])|(a, b), c = [1, 2]|*a, = 5|for x, y in [1]: pass|for x, y in [(1, 2, 3)]: pass|for x in 5: pass|for x in None: pass|for x in A: pass
for x in BadIter(): pass|del nope|del lst[9]|del lst["a"]|del tup[0]|del txt[0]|del dct["z"]|del dct[[]]|del a.nope|del a.ro|del a.x|del s.foo|del num.x|del A.nope|lst[9] = 1|lst["a"] = 1|lst[0:1] = 5|lst[::2] = [1]|tup[0] = 1|txt[0] = "x"|byt[0] = 1|num[0] = 1|none[0] = 1|dct[[]] = 1|st[0] = 1|range(5)[0] = 1|f1[0] = 1
a.ro = 1|a.p = 1|s.nope = 1|num.x = 1|none.x = 1|txt.x = 1|lst.x = 1|f1.__name__ = 5|f1.__code__ = 5|f1.__defaults__ = 5|f1.__kwdefaults__ = 5|f1.__dict__ = 5|f1.__closure__ = 1|A.__name__ = 5|A.__bases__ = ()|A.__bases__ = 5|A.__bases__ = (int,)|A.__class__ = 5|a.__class__ = 5|a.__class__ = int|a.__dict__ = 5|int.x = 1|object.x = 1|A.__dict__["x"] = 1
with 5: pass|with None as x: pass|with A(): pass|with f1 as x: pass|raise 5|raise "x"|raise A|raise A()|raise ValueError from 5|raise None|raise|assert 0|assert 0, "m"|assert (), ["m"]|import nope_module|import math.nope|import collections.nope|from math import nope|from math import sqtr|from collections import nope, deque|from nope_module import x|from . import x|from .m import x|from .. import y
nope|nopee + 1|prnt(1)|lsit|print(nme)|num.foo.bar|x = y = undefined_thing|nope()|nope.x|nope[0]|global_a += 1|class X(5): pass|class X(A, A): pass|class X(int, str): pass|class X(bool): pass|class X(None): pass|class X("x", 5): pass|class X(metaclass=5): pass|class X(A, k=1): pass|class X: __slots__ = 5|class X: __slots__ = ("a", 5)
class X:\\n    __slots__ = ("a",)\\n    a = 1|class X(int): __slots__ = ("a",)|class X(tuple): __slots__ = ("a",)|class X: __slots__ = ("not valid",)|class X(A): x: nope|def g(x=nope): pass|def g(x: nope): pass|@nope\\ndef g(): pass|@5\\ndef g(): pass|def g():\\n    x += 1\\ng()|def g():\\n    print(x)\\n    x = 1\\ng()|def g():\\n    del x\\ng()
def g():\\n    def h(): return v\\n    h()\\n    v = 1\\ng()|def g():\\n    try: 1 / 0\\n    except ZeroDivisionError as v: pass\\n    v\\ng()|def g(n): return g(n)\\ng(1)|def g():\\n    for i in []: pass\\n    return i\\ng()|class X:\\n    y = y\\n|class X:\\n    def __init_subclass__(cls): 1 / 0\\nclass Y(X): pass|class X:\\n    def __set_name__(s, o, n): 1 / 0\\nclass Y: x = X()
match 5:\\n    case int(a, b): pass|match a:\\n    case A(1): pass|class P: __match_args__ = 5\\nmatch P():\\n    case P(1): pass|class P: __match_args__ = (5,)\\nmatch P():\\n    case P(1): pass|class P: __match_args__ = ("a", "a")\\nmatch P():\\n    case P(1, a=2): pass|match 5:\\n    case f1(): pass|match {1: 2}:\\n    case {nope.x: 1}: pass|try: 1 / 0\\nexcept 5: pass|try: 1 / 0\\nexcept (5, 6): pass|try: 1 / 0\\nexcept A: pass|try: 1 / 0\\nexcept* 5: pass|try: raise ExceptionGroup("g", [ValueError()])\\nexcept* ExceptionGroup: pass
lst += 5|lst *= "x"|tup += [1]|txt += 1|num += "x"|num -= "x"|num *= None|num /= 0|num //= 0|num %= 0|num **= "x"|num <<= 1.5|num <<= -1|num @= 2|num &= 1.5|st |= 5|st -= [1]|dct |= 5|none += 1|a += 1|flo %= 0|flo //= 0|f"{num:z}"|f"{num!r:d}"|f"{nope}"|f"{a:x}"|f"{txt:d}"|f"{lst:5}"|f"{num:{txt}}"|{**5}|{**[1]}|[*5]|{*5}|(*None,)|{[]: 1}|{[]}|{1: 2, {}: 3}
async_with()|yield_from()|x: nope = 5|[nope for x in [1]]|[x for x in 5]|{x: [] for x in [[]]}|{[] for x in [1]}|list(nope for x in [1])|(x for x in 5)|sum(x for x in ["a"])|lambda: nope|(lambda: nope)()|(lambda x: x)()|f1(nope)|f1(a.nope)|f1(1)(2)|lst[0][1]|dct["k"]["j"]|txt.upper.lower()|txt.upper().foo()|print(1).x|[1, 2, 3](0)|"abc"()|None()'''
OPERANDS = ["1", "1.5", "'a'", "b'a'", "[1]", "(1,)", "{1}", "{1: 2}", "None", "A()", "len", "int", "1j", "range(2)", "...", "frozenset()", "bytearray(b'x')", "True"]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^", "<", "<=", ">", ">=", "in", "not in"]


def clean(text):
    """Without addresses."""
    while " at 0x" in text:
        head, _, tail = text.partition(" at 0x")
        while tail and tail[0] in "0123456789abcdef":
            tail = tail[1:]
        text = head + " at ADDRESS" + tail
    return text


def run(source):
    names = {"__name__": "errors"}
    exec(SETUP, names)
    names["for_iter"] = lambda x: [y for y in x]
    names["if_test"] = lambda x: 1 if x else 0
    try:
        try:
            code = compile(source, "<e>", "eval")
        except SyntaxError:
            code = compile(source, "<e>", "exec")
        value = eval(code, names)
    except RecursionError as e:
        print(source, "=>", "RecursionError", str(e)[:32])
    except BaseException as e:
        line = f"{type(e).__name__}: {clean(str(e))}"
        for name in "name", "obj", "path", "key", "value":
            if name in ("name", "path") and getattr(e, name, None) is not None:
                line += f" [{name}={str(getattr(e, name))[-30:]}]"
        print(source, "=>", line)
    else:
        value = clean(repr(value)) if value is not None else None
        print(source, "=>", value)


for group in CALLS, METHODS, STATEMENTS:
    for line in group.split("\n"):
        for source in line.split("|") if group is not STATEMENTS else line.replace("st |= 5", "st ^= 5").replace("dct |= 5", "dct -= 5").split("|"):
            run(source.replace("\\n", "\n"))
run("int | 5")
run("st |= 5")
run("dct |= 5")
for op in BINARY:
    for x, y in itertools.product(OPERANDS, OPERANDS):
        run(f"{x} {op} {y}")
for op in "-", "+", "~":
    for x in OPERANDS:
        run(f"{op}{x}" if x[0] != "-" else x)
for x in OPERANDS:
    for y in ("0", "'a'", "1.5", "None", "()", "0:1", "...", "-9"):
        run(f"({x})[{y}]")
    run(f"({x}).nothing")
    run(f"({x})()")
    run(f"len({x})")
    run(f"iter({x}) and 1")
    run(f"hash({x}) and 1")
    run(f"next({x})")
    run(f"[*{x}]")
    run(f"f1(*{x})")
    run(f"f1(**{x})")
    run(f"{{**{x}}}")
    run(f"x, y = {x}")
    run(f"with {x}: pass")
    run(f"raise {x}")
    run(f"for q in {x}: pass")
    run(f"class Z({x}): pass")
    run(f"isinstance(1, {x})")
    run(f"'%d' % {x}")
    run(f"'%s %s' % {x}")
    run(f"''.join({x})")
    run(f"int({x})")
    run(f"float({x})")
    run(f"range({x})")
    run(f"format({x}, 'd')")
    run(f"lst[{x}]")
    run(f"dct[{x}]")
    run(f"sum({x})")
    run(f"abs({x})")
    run(f"round({x})")
