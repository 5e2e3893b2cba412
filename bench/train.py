"""What the profile-guided build learns from: every program of bench/ for a moment, and a part of the standard
library compiled.  usage: weft train.py"""
import glob
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MOMENT = 0.3  # seconds a program


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


def library():
    folder = os.path.dirname(os.__file__)
    for path in sorted(glob.glob(os.path.join(folder, "*.py")))[::3]:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec")


def main():
    programs()
    library()


main()
