"""stress.py [seconds [threads [seed [operation ...]]]] -- threads that do everything at once on shared objects.

Each thread picks operations at random from a list that covers containers, attributes,
classes and their bases, closures, generators, coroutines and iterators, exceptions, weak
references, the collector, strings, buffers, streams, regular expressions, imports, locks,
queues, threads, sockets, files, codecs, digests, compressors, pickles, json, csv and type hints.
With names after the seed only these operations are used.  Python exceptions of the kinds that such races may raise are fine; a crash,
a hang or a sanitizer's report is not.
"""
import abc
import array
import ast
import binascii
import bisect
import collections
import contextvars
import copy
import csv
import enum
import faulthandler
import functools
import gc
import hashlib
import heapq
import io
import itertools
import json
import marshal
import math
import operator
import os
import pickle
import queue
import random
import re
import select
import socket
import struct
import symtable
import sys
import tempfile
import threading
import time
import traceback
import types
import typing
import unicodedata
import warnings
import weakref
import zlib

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
shared_array = array.array("i", range(50))
shared_view = memoryview(bytearray(range(100)))
shared_ordered = collections.OrderedDict()
shared_default = collections.defaultdict(list)
shared_counter = collections.Counter()
shared_queues = [queue.SimpleQueue(), queue.Queue(10), queue.LifoQueue()]
shared_streams = [io.BytesIO(b"some bytes\n" * 20), io.StringIO("some text\n" * 20)]
shared_variable = contextvars.ContextVar("v", default=0)
shared_context = contextvars.copy_context()
shared_partial = functools.partial(max, 3)
shared_tuple = (shared_list, shared_dict, (1, "two", 3.0))
shared_property = property(lambda self: 1)
shared_coroutines = [None] * 3
pattern = re.compile(r"(\w)(\d+)?")


@functools.lru_cache(20)
def cached(x):
    return [x]


@functools.singledispatch
def dispatched(x):
    return "any"


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


def bases(r):
    Child.__bases__ = r.choice(((Base,), (Base, Mixin), (Mixin, Base)))
    Child.__mro__, Child.__base__, Mixin.__subclasses__(), issubclass(Child, Mixin)
    Child().mixed(), Child().method()
    Child.__name__ = "Child"
    Child.__doc__ = "new"
    Child.__qualname__, Child.__annotations__, Child.__dict__.get("method")


def arrays(r):
    a = shared_array
    a.append(r.randrange(100))
    a.extend([1, 2, 3])
    a.pop(r.randrange(3))
    a[1:3] = array.array("i", [7, 8, 9])
    a.tobytes(), list(a), a.count(3), a[5:9], copy.copy(a), a.byteswap()
    if len(a) > 300:
        del a[20:]
    m = shared_view
    m[r.randrange(100)] = 5
    m[3:9] = b"abcdef"
    m.tobytes(), m.tolist()[:3], m[2:50:3].tobytes(), bytes(m), m == m, m.hex()
    struct.pack_into("<i", m, 8, r.randrange(1000)), struct.unpack_from("<2i", m, 4)


def dict_kinds(r):
    o = shared_ordered
    o[r.randrange(30)] = 1
    o.move_to_end(next(iter(o)), last=r.random() < 0.5)
    list(o), list(reversed(o)), o == o, o.copy()
    o.popitem(last=False)
    shared_default[r.randrange(30)].append(1)
    shared_default.pop(r.randrange(30), None)
    shared_counter.update("some letters")
    shared_counter.most_common(2), shared_counter["s"]
    if r.random() < 0.05:
        shared_counter.clear()
    d = shared_dict
    d.keys() & {"a"}, d.keys() | {"b"}, d.items() - set(), d.keys() == d.keys(), "a" in d.keys(), reversed(d)
    d |= {"q": 1}
    d.update(shared_default), list(d.values())


def iterators(r):
    it = r.choice((lambda: itertools.product(shared_list, "ab"), lambda: itertools.permutations(range(4)),
                   lambda: itertools.combinations(list(shared_set), 2), lambda: itertools.tee(shared_list)[0],
                   lambda: itertools.groupby(shared_deque), lambda: itertools.accumulate(range(20)),
                   lambda: itertools.cycle(shared_list), lambda: itertools.pairwise(shared_list),
                   lambda: itertools.zip_longest(shared_list, shared_dict), lambda: itertools.count(2 ** 62),
                   lambda: itertools.starmap(operator.add, [(1, 2)] * 30), lambda: itertools.compress("abc" * 9, shared_list),
                   lambda: itertools.islice(shared_dict, 3, 20), lambda: pattern.finditer("a1 b2 c3 d4"),
                   lambda: reversed(shared_deque), lambda: iter(shared_bytes), lambda: iter(shared_array),
                   lambda: iter("text" * 9), lambda: iter(range(9, 2 ** 70)), lambda: filter(None, shared_list),
                   lambda: iter(shared_ordered.items()), lambda: struct.iter_unpack("<h", b"12" * 9)))()
    i = r.randrange(4)
    shared_iterators[i] = it
    it = shared_iterators[r.randrange(4)]
    for _ in range(6):
        next(it)
    copy.copy(it), it.__length_hint__(), it.__reduce__()


def coroutines(r):
    async def source(n):
        for i in range(n):
            yield i

    async def sink():
        async for x in source(3):
            pass
        return [y async for y in source(2)]
    i = r.randrange(3)
    shared_coroutines[i] = r.choice((sink, lambda: source(3).__anext__(), lambda: source(2).aclose()))()
    c = shared_coroutines[r.randrange(3)]
    try:
        c.send(None)
    except (StopIteration, StopAsyncIteration):
        pass
    c.close()
    getattr(c, "cr_frame", None), getattr(c, "cr_await", None)


def functions(r):
    cached(r.randrange(40)), cached.cache_info()
    if r.random() < 0.05:
        cached.cache_clear()
    dispatched(r.choice((1, "a", None, [])))
    if r.random() < 0.1:
        dispatched.register(r.choice((int, str, list)), lambda x: "this")
    shared_partial(r.randrange(9)), shared_partial.args, shared_partial.func
    shared_partial.__setstate__((max, (r.randrange(5),), {}, None))
    f = made.setdefault(r.randrange(5), lambda a=1, *b, k=2, **c: a)
    f(), f(1, 2, k=3, z=4)
    f.__code__ = (lambda a=1, *b, k=2, **c: [a]).__code__
    f.__defaults__ = (r.random(),)
    f.__kwdefaults__ = {"k": 5}
    f.__dict__["n"] = f.__name__
    f.__annotations__, f.__closure__
    shared_property.__get__(f), shared_property.getter(f)
    if r.random() < 0.1:
        made.pop(r.randrange(5), None)


def streams(r):
    b, t = shared_streams
    b.write(b"new bytes\n"), b.seek(r.randrange(20)), b.readline(), b.read(9), b.getvalue()[:3]
    t.write("new text\n"), t.seek(0), t.readline(), t.read(5)
    if r.random() < 0.1:
        b.truncate(50), t.truncate(50)
    print("line", r.random(), file=t)
    io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"a\r\nb"))).readlines()


def expressions(r):
    m = pattern.search("a1 b22 c")
    m.groups(), m.span(), m.expand(r"\\1")
    pattern.sub(lambda m: m.group().upper(), "a1 b2"), pattern.split("x1y"), pattern.findall("q7 z")
    re.compile("ab*%d" % r.randrange(600)).match("abb1")
    if r.random() < 0.02:
        re.purge()


def imports(r):
    name = r.choice(("colorsys", "textwrap", "bisect", "shlex", "this_is_missing"))
    if r.random() < 0.3:
        sys.modules.pop(name, None)
    try:
        m = __import__(name)
        m.attribute = r.random()
        m.__dict__.get("attribute"), m.__name__, dir(m)[:3]
    except ImportError:
        pass
    if r.random() < 0.05:
        eval(compile("[x + %d for x in range(5)]" % r.randrange(9), "<stress>", "eval"))


def queues(r):
    for q in shared_queues:
        try:
            q.put_nowait(r.random())
            q.get_nowait()
            if r.random() < 0.1:
                q.get(timeout=0.0005)
        except (queue.Empty, queue.Full):
            pass
        q.qsize()


def contexts(r):
    token = shared_variable.set(r.random())
    shared_variable.get()
    shared_variable.reset(token)
    contextvars.copy_context().run(shared_variable.set, 1)
    shared_context.run(lambda: shared_variable.set(r.random()))
    list(shared_context.items()), len(shared_context)


def tuples(r):
    l, d, (a, b, c) = shared_tuple
    hash(shared_tuple[2]), shared_tuple[2] + (1,), shared_tuple[2] == (a, b, c), shared_tuple[1:]
    x = frozenset(shared_tuple[2])
    x | {1}, hash(x), a in x
    shared_list.append((x, slice(a, b), shared_objects[0].method))


def groups(r):
    try:
        try:
            raise ExceptionGroup("many", [error, KeyError(1), ExceptionGroup("in", [OSError(2)])])
        except* KeyError as e:
            shared_dict["group"] = e
        except* OSError:
            pass
    except ExceptionGroup as e:
        e.split(ValueError), e.derive([error]), e.exceptions, str(e)
        error.args = ("shared", r.random())
        error.__cause__ = e
    error.__cause__ = None


def collector(r):
    k = r.random()
    if k < 0.1:
        gc.set_threshold(r.choice((5, 100, 700)), 10, 10)
    if k < 0.05:
        gc.collect()
    gc.get_count(), gc.is_tracked(shared_list), gc.get_referents(shared_tuple), gc.get_stats()
    if k > 0.97:
        gc.get_referrers(error)
    if k > 0.99:
        gc.freeze(), gc.unfreeze()


class Mixin:
    def mixed(self):
        return "mixed"


def buffers(r):
    m = shared_view
    m[r.randrange(90):][:9] = b"buffers!!"
    struct.unpack_from("<3h4sp", m, r.randrange(50)), list(struct.iter_unpack("<i", m))
    int.from_bytes(m, "little"), m == shared_read_only, hash(bytes(m)), b",".join((m, m)), bytes(m).find(m[3:5])
    str(m, "latin-1"), str(m, "utf-8", "replace"), binascii.b2a_hex(m), binascii.crc32(m), marshal.dumps(m)
    byte_pattern.findall(m), byte_pattern.sub(b"-", shared_read_only)
    shared_struct.pack_into(m, 3, r.randrange(99), 2), shared_struct.unpack_from(m), shared_struct.format
    if r.random() < 0.1:
        shared_struct.__init__(r.choice(("<hh", "<qi")))
    with memoryview(shared_array) as items:
        items[0] = 3
        items.tolist(), items.cast("B")[:7].tobytes()


def digests(r):
    for d in shared_digests:
        d.update(shared_view), d.update(b"more"), d.hexdigest(), d.copy().digest(), d.name, d.block_size
    hashlib.blake2s(shared_view, key=b"key", person=b"me").digest()
    zlib.crc32(shared_view), zlib.adler32(b"text" * 99)


def compressors(r):
    c, d = shared_zlib
    c.compress(b"some bytes" * 30), c.flush(zlib.Z_SYNC_FLUSH), c.copy().flush()
    d.decompress(packed, r.randrange(50)), d.unconsumed_tail, d.eof, d.copy().flush()
    if r.random() < 0.3:
        shared_zlib[:] = zlib.compressobj(), zlib.decompressobj()
    zlib.decompress(zlib.compress(bytes(shared_view)))


def pickles(r):
    v = r.choice((shared_list, shared_dict, shared_set, shared_tuple[2], shared_deque, shared_ordered, shared_array,
                  shared_bytes, shared_namespace, Colour.RED, Point(1, 2), shared_proxy.copy()))
    pickle.loads(pickle.dumps(v, r.randrange(6)))
    copy.copy(v), copy.deepcopy(shared_tuple[2])
    shared_pickler.dump([v, 1]), shared_pickler.clear_memo(), shared_pickler.memo
    shared_unpickler.load()
    marshal.loads(marshal.dumps([1, "two", {3: (4.5, None)}]))


def texts(r):
    json.loads(json.dumps(shared_json, indent=r.choice((None, 2)), sort_keys=r.random() < 0.5))
    shared_json[r.randrange(9)] = {"k%d" % r.randrange(9): [1.5, None, "x"]}
    shared_encoder.encode(shared_json), shared_decoder.decode('[1, {"a": [2.5, "b"]}]')
    if r.random() < 0.1:
        shared_json.clear()
    shared_writer.writerow(["a", r.random(), "b,c", None]), shared_writer.dialect.delimiter
    next(shared_reader), shared_reader.line_num
    csv.register_dialect("d%d" % r.randrange(5), delimiter=";"), csv.list_dialects(), csv.field_size_limit(r.randrange(99, 9999))
    c = chr(r.randrange(0x250))
    unicodedata.name(c, None), unicodedata.normalize("NFKD", c * 3), unicodedata.category(c), unicodedata.lookup("EM DASH")
    c.encode("utf-16"), c.encode("ascii", "xmlcharrefreplace"), "%5.2f" % r.random(), "{:>{}}".format(c, 5), f"{r.random():e}"
    (c * 5).translate({ord(c): "z"}), "".join(shared_words), shared_words.append(c)
    if len(shared_words) > 99:
        del shared_words[5:]


def sockets(r):
    a, b = shared_sockets
    a.send(b"some bytes"), a.sendall(shared_view)
    b.recv(r.randrange(1, 99)), b.recv_into(shared_view), b.fileno(), repr(a), a.gettimeout()
    shared_poll.poll(0), shared_epoll.poll(0), select.select([b], [a], [], 0)
    if r.random() < 0.05:
        new = quick_pair()
        old, shared_sockets[:] = list(shared_sockets), new
        shared_epoll.register(new[1], select.EPOLLIN)
        for s in old:
            s.close()


def files(r):
    f = shared_file
    f.write(b"some bytes\n" * 9), f.seek(r.randrange(50)), f.readline(), f.readinto(shared_view), f.read1(9), f.peek(3)
    f.tell(), f.name, f.mode, f.closed
    if r.random() < 0.05:
        f.truncate(200), f.flush(), os.fstat(f.fileno())
    t = shared_text
    t.write("a line \u20ac\n"), t.seek(0), t.readline(), t.tell(), next(t)
    if r.random() < 0.1:
        t.truncate(0)
        t.reconfigure(line_buffering=r.random() < 0.5)
    if r.random() < 0.1:
        [e.name for e in os.scandir(os.path.dirname(f.name))][:1], os.stat(f.name).st_size, os.environ.get("HOME")
        os.environ["STRESS"] = str(r.random())


def hints(r):
    t = r.choice((list[int], dict[str, int], typing.List[int], typing.Optional[str], int | str, typing.TypeVar("T"),
                  Holder[int], typing.Callable[[int], str], tuple[int, ...]))
    repr(t), hash(t), t == list[int], t | None, typing.get_args(t), typing.get_origin(t)
    isinstance(1, int | str), Holder[str]().__orig_class__, typing.get_type_hints(hinted)
    isinstance(shared_objects[0], Protocol), issubclass(list, collections.abc.Sized)
    Interface.register(r.choice((Slots, int, str))), isinstance(1, Interface), issubclass(Slots, Interface)
    Colour(r.randrange(1, 3)), Colour["RED"], list(Colour), Flags.A | Flags.B, Point(1, 2)._replace(x=3), Point._fields


def kinds(r):
    n = shared_namespace
    setattr(n, "a%d" % r.randrange(9), 1)
    n.__dict__.pop("a%d" % r.randrange(9), None), repr(n), n == types.SimpleNamespace(a1=1)
    list(shared_proxy), shared_proxy | {}, shared_proxy.get("a"), len(shared_proxy)
    shared_cell.cell_contents = r.random()
    shared_cell.cell_contents, shared_cell == types.CellType(1)
    heapq.heappush(shared_heap, r.random()), heapq.heappop(shared_heap), heapq.heapreplace(shared_heap, 0.5)
    bisect.insort(shared_heap, 0.7), heapq.heapify(shared_heap)
    shared_random.random(), shared_random.getstate(), shared_random.getrandbits(70), shared_random.shuffle(shared_heap)
    operator.itemgetter(1, 2)(shared_tuple), operator.attrgetter("__class__.__name__")(n), operator.methodcaller("copy")(shared_proxy)
    memoryview(shared_view).release(), slice(1, 2).indices(5), range(r.randrange(99))[3:50:7], complex(r.random(), 1) ** 2
    math.fsum(shared_heap), math.gcd(2 ** 200, r.randrange(1, 9 ** 50)), divmod(7 ** 99, r.randrange(1, 99)), int("7" * 300) % 97
    shared_text_property.cached, shared_text_property.__dict__.pop("cached", None)
    static = staticmethod(len), classmethod(len)
    static[0].__func__, static[1].__wrapped__, shared_method.__self__, shared_method == shared_objects[0].method
    Slots.a.__get__(shared_objects[2]), type(n).__dict__.get("__repr__"), vars(Base).get("count")


def compiles(r):
    code = compile("def f(a, *b, k=1):\n    return [x + k for x in b if x] or {a: lambda: k}\n", "<stress>", "exec")
    names = {}
    exec(code, names)
    names["f"](1, 2, 3)
    code = shared_code.replace(co_name="n%d" % r.randrange(5), co_firstlineno=r.randrange(1, 99))
    code == shared_code, hash(code), list(code.co_lines()), list(code.co_positions())[:3], code.co_consts
    marshal.loads(marshal.dumps(shared_code))
    tree = ast.parse("a = b + 1")
    ast.dump(tree), ast.unparse(tree), ast.literal_eval("[1, (2, 3)]"), ast.walk(tree)
    for table in shared_table.get_children():
        table.get_symbols(), table.lookup("a").is_parameter()
    warnings.warn("stress %d" % r.randrange(9))
    if r.random() < 0.02:
        with open(os.devnull, "w") as sink:
            faulthandler.dump_traceback(sink)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Flags(enum.Flag):
    A = 1
    B = 2


class Interface(abc.ABC):
    pass


class Holder(typing.Generic[typing.TypeVar("T")]):
    pass


@typing.runtime_checkable
class Protocol(typing.Protocol):
    def method(self): ...


class Cached:
    @functools.cached_property
    def cached(self):
        return "cached"


def hinted(a: "int", b: "list[str]" = ()) -> "Base":
    pass


def quick_pair():
    pair = list(socket.socketpair())
    for s in pair:
        s.settimeout(0.001)
    return pair


class Sink:
    def write(self, data):
        return len(data)


Point = collections.namedtuple("Point", "x y")
shared_read_only = shared_view.toreadonly()
byte_pattern = re.compile(rb"[a-z]+|\x05")
shared_struct = struct.Struct("<hh")
shared_digests = [hashlib.sha256(), hashlib.blake2b(), hashlib.md5()]
shared_zlib = [zlib.compressobj(), zlib.decompressobj()]
packed = zlib.compress(b"some bytes" * 999)
shared_namespace = types.SimpleNamespace(a=1)
shared_proxy = types.MappingProxyType(shared_dict)
shared_pickler = pickle.Pickler(Sink())
shared_unpickler = pickle.Unpickler(io.BytesIO(pickle.dumps([1, "a"]) * 100))
shared_json = {}
shared_encoder, shared_decoder = json.JSONEncoder(), json.JSONDecoder()
shared_writer, shared_reader = csv.writer(Sink()), csv.reader(itertools.cycle(["a,b,\"c d\"", "1;2"]))
shared_words = []
shared_sockets = quick_pair()
shared_poll, shared_epoll = select.poll(), select.epoll()
shared_poll.register(shared_sockets[1], select.POLLIN)
shared_file = open(tempfile.mkstemp()[1], "w+b")
shared_text = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
shared_cell = types.CellType(1)
shared_heap = [0.1, 0.2, 0.3]
shared_random = random.Random(1)
shared_text_property = Cached()
shared_method = shared_objects[0].method
shared_code = compile("def f(a):\n return [a for a in g]", "<stress>", "exec")
shared_table = symtable.symtable("def f(a):\n def g(): return a\n", "?", "exec")
made = {}
OPERATIONS = [buffers, digests, compressors, pickles, texts, sockets, files, hints, kinds, compiles, bases, arrays, dict_kinds, iterators, coroutines, functions, streams, expressions, imports, queues,
              contexts, tuples, groups, collector, lists, sorts, dicts, sets, deques, bytes_, attributes, classes, closures, generators,
              exceptions, weakrefs, cycles, strings, locks, threads, frames]
EXPECTED = (IndexError, KeyError, AttributeError, RuntimeError, StopIteration, ValueError, TypeError,
            BufferError, NameError, ReferenceError, StopAsyncIteration, OSError, LookupError)
if len(sys.argv) > 4:
    OPERATIONS = [globals()[name] for name in sys.argv[4:]]
EXPECTED += (UnicodeError, EOFError, csv.Error, struct.error, zlib.error, json.JSONDecodeError, pickle.PickleError,
             TimeoutError, AssertionError, MemoryError, SyntaxError, ArithmeticError)
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


warnings.simplefilter("ignore")
pool = [threading.Thread(target=work, args=(i,)) for i in range(THREADS)]
for t in pool:
    t.start()
for t in pool:
    t.join()
shared_file.close()
os.unlink(shared_file.name)
if failures:
    print("seed", SEED, failures[0])
    sys.exit(1)
print("ok")
