"""fork() in a process whose other threads are busy: the child works and ends."""
import gc
import io
import os
import signal
import sys
import threading
import time
import race
from race import done

stop = False
lock = threading.Lock()
shared = {}


def busy(i):
    l = []
    local.x = [i]
    while not stop:
        l.append({i: l})
        shared[i, len(l)] = str(len(l))
        if len(l) > 100:
            l.clear()
            shared.clear()
        with lock:
            pass


def generator():
    while not stop:
        yield 1


def in_generator():
    for _ in generator():
        pass


local = threading.local()
pool = [threading.Thread(target=busy, args=(i,), daemon=True) for i in range(3)]
pool.append(threading.Thread(target=in_generator, daemon=True))
for t in pool:
    t.start()
for n in range(15):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            assert threading.active_count() == 1, threading.enumerate()
            assert len(sys._current_frames()) == 1
            gc.collect()
            out = []
            ts = [threading.Thread(target=lambda: out.append(sum(range(1000)))) for _ in range(4)]
            for t in ts:
                t.start()
            for t in ts:
                t.join()
            assert len(out) == 4
            import json
            json.dumps({"a": [1, 2]})
            gc.collect()
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + 20
    while True:
        done_pid, status = os.waitpid(pid, os.WNOHANG)
        if done_pid:
            break
        if time.monotonic() > end:
            os.kill(pid, 9)
            sys.exit("a child hangs")
        time.sleep(0.002)
    assert status == 0, status
stop = True
for t in pool:
    t.join()

# What another thread was inside of at the fork is free in the child: it answers, or says that it cannot.
import hashlib
import zlib


def busy(step):
    while not stopping:
        step(data)


data = os.urandom(1 << 20)
stopping = False
digest, packer = hashlib.sha256(), zlib.compressobj(9)
small = hashlib.blake2b()
pool = [threading.Thread(target=busy, args=(step,)) for step in (digest.update, packer.compress, small.update)]
for t in pool:
    t.start()
for i in range(10):
    time.sleep(0.01)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(30)
            for _ in range(2):
                assert len(digest.digest()) == 32 and len(small.digest()) == 64
                digest.update(b"more")
                try:
                    packer.compress(b"more")
                    packer.copy()
                except (zlib.error, ValueError):
                    pass
            fresh = zlib.compressobj()
            assert zlib.decompress(fresh.compress(b"x" * 100) + fresh.flush()) == b"x" * 100
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
stopping = True
for t in pool:
    t.join()

# A thread that was inside a finalizer, with another one to come: the child makes that one, and the threads
# that it starts, which take over what is left of the old one, make theirs.
class Finalized:
    def __init__(self, fn):
        self.fn = fn

    def __del__(self):
        self.fn()


def waits():
    inside.set()
    may_go_on.wait()


def drops():
    l = [Finalized(waits), Finalized(lambda: made.append(1))]
    del l


def drops_in_child():
    for _ in range(3):
        Finalized(lambda: made.append(2))
        l = [Finalized(lambda: made.append(2))]
        l.append(l)
        del l
        gc.collect()


def wait_for(pid, seconds=30):
    end = time.monotonic() + seconds
    while True:
        pid_done, status = os.waitpid(pid, os.WNOHANG)
        if pid_done:
            assert status == 0, status
            return
        if time.monotonic() > end:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            sys.exit("a child hangs")
        time.sleep(0.001)


inside, may_go_on, made = threading.Event(), threading.Event(), []
t = threading.Thread(target=drops)
t.start()
inside.wait()
pid = os.fork()
if pid == 0:
    code = 1
    try:
        ts = [threading.Thread(target=drops_in_child) for _ in range(8)]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
        gc.collect()
        assert made.count(2) == 8 * 6, made
        assert made.count(1) == 1, made
        code = 0
    finally:
        os._exit(code)
wait_for(pid)
may_go_on.set()
t.join()
assert made == [1], made

# Streams that other threads were inside of: the child uses them, also in threads that take over what is left
# of the others, and one thread at a time is in each, whoever comes first.
class Slow(io.RawIOBase):
    def writable(self):
        return True

    def write(self, b):
        inside.set()
        if os.getpid() == parent:
            may_go_on.wait()
        return len(b)


class Alone(io.RawIOBase):
    busy = False

    def writable(self):
        return True

    def write(self, b):
        assert not self.busy
        self.busy = True
        os.getppid()
        self.busy = False
        return len(b)


def first_uses(streams, barrier, failed):
    try:
        barrier.wait()
        for s in streams:
            s.write(b"x")
            s.flush()
    except BaseException:
        failed.append(1)
        raise


parent = os.getpid()
inside, may_go_on = threading.Event(), threading.Event()
slow = io.BufferedWriter(Slow(), 4)
t = threading.Thread(target=slow.write, args=(b"abcdefgh",))
t.start()
inside.wait()
streams = [io.BufferedWriter(Alone(), 4) for _ in range(300)]
for i in range(5):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            barrier, failed = threading.Barrier(4), []
            ts = [threading.Thread(target=first_uses, args=([slow] + streams, barrier, failed)) for _ in range(4)]
            for t in ts:
                t.start()
            for t in ts:
                t.join()
            code = len(failed)
        finally:
            os._exit(code)
    wait_for(pid)
may_go_on.set()
t.join()


# A thread that forks while it is inside of a stream is inside of it in the child, too.
class Forks(Alone):
    def write(self, b):
        if pids:
            return len(b)
        pids.append(os.fork())
        if pids[-1] == 0:
            failed = []
            other = threading.Thread(target=lambda: (stream.write(b"from another"), steps.append("other")))
            other.start()
            time.sleep(0.05)
            steps.append("first")
            child.append(other)
        return len(b)


pids, child, steps = [], [], []
stream = io.BufferedWriter(Forks(), 4)
stream.write(b"abcdefgh")
if pids[-1] == 0:
    child[0].join()
    os._exit(0 if steps == ["first", "other"] else 1)
wait_for(pids[0])

# Threads that were just being started, or ending: memory and the threads' remains are whole in the child.
def short():
    [i for i in range(50)]


def starts():
    while not stopping:
        ts = [threading.Thread(target=short) for _ in range(4)]
        for t in ts:
            t.start()
        for t in ts:
            t.join()


stopping = False
pool = [threading.Thread(target=starts) for _ in range(2)]
for t in pool:
    t.start()
end = time.monotonic() + 4 * race.SECONDS
while time.monotonic() < end:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            text = [b"x" * (i * 40) for i in range(300)]
            lists = [list(range(i)) for i in range(300)]
            ts = [threading.Thread(target=short) for _ in range(2)]
            for t in ts:
                t.start()
            for t in ts:
                t.join()
            code = 0
        finally:
            os._exit(code)
    wait_for(pid)
stopping = True
for t in pool:
    t.join()

# A child that another thread than the main one forked ends when its last thread does, not before.
def forks():
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=lambda: (time.sleep(0.05), os.write(writing, b"x"))).start()
        return
    codes.append(os.waitpid(pid, 0)[1])


codes = []
reading, writing = os.pipe()
for i in range(3):
    t = threading.Thread(target=forks)
    t.start()
    t.join()
assert codes == [0] * 3 and os.read(reading, 9) == b"xxx", codes

# A class changes in a child although another thread was in the middle of such a change, in the __eq__ of a key; so does one where
# that __eq__ forks.
class Odd:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        meet()
        return False


class Base:
    pass


def change():
    odd = type("Changed", (Base,), {Odd(name): 1 for name in ("__repr__", "__len__", "__init__", "__del__", "__eq__")})
    odd.__repr__ = lambda self: "x"


def child():
    signal.alarm(60)
    code = 1
    try:
        class Other(Base):
            pass
        Other.__len__ = lambda self: 3
        code = len(Other()) - 3
    finally:
        os._exit(code)


met = 0
for at in range(1, 8):
    inside, go = threading.Event(), threading.Event()
    met, forker = 0, threading.get_ident()

    def meet():
        global met
        if threading.get_ident() != forker:
            met += 1
            if met == at:
                inside.set()
                go.wait()
    t = threading.Thread(target=lambda: (change(), inside.set()))
    t.start()
    inside.wait()
    pid = os.fork()
    if pid == 0:
        child()
    assert os.waitpid(pid, 0)[1] == 0, at
    go.set()
    t.join()
    count = 0

    def meet():
        global count
        count += 1
        if count == at:
            pid = os.fork()
            if pid == 0:
                child()
            assert os.waitpid(pid, 0)[1] == 0, at
    change()
assert met >= 2
done()
