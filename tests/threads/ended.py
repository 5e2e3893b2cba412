"""What a thread leaves when it has ended: whoever has joined it finds its references gone, its objects dead and the count of
threads right, as in CPython."""
import _imp
import _thread
import concurrent.futures
import gc
import os
import sys
import threading
import time
import weakref

from race import done, failures

gc.disable()


class Kept:
    pass


def work(kept):
    local.kept = Kept()
    seen.append(weakref.ref(local.kept))
    return [kept]


local = threading.local()
seen = []
late = wrong = 0
ROUNDS = 200
for i in range(ROUNDS):
    kept = Kept()
    threads = [threading.Thread(target=work, args=(kept,)) for _ in range(1 + i % 3)]
    seen += [weakref.ref(kept)] + [weakref.ref(t) for t in threads]
    for t in threads:
        t.start()
    del kept
    while threads:
        threads.pop().join()
    del t
    if _thread._count() != 0:
        wrong += 1
    # With others still at work a grace period may have to wait for them; here there is nobody.
    if any(r() is not None for r in seen) or len(threading._dangling) != 1:
        late += 1
        end = time.monotonic() + 10
        while any(r() is not None for r in seen) and time.monotonic() < end:
            time.sleep(0.001)
    if any(r() is not None for r in seen):
        failures.append("something of a thread is left 10 seconds after it was joined")
        break
    seen.clear()
if wrong:
    failures.append("_count() was wrong %d times" % wrong)
if late > ROUNDS // 10:
    failures.append("something of a thread was left as it was joined, %d times of %d" % (late, ROUNDS))

for i in range(30):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(abs, range(5)))
    del pool
    if _thread._count() != 0:
        failures.append("_count() of a pool")

# A fork waits for the import lock: the child sees no module that is just being put in place, and may import.
for i in range(5):
    started = threading.Event()

    def importer():
        _imp.acquire_lock()
        sys.modules["half done"] = "half"
        started.set()
        time.sleep(0.01)
        sys.modules["half done"] = "whole"
        _imp.release_lock()
    t = threading.Thread(target=importer)
    t.start()
    started.wait()
    pid = os.fork()
    if pid == 0:
        ok = sys.modules["half done"] == "whole" and not _imp.lock_held() and _thread._count() == 0
        _imp.acquire_lock()
        import colorsys
        _imp.release_lock()
        os._exit(0 if ok else 1)
    t.join()
    if os.waitpid(pid, 0)[1] != 0 or _imp.lock_held():
        failures.append("a child of fork() sees a module that another thread is putting in place")
_imp.acquire_lock()  # who forks may hold it
pid = os.fork()
if pid == 0:
    ok = _imp.lock_held()
    _imp.release_lock()
    os._exit(0 if ok and not _imp.lock_held() else 1)
_imp.release_lock()
if os.waitpid(pid, 0)[1] != 0:
    failures.append("the import lock of a child whose parent held it")
done()
