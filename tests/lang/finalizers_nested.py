"""Finalizers of objects that die together run one after the other, what a finalizer drops is finalized inside it."""
import gc
import threading
import weakref

log = []


class Node:
    def __init__(self, name, child=None):
        self.name = name
        self.child = child

    def __del__(self):
        log.append(("enter", self.name))
        for _ in range(3):
            len(str(self.name))
        self.child = None
        log.append(("leave", self.name))


def show(title):
    print(title, log)
    log.clear()


nodes = [Node(i) for i in range(4)]
del nodes
show("list")
nodes = {i: Node(i, Node((i, "child"))) for i in range(3)}
nodes.clear()
show("children")

gc.disable()
for i in range(3):
    node = Node(i)
    node.me = node
del node
gc.collect()
log.sort(key=lambda entry: entry[1])
show("garbage")


lock = threading.Lock()


class Locker:
    def __del__(self):
        if not lock.acquire(timeout=10):
            print("a finalizer inside another one")
            return
        try:
            sum(range(10))
        finally:
            lock.release()


for _ in range(20):
    lockers = [Locker() for i in range(10)]
    for locker in lockers:
        locker.me = lockers
    del locker, lockers
gc.collect()
lockers = [Locker() for i in range(10)]
lockers = None
print("locked", lock.locked())


def callback(reference):
    log.append("enter")
    sum(range(10))
    log.append("leave")


class Plain:
    pass


things = [Plain() for i in range(5)]
references = [weakref.ref(thing, callback) for thing in things]
things = None
show("callbacks")
