"""Exceptions that nobody can catch: hooks that fail, hooks that are gone; finalizers of garbage; gc.set_debug()."""
import gc
import io
import socket
import sys


class Failing:
    def __del__(self):
        raise ValueError("in __del__")


def told(hook):
    """What is written when a finalizer fails under this hook."""
    old, old_stderr = sys.unraisablehook, sys.stderr
    sys.stderr = io.StringIO()
    try:
        if hook == "gone":
            del sys.unraisablehook
        else:
            sys.unraisablehook = hook
        Failing()
        return [line.split(" at 0x")[0] for line in sys.stderr.getvalue().splitlines()
                if line[0] != " "]
    finally:
        sys.unraisablehook, sys.stderr = old, old_stderr


def failing_hook(args):
    1 / 0


print(told(sys.__unraisablehook__))
print(told(failing_hook))
print(told(None))
print(told("gone"))
print(told(lambda args: print(args.exc_type, args.err_msg, type(args.object))))


class Owner:
    """Its finalizer uses a socket that is garbage with it."""
    def __init__(self, before):
        if before:
            self.junk = [object() for i in range(before)]
        self.socket, self.other = socket.socketpair()
        self.me = self

    def __del__(self):
        results.add(self.socket.fileno() >= 0 and self.other.fileno() >= 0)
        self.socket.close()
        self.other.close()


results = set()
for i in range(50):
    Owner(i)
    gc.collect()
print(results)


class Cycle:
    pass


gc.set_debug(gc.DEBUG_SAVEALL)
c = Cycle()
c.me = c
del c
gc.collect()
print(gc.get_debug() == gc.DEBUG_SAVEALL, [o for o in gc.garbage if isinstance(o, Cycle)] != [])
gc.set_debug(gc.DEBUG_STATS)
sys.stderr = io.StringIO()
gc.collect(0)
lines = sys.stderr.getvalue().splitlines()
sys.stderr = sys.__stderr__
gc.set_debug(0)
gc.garbage.clear()
print(lines[0], lines[-1].split(", ")[1], gc.get_debug())
