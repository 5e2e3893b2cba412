"""Counts the primes below LIMIT with a sieve by segments, on 1 .. THREADS threads.

usage: primes.py [THREADS] [LIMIT]
"""
import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

SEGMENT = 1 << 16


def small_primes(limit):
    """All primes up to limit, by the plain sieve."""
    sieve = bytearray([1]) * (limit + 1)
    sieve[:2] = b"\0\0"
    for n in range(2, math.isqrt(limit) + 1):
        if sieve[n]:
            sieve[n * n::n] = bytes(len(range(n * n, limit + 1, n)))
    return [n for n in range(limit + 1) if sieve[n]]


def count_segment(low, high, primes):
    """How many primes lie in low .. high-1: trial by marking multiples one by one."""
    marks = [True] * (high - low)
    for p in primes:
        if p * p >= high:
            break
        start = max(p * p, (low + p - 1) // p * p)
        i = start - low
        size = high - low
        while i < size:
            marks[i] = False
            i += p
    count = 0
    for n in range(max(low, 2), high):
        if marks[n - low]:
            count += 1
    return count


def count_primes(limit, threads):
    primes = small_primes(math.isqrt(limit) + 1)
    starts = range(0, limit, SEGMENT)
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(count_segment, low, min(low + SEGMENT, limit), primes) for low in starts]
        return sum(job.result() for job in jobs)


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 2
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    alone = None
    for n in range(1, threads + 1):
        start = time.perf_counter()
        count = count_primes(limit, n)
        seconds = time.perf_counter() - start
        alone = alone or seconds
        print("%d thread%s: %d primes below %d in %.2f s, speed-up %.2f"
              % (n, "s" if n > 1 else " ", count, limit, seconds, alone / seconds))


if __name__ == "__main__":
    main()
