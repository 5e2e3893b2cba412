"""The measured side of bench/run: loads one program and runs it as often as it is told.

usage: harness.py FILE            serves lines "TIMES THREADS" on standard input: THREADS threads (the main one and
                                  others) call the program's run() TIMES times each; answers the seconds it took
       harness.py --memory NAME   prints the bytes that an element of a list of a million NAME takes
"""
import gc
import os
import sys
import threading
import time

MILLION = 1000000


def repeat(run, times):
    for _ in range(times):
        run()


def seconds(run, times, threads):
    """From the start of the first thread to the end of the last."""
    crew = [threading.Thread(target=repeat, args=(run, times)) for _ in range(threads - 1)]
    start = time.perf_counter()
    for thread in crew:
        thread.start()
    repeat(run, times)
    for thread in crew:
        thread.join()
    return time.perf_counter() - start


def serve(path):
    with open(path, encoding="utf-8") as file:
        code = compile(file.read(), path, "exec")
    scope = {"__name__": "program", "__file__": path}
    exec(code, scope)
    for line in sys.stdin:
        times, threads = map(int, line.split())
        print(seconds(scope["run"], times, threads), flush=True)


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
    print((resident() - before) / len(made))


def main():
    if sys.argv[1] == "--memory":
        memory(sys.argv[2])
    else:
        serve(sys.argv[1])


main()
