"""Lock, RLock, Condition, Semaphore, Event, Barrier, Queue and executors keep their word."""
import os
import queue
import signal
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from race import together, done, failures

threading.excepthook = lambda a: failures.append("".join(traceback.format_exception(a.exc_value)))
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


# Who takes a lock in a loop does not keep the others out; every way of waiting keeps it exclusive.
def greedy(i):
    mine = 0
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        if i % 4 == 0:
            for _ in range(100):
                with lock:
                    inside[0] += 1
                    assert inside[0] == 1
                    inside[0] -= 1
        elif i % 4 == 1:
            lock.acquire()
            inside[0] += 1
            assert inside[0] == 1
            inside[0] -= 1
            lock.release()
        elif i % 4 == 2:
            if not lock.acquire(timeout=0.00005 * (i % 5 + 1)):
                continue
            inside[0] += 1
            assert inside[0] == 1
            inside[0] -= 1
            lock.release()
        else:
            with lock:
                inside[0] += 1
                time.sleep(0.0001)
                assert inside[0] == 1
                inside[0] -= 1
            time.sleep(0.001)
        mine += 1
    assert mine or i % 4 == 2
    return mine


together(greedy, 16)
assert not lock.locked()

# A lock as a signal: one thread takes it, another gives it back.
baton = threading.Lock()
passed = [0]


def passes(i):
    for _ in range(2000):
        if i % 2:
            baton.acquire()
            passed[0] += 1
        else:
            while not baton.locked():
                time.sleep(0)
            try:
                baton.release()
            except RuntimeError:  # the other one was faster
                pass


def ends(i):
    threads = [threading.Thread(target=passes, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        if not threads[0].is_alive() and baton.locked():
            baton.release()
        time.sleep(0.001)


ends(0)
assert passed[0] == 2000

# A wait that a signal handler ends by an exception leaves the others their lock.
interrupts = 0


class Interrupt(Exception):
    pass


def handler(*args):
    raise Interrupt


def contend():
    while not stop:
        with lock:
            for _ in range(50):
                pass
        with rlock:
            pass


stop = False
threads = [threading.Thread(target=contend) for _ in range(3)]
for t in threads:
    t.start()
signal.signal(signal.SIGALRM, handler)
end = time.monotonic() + 0.5
while time.monotonic() < end:
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0003)
            while True:
                with lock:
                    pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Interrupt:
        interrupts += 1
    if lock.acquire(timeout=20):
        lock.release()
    else:
        raise AssertionError("the lock was lost")
stop = True
for t in threads:
    t.join()
assert interrupts and not lock.locked()

# A child of a fork finds a lock that others waited for at that moment.
stop = False
threads = [threading.Thread(target=contend) for _ in range(3)]
for t in threads:
    t.start()
for _ in range(10):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if lock.locked():  # by nobody who exists
                lock.release()
            total = 0

            def again():
                global total
                for _ in range(2000):
                    with lock:
                        total += 1

            crew = [threading.Thread(target=again) for _ in range(4)]
            for t in crew:
                t.start()
            for t in crew:
                t.join(30)
            code = 0 if total == 8000 else 2
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    time.sleep(0.002)
stop = True
for t in threads:
    t.join()
# Waiters are moved to the holder's processor; afterwards each may run where it might before.
where = os.sched_getaffinity(0)


def contend(i):
    global total
    me = where if i % 2 else {min(where)}
    os.sched_setaffinity(0, me)
    for n in range(20):
        until = time.monotonic() + 0.01
        while time.monotonic() < until:
            for _ in range(2000):
                with lock:
                    total += 1
        assert os.sched_getaffinity(0) == me, (os.sched_getaffinity(0), me)
        if n % 3 == i % 3:
            time.sleep(0.001)
            sum(range(20000))
    os.sched_setaffinity(0, where)
    return n


total = 0
together(contend)
assert total % 2000 == 0 and total > 0
got = []


def leave_it():
    '''Takes the lock often, then never again: who was to get it then has it soon.'''
    until = time.monotonic() + 0.03
    while time.monotonic() < until:
        for _ in range(500):
            with lock:
                got.append(1)
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        sum(range(1000))


for _ in range(5):
    others = [threading.Thread(target=leave_it) for _ in range(2)]
    for t in others:
        t.start()
    time.sleep(0.1)
    assert lock.acquire(timeout=20)
    lock.release()
    for t in others:
        t.join()

# Two threads have a lock in turns of milliseconds; others try it, wait for it for a while, release it for
# them if they ask, and ask whether it is held, and a child of a fork finds it as it was.


def in_turns(make):
    shared = make()
    inside = [0]
    counted = [0, 0, 0, make is not threading.Lock]
    please = []
    stop, visited = threading.Event(), threading.Event()

    def enter():
        inside[0] += 1
        assert inside[0] == 1
        inside[0] -= 1

    def worker(i):
        while not stop.is_set():
            for n in range(3000):
                with shared:
                    counted[i] += 1
                    enter()
            with shared:
                if i == 0 and counted[0] % 27 == 0:
                    forks()
            if make is threading.Lock and visited.is_set():
                shared.acquire()
                enter()
                please.append(i)
                while please:
                    pass

    def forks():
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                if make is threading.Lock:
                    assert shared.locked() and not shared.acquire(False)
                shared.release()
                with shared:
                    code = 0
            finally:
                os._exit(code)
        assert os.waitpid(pid, 0)[1] == 0

    def visitor():
        k = 0
        visited.set()
        while not stop.is_set() or any(t.is_alive() for t in threads[:2]):
            k += 1
            if please:
                counted[3] += 1
                shared.release()
                please.pop()
            if shared.acquire(False) if k % 2 else shared.acquire(timeout=0.0001 * (k % 7 + 1)):
                counted[2] += 1
                enter()
                shared.release()
            assert "locked" in repr(shared)
            time.sleep(0.0003 * (k % 5))

    threads = [threading.Thread(target=worker, args=(i,)) for i in range(2)] + [threading.Thread(target=visitor)]
    for t in threads[:2]:
        t.start()
    time.sleep(0.15)
    threads[2].start()
    time.sleep(0.15)
    assert shared.acquire(timeout=20)
    enter()
    shared.release()
    stop.set()
    for t in threads:
        t.join()
    assert all(counted), counted
    assert shared.acquire(False)
    shared.release()
    try:
        shared.release()
    except RuntimeError:
        pass
    else:
        raise AssertionError("released twice")


in_turns(threading.Lock)
in_turns(threading.RLock)
assert not failures, failures[0]

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
