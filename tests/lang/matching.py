"""match: every kind of pattern against many subjects."""
import collections
import collections.abc
import dataclasses
import re


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Positional:
    __match_args__ = ("a", "b")
    def __init__(self, **k): self.__dict__.update(k)


class Loud:
    def __eq__(self, other):
        print("   eq", other)
        return other == 3
    __hash__ = None


class Name:
    CONST = 7
    inner = type("Inner", (), {"DEEP": "deep"})


class Seq(collections.abc.Sequence):
    def __len__(self): return 3
    def __getitem__(self, i):
        if i >= 3: raise IndexError
        return i * 10


class Map(collections.abc.Mapping):
    def __len__(self): return 2
    def __iter__(self): return iter("ab")
    def __getitem__(self, k): return {"a": 1, "b": 2}[k]


SUBJECTS = [0, 1, -1, 3, 7, 1.0, 1.5, True, False, None, 2 + 3j, "", "a", "abc", b"x", "deep", [], [1], [1, 2], [1, 2, 3], [1, [2, 3], 4], (), (1,), (1, 2), (0, "x", None), {}, {"k": 1}, {"k": {"j": [1]}}, {"a": 1, "b": 2, "c": 3},
            {1: 2}, set(), range(3), Point(1, 2), Point(0), Positional(a=1, b=2), Positional(a=1), Loud(), int, Seq(), Map(), bytearray(b"ab"), collections.deque([1, 2]), collections.defaultdict(int), collections.Counter("a"), iter([1]), memoryview(b"ab"), ...]
PATTERNS = """1|-1|1.5|2+3j|2 - 3j|True|None|"a"|"a" "bc"|b"x"|Name.CONST|Name.inner.DEEP|x|_|[]|[x]|[x, y]|[x, *y]|[*x, y]|[1, *_, 3]|[*_]|(x, y)|(x,)|(x)|x, y|*x,|x, *y|[1, [a, b], c]|[1, [2, *a], *b]|{}|{"k": v}|{"k": {"j": [v]}}
{"a": 1, **rest}|{**rest}|{"a": _, "b": b}|{1: v}|{Name.CONST: v}|{-1: v}|{None: v}|{"x": 1 + 2j}|int()|int(x)|int(1)|bool()|str()|str(x)|float(1.0)|bytes(x)|list()|list([x, y])|tuple((x, *_))|dict()|dict({"k": v})|set()|range()|object()|object
Point()|Point(1)|Point(1, y)|Point(x=0)|Point(x=a, y=b)|Point(a, y=2)|Positional(1)|Positional(1, b)|Positional(b=b)|Positional(a=1, c=2)|1 | 2|int() | str()|(1 | 2) as n|[1 | 3 as q, *_]|int(real=r, imag=0)|x as y|[x, y] as z|[x] | [x, _]|{"k": x} | {"a": x}
(int() | float()) as num|[int(), str()] | [int(), int(), *_]|str() | None|3|[Point(x=px), *_]|Point(x=(1 | 0) as v)|{"k": 1 | 2 as v, **r}|_ as everything|[_, _]|[[[]]]|((1, 2) | [1]) as w|collections.deque([a, b])|memoryview()""".replace("\n", "|")
patterns, depth, current = [], 0, ""
for part in PATTERNS.split("|"):
    patterns.append(part)
joined, open_part = [], ""
for part in patterns:                      # alternatives were split, too: join what does not compile alone
    candidate = open_part + ("|" if open_part else "") + part
    if part.endswith(" ") or candidate.count("(") != candidate.count(")") or candidate.count("[") != candidate.count("]") or candidate.count("{") != candidate.count("}"):
        open_part = candidate
    else:
        joined.append(candidate.strip())
        open_part = ""
for text in joined:
    source = f"def test(subject):\n    match subject:\n        case {text}:\n            return {{k: v for k, v in locals().items() if k != 'subject'}}\n    return None\n"
    try:
        names = dict(globals())
        exec(source, names)
    except SyntaxError as e:
        print(text, "SyntaxError", e.msg)
        continue
    hits = []
    for i, subject in enumerate(SUBJECTS):
        try:
            r = names["test"](subject)
        except Exception as e:
            r = f"{type(e).__name__}: {e}"
        if r is not None:
            hits.append(re.sub(" at 0x[0-9a-f]+", "", f"{i}:{r if r else ''}"))
    print(text, "=>", "; ".join(hits))


def guards(x):
    match x:
        case int(n) if n > 100:
            return f"big {n}"
        case int(n) if (m := n * 2) > 50:
            return f"middle {m}"
        case int(n):
            return f"small {n}"
        case [a, b] if a == b:
            return "equal pair"
        case [a, b]:
            return f"pair {a} {b}"
        case {"type": "circle", "r": r} | {"type": "round", "radius": r}:
            return f"circle {r}"
        case str() as s if s.isupper():
            return "upper"
        case "yes" | "no" as answer:
            return f"answer {answer}"
        case _:
            return "other"


for x in 200, 30, 5, [1, 1], [1, 2], (3, 3), {"type": "circle", "r": 1}, {"type": "round", "radius": 2, "z": 3}, {"type": "x"}, "YES", "no", None, [1, 2, 3]:
    print(x, guards(x))


def soft():
    match = {"case": 1}
    case = match["case"]
    _ = match, case
    match[case] = 5
    match (case):
        case 1: print("one", match)
    match -case:
        case -1: print("minus one")
    match [case, _]:
        case [1, _]: print("list")
    match case, 2:
        case (1, 2): print("tuple")
    match *[1, 2], 3:
        case [*all]: print(all)
    print(match, -case, match.get(1))


soft()
for bad in ("int(1, 2)", "5()", "Point(1, 2, 3)", "Point(1, x=2)", "Name.missing", "undefined.x", "int(x, real=5)", "BadArgs(1)", "BadArgs2(1)"):
    class BadArgs: __match_args__ = "a"
    class BadArgs2: __match_args__ = (1,)
    for subject in "5", "Point(1, 2)", "BadArgs()", "BadArgs2()":
        try:
            exec(f"match {subject}:\n    case {bad}: print('matched')\n    case _: print('none', end=' ')", dict(globals()))
        except Exception as e:
            print(bad, subject, type(e).__name__, getattr(e, "msg", e))
print()
