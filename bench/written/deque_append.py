import collections
import threading

lock = threading.Lock()
queue = collections.deque()


def run():
    for i in range(10000):
        with lock:
            queue.append(i)
            if len(queue) > 100:
                queue.popleft()
