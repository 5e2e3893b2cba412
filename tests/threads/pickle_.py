"""Pickling what others change; one Pickler, one Unpickler and one PickleBuffer for all threads."""
import io
import pickle
import threading
from race import race, together, done

# -- N1: what others change

shared_list = list(range(50))
shared_dict = {str(i): i for i in range(50)}
shared_set = set(range(50))


class Box:
    pass


box = Box()


def change():
    shared_list.append("x")
    shared_list.pop()
    shared_dict["new"] = [1]
    shared_dict.pop("new", None)
    shared_set.add("y")
    shared_set.discard("y")
    box.a = [1]
    box.b = {}
    del box.a


def write():
    for protocol in (0, 2, 5):
        for v in (shared_list, shared_dict, shared_set, box):
            back = pickle.loads(pickle.dumps(v, protocol))
            assert type(back) is type(v)


race(write, write, change, change, allow=(RuntimeError, AttributeError))

# -- N2, N3: one for all

sink = io.BytesIO()
pickler = pickle.Pickler(sink)
unpickler = pickle.Unpickler(io.BytesIO(pickle.dumps([1, "a", {}]) * 2000))
buffer = pickle.PickleBuffer(bytearray(b"abc"))


def dump():
    pickler.dump(["a", "b", [1, 2]])
    pickler.memo.copy()


def configure():
    pickler.fast = 0
    pickler.persistent_id = lambda v: None
    pickler.clear_memo()
    pickler.memo = {}
    pickler.__init__(io.BytesIO(), 4)


def load():
    assert unpickler.load() == [1, "a", {}]
    unpickler.memo.copy()
    unpickler.memo = {}


def reload():
    unpickler.__init__(io.BytesIO(pickle.dumps([1, "a", {}]) * 2000))
    unpickler.memo.clear()


race(dump, configure, dump, dump, allow=RuntimeError)
race(load, reload, load, load, allow=(RuntimeError, EOFError))


def elsewhere(f):
    raised = []

    def work():
        try:
            f()
        except BaseException as e:
            raised.append(type(e))
    t = threading.Thread(target=work)
    t.start()
    t.join()
    return raised


class Calls:
    def __init__(self, *functions):
        self.functions = functions

    def __reduce__(self):
        for f in self.functions:
            f()
        return int, ()


def refuses(f):
    try:
        f()
    except RuntimeError:
        return
    assert False, f


one = pickle.Pickler(io.BytesIO())


def inside():
    refuses(lambda: one.dump(1))
    assert elsewhere(lambda: one.dump(1)) == [RuntimeError]


one.dump(Calls(inside))
for grown in ({0: 0, 1: 1}, {0, 1}):
    grow = Calls(lambda: elsewhere(lambda: grown.update({len(grown): 5}) if type(grown) is dict else grown.add(len(grown))))
    if type(grown) is dict:
        grown[0] = grow
    else:
        grown.add(grow)
    refuses(lambda: pickle.dumps(grown))

memory = bytearray(b"abc")
view = pickle.PickleBuffer(memory)
together(lambda i: view.release())
memory.append(1)  # nobody has it any more


def use():
    assert bytes(buffer.raw()) == b"abc"
    pickle.dumps(buffer, 5)
    memoryview(buffer)


race(use, use, use, lambda: globals().__setitem__("buffer", pickle.PickleBuffer(bytearray(b"abc"))), buffer.release, allow=ValueError)
done()
