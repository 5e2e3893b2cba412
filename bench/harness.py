"""The measured side of bench/run: loads one program and runs it as often as it is told.

usage: harness.py FILE            serves lines "TIMES THREADS" on standard input: THREADS threads (the main one and
                                  others, which stay for the next line) call the program's run() TIMES times each;
                                  answers when that began and ended (seconds of the system's monotonic clock, which
                                  all processes share) and the processor time it took
       harness.py --memory NAME   prints the bytes that an element of a list of a million NAME takes
"""
import gc
import os
import queue
import sys
import threading
import time

MILLION = 1000000


class Helper:
    """A thread that calls run() when asked to."""

    def __init__(self, run):
        self.run = run
        self.wanted, self.done = queue.SimpleQueue(), queue.SimpleQueue()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            repeat(self.run, self.wanted.get())
            self.done.put(None)


def repeat(run, times):
    for _ in range(times):
        run()


def serve(path):
    with open(path, encoding="utf-8") as file:
        code = compile(file.read(), path, "exec")
    scope = {"__name__": "program", "__file__": path}
    exec(code, scope)
    run, helpers = scope["run"], []
    for line in sys.stdin:
        times, threads = map(int, line.split())
        helpers.extend(Helper(run) for _ in range(threads - 1 - len(helpers)))
        crew = helpers[:threads - 1]
        cpu, start = time.process_time(), time.monotonic()
        for helper in crew:
            helper.wanted.put(times)
        repeat(run, times)
        for helper in crew:
            helper.done.get()
        end = time.monotonic()
        print(start, end, time.process_time() - cpu, flush=True)


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


# What the elements hold are small ints that every interpreter has once, so only the elements count.
BUILDERS = {
    "ints": lambda: [i for i in range(1000, 1000 + MILLION)],
    "floats": lambda: [i * 0.5 for i in range(1, 1 + MILLION)],
    "instances": lambda: [Point(1, 2) for _ in range(MILLION)],
    "dicts": lambda: [{"x": 1, "y": 2} for _ in range(MILLION)],
    "tuples": lambda: [(i & 1, 2) for i in range(MILLION)],
}


def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory(name):
    gc.collect()
    before = resident()
    made = BUILDERS[name]()
    for _ in range(20):  # allocators give freed memory back a while later, when they are asked again
        time.sleep(0.02)
        bytearray(1 << 20)
    print((resident() - before) / len(made))


def main():
    if sys.argv[1] == "--memory":
        memory(sys.argv[2])
    else:
        serve(sys.argv[1])


main()
