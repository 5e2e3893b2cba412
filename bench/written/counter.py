import threading

lock = threading.Lock()
count = 0


def run():
    global count
    for i in range(10000):
        with lock:
            count += 1
