"""Times run() of a program of bench/programs: usage: harness.py NAME THREADS.  Prints seconds a call: the best of five
repetitions, each with THREADS threads (the main one and others) calling run() equally often on data of their own, for a
quarter of a second or more."""
import importlib.util
import os
import sys
import threading
import time

LEAST = 0.25  # seconds a repetition


def repeat(run, times):
    for _ in range(times):
        run()


def seconds(run, times, threads):
    crew = [threading.Thread(target=repeat, args=(run, times)) for _ in range(threads - 1)]
    start = time.perf_counter()
    for thread in crew:
        thread.start()
    repeat(run, times)
    for thread in crew:
        thread.join()
    return time.perf_counter() - start


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs", name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    times = 1
    while True:
        once = seconds(module.run, times, threads)
        if once >= LEAST:
            break
        times = max(times + 1, min(times * 8, int(times * LEAST * 1.1 / once)))
    print(min([once] + [seconds(module.run, times, threads) for _ in range(4)]) / times)


main()
