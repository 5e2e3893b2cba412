#!/bin/bash
# Ctrl-C ends what blocks or computes: KeyboardInterrupt, death by SIGINT.
. "$(dirname "$0")/lib.sh.inc"
check all 0 '^ok' "$weft" - "$weft" <<'END'
import os, signal, subprocess, sys, time
patience = int(os.environ.get('PATIENCE', '1'))
tests = {
    'sleep': 'import time; time.sleep(100)',
    'lock': 'import _thread; l = _thread.allocate_lock(); l.acquire(); l.acquire()',
    'timed lock': 'import _thread; l = _thread.allocate_lock(); l.acquire(); l.acquire(True, 100)',
    'queue': 'import queue; queue.Queue().get()',
    'simple queue': 'import queue; queue.SimpleQueue().get()',
    'join': 'import threading, time; t = threading.Thread(target=time.sleep, args=(100,), daemon=True); t.start(); t.join()',
    'event': 'import threading; threading.Event().wait()',
    'barrier': 'import threading; threading.Barrier(2).wait()',
    'pipe': 'import os; r, w = os.pipe(); os.read(r, 1)',
    'buffered pipe': 'import os; r, w = os.pipe(); open(r, "rb").read()',
    'pipe line': 'import os; r, w = os.pipe(); open(r).readline()',
    'pipe write': 'import os; r, w = os.pipe(); open(w, "wb").write(b"x"*10000000)',
    'select': 'import select; select.select([], [], [], 100)',
    'poll': 'import select; select.poll().poll(100000)',
    'subprocess': 'import subprocess; subprocess.run(["sleep", "30"], start_new_session=True, stderr=subprocess.DEVNULL)',
    'input': 'input()',
    'stdin': 'import sys; sys.stdin.read()',
    'script from stdin': None,
    'loop': 'while 1: pass',
    'sum': 'sum(range(10**11))',
    'any': 'any(iter(int, 1))',
    'min': 'min(iter(int, 1))',
    'all repeat': 'import itertools; all(itertools.repeat(1))',
    'deque': 'import itertools, collections; collections.deque(itertools.count(), maxlen=0)',
    'contains': '5 in iter(int, 1)',
    'max': 'max(range(10**12))',
    'product': 'import itertools; sum(1 for _ in itertools.product(range(100), repeat=10))',
    'islice': 'import itertools; next(itertools.islice(itertools.count(), 10**12, None))',
    'sort': 'l = list(range(10**6, 0, -1))\nwhile 1: sorted(l, key=lambda v: v % 1000)',
    'pow': 'pow(3, 10**100000, 10**100000 + 1)',
    'factorial': 'import math; math.factorial(10**8)',
    'regex': 'import re; re.match("(a*)*b", "a"*40)',
    'gc': 'import gc\nl = [[] for i in range(10**5)]\nwhile 1: gc.collect()',
    'result': 'import concurrent.futures as c, time; e = c.ThreadPoolExecutor(1); f = e.submit(time.sleep, %d); f.result()' % (2 * patience),
}
failed = []
running = []
def start(name):
    command = [sys.argv[1]] + (['-'] if tests[name] is None else ['-c', tests[name]])
    return name, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
names = list(tests)
for at in range(0, len(names), 4):
    group = [start(name) for name in names[at:at + 4]]
    time.sleep(1.5 * patience)
    for name, p in group:
        p.send_signal(signal.SIGINT)
    for name, p in group:
        try:
            p.wait(20 * patience)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            failed.append(name + ': goes on')
        text = p.stderr.read().decode().strip()
        if p.returncode != -2 or not text.endswith('KeyboardInterrupt'):
            failed.append('%s: %s %s' % (name, p.returncode, text[-200:]))
        p.stdin.close()
        p.stderr.close()
print('\n'.join(failed) or 'ok')
END
finish
