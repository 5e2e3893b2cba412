"""Counts the ways to put N queens on an N x N board; each start of two rows is a job, on 1 .. THREADS threads.

usage: nqueens.py [THREADS] [N]
"""
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def solutions(n, row, columns, left, right):
    """Ways to fill the rows from `row` on; the sets say which columns and diagonals are taken."""
    if row == n:
        return 1
    count = 0
    for column in range(n):
        if column in columns or row + column in left or row - column in right:
            continue
        columns.add(column)
        left.add(row + column)
        right.add(row - column)
        count += solutions(n, row + 1, columns, left, right)
        columns.discard(column)
        left.discard(row + column)
        right.discard(row - column)
    return count


def solutions_from(n, a, b):
    """The same with the queens of the first two rows in columns a and b."""
    return solutions(n, 2, {a, b}, {a, b + 1}, {-a, 1 - b})


def count(n, threads):
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(solutions_from, n, a, b) for a in range(n) for b in range(n) if abs(a - b) > 1]
        return sum(job.result() for job in jobs)


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 2
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    alone = None
    for workers in range(1, threads + 1):
        start = time.perf_counter()
        ways = count(n, workers)
        seconds = time.perf_counter() - start
        alone = alone or seconds
        print("%d thread%s: %d queens, %d ways in %.2f s, speed-up %.2f"
              % (workers, "s" if workers > 1 else " ", n, ways, seconds, alone / seconds))


if __name__ == "__main__":
    main()
