"""What the profile-guided build learns from: every program of bench/ and every statement of bench/micro for a moment,
and a part of the standard library compiled.  usage: weft train.py

What a run does not reach at all is optimised as in a plain build, but within a function that it reaches the branches it
does not take are moved out of the way: so it has to be broad.  Objects that threads share take other branches, so the
programs run once more where a second thread exists, and in it, one thread at a time: the counters are not atomic."""
import glob
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MOMENT = 0.3      # seconds a program
GLIMPSE = 0.01    # and a statement


def load_programs():
    for folder in "programs", "shared", "counted", "written":
        for path in sorted(glob.glob(os.path.join(HERE, folder, "*.py"))):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            scope = {"__name__": "program", "__file__": path}
            exec(compile(text, path, "exec"), scope)
            yield scope["run"]


def for_a_moment(run):
    end = time.perf_counter() + MOMENT
    run()
    while time.perf_counter() < end:
        run()


def programs():
    runs = list(load_programs())
    for run in runs:
        for_a_moment(run)
    for run in runs:
        thread = threading.Thread(target=for_a_moment, args=(run,))
        thread.start()
        thread.join()


def statements():
    path = os.path.join(HERE, "micro", "statements")
    scope = {"__name__": "statements", "__file__": path}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), scope)
    for name, before, statement in scope["cases"]():
        run = scope["loop"](before, statement)
        end = time.perf_counter() + GLIMPSE
        run(20, time.perf_counter)
        while time.perf_counter() < end:
            run(20, time.perf_counter)


def library():
    folder = os.path.dirname(os.__file__)
    for path in sorted(glob.glob(os.path.join(folder, "*.py")))[::3]:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec")


def main():
    programs()
    statements()
    library()


main()
