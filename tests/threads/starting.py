"""Thousands of threads started and ended, in threads; idents, sentinels, exceptions."""
import _thread
import subprocess
import sys
import threading
import time
from race import race, together, done

seen = []


def child():
    seen.append(threading.get_ident())


def start():
    t = threading.Thread(target=child)
    t.start()
    t.join()
    assert not t.is_alive()


race(start, seconds=1)


def tree(n):
    if n:
        ts = [threading.Thread(target=tree, args=(n - 1,)) for _ in range(2)]
        for t in ts:
            t.start()
        for t in ts:
            t.join()


together(lambda i: tree(4))
count = [0]
lock = _thread.allocate_lock()


def raw():
    with lock:
        count[0] += 1
    _thread.exit()


for _ in range(300):
    _thread.start_new_thread(raw, ())
end = time.monotonic() + 20
while count[0] < 300 and time.monotonic() < end:
    time.sleep(0.01)
assert count[0] == 300
errors = []
threading.excepthook = lambda a: errors.append(a.exc_type)
ts = [threading.Thread(target=lambda: 1 / 0) for _ in range(20)]
for t in ts:
    t.start()
for t in ts:
    t.join()
assert errors == [ZeroDivisionError] * 20
assert threading.active_count() == 1
# However small the system's default is, a new thread has a stack that a nested expression fits on.
script = """
import _thread
def parse():
    print(eval("(" * 195 + "1" + ")" * 195), flush=True)
    lock.release()
lock = _thread.allocate_lock()
lock.acquire()
_thread.start_new_thread(parse, ())
lock.acquire(timeout=60)
"""
small = subprocess.run(["sh", "-c", 'ulimit -s 128; exec "$0" -S -c "$1"', sys.executable, script], capture_output=True)
assert small.stdout == b"1\n", small

done()
