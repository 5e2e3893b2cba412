import threading

lock = threading.Lock()
table = {}


def run():
    for i in range(10000):
        with lock:
            table[i & 1023] = i
