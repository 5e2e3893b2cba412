"""Semaphores of several processes, shared memory, and faulthandler's dumps while threads run."""
import _multiprocessing
import _posixshmem
import faulthandler
import os
import tempfile
import threading
from race import race, together, done

SEMAPHORE, RECURSIVE = 1, 0


def make(kind, value, most):
    made = _multiprocessing.SemLock(kind, value, most, "/weft%d-%d" % (os.getpid(), len(names)), True)
    names.append(made.name)
    return made


names = []
recursive, semaphore = make(RECURSIVE, 1, 1), make(SEMAPHORE, 3, 3)
counts = {"in": 0, "inside": 0, "most": 0}
guard = threading.Lock()


def locked(i):
    for n in range(300):
        with recursive:
            with recursive:
                assert recursive._count() == 2 and recursive._is_mine()
                counts["in"] += 1
        with semaphore:
            with guard:
                counts["inside"] += 1
                counts["most"] = max(counts["most"], counts["inside"])
            semaphore._get_value(), semaphore._is_zero()
            with guard:
                counts["inside"] -= 1


together(locked)
assert counts["in"] == 1200 and counts["inside"] == 0 and 1 <= counts["most"] <= 3, counts
assert semaphore._get_value() == 3 and not recursive._is_mine()


def timed():
    if semaphore.acquire(True, 0.001):
        semaphore.release()
    if recursive.acquire(False):
        recursive.release()
    repr(semaphore), semaphore.handle, semaphore.maxvalue, semaphore.kind, recursive._count()


race(timed)

# One name for shared memory that all make and unlink.
name = "/weft-race-%d" % os.getpid()


def open_it():
    fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_RDWR, 0o600)
    os.ftruncate(fd, 100)
    os.close(fd)


def unlink_it():
    _posixshmem.shm_unlink(name)


race(open_it, unlink_it, allow=(FileNotFoundError,))
open_it()
unlink_it()

# Dumps of all threads, by call and by the watchdog, while they call, raise and end.
path = tempfile.mkstemp()[1]
out = open(path, "w")


def dump():
    faulthandler.dump_traceback(out, all_threads=True)
    if out.tell() > 100000:
        out.seek(0)
        out.truncate()


def watch():
    faulthandler.dump_traceback_later(0.001, repeat=True, file=out)
    sum(range(1000))
    faulthandler.cancel_dump_traceback_later()


def deep(n=30):
    if n:
        return deep(n - 1)
    raise ValueError


def spawn():
    t = threading.Thread(target=lambda: None)
    t.start()
    t.join()


race(dump, deep, spawn, allow=(ValueError,))
race(watch, deep, spawn, dump, allow=(ValueError,))
out.truncate(0)
faulthandler.dump_traceback(out)
out.close()
with open(path) as f:
    assert "most recent call first" in f.read()
os.unlink(path)
done()
