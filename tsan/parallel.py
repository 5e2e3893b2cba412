#!/usr/bin/python3.11
"""Runs each test method of CPython's test modules in several threads at once, each with an instance of its own.

usage: parallel.py [--program WEFT] [--threads N] [--seconds N] MODULE...
       parallel.py --child MODULE THREADS         one module, in this process

The tests are not written for that: they share files, sys.stdout, warning filters, class attributes.  So a test that fails
says nothing.  What counts, and makes the exit code 1: a process that ends by a signal, a report of a sanitizer, a test that
does not end within --seconds (60), and SystemError.  Modules are those of CPython's package `test`: test_list, test_re ...
"""
import os
import re
import sys

REPORT = re.compile("ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|Sanitizer:DEADLYSIGNAL")
# Tests that change what belongs to the process (its limits, signals, folder, descriptors), or end it.
LEFT_OUT = ("fork", "signal", "interrupt", "kill", "pidfd", "subprocess", "daemon", "atexit", "test_exit", "recursion_limit",
            "setrecursion", "settrace", "stdin", "stdout", "stderr", "chdir", "environ", "umask", "closefrom", "close_range",
            "commandline", "testbreak")


def cases(suite):
    for item in suite:
        try:
            yield from cases(item)
        except TypeError:
            yield item


def run_one(cls, name, barrier, told):
    import threading
    import unittest
    result = unittest.TestResult()
    try:
        test = cls(name)
    except Exception:  # made by a loader of its own, as doctests are
        test = None
    try:
        barrier.wait(10)
    except threading.BrokenBarrierError:
        pass
    if test is None:
        return
    try:
        test.run(result)
    except BaseException as error:
        told.append("%s: %s" % (type(error).__name__, error))
    told.extend(text for _, text in result.errors + result.failures)


def child(module, count, seconds):
    import importlib
    import threading
    import time
    import unittest
    passed = failed = bad = 0
    out, errors = sys.stdout, sys.stderr  # tests put others in their place
    loaded = importlib.import_module("test." + module)
    for test in cases(unittest.defaultTestLoader.loadTestsFromModule(loaded)):
        cls, name = type(test), getattr(test, "_testMethodName", "")
        where = "%s.%s.%s" % (module, cls.__name__, name)
        if any(part in where.lower() for part in LEFT_OUT) or cls.__name__.startswith("_Failed"):
            continue
        print(where, file=errors, flush=True)
        try:
            cls.setUpClass()
        except Exception:
            continue
        told, barrier = [], threading.Barrier(count)
        pool = [threading.Thread(target=run_one, args=(cls, name, barrier, told), daemon=True) for _ in range(count)]
        for t in pool:
            t.start()
        end = time.monotonic() + seconds
        for t in pool:
            t.join(max(0.1, end - time.monotonic()))
        if any(t.is_alive() for t in pool):
            bad += 1
            print("%s: does not end" % where, file=out, flush=True)
        for text in told:
            if "SystemError" in text:
                bad += 1
                print("%s: %s" % (where, text[-1500:]), file=out, flush=True)
                break
        try:
            cls.tearDownClass()
        except Exception:
            pass
        passed, failed = passed + (not told), failed + bool(told)
    print("%d passed, %d failed" % (passed, failed), file=out, flush=True)
    os._exit(1 if bad else 0)


def run_module(command, module, count, seconds):
    """What is wrong, as lines; and how many tests passed and failed."""
    import subprocess
    import tempfile
    with tempfile.TemporaryDirectory(prefix="weft-parallel.", ignore_cleanup_errors=True) as place, \
            tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([*command, "--child", module, str(count), str(seconds)], cwd=place,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True)
        try:
            code = process.wait(1800)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            code = None
        texts = []
        for stream in (out, errors):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
        said, log = texts
        wrong = [line for line in said.splitlines() if ": does not end" in line or "SystemError" in line]
        report = REPORT.search(log)
        if report:
            wrong.append(log[max(0, report.start() - 200):report.start() + 4000])
        if code is None or code < 0:
            how = "does not end" if code is None else "ends by signal %d" % -code
            wrong.append("%s, after: %s" % (how, "".join(log.splitlines(True)[-3:])))
        elif code != 0 and not wrong:  # the module cannot be imported, or it has ended the process
            said = "not run to its end: %s" % log.strip().splitlines()[-1:]
        return wrong, (said.strip().splitlines() or [""])[-1]


def main(arguments):
    program, count, seconds = sys.executable, 4, 60
    modules = []
    while arguments:
        option = arguments.pop(0)
        if option == "--child":
            child(arguments[0], int(arguments[1]), float(arguments[2]))
        elif option == "--program":
            program = os.path.abspath(arguments.pop(0))
        elif option == "--threads":
            count = int(arguments.pop(0))
        elif option == "--seconds":
            seconds = float(arguments.pop(0))
        elif option.startswith("-"):
            sys.exit(__doc__)
        else:
            modules.append(option)
    if not modules:
        sys.exit(__doc__)
    status = 0
    for module in modules:
        wrong, counts = run_module([program, os.path.abspath(__file__)], module, count, seconds)
        print("%-28s %s" % (module, counts), flush=True)
        for line in wrong:
            status = 1
            print("  BAD", line, flush=True)
    return status


sys.exit(main(sys.argv[1:]))
