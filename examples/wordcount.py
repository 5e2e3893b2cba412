"""Counts the words of every text file below a folder, on 1 .. THREADS threads.

usage: wordcount.py [THREADS] [FOLDER]      (default: the system's documentation)
"""
import os
import queue
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

WORD = re.compile(r"[a-z']+")


def text_files(folder):
    """Paths of files that look like text, sorted."""
    found = []
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            full = os.path.join(path, name)
            if os.path.isfile(full) and not name.endswith((".gz", ".png", ".pdf", ".xz", ".jpg")):
                found.append(full)
    return found


def count_words(waiting):
    """Words of the files that this thread gets hold of."""
    counts = Counter()
    while True:
        try:
            path = waiting.get_nowait()
        except queue.Empty:
            return counts
        try:
            with open(path, encoding="utf-8", errors="replace") as text:
                for line in text:
                    counts.update(WORD.findall(line.lower()))
        except OSError:
            pass


def count_all(files, threads):
    waiting = queue.SimpleQueue()
    for path in files:
        waiting.put(path)
    total = Counter()
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(count_words, waiting) for _ in range(threads)]
        for job in jobs:
            total.update(job.result())
    return total


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 2
    folder = sys.argv[2] if len(sys.argv) > 2 else "/usr/share/doc"
    files = text_files(folder)
    alone = None
    for n in range(1, threads + 1):
        start = time.perf_counter()
        counts = count_all(files, n)
        seconds = time.perf_counter() - start
        alone = alone or seconds
        print("%d thread%s: %d words, %d different, in %d files in %.2f s, speed-up %.2f"
              % (n, "s" if n > 1 else " ", sum(counts.values()), len(counts), len(files), seconds,
                 alone / seconds))
    for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]:
        print("%8d  %s" % (count, word))


if __name__ == "__main__":
    main()
