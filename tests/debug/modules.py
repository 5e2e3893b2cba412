"""Prints the names of the standard library's pure-Python modules, packages by their own name."""
import os
import sys

# Importing these does something, or needs a screen or another system.
APART = {"antigravity", "this", "idlelib", "lib2to3", "turtle", "turtledemo", "tkinter", "msilib", "distutils",
         "test", "__phello__", "pydoc_data", "ensurepip", "venv", "lib-dynload", "config-3"}
place = os.path.dirname(os.__file__)
for name in sorted(os.listdir(place)):
    module, extension = os.path.splitext(name)
    if extension not in ("", ".py") or module.startswith("_sysconfig") or not module.isidentifier():
        continue
    if extension == "" and not os.path.exists(os.path.join(place, name, "__init__.py")):
        continue
    if module not in APART:
        print(module)
