"""Draws the Mandelbrot set into a PPM picture, its rows shared out to 1 .. THREADS threads.

usage: mandelbrot.py [THREADS] [SIZE] [FILE]      (default mandelbrot.ppm in the temporary folder)
"""
import os
import sys
import tempfile
import threading
import time

DEPTH = 80


def row(y, width, height):
    """One line of the picture: three bytes a pixel."""
    line = bytearray()
    ci = 2.4 * y / height - 1.2
    for x in range(width):
        cr = 3.2 * x / width - 2.3
        zr = zi = 0.0
        n = 0
        while n < DEPTH and zr * zr + zi * zi < 4.0:
            zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
            n += 1
        shade = 255 - n * 255 // DEPTH
        line.append(shade)
        line.append(shade * shade // 255)
        line.append(shade // 2)
    return line


def draw(width, height, threads):
    rows = [None] * height
    next_row = iter(range(height))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                y = next(next_row, None)
            if y is None:
                return
            rows[y] = row(y, width, height)

    crew = [threading.Thread(target=work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return b"".join(rows)


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 2
    width = int(sys.argv[2]) if len(sys.argv) > 2 else 640
    path = sys.argv[3] if len(sys.argv) > 3 else os.path.join(tempfile.gettempdir(), "mandelbrot.ppm")
    height = width * 3 // 4
    alone = None
    for n in range(1, threads + 1):
        start = time.perf_counter()
        pixels = draw(width, height, n)
        seconds = time.perf_counter() - start
        alone = alone or seconds
        print("%d thread%s: %d x %d pixels (sum %d) in %.2f s, speed-up %.2f"
              % (n, "s" if n > 1 else " ", width, height, sum(pixels), seconds, alone / seconds))
    with open(path, "wb") as out:
        out.write(b"P6 %d %d 255\n" % (width, height))
        out.write(pixels)
    print("picture:", path)


if __name__ == "__main__":
    main()
