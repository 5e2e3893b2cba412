"""Looks for input that ends the interpreter by a signal or makes it hang.

usage: fuzz.py [--program WEFT] [--mode MODE,...] [--seconds N] [--seed N] [--steps N] [--threads N] [--memory MB]
       fuzz.py --child MODE SEED STEPS THREADS [LOGFILE]     one run in this process

The parent starts one child after another, each with the next seed, until the time is over.  What a
child does follows from MODE, SEED and STEPS alone (with one thread), so a failure is repeated by the
printed command.  `--memory 0` sets no limit (needed with AddressSanitizer).  A child that ends by a signal, with the exit code of a sanitizer, or not at all, is run again
with a log: its last line is the call that did it.  The exit code is 1 if there was one.

Modes: calls (every callable of the native modules with hostile arguments), code (damaged bytecode),
source (damaged source text), ast (malformed trees), sre (code lists for the regex engine), text
(format strings, patterns, struct), marshal (damaged data).
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = ("calls", "code", "source", "ast", "sre", "text", "marshal")
SANITIZER_EXIT = 99
REPORT = re.compile("ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|Sanitizer:DEADLYSIGNAL")


# -- the parent ----------------------------------------------------------------------------------------

def child_command(program, mode, seed, steps, threads):
    return [program, os.path.abspath(__file__), "--child", mode, str(seed), str(steps), str(threads)]


def run_child(command, limit, memory, log=None):
    """Exit code (negative: signal; None: too long) and the end of standard error."""
    import subprocess
    import tempfile
    environment = dict(os.environ, PYTHONHASHSEED="0", PYTHONMALLOC="")
    options = "exitcode=%d:detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1500" % SANITIZER_EXIT
    environment.setdefault("ASAN_OPTIONS", options)
    environment.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1:exitcode=%d" % SANITIZER_EXIT)
    with tempfile.TemporaryDirectory(prefix="weft-fuzz.") as place, tempfile.TemporaryFile() as errors:
        limited = ["sh", "-c", "ulimit -c 0; [ %d = 0 ] || ulimit -v %d; exec \"$@\"" % (memory, memory << 10), "sh"]
        process = subprocess.Popen(limited + command + ([log] if log else []), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=errors, cwd=place, env=environment)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        size = errors.seek(0, 2)
        errors.seek(max(0, size - 6000))
        return code, errors.read().decode("utf-8", "replace")


def parent(arguments):
    import shlex
    import time
    program, modes, seconds, seed, steps, threads = sys.executable, ",".join(MODES), 60.0, 1, 3000, 1
    memory = 4096
    arguments = list(arguments)
    while arguments:
        option = arguments.pop(0)
        if option == "--program":
            program = os.path.abspath(arguments.pop(0))
        elif option == "--mode":
            modes = arguments.pop(0)
        elif option == "--seconds":
            seconds = float(arguments.pop(0))
        elif option == "--seed":
            seed = int(arguments.pop(0))
        elif option == "--steps":
            steps = int(arguments.pop(0))
        elif option == "--threads":
            threads = int(arguments.pop(0))
        elif option == "--memory":
            memory = int(arguments.pop(0))
        else:
            sys.exit(__doc__)
    limit = float(os.environ.get("FUZZ_LIMIT", "120"))
    end = time.monotonic() + seconds
    runs = failures = 0
    first = seed
    while time.monotonic() < end:
        for mode in modes.split(","):
            command = child_command(program, mode, seed, steps, threads)
            code, errors = run_child(command, limit, memory)
            runs += 1
            if code is not None and code >= 0 and code != SANITIZER_EXIT and not REPORT.search(errors):
                if code != 0:
                    print("seed %d: exit code %d: %s" % (seed, code, errors[-300:]))
                continue
            failures += 1
            log = "/tmp/fuzz-%s-%d.log" % (mode, seed)
            how = "hangs" if code is None else "signal %d" % -code if code < 0 else "sanitizer"
            run_child(command, limit, memory, log)
            print("FAILED (%s): %s" % (how, shlex.join(command)))
            print(errors[-2500:])
            try:
                with open(log, errors="replace") as f:
                    print("".join(f.readlines()[-3 * threads:]))
            except OSError:
                print("no log")
            sys.stdout.flush()
        seed += 1
    print("%d runs, seeds %d to %d, %d failed" % (runs, first, seed - 1, failures))
    return 1 if failures else 0


# -- the child -----------------------------------------------------------------------------------------

def child(mode, seed, steps, threads, log=None):
    import random
    import signal
    import threading
    sys.path.insert(0, HERE)
    import hostile
    lines = None
    if log:
        lines = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)

    def note(text):
        if lines is not None:
            os.write(lines, (text + "\n").encode("utf-8", "backslashreplace")[:1500] + b"\n")

    class Stop(BaseException):
        pass

    def alarm(number, frame):
        raise Stop
    signal.signal(signal.SIGALRM, alarm)

    def arm(on):
        if threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, 2.0 if on else 0.0, 0.5 if on else 0.0)

    def work(number):
        r = random.Random(seed * 1000 + number)
        step = getattr(hostile, "start_" + mode)(r, note)
        ordinary = sys.getrecursionlimit()
        for i in range(steps):
            try:
                try:
                    arm(True)
                    step(i)
                finally:
                    arm(False)
            except BaseException as error:
                if lines is not None:
                    note("      " + type.__getattribute__(type(error), "__name__"))
            if i % 64 == 0:
                sys.setrecursionlimit(ordinary)

    if threads == 1:
        work(0)
    else:
        all_threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(threads)]
        for t in all_threads:
            t.start()
        # A thread may rightly wait for ever or count to 2**70, and no alarm reaches it: the main thread
        # goes on without it.  If it cannot, the parent notices.
        import time
        end = time.monotonic() + 15
        for t in all_threads:
            t.join(max(0.0, end - time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), *sys.argv[6:7])
    else:
        sys.exit(parent(sys.argv[1:]))
