import threading

lock = threading.Lock()
items = []


def run():
    with lock:
        items.clear()
    for i in range(10000):
        with lock:
            items.append(i)
