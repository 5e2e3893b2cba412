"""Timeouts that select(), poll() and epoll.poll() refuse."""
import select

for name, f in ("epoll", select.epoll().poll), ("poll", select.poll().poll), ("select", lambda v: select.select([], [], [], v)):
    for v in 1e30, 1e18, 9.3e9, 9.1e9, 3e9, 2 ** 70, float("inf"), float("nan"), -1e30, -3e9, -2 ** 70, float("-inf"), "1", 0, 0.0:
        if name == "select" and v in (9.1e9, 3e9, -3e9):
            continue  # waits, or is refused with another message
        try:
            print(name, v, f(v))
        except (OverflowError, ValueError, TypeError) as e:
            print(name, v, type(e).__name__, e)
