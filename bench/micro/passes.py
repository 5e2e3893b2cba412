"""What it costs two threads that a Lock goes from one to the other and back all the time.

usage: passes.py [ROUNDS]

Two threads count a number up under a Lock, ROUNDS times 600,000 each (default 8), and take the time each time they
hold it.  From the times of both in order come: how often the Lock went from one thread to the other; what the step
between the last time of one and the first of the other took, as a median and as a part of the whole; and, to compare
with, what interruptions of 5 us and more took within one thread's turn, and the same of one thread alone (interrupts,
other work on the machine).  Runs on python3.11, too, whose threads pass on the Global Interpreter Lock every 5 ms.
"""
import statistics
import sys
import threading
import time

TIMES = 600000
LONG = 5000  # ns

lock = threading.Lock()
count = 0


def work(taken):
    global count
    now = time.perf_counter_ns
    for i in range(len(taken)):
        with lock:
            count += 1
            taken[i] = now()


def both():
    """Times and the thread's number, in order."""
    first, second = [0] * TIMES, [0] * TIMES
    thread = threading.Thread(target=work, args=(second,))
    thread.start()
    work(first)
    thread.join()
    return sorted([(t, 0) for t in first] + [(t, 1) for t in second])


def alone():
    taken = [0] * (2 * TIMES)
    work(taken)
    return [(t, 0) for t in taken]


def steps(events):
    """ns of the whole, of the steps from one thread to the other, and of the long ones within one."""
    passes, long = [], []
    for (before, one), (after, other) in zip(events, events[1:]):
        if one != other:
            passes.append(after - before)
        elif after - before > LONG:
            long.append(after - before)
    return events[-1][0] - events[0][0], passes, long


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    threading.Thread(target=work, args=([0] * 1000,)).start()
    whole, passes, long, single, noise = 0, [], [], 0, []
    for _ in range(rounds):
        took, between, within = steps(both())
        whole, passes, long = whole + took, passes + between, long + within
        took, _, within = steps(alone())
        single, noise = single + took, noise + within
    print("passes %d, of %.1f us (median), %.2f %% of the time; interruptions %.2f %%, of one thread alone %.2f %%"
          % (len(passes), statistics.median(passes) / 1000 if passes else 0, 100 * sum(passes) / whole,
             100 * sum(long) / whole, 100 * sum(noise) / single))


main()
