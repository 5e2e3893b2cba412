"""stress.py [seconds [threads [seed]]] -- threads that do everything at once on shared objects.

Each thread picks operations at random from a list that covers containers, attributes,
classes, closures, generators, exceptions, weak references, the collector, strings, locks
and threads.  Python exceptions of the kinds that such races may raise are fine; a crash,
a hang or a sanitizer's report is not.
"""
import collections
import gc
import itertools
import random
import sys
import threading
import time
import traceback
import weakref

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 4
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)


class Base:
    count = 0

    def method(self, x=1, *args, key=None, **kw):
        return x

    @property
    def prop(self):
        return self.__dict__.get("a")


class Child(Base):
    def method(self, *args, **kw):
        return super().method(*args, **kw)


class Slots:
    __slots__ = ("a", "b", "__weakref__")


class Finalized:
    def __init__(self, keep=None):
        self.keep = keep
        self.me = self

    def __del__(self):
        if shared_list is not None:  # the module is being cleared
            shared_list.append(None)


shared_list = []
shared_dict = {}
shared_set = set()
shared_deque = collections.deque(maxlen=200)
shared_bytes = bytearray()
shared_objects = [Base(), Child(), Slots()]
shared_refs = weakref.WeakValueDictionary()
shared_iterators = [iter([])] * 4
shared_local = threading.local()
lock = threading.Lock()
rlock = threading.RLock()
condition = threading.Condition()
error = ValueError("shared")


def lists(r):
    l = shared_list
    l.append(r.random())
    l.extend([1, 2, 3])
    l.insert(r.randrange(5), "x")
    l[1:3] = [r, None, "z"]
    l.pop(r.randrange(3))
    l.reverse()
    list(l), l[::2], len(l), l.copy(), l.count(1), None in l
    if len(l) > 500:
        del l[100:]
    if r.random() < 0.02:
        l.clear()


def sorts(r):
    l = [r.randrange(1000) for _ in range(100)]
    shared_list.append(l)
    l.sort()
    sorted(l, key=lambda v: -v)
    for x in shared_list[:20]:
        if type(x) is list:
            x.sort()


def dicts(r):
    d = shared_dict
    for _ in range(10):
        k = r.choice(("a", "b", "c", 1, 2.5, (1, 2), r.randrange(300)))
        d[k] = r.random()
        d.get(k), k in d, d.setdefault(k, 1)
    d.pop(r.randrange(300), None)
    list(d.items()), dict(d), {**d}, len(d), list(d)
    if r.random() < 0.05:
        d.popitem()
    if r.random() < 0.02:
        d.clear()
    for k in d:
        d.get(k)


def sets(r):
    s = shared_set
    s.add(r.randrange(200))
    s.update(range(r.randrange(50)))
    s.discard(r.randrange(200))
    s | {1}, s & {1, 2}, s - {3}, s ^ {4}, frozenset(s), 5 in s
    s.pop()
    for x in s:
        pass


def deques(r):
    q = shared_deque
    q.append(r.random())
    q.appendleft("left")
    q.rotate(r.randrange(-3, 4))
    q.pop()
    q.popleft()
    list(q), len(q)


def bytes_(r):
    b = shared_bytes
    b.extend(b"some bytes")
    b[2:4] = b"123"
    bytes(b), b.find(b"1"), b[1:5], b.upper()
    with memoryview(b) as m:
        m[0:1] = b"q"
    if len(b) > 1000:
        del b[100:]


def attributes(r):
    o = r.choice(shared_objects)
    name = r.choice(("a", "b", "c", "d%d" % r.randrange(30)))
    setattr(o, name, r.random())
    getattr(o, name, None), hasattr(o, "zz")
    if r.random() < 0.3:
        delattr(o, name)
    if not isinstance(o, Slots):
        vars(o).get("a"), o.prop, o.method(2, key=3), dir(o)
        if r.random() < 0.05:
            o.__dict__ = {"a": 1}
        if r.random() < 0.05:
            o.__class__ = r.choice((Base, Child))
    else:
        o.a = o.b = 1
    if r.random() < 0.01:
        shared_objects[r.randrange(3)] = r.choice((Base, Child, Slots))()


def classes(r):
    cls = r.choice((Base, Child))
    setattr(cls, r.choice(("x", "y", "count")), r.random())
    cls.count, cls.__mro__, isinstance(shared_objects[0], cls), Base.__subclasses__()
    if r.random() < 0.3:
        class New(cls):
            z = 1

            def method(self):
                return super().method() + 1
        New().method()
        shared_objects[0] = New()
    if r.random() < 0.1:
        Base.__len__ = lambda self: 3
        del Base.__len__
    if r.random() < 0.3:
        del cls.x


def closures(r):
    n = 0

    def inc():
        nonlocal n
        n += 1
        return inc
    globals()["g%d" % r.randrange(50)] = inc
    f = globals().get("g%d" % r.randrange(50), inc)
    f()()
    globals().pop("g%d" % r.randrange(50), None)


def generators(r):
    def gen(n):
        try:
            for i in range(n):
                yield i
        finally:
            shared_dict["closed"] = n
    i = r.randrange(4)
    make = (lambda: gen(50), lambda: iter(shared_list), lambda: zip(shared_list, gen(9)),
            lambda: itertools.chain(gen(3), shared_deque), lambda: map(str, gen(9)),
            lambda: iter(shared_dict), lambda: enumerate(gen(20)), lambda: reversed(shared_list))
    if r.random() < 0.3:
        shared_iterators[i] = r.choice(make)()
    it = shared_iterators[r.randrange(4)]
    for _ in range(5):
        next(it)
    if r.random() < 0.1 and hasattr(it, "close"):
        it.close()


def exceptions(r):
    try:
        try:
            raise error
        except ValueError as e:
            e.with_traceback(None)
            raise KeyError("k") from e
    except KeyError as e:
        repr(e), e.__cause__, e.__traceback__
        error.__context__ = None
        shared_dict["e"] = e
    if r.random() < 0.1:
        "".join(traceback.format_exception(error)[-2:])
    error.__traceback__ = None


def weakrefs(r):
    o = Base()
    shared_refs[r.randrange(20)] = o
    o.ref = weakref.ref(o, lambda x: None)
    p = weakref.proxy(o)
    p.a = 1
    x = shared_refs.get(r.randrange(20))
    len(shared_refs), list(shared_refs.values())[:3]
    del o, x


def cycles(r):
    a, b = Finalized(), Base()
    a.b, b.a = b, a
    shared_list.append(a)
    if r.random() < 0.03:
        gc.collect(r.randrange(3))
    if r.random() < 0.02:
        len(gc.get_objects())


def strings(r):
    s = sys.intern("word%d" % r.randrange(1000))
    t = s.upper() + "é\u20ac"
    hash(t), t.encode(), t * 3, t.split("O"), "%s %r" % (s, t), f"{s!r:>20}"
    int(str(10 ** 30 + r.randrange(100))) * 3
    shared_dict[s] = t


def locks(r):
    with lock:
        pass
    with rlock, rlock:
        pass
    if lock.acquire(timeout=0.001):
        lock.release()
    with condition:
        condition.notify_all()
        condition.wait(0.0005)


def threads(r):
    shared_local.x = r.random()
    if r.random() < 0.2:
        ts = [threading.Thread(target=lists, args=(r,)) for _ in range(2)]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
    del shared_local.x


def frames(r):
    f = sys._getframe()
    f.f_locals, f.f_lineno, f.f_back, f.f_code.co_name
    for frame in list(sys._current_frames().values()):
        frame.f_lineno, frame.f_code
    eval("r.random()"), exec("zz = 1", {})


OPERATIONS = [lists, sorts, dicts, sets, deques, bytes_, attributes, classes, closures, generators,
              exceptions, weakrefs, cycles, strings, locks, threads, frames]
EXPECTED = (IndexError, KeyError, AttributeError, RuntimeError, StopIteration, ValueError, TypeError,
            BufferError, NameError, ReferenceError)
failures = []
threading.excepthook = lambda args: args.exc_type in EXPECTED or failures.append(repr(args))


def work(n):
    r = random.Random(SEED + n)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not failures:
        operation = r.choice(OPERATIONS)
        for _ in range(20):
            try:
                operation(r)
            except EXPECTED:
                pass
            except BaseException:
                failures.append(traceback.format_exc())
                return


pool = [threading.Thread(target=work, args=(i,)) for i in range(THREADS)]
for t in pool:
    t.start()
for t in pool:
    t.join()
if failures:
    print("seed", SEED, failures[0])
    sys.exit(1)
print("ok")
