"""Signals while other threads run: handlers run in the main thread, none is lost for good."""
import os
import signal
import threading
import time
from race import done

main = threading.get_ident()
got = []
stop = False


def handler(sig, frame):
    assert threading.get_ident() == main
    got.append(sig)


def busy():
    d = {}
    while not stop:
        d[len(d) % 10] = [len(d)]


def send():
    for _ in range(200):
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(0.001)


signal.signal(signal.SIGUSR1, handler)
pool = [threading.Thread(target=busy) for _ in range(2)]
sender = threading.Thread(target=send)
for t in pool + [sender]:
    t.start()
sender.join()
stop = True
for t in pool:
    t.join()
assert len(got) > 20, len(got)

for block in (lambda: time.sleep(10), threading.Lock().acquire, lambda: os.read(os.pipe()[0], 1),
              threading.Event().wait, lambda: signal.pause()):
    if getattr(block, "__name__", "") == "acquire":
        block()
    timer = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        block()
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("not interrupted")
    timer.join()
done()
