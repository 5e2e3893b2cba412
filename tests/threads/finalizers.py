"""Finalizers and weak callbacks that other threads' drops make due never run inside a `with lock:`.

Each of them takes the lock.  CPython runs them in the thread that drops, outside the lock; if they ran
in the thread that holds it, the program would hang.
"""
import faulthandler
import gc
import queue
import threading
import time
import weakref

from race import together, done

LIMIT = 60
faulthandler.dump_traceback_later(LIMIT, exit=True)


def wait_for(what):
    end = time.monotonic() + LIMIT / 2
    while not what() and time.monotonic() < end:
        time.sleep(0.001)
    assert what()


def carriers_start(seconds=0.4):
    """Everybody who is awake holds a lock, so threads of their own are started for the finalizers, while
    another thread has the collector look at all threads again and again."""
    count, made = [0], [0]
    lock = threading.Lock()
    passing = queue.SimpleQueue()
    end = time.monotonic() + seconds

    class Final:
        def __del__(self):
            with lock:
                count[0] += 1

    def maker():
        with threading.Lock():
            while time.monotonic() < end:
                made[0] += 1
                passing.put([[Final()]])
                time.sleep(0.002)
        passing.put(None)

    def dropper():
        with threading.Lock():
            while passing.get() is not None:
                pass

    def collector():
        with threading.Lock():
            while time.monotonic() < end:
                gc.collect()

    together(lambda i: (maker, dropper, collector)[i](), threads=3)
    wait_for(lambda: count[0] == made[0])


def hang_test(make_lock, use_weakref, rounds=200):
    """The owner makes objects and holds the lock most of the time; another thread drops them."""
    lock = make_lock()
    count = [0]
    inside = []
    passing = queue.SimpleQueue()
    refs = []
    ended = []

    def ran(*_):
        if inside[:1] == [threading.get_ident()]:
            inside.append("a finalizer ran inside the section")
        with lock:
            count[0] += 1

    class Final:
        def __del__(self):
            ran()

    class Watched:
        pass

    def owner():
        for i in range(rounds):
            for _ in range(5):
                if use_weakref:
                    o = Watched()
                    refs.append(weakref.ref(o, ran))
                else:
                    o = [[Final()]]
                passing.put(o)
                del o
            with lock:
                inside[:] = [threading.get_ident()]
                for k in range(300):
                    str(k)
                assert len(inside) == 1, inside
                inside.clear()
        passing.put(None)

    def dropper():
        while passing.get() is not None:
            pass
        ended.append(True)

    together(lambda i: (owner, dropper)[i](), threads=2)
    wait_for(lambda: count[0] == rounds * 5)


for make_lock in threading.Lock, threading.RLock:
    for use_weakref in False, True:
        hang_test(make_lock, use_weakref)


def own_drop_test():
    """What the thread itself dropped before it took the lock, from a shared container."""
    lock = threading.Lock()
    count = [0]
    stop = []
    shared = {}

    class Final:
        def __del__(self):
            with lock:
                count[0] += 1

    def reader():
        while not stop:
            for i in range(50):
                shared.get(i)

    def dropper():
        for i in range(2000):
            shared[i % 50] = Final()
            shared.pop((i + 1) % 50, None)
            with lock:
                for _ in range(20):
                    str(i)
        shared.clear()
        stop.append(1)

    together(lambda i: (dropper, reader, reader)[i](), threads=3)
    wait_for(lambda: count[0] == 2000)


own_drop_test()


def blocking_test():
    """A finalizer that waits holds up neither other finalizers nor whoever does not wait for it."""
    release = threading.Event()
    waiting = threading.Event()
    lock = threading.Lock()
    passing = queue.SimpleQueue()
    count = [0]

    class Waits:
        def __del__(self):
            waiting.set()
            release.wait()

    class Final:
        def __del__(self):
            with lock:
                count[0] += 1

    def owner():
        with lock:
            passing.put(Waits())
            for _ in range(20):
                passing.put(Final())
            passing.put(None)
            passing.put(None)
            # The finalizers run elsewhere: the one that waits begins while this thread holds the lock.
            assert waiting.wait(LIMIT / 2)
        # Although the first one still waits; whoever runs it late may have one more object in hand.
        wait_for(lambda: count[0] >= 19)
        release.set()

    def dropper():
        while passing.get() is not None:
            pass

    together(lambda i: (owner, dropper, dropper)[i](), threads=3)
    wait_for(lambda: count[0] == 20)


blocking_test()


def lock_counts_test():
    """Locks given back by other threads, given up while held, or left to wait: no thread is taken for
    being in a section for ever."""
    lock = threading.Lock()
    go = threading.Event()

    def take():
        lock.acquire()
        threading.Lock().acquire()
        go.set()

    t = threading.Thread(target=take)
    t.start()
    t.join()
    go.wait()
    lock.release()
    c = threading.Condition()
    with c:
        c.wait(0.001)
    hang_test(threading.Lock, False, rounds=20)


lock_counts_test()
carriers_start()
faulthandler.cancel_dump_traceback_later()

# A finalizer whose lock the program holds to the end does not keep it from ending.
last = threading.Lock()


class Last:
    def __del__(self):
        if last.acquire(timeout=0.01):
            last.release()


kept = [Last()]
t = threading.Thread(target=kept.pop)
t.start()
t.join()
last.acquire()
done()
