"""Tells whether two CPUs are free: two processes that share nothing run a fixed loop, together and alone."""
import subprocess
import sys
import time

ENOUGH = 1.95  # gain of two processes over one at which both CPUs count as free
STEPS = 1000000
DRIFT = 1.03   # an undisturbed loop takes no longer than so many times the best one

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
        self.alone = min(self.seconds(1) for _ in range(5))

    def seconds(self, count):
        """From the start of the first worker's loop to the end of the last one's (their clock is the system's)."""
        for worker in self.workers[:count]:
            worker.stdin.write("%d\n" % STEPS)
            worker.stdin.flush()
        spans = [tuple(map(float, worker.stdout.readline().split())) for worker in self.workers[:count]]
        return max(end for _, end in spans) - min(start for start, _ in spans)

    def free(self):
        """Both CPUs are ours now: two loops at once take hardly longer than one that nothing disturbed."""
        one = self.seconds(1)
        self.alone = min(self.alone, one)
        return 2 * min(one, DRIFT * self.alone) / self.seconds(2) >= ENOUGH

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
        print("%.2f" % (2 * control.alone / control.seconds(2)))
    control.close()
