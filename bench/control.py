"""Tells whether two CPUs are free: two processes that share nothing run a fixed loop, together and alone."""
import subprocess
import sys
import time

ENOUGH = 1.95   # gain of two processes over one at which both CPUs count as free
STEPS = 1000000
TOGETHER = 0.8  # part of a loop for which two must have run side by side
DRIFT = 1.03    # an undisturbed loop takes no longer than so many times the best one

WORKER = """
import sys, time
def loop(n):
    for _ in range(n):
        pass
for line in sys.stdin:
    start = time.perf_counter()
    loop(int(line))
    print(start, time.perf_counter(), flush=True)
"""


class Control:
    def __init__(self, interpreter):
        self.workers = [subprocess.Popen([interpreter, "-S", "-c", WORKER], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True) for _ in range(2)]
        self.alone = min(self.seconds() for _ in range(5))

    def spans(self, count):
        """When the loops of `count` workers began and ended (their clock is the system's)."""
        for worker in self.workers[:count]:
            worker.stdin.write("%d\n" % STEPS)
            worker.stdin.flush()
        return [tuple(map(float, worker.stdout.readline().split())) for worker in self.workers[:count]]

    def seconds(self):
        """What the loop of one worker takes now."""
        (start, end), = self.spans(1)
        return end - start

    def gain(self, one):
        """What two loops side by side do of the work of one that takes `one` seconds.  Each worker's own time counts, not the
        moment it was woken at, which is the system's affair; loops that hardly met say nothing and count as one."""
        (start, end), (start2, end2) = self.spans(2)
        if min(end, end2) - max(start, start2) < TOGETHER * one:
            return 1.0
        return one / (end - start) + one / (end2 - start2)

    def free(self):
        """Both CPUs are ours now: two loops at once take hardly longer than one that nothing disturbed."""
        one = self.seconds()
        self.alone = min(self.alone, one)
        return self.gain(min(one, DRIFT * self.alone)) >= ENOUGH

    def wait(self, deadline):
        """Waits for a free moment; False at the deadline."""
        while not self.free():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def close(self):
        for worker in self.workers:
            worker.stdin.close()
            worker.wait()


if __name__ == "__main__":
    control = Control(sys.executable)
    for _ in range(10):
        print("%.2f" % control.gain(control.alone))
    control.close()
