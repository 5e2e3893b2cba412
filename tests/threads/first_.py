"""The second thread of a process starts in the middle of what the first one does with a container.

Rule D1: until then object locks are skipped; a section that can run Python code must not be open half
locked when a thread appears.  Each case needs a process of its own.
"""
import os
import sys

CASES = {
    "list.sort": "l = list(range(50)); l.sort(key=start); l.append(1)",
    "sorted": "l = list(range(50)); sorted(l, key=start); l.append(1)",
    "max": "l = list(range(50)); max(l, key=start)",
    "dict lookup": "k = {Key(i): i for i in range(20)}; k[Key(3)]; k.update({Key(30): 1}); k.pop(Key(3))",
    "set": "s = {Key(i) for i in range(20)}; s &= {Key(3)}; s.add(Key(5)); l.append(s)",
    "list ==": "a = [Key(i) for i in range(20)]; a == a[:]; a.remove(Key(19)); a.index(Key(3))",
    "extend": "l.extend(start(i) for i in range(50))",
    "dict.update": "d.update((i, start(i)) for i in range(50))",
    "slice": "l[1:2] = (start(i) for i in range(50))",
    "deque": "import collections; q = collections.deque(Key(i) for i in range(9)); q.remove(Key(7)); q.extend(map(start, l))",
    "__del__": "l[:] = [Dies() for i in range(20)]; l[3] = 1; l.clear(); l += [1, 2]",
    "setattr": "o = Dies(); o.x = Dies(); o.x = 1; o.__dict__ = {}; o.y = 2",
    "generator": "l.extend(x for x in map(start, range(9)) for y in l[:3])",
    "class body": "\nclass C:\n    x = start(1)\n    def __set_name__(self, *a): start(2)\nclass D(C):\n    y = C()\nC.x = 3",
    "import": "import textwrap; start(1); import colorsys",
    "lru_cache": "import functools; f = functools.lru_cache(start); f(1), f(1), f(2)",
    "re": "import re; re.sub('a', lambda m: str(start(1)), 'aaa')",
    "gc": "import gc\nclass R(Dies): pass\nfor i in range(5):\n    r = R(); r.me = r\ndel r; gc.collect()",
}
SOURCE = """
import _thread
started = []
stop = []
l = [1, 2, 3]
d = {}
def run():
    while not stop:
        try:
            l.append(4); l.pop(); l[0] = 5; d[1] = 2; d.pop(1, None)
        except IndexError: pass
    started.pop()
def start(x):
    if not started:
        started.append(1)
        _thread.start_new_thread(run, ())
    for i in range(300):
        try: l[0] = d.get(1)
        except IndexError: pass
    return 7
class Key:
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n % 3
    def __eq__(self, other):
        start(1)
        return self.n == other.n
class Dies:
    def __del__(self): start(1)
try:
    exec(CASE)
except (IndexError, KeyError, ValueError, RuntimeError): pass
for i in range(3000):
    l.append(i); d[i % 7] = l
stop.append(1)
import time
while started: time.sleep(0.001)
"""
from race import done

for name, text in CASES.items():
    pid = os.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", "CASE = %r\n" % text + SOURCE])
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == 0, (name, code)
done()
