"""A thread iterates over an iterator that it has made, and at some moment a second one joins in: each
position comes once, also the one that the first thread is at just then (thread-safety.md, I1, I1a).  Then:
the second one's first step comes as the first thread ends the iterator, which alone holds what it goes over."""
import itertools
import random
import sys
import threading
import time
from race import SECONDS, check, failures, done

N = 300
R = range(N)
LIST, TUPLE, DICT, SET = list(R), tuple(R), dict.fromkeys(R, 0), set(R)


def loop(it, out):
    for x in it:
        out.append(x)


def pairs(it, out):
    for n, x in it:
        out.append(n)


def calls(it, out):
    step = it.__next__
    try:
        while True:
            out.append(step())
    except StopIteration:
        pass


def extends(it, out):
    out.extend(it)


def counts(it, out):
    for x in it:
        if x >= N:
            break
        out.append(x)


# Makers, ways to go through one, and what the numbers are that come out.
KINDS = [
    (lambda: iter(LIST), (loop, calls, extends)),
    (lambda: reversed(LIST), (loop, calls)),
    (lambda: iter(TUPLE), (loop, calls)),
    (lambda: iter(R), (loop, calls)),
    (lambda: reversed(R), (loop,)),
    (lambda: iter(DICT), (loop, calls)),
    (lambda: reversed(DICT), (loop,)),
    (lambda: iter(DICT.items()), (pairs,)),
    (lambda: iter(SET), (loop, calls)),
    (lambda: itertools.count(), (counts,)),
    (lambda: enumerate(LIST), (pairs,)),
]

# The iterator of a round, with its number, is put into `box`; the second thread joins in after a while.
box = [0, None, None]
ended = threading.Event()
second = []
rounds_done = 0


def joins():
    seen = 0
    try:
        while not ended.is_set():
            number, it, way = box
            if number == seen or it is None:
                continue
            seen = number
            for _ in range(random.randrange(60)):
                pass
            out = []
            way(it, out)
            second.append((number, out))
    except BaseException as e:
        failures.append(repr(e))


def rounds(kind, ways, seconds):
    global box
    end = time.monotonic() + seconds
    number = box[0]
    while time.monotonic() < end and not failures:
        for way in ways:
            number += 1
            it = kind()
            out = []
            box = number, it, way
            way(it, out)
            while not second and not failures:
                pass
            if failures:
                return
            other, rest = second.pop()
            if other != number:
                failures.append(f"round {other} instead of {number}")
            if kind is COUNT:
                missing = set(R) - set(out) - set(rest)
                if missing or len(out) + len(rest) != N:
                    failures.append(f"{it!r} {way.__name__}: {len(out)} and {len(rest)}, without {missing}")
            elif sorted(out + rest) != LIST:
                twice = sorted(x for x in set(out + rest) if (out + rest).count(x) > 1)
                failures.append(f"{it!r} {way.__name__}: twice {twice}, without {set(R) - set(out + rest)}")


COUNT = KINDS[9][0]
thread = threading.Thread(target=joins)
thread.start()
try:
    for kind, ways in KINDS:
        rounds(kind, ways, 2 * SECONDS)
finally:
    ended.set()
    thread.join()
check()

def stepped(it):
    next(it)
    return it


# Iterators that are about to end, which alone hold the objects that they go over.
LAST = [
    lambda: iter([]),
    lambda: stepped(iter(([],))),
    lambda: reversed([]),
    lambda: iter({}),
    lambda: iter({}.items()),
    lambda: iter(set()),
    lambda: iter(bytearray()),
]
hand = [None]
ended.clear()


def takes():
    try:
        while not ended.is_set():
            it = hand[0]
            if it is not None:
                hand[0] = None
                for x in it:
                    failures.append(f"{it!r} yields {x!r}")
                it = None
    except BaseException as e:
        failures.append(repr(e))


def last_steps(kind, seconds):
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end and not failures:
        for n in range(n, n + 100):
            it = kind()
            hand[0] = it
            for _ in range(n % 23):
                pass
            next(it, None)
            again = [n], [n], (n, n), {n: n}  # in the place of what has gone
            it = None


thread = threading.Thread(target=takes)
thread.start()
try:
    for kind in LAST:
        last_steps(kind, 2 * SECONDS)
finally:
    ended.set()
    thread.join()
check()
done()
