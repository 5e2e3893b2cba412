"""Verdicts of abstract classes while other threads register classes and forget caches: who has seen register() return
finds the class an instance, and nobody is given a verdict about another class."""
import abc
import threading
from _abc import _reset_caches
from race import done

ROUNDS = 60
step = threading.Barrier(3)
wrong = []
classes = []


class Abstract(abc.ABC):
    pass


class Never:
    pass


def register():
    for i in range(ROUNDS):
        Fresh = type("Fresh%d" % i, (), {})
        classes.append(Fresh)
        step.wait()
        if i % 3 == 0:
            _reset_caches(Abstract)
        Abstract.register(Fresh)
        if not isinstance(Fresh(), Abstract):
            wrong.append(("registered", i))
        step.wait()


def ask():
    for i in range(ROUNDS):
        step.wait()
        v, never = classes[i](), Never()
        for _ in range(50):
            isinstance(v, Abstract)
            issubclass(classes[i], Abstract)
            if isinstance(never, Abstract) or isinstance(i, Abstract):
                wrong.append(("never", i))
        step.wait()
        if not isinstance(v, Abstract) or not issubclass(classes[i], Abstract):
            wrong.append(("asked", i))


threads = [threading.Thread(target=f) for f in (register, ask, ask)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert not wrong, wrong[:5]
done()
