"""Lock, RLock, Condition, Semaphore, Event, Barrier, Queue and executors keep their word."""
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from race import together, done

N = 3000
lock = threading.Lock()
rlock = threading.RLock()
total = 0


def with_lock(i):
    global total
    for _ in range(N):
        with lock:
            total += 1


together(with_lock)
assert total == 4 * N
total = 0


def with_rlock(i):
    global total
    for _ in range(N):
        with rlock:
            with rlock:
                total += 1


together(with_rlock)
assert total == 4 * N
inside = [0]


def tries(i):
    won = 0
    for _ in range(N):
        if lock.acquire(False):
            inside[0] += 1
            assert inside[0] == 1
            inside[0] -= 1
            won += 1
            lock.release()
        elif lock.acquire(timeout=0.01):
            lock.release()
    return won


together(tries)
cond = threading.Condition()
items = []


def produce_consume(i):
    if i % 2:
        for k in range(500):
            with cond:
                items.append((i, k))
                cond.notify()
        return []
    got = []
    while len(got) < 500:
        with cond:
            assert cond.wait_for(lambda: items, timeout=20)
            got.append(items.pop())
    return got


got = together(produce_consume)
assert len({x for p in got for x in p}) == 1000

sem = threading.BoundedSemaphore(2)
level = [0]


def limited(i):
    for _ in range(300):
        with sem:
            level[0] += 1
            assert level[0] <= 4
            level[0] -= 1


together(limited)
barrier = threading.Barrier(4)


def rounds(i):
    for _ in range(50):
        barrier.wait(20)


together(rounds)

for make in (queue.Queue, queue.SimpleQueue, queue.LifoQueue, lambda: queue.Queue(3)):
    q = make()

    def move(i):
        if i % 2:
            for k in range(500):
                q.put((i, k))
            return []
        return [q.get(timeout=20) for _ in range(500)]

    got = together(move)
    assert len({x for p in got for x in p}) == 1000 and q.empty()

with ThreadPoolExecutor(4) as pool:
    assert list(pool.map(lambda x: x * x, range(500))) == [x * x for x in range(500)]
    futures = [pool.submit(divmod, i, 3) for i in range(200)]
    assert [f.result(20) for f in futures] == [divmod(i, 3) for i in range(200)]
    assert isinstance(pool.submit(lambda: 1 / 0).exception(20), ZeroDivisionError)
done()
