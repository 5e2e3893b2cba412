"""The process ends while daemon threads run Python code, sleep and hold locks."""
import os
import sys
import time

CHILD = """
import threading, time, sys
lock = threading.Lock()
class D:
    def __del__(self): pass
def spin():
    d = {}
    while True:
        d[len(d) % 100] = D()
        with lock: pass
def sleep():
    while True: time.sleep(0.001)
def wait():
    threading.Event().wait()
def write():
    while True: sys.stderr.write("")
for f in (spin, sleep, wait, write, spin):
    threading.Thread(target=f, daemon=True).start()
time.sleep(0.02)
"""
from race import done


def run(source):
    """The exit code of an interpreter that runs `source`, output thrown away."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.execv(sys.executable, [sys.executable, "-c", source])
    end = time.monotonic() + 60
    while time.monotonic() < end:
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "hangs"


for end, code in (("", 0), ("sys.exit(3)", 3), ("raise SystemExit(4)", 4), ("1/0", 1)):
    for _ in range(4):
        got = run(CHILD + end)
        assert got == code, (end, got)
done()
