"""Expressions: precedence, order of evaluation, short circuits, chains, conditional expressions, walrus."""
log = []


class T:
    """Writes down every operation."""

    def __init__(self, name, truth=True):
        self.name = name
        self.truth = truth

    def __bool__(self):
        log.append("bool " + self.name)
        return self.truth

    def __repr__(self):
        return self.name

    def __hash__(self):
        return hash(self.name)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        log.append(f"get {self.name}.{name}")
        return T(f"{self.name}.{name}")

    def __getitem__(self, key):
        log.append(f"item {self.name}[{key!r}]")
        return T(f"{self.name}[]")

    def __call__(self, *a, **k):
        log.append(f"call {self.name} {a} {k}")
        return T(self.name + "()")


def operator(name, symbol):
    def left(self, other):
        log.append(f"{self.name} {symbol} {other!r}")
        return T(f"({self.name}{symbol}{other!r})")

    def right(self, other):
        log.append(f"{other!r} {symbol} {self.name} reflected")
        return T(f"({other!r}{symbol}{self.name})")

    setattr(T, f"__{name}__", left)
    setattr(T, f"__r{name}__", right)


for name, symbol in dict(add="+", sub="-", mul="*", truediv="/", floordiv="//", mod="%", pow="**", matmul="@",
                         lshift="<<", rshift=">>", xor="^").items():
    operator(name, symbol)
T.__and__ = lambda s, o: (log.append(f"{s} & {o}"), T(f"({s}&{o})"))[1]
T.__or__ = lambda s, o: (log.append(f"{s} | {o}"), T(f"({s}|{o})"))[1]
T.__neg__ = lambda s: (log.append(f"-{s}"), T(f"-{s}"))[1]
T.__pos__ = lambda s: (log.append(f"+{s}"), T(f"+{s}"))[1]
T.__invert__ = lambda s: (log.append(f"~{s}"), T(f"~{s}"))[1]
for name, symbol in dict(lt="<", le="<=", eq="==", ne="!=", gt=">", ge=">=").items():
    setattr(T, f"__{name}__", lambda s, o, symbol=symbol: (log.append(f"{s} {symbol} {o}"), T(f"({s}{symbol}{o})"))[1])
T.__contains__ = lambda s, o: (log.append(f"{o} in {s}"), True)[1]

names = {c: T(c) for c in "abcdefg"}
names.update(F=T("F", False), Z=T("Z", False), T=T)
EXPRESSIONS = """a + b * c - d
a ** b ** c
-a ** -b
(a + b) * c
a @ b / c // d % e
~a & b | c ^ d << e >> f
not a == b
not a and b or c
a or b
F or b
F or Z
a and b
F and b
a and F and c
a < b < c
a < b > c == d
a in b in c
a is b is not c
a if b else c
a if F else c
a if F else b if Z else c
(a, b)[F and 1 or 0]
a.b.c(d)(e)[f]
a(b, *[c, d], e, x=f, **{'y': g})
a[b:c]
a[b:c:d, e]
a[...]
a[b, c]
a[:]
[a, *[b, c], d]
{a: b, **{c: d}, e: f}
(x := a + b) * x
[y := 1, y ** 2, y + 1]
(lambda p, q=a, *r, s=b, **t: (p, q, r, s, t))(c)
1 + a
1 - a * 2
2 ** a
'%s' % a
1 < 2 < 3 != 4 > 2
1 < 2 > 5
1 == 1.0 == True
a.b + a.b
a[0] + a[1]
not not a
not F
(not a) in b
a not in b
a is not b
- - + ~a
a if not F else b
(a or F) and (Z or c)
(a and F) or (Z and c)
a + (b if F else c)
lambda: (yield)
[*a[0:1:2].x.y(1)] if F else 0""".split("\n")
for text in EXPRESSIONS:
    log.clear()
    try:
        value = eval(text, dict(names))
        if callable(value) and not isinstance(value, T):
            value = "function"
    except Exception as e:
        value = f"{type(e).__name__}: {e}"
    print(text, "=>", value)
    print("   ", "; ".join(log))

# integers, floats and folding: what the compiler computes must be what the machine computes
import itertools

NUMBERS = ["0", "1", "-1", "7", "-7", "2.5", "-0.0", "10**20", "True", "1e308", "3j", "'ab'", "b'x'", "(1,)", "[1]", "None"]
for op in ["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@", "<", "<=", "==", "!=", ">", ">=", "is", "in", "not in", "and", "or"]:
    for x, y in itertools.product(NUMBERS, NUMBERS):
        if op == "<<" and y == "10**20" or op == "**" and "10**20" in (x, y) or op == "is":
            continue
        folded = f"({x}) {op} ({y})"
        try:
            r = eval(folded)
        except Exception as e:
            r = f"{type(e).__name__}: {e}"
        try:
            s = eval(f"x {op} y", {"x": eval(x), "y": eval(y)})
        except Exception as e:
            s = f"{type(e).__name__}: {e}"
        if repr(r) != repr(s):
            print("DIFFERENT", folded, repr(r), repr(s))
        print(folded, "=", repr(r))
for op in "-", "+", "~", "not ":
    for x in NUMBERS:
        try:
            r = eval(f"{op}({x})")
        except Exception as e:
            r = f"{type(e).__name__}: {e}"
        print(op, x, repr(r))
