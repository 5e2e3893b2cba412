"""What several threads count at once, of every kind: put into containers of their own and dropped, handed from one to
another, collected.  The counts stay right and all dies soon after its last reference went."""
import gc
import sys
import threading
import time
from collections import deque
from race import race, together, done


made, died = deque(), deque()


class Content:
    def __init__(self):
        made.append(1)

    def __del__(self):
        died.append(1)


class Plain:
    def __init__(self):
        self.content = Content()


class Slotted:
    __slots__ = ("content", "itself")

    def __init__(self):
        self.content, self.itself = Content(), self


def new_class():
    class Made:
        content = Content()
    return Made


def holders():
    d = {"content": Content()}
    d["itself"] = d
    return [Plain(), [Content()], (Content(), "text"), {"content": Content()}, frozenset([Content()]), Slotted(), d,
            "a text %d" % len(made), 1 << 100 + len(made) % 7, 1.5e300 * len(made), b"bytes %d" % len(made),
            new_class(), deque([Content()]), memoryview(bytearray(8)), range(len(made), 1 << 70), slice(Content(), 2),
            lambda content=Content(): content, iter([Content()]), len, complex(1, len(made))]


things = holders()


def in_lists():
    mine = []
    for thing in things:
        for _ in range(30):
            mine.append(thing)
    n = len(mine)
    del mine[::2]
    assert n - len(mine) == n - n // 2 or n - len(mine) == n // 2


def in_dicts():
    mine = {i: thing for i, thing in enumerate(things)}
    mine.update((-i, thing) for i, thing in enumerate(things))
    while mine:
        mine.popitem()


def in_instances():
    class Holder:
        pass
    for thing in list(things):
        h = Holder()
        h.a = h.b = thing
        h.c = (thing, thing)
        del h.a


def many():
    try:
        thing = things[made[0] * len(died) % len(things)]
    except IndexError:
        return
    for n in 100, 129, 300:
        mine = [thing] * n
        mine += [thing for _ in range(n)]
        del mine[n // 2:]


def replace():
    new = holders()
    for i, thing in enumerate(new):
        things[i] = thing


def counts():
    for thing in list(things):
        n = sys.getrefcount(thing)
        assert n < 1 << 29 or n >= 1 << 31, n  # a snapshot


race(in_lists, in_dicts, in_instances, many)
race(in_lists, in_lists, many, counts)
race(in_lists, in_dicts, replace, many)
race(in_instances, many, replace, gc.collect, seconds=1)


# Handed over: who made it is asleep, or gone.
def hand_over(i):
    for _ in range(200):
        new = holders()
        queues[(i + 1) % len(queues)].append(new)
        try:
            old = queues[i].popleft()
        except IndexError:
            continue
        kept = old * 20
        del kept[5:]
        queues[(i + 2) % len(queues)].append(kept)
        if len(queues[i]) > 5:
            time.sleep(0.0001)
            queues[i].popleft()


queues = [deque() for _ in range(4)]
together(hand_over)


# The threads are over: nothing is kept any more, and who drops the last reference sees it die.
def use_for_a_while(i):
    for _ in range(300):
        mine = [last for _ in range(20)]
        other = tuple(mine)
        del mine, other


for make in Plain, lambda: [Content()], lambda: (Content(), 1), lambda: {1: Content()}:
    last = make()
    together(use_for_a_while)
    before = len(died)
    del last
    for _ in range(3):
        pass
    assert len(died) == before + 1, (len(died), before)

# Another thread goes on: it gives back what it keeps before long.
last = [Content()]
stop, started = threading.Event(), threading.Event()


def use_and_go_on():
    for _ in range(1000):
        mine = [last for _ in range(20)]
    del mine
    started.set()
    while not stop.is_set():
        pass


t = threading.Thread(target=use_and_go_on)
t.start()
use_for_a_while(0)
started.wait()
before = len(died)
del last
end = time.monotonic() + 60
while len(died) == before and time.monotonic() < end:
    pass
stop.set()
t.join()
assert len(died) > before

things.clear()
for queue in queues:
    queue.clear()
for _ in range(3):
    gc.collect()
end = time.monotonic() + 60
while len(died) < len(made) and time.monotonic() < end:
    time.sleep(0.01)
    gc.collect()
assert len(made) == len(died), (len(made), len(died))
done()
