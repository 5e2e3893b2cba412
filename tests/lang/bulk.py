"""Operations that work on many items at once: counting, splitting, comparing, making lists and bytes of things."""
import random
from collections import Counter
from itertools import pairwise, zip_longest

r = random.Random(3)
for text, part in (("abcabc" * 100, "bc"), ("aaaa" * 30, "aa"), ("a" * 101, "aaa"), ("ab" * 300 + "abb", "abb"),
                   ("x" * 500 + "needle" + "x" * 11, "needle"), ("aXbX" * 50, "Xb"), ("", "ab"), ("ab", "ab"),
                   ("a" * 1000, "a" * 17), (("a" * 15 + "b") * 80, "ab"), ("\xe9\xea" * 99, "\xea\xe9"),
                   ("ab" * 100, "ab" * 9)):
    print(text.count(part), text.count(part, 3), text.count(part, 1, 40), text[3:].count(part),
          text.encode("latin-1").count(part.encode("latin-1")), len(text.split(part)), len(text.replace(part, "-")))
for _ in range(400):
    text = "".join(r.choice("ab") for _ in range(r.randrange(200)))
    part = "".join(r.choice("ab") for _ in range(r.randrange(1, 6)))
    n = at = 0
    while (at := text.find(part, at)) >= 0:
        n += 1
        at += len(part)
    assert n == text.count(part) == text.encode().count(part.encode()), (text, part)

for b in b"a,b,,c", b",", b"", b"abc", b",a" * 30, b"a" * 40 + b"," + b"b" * 50:
    print(b.split(b","), b.split(b",", 1), bytearray(b).split(b",", 2), b.rsplit(b",", 1))

d, e = {i: i for i in range(50)}, {i: i for i in reversed(range(50))}
print(d == e, d != e, d == {**e, 7: 8}, d == {**e, 99: 1}, {"a": 1, "b": 2} == {"b": 2, "a": 1.0}, {"a": 1} == {"b": 1})
del e[5]
e[5] = 5
print(d == e, e == d, {0: 1} == {False: True}, {1: None} == {1.0: None}, {"x": [1]} == {"x": [1]})
f = dict(d)
del f[3]
f[3] = 3
del d[4]
d[4] = "four"
print(d == f, f == d, dict.fromkeys("abc") == dict.fromkeys("cba"))


class Odd:
    def __init__(self, box, answer):
        self.box, self.answer = box, answer

    def __eq__(self, other):
        self.box.clear()
        self.box["gone"] = 1
        return self.answer


box = {}
box.update(a=1, b=Odd(box, True), c=3)
print({"a": 1, "b": 2, "c": 3} == box, box)

print(bytes([1, 2, 255]), bytes((1, 2)), bytes(list(range(256))) == bytes(range(256)))
for bad in [256], [-1], ["a"], [1, None]:
    try:
        bytes(bad)
    except (ValueError, TypeError) as error:
        print(error)


class Shrinks:
    def __index__(self):
        del growing[3:]
        return 7


growing = [1, Shrinks(), 2, 3, 4, 5]
print(bytes(growing))

print(list("h\xe9llo"), list(""), list("\u20acx\U0001f600"), sorted("hello world"), [*"ab", *"\u20ac"])
n = []
n.extend("abc")
n += "de"
print(n)

kept = list(pairwise(range(6)))
print(kept, [p for p in pairwise("abcd")], list(zip_longest("ab", "cde", fillvalue=0)), list(zip("ab", "cd", "ef")))
for a, b, c in zip("abc", "def", "ghi"):
    print(a, b, c, end=";")
z = zip("abcdef", range(6), range(6))
first = next(z)
second = next(z)
third = next(z)
print(first, second, third, next(z)[0], next(z)[1])


class Count(Counter):
    pass


class Loud(Counter):
    def __setitem__(self, key, value):
        super().__setitem__(key, value * 10)


print(Counter("hello"), Count("aab"), Loud("aab"))
c = Counter("hello")
del c["l"], c["zz"]
print(c)

import math
import os.path as path
print(getattr(math, "nothing", 5), hasattr(math, "nothing"), hasattr(math, "pi"), hasattr(path, "__getattr__"))
math.__getattr__ = lambda name: name * 2 if name == "more" else getattr(None, name)
print(math.more, hasattr(math, "more"), getattr(math, "less", 0), hasattr(math, "less"))
del math.__getattr__
try:
    math.more
except AttributeError as error:
    print(error)
