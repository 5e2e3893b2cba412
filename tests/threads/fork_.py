"""fork() in a process whose other threads are busy: the child works and ends."""
import gc
import os
import signal
import sys
import threading
import time
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
done()
