"""Threads take turns on one container, so long that it favours the one that has it, over and over: with a Lock and
without, of every length, while threads end, others are forked and the collector stops them."""
import collections
import gc
import os
import random
import threading
import time
from race import SECONDS, together, done

ROUNDS = int(40 * SECONDS)
lock = threading.Lock()
items, table, queue, members, data = [], {}, collections.deque(), set(), bytearray()
count = 0


class Point:
    pass


point = Point()
point.x = 0


def length_of_turn(r):
    return r.choice((1, 1, 3, 50, 1000, 3000))


# Each thread's changes are all there, in its order, and counters under the Lock are exact.
def locked_turns(i):
    global count
    r = random.Random(i)
    mine = 0
    for k in range(ROUNDS):
        for _ in range(length_of_turn(r)):
            with lock:
                items.append((i, mine))
                table[mine & 255] = i
                queue.append(mine)
                if len(queue) > 50:
                    queue.popleft()
                members.add(mine & 1023)
                data.append(i)
                count += 1
                point.x += 1
            mine += 1
        if k % 8 == i % 8:
            gc.collect()
        elif k % 5 == 0:
            time.sleep(0.0002)
        if len(items) > 50000:
            with lock:
                seen = [0] * 8
                for who, n in items:
                    assert seen[who] <= n
                    seen[who] = n
                items.clear()
                data.clear()
    return mine


for threads in 2, 3, 8:
    before = count
    totals = together(locked_turns, threads)
    assert count == point.x == before + sum(totals), (count, point.x, before, totals)
    assert len(queue) == 50
    items.clear()
    data.clear()


# Without a Lock: no append is lost, no item is taken twice, whoever is favoured.
def open_turns(i):
    r = random.Random(100 + i)
    mine, got = 0, []
    for k in range(ROUNDS):
        n = length_of_turn(r)
        if r.random() < 0.6:
            for _ in range(n):
                items.append((i, mine))
                queue.append((i, mine))
                table[i, mine] = mine
                mine += 1
        else:
            for _ in range(n):
                try:
                    got.append(items.pop())
                    queue.popleft()
                    table.popitem()
                except (IndexError, KeyError):
                    break
        if k % 7 == 0:
            assert len(items + items) % 2 == 0  # both locks at once
    return mine, got


for threads in 2, 4:
    items.clear(), queue.clear(), table.clear()
    results = together(open_turns, threads)
    left = collections.Counter(items)
    for _, got in results:
        left.update(got)
    assert sum(left.values()) == len(left) == sum(mine for mine, _ in results)
    for i, (mine, _) in enumerate(results):
        assert all((i, n) in left for n in range(mine))


# The thread that is favoured ends; so do its successors.
def add(n):
    for k in range(n):
        with lock:
            items.append(k)


items.clear()
sizes = [2000, 1, 500, 2000, 2000, 3, 1000] * 4
for n in sizes:
    t = threading.Thread(target=add, args=(n,))
    t.start()
    t.join()
assert len(items) == sum(sizes)
add(2000)

# A child goes on with containers that favour threads it does not have.
stop = False


def go_on():
    while not stop:
        add(700)


crew = [threading.Thread(target=go_on, daemon=True) for _ in range(3)]
for t in crew:
    t.start()
for _ in range(8):
    with lock:
        items.clear()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            lock = threading.Lock()
            before = len(items)
            children = [threading.Thread(target=add, args=(1500,)) for _ in range(3)]
            for t in children:
                t.start()
            add(1500)
            for t in children:
                t.join(30)
            code = 0 if len(items) == before + 6000 else 2
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
stop = True
for t in crew:
    t.join()

# More threads at once than a lock byte has numbers.
items.clear()
gate = threading.Barrier(80)


def one_of_many(i):
    gate.wait(60)
    add(600)


together(one_of_many, 80)
assert len(items) == 80 * 600
done()
