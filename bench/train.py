"""What the profile-guided build learns from: every program of bench/ and every statement of bench/micro for a moment,
and a part of the standard library compiled.  usage: weft train.py

What a run does not reach at all is optimised as in a plain build, but within a function that it reaches the branches it
does not take are moved out of the way: so it has to be broad."""
import glob
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MOMENT = 0.3      # seconds a program
GLIMPSE = 0.01    # and a statement


def programs():
    for folder in "programs", "shared", "written":
        for path in sorted(glob.glob(os.path.join(HERE, folder, "*.py"))):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            scope = {"__name__": "program", "__file__": path}
            exec(compile(text, path, "exec"), scope)
            end = time.perf_counter() + MOMENT
            scope["run"]()
            while time.perf_counter() < end:
                scope["run"]()


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
