# Lists and tuples from iterators of any length; verdicts of abstract classes that change.
import abc
import gc
import itertools
from _abc import _reset_caches, _reset_registry


def numbers(n, fail=None):
    for i in range(n):
        if i == fail:
            raise ValueError(i)
        yield i


for n in (0, 1, 7, 8, 9, 31, 4095, 4096, 4097, 5000, 70000):
    made = list(numbers(n))
    print(n, len(made), made == [*range(n)], tuple(numbers(n)) == tuple(range(n)), sorted(numbers(n)) == made)
for n, fail in ((10, 0), (10, 9), (5000, 4095), (5000, 4096), (9000, 8999)):
    for make in (list, tuple, sorted):
        try:
            make(numbers(n, fail))
        except ValueError as e:
            print(make.__name__, e)


class Hinted:
    def __init__(self, n, hint):
        self.n, self.hint = n, hint

    def __iter__(self):
        return numbers(self.n)

    def __length_hint__(self):
        if isinstance(self.hint, Exception):
            raise self.hint
        return self.hint


for hint in (0, 1, 5, 10 ** 5, -1, "x", NotImplemented, TypeError("t"), ValueError("v"), 2 ** 62, 10 ** 30):
    try:
        print(hint if type(hint) is not int or hint < 2 ** 60 else "big", list(Hinted(5, hint)))
    except (ValueError, TypeError, MemoryError, OverflowError) as e:
        print(type(e).__name__, e)
try:
    list(3)
except TypeError as e:
    print(e)
try:
    list(numbers(3), 4)
except TypeError as e:
    print(e)
try:
    list(iterable=())
except TypeError as e:
    print(e)


class Sub(list):
    pass


print(type(Sub(numbers(3))), Sub(numbers(3)), list(map(str, numbers(3))), list({1: 2}), list("é€a"))
seen = []
watched = []
watched.__init__(seen.append(len(watched)) or i for i in range(3))
print(watched, seen)

# -- tee and cycle: one that another one is ahead of
a, b, c = itertools.tee(numbers(130), 3)
print(sum(a), next(b), sum(b), [next(c) for _ in range(3)], sum(c), next(c, "end"), next(a, "end"))
x = itertools.cycle(numbers(3))
print([next(x) for _ in range(11)], x.__reduce__()[2][1])
print(list(itertools.islice(itertools.cycle([]), 3)))


# -- abstract classes
class A(abc.ABC):
    pass


class B:
    pass


class C(B):
    pass


def verdicts():
    return [isinstance(C(), A), issubclass(C, A), isinstance(B(), A), issubclass(int, A), isinstance(1, A)]


for _ in range(3):
    print(verdicts())
A.register(B)
for _ in range(3):
    print(verdicts())
C.x = 1
print(verdicts())
C.__bases__ = (type("D", (), {}),)
print(verdicts()[2:])
_reset_caches(A)
print(verdicts())
A.register(int)
print(verdicts())
_reset_registry(A)
_reset_caches(A)
print(verdicts())


class Hook(abc.ABC):
    answer = True

    @classmethod
    def __subclasshook__(cls, other):
        return cls.answer


print([isinstance("", Hook) for _ in range(3)])
Hook.answer = False
print([isinstance(b"", Hook) for _ in range(3)])
_reset_caches(Hook)
print([isinstance("", Hook) for _ in range(3)])


class Pretends:
    @property
    def __class__(self):
        return B


A.register(B)
print([isinstance(Pretends(), A) for _ in range(3)], issubclass(Pretends, A))
for i in range(20):  # classes that come and go
    name = type("T", (B,) if i % 2 else (), {})
    if [isinstance(name(), A) for _ in range(3)] != [bool(i % 2)] * 3:
        print("wrong", i)
    del name
    gc.collect()
