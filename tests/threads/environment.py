"""The environment of the process, changed by several threads while the C library and we read it."""
import os
import sys
import time
from race import race, done

NAMES = ["WEFT_RACE_%d" % i for i in range(60)]


def setter():
    for n in NAMES:
        os.putenv(n, "x" * 20)
        os.putenv(n, "y" * 30)


def remover():
    for n in NAMES:
        os.unsetenv(n)


def switch():
    os.environ["PYTHONBREAKPOINT"] = "0"
    os.environ["TZ"] = "UTC"
    os.environ.pop("TZ", None)
    os.environ["PYTHONBREAKPOINT"] = "builtins.len"


def read():
    time.tzset()
    assert time.strftime("%Y", time.gmtime(0)) == "1970"
    time.mktime(time.gmtime(86400))
    sys.breakpointhook([])


os.environ["PYTHONBREAKPOINT"] = "0"
race(setter, remover, switch, read, read, allow=KeyError)
for n in NAMES:
    os.unsetenv(n)
os.environ["LAST"] = "is set"
os.environ["LAST"] = "is set again"
os.putenv("FIRST", "1")
os.unsetenv("FIRST")
lines = os.popen("env").read().splitlines()
assert "LAST=is set again" in lines and len([line for line in lines if line.startswith("LAST=")]) == 1
assert not [line for line in lines if line.startswith(("WEFT_RACE_", "FIRST="))]
for bad in "", "a=b":
    try:
        os.unsetenv(bad)
    except OSError as e:
        assert e.errno == 22
    else:
        raise AssertionError(bad)
done()
