"""Times run() of a program of bench/programs: usage: harness.py NAME THREADS.  Prints seconds: the best of five
repetitions, each with THREADS threads calling run() once on data of their own."""
import importlib.util
import os
import sys
import threading
import time


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs", name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    best = None
    for _ in range(5):
        crew = [threading.Thread(target=module.run) for _ in range(threads - 1)]
        start = time.perf_counter()
        for thread in crew:
            thread.start()
        module.run()
        for thread in crew:
            thread.join()
        seconds = time.perf_counter() - start
        best = seconds if best is None else min(best, seconds)
    print(best)


main()
