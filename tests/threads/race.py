"""race.py -- what the racing scripts share: threads that do things at once, for a while.

race(a, b, ..., allow=(KeyError,)) runs each function over and over in threads of its own
(four at least) until the time is over, all starting together.  An exception that is not
allowed fails the script; one that is allowed is swallowed, and the function called again.
A script ends with done(), which prints "ok".  RACE_SECONDS in the environment: how long
one race lasts.
"""
import os
import sys
import threading
import time
import traceback

SECONDS = float(os.environ.get("RACE_SECONDS", "0.5"))
THREADS = 4
failures = []


def race(*functions, allow=(), seconds=None, threads=None):
    seconds = SECONDS if seconds is None else seconds
    count = max(threads or THREADS, len(functions))
    barrier = threading.Barrier(count)

    def work(function):
        try:
            barrier.wait()
            end = time.monotonic() + seconds
            while time.monotonic() < end and not failures:
                for _ in range(20):
                    try:
                        function()
                    except allow:
                        pass
        except BaseException:
            failures.append(traceback.format_exc())

    pool = [threading.Thread(target=work, args=(functions[i % len(functions)],))
            for i in range(count)]
    for t in pool:
        t.start()
    for t in pool:
        t.join()
    check()


def together(function, threads=THREADS):
    """Calls function(number) once in each of several threads; returns the results."""
    barrier = threading.Barrier(threads)
    results = [None] * threads

    def work(i):
        try:
            barrier.wait()
            results[i] = function(i)
        except BaseException:
            failures.append(traceback.format_exc())

    pool = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for t in pool:
        t.start()
    for t in pool:
        t.join()
    check()
    return results


def check():
    if failures:
        print(failures[0], file=sys.stderr)
        sys.exit(1)


def done():
    check()
    print("ok")
