"""Runs one of CPython's test files on the interpreter that runs this script.

usage: INTERPRETER one.py TEST_FILE REPORT
       INTERPRETER one.py --list TEST_FILE     only prints the ids of the file's tests

A line a test goes to REPORT as soon as the test ends, so that a crash loses nothing:  outcome <tab> id <tab> message.
Optional resources (network, large files ...) are off.
"""
import os
import sys
import unittest


class Reporter(unittest.TestResult):
    """Keeps the worst outcome of the running test and writes it when the test stops."""

    rank = {"PASS": 0, "XFAIL": 1, "SKIP": 2, "UXPASS": 3, "FAIL": 4, "ERROR": 5}

    def __init__(self, report):
        super().__init__()
        self.report = report
        self.process = os.getpid()
        self.worst = None

    def write(self, outcome, name, message=""):
        if os.getpid() == self.process:
            last = (str(message).strip().splitlines() or [""])[-1][:300]
            self.report.write("%s\t%s\t%s\n" % (outcome, name.split("\n")[0], last))
            self.report.flush()

    def note(self, test, outcome, message=""):
        if self.worst is None:  # the set-up of a class or a module
            self.write(outcome, test.id() if hasattr(test, "id") else str(test), message)
        elif self.rank[outcome] > self.rank[self.worst[0]]:
            self.worst = (outcome, message)

    @staticmethod
    def say(error):
        try:
            return "%s: %s" % (error[0].__name__, error[1])
        except Exception:
            return error[0].__name__

    def startTest(self, test):
        self.worst = ("PASS", "")
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        outcome, message = self.worst
        self.worst = None
        self.write(outcome, test.id(), message)

    def addError(self, test, error):
        self.note(test, "ERROR", self.say(error))

    def addFailure(self, test, error):
        self.note(test, "FAIL", self.say(error))

    def addSkip(self, test, reason):
        if self.worst is None or not hasattr(test, "test_case"):
            self.note(test, "SKIP", reason)

    def addExpectedFailure(self, test, error):
        self.note(test, "XFAIL")

    def addUnexpectedSuccess(self, test):
        self.note(test, "UXPASS")

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.note(test, "FAIL" if issubclass(error[0], AssertionError) else "ERROR", self.say(error))


def without_vsock(suite):
    kept = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            kept.addTest(without_vsock(test))
        elif "VSOCK" not in test.id():
            kept.addTest(test)
    return kept


def print_ids(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            print_ids(test)
        else:
            print(test.id())


def deeper(frames, run):
    """Calls run() some frames down, where recursion tests expect to be."""
    return run() if frames == 0 else deeper(frames - 1, run)


def main():
    import importlib
    import tempfile
    from test import support

    if sys.argv[1] == "--list":
        print_ids(unittest.TestLoader().loadTestsFromModule(importlib.import_module("test." + sys.argv[2])))
        return
    name, path = sys.argv[1], os.path.abspath(sys.argv[2])
    del sys.argv[1:]
    report = open(path, "w", encoding="utf-8", errors="backslashreplace")
    result = Reporter(report)
    support.use_resources = set()
    support.verbose = False
    os.chdir(tempfile.mkdtemp(prefix=name + "-"))
    try:
        module = importlib.import_module("test." + name)
    except unittest.SkipTest as reason:
        result.write("SKIPMOD", name, reason)
    except BaseException as error:
        result.write("IMPORTERR", name, repr(error))
    else:
        if hasattr(module, "test_main"):
            support._run_suite = lambda suite: suite.run(result)
            try:
                module.test_main()
            except unittest.SkipTest as reason:
                result.write("SKIP", name + ".test_main", reason)
            except BaseException as error:
                result.write("FAIL", name + ".test_main", repr(error))
            else:
                if result.testsRun == 0:
                    result.write("PASS", name + ".test_main")
        else:
            suite = without_vsock(unittest.TestLoader().loadTestsFromModule(module))
            deeper(15, lambda: suite.run(result))
    result.write("DONE", name)
    report.close()
    os._exit(0)


if __name__ == "__main__":
    main()
