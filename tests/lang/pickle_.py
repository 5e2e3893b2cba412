"""Pickles byte for byte as CPython writes them, in all protocols, and what is read back."""
import binascii
import collections
import copyreg
import io
import pickle


class Plain:
    def __init__(self):
        self.a = 1
        self.me = [self]

    def method(self):
        pass

    class Inner:
        pass


class Slotted:
    __slots__ = ("x", "y")


class Args:
    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self.got = args, kwargs
        return self

    def __getnewargs_ex__(self):
        return (1, 2), {"k": 3}

    def __getstate__(self):
        return None


class Reduced:
    def __init__(self, r):
        self.r = r

    def __reduce__(self):
        return self.r

    def __repr__(self):
        return "<Reduced>"


slotted = Slotted()
slotted.x = 1
loop = []
loop.append(loop)
pair = ([],)
pair[0].append(pair)
values = [
    None, True, False, 0, 1, -1, 255, 256, 65535, 65536, -128, -129, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**63, 10**40,
    -10**40, 2**2100, 1.5, -0.0, 1e300, float("inf"), 1j, "", "a", "\u20ac", "\U0001f600\\\n\r\0\x1a", "\ud800", "x" * 70000,
    b"", b"abc", b"\xff" * 300, b"y" * 70000, bytearray(), bytearray(b"abc"), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [],
    [1], [1, 2], list(range(1000)), list(range(1001)), {}, {1: 2}, {"a": 1, "b": [2]}, dict.fromkeys(range(999)),
    dict.fromkeys(range(1000)), dict.fromkeys(range(2001)), set(), {1}, frozenset(), frozenset([1]),
    collections.OrderedDict.fromkeys(range(5)), collections.OrderedDict.fromkeys(range(1000)),
    collections.OrderedDict.fromkeys(range(1001)), collections.deque([1, 2], 5), collections.Counter("hello"), range(3),
    slice(1, 2), len, int, type(None), type(...), ..., NotImplemented, Plain, Plain.Inner, Plain.method, "".join, Plain(),
    slotted, Args(), ValueError("x", 1), loop, pair, [[]] * 3, ["a", "a"], copyreg,
]
for value in values:
    for protocol in range(6):
        try:
            data = pickle.dumps(value, protocol)
            sink = io.BytesIO()
            pickle.Pickler(sink, protocol).dump(value)
            assert sink.getvalue() == data
        except Exception as e:
            print(type(value).__name__, protocol, type(e).__name__, e)
            continue
        print(type(value).__name__, protocol, len(data), binascii.crc32(data))
        sink.seek(0)
        for back in pickle.loads(data), pickle.load(sink), pickle._loads(data):
            assert type(back) is type(value)
            if value is loop:
                assert back[0] is back
            elif value is pair:
                assert back[0][0] is back
            elif type(value) is Slotted:
                assert back.x == 1 and not hasattr(back, "y")
            elif type(value) is Plain:
                assert back.a == 1 and back.me[0] is back and list(vars(back)) == ["a", "me"]
            elif type(value) is Args:
                assert protocol < 2 or back.got == ((1, 2), {"k": 3})
            elif type(value) not in (ValueError, type("".join)):
                assert back == value

print("errors")
for reduction in ("nothing", 5, (), (1, ()), (int, 5), (int, (), None, 5), (int, (), None, None, 5), (int, (), None, None, None, 5),
                  (int, (1,), None, iter([1])), (int, (1,), None, None, iter([(1, 2)])), (int, (1,), None, None, iter([1])),
                  (copyreg.__newobj__, ()), (copyreg.__newobj__, (1,)), (copyreg.__newobj__, (int,)),
                  (copyreg.__newobj_ex__, (1,)), (copyreg.__newobj_ex__, (1, (), {})), (copyreg.__newobj_ex__, (int, 1, {})),
                  (copyreg.__newobj_ex__, (int, (), 1))):
    for protocol in (1, 2, 4):
        try:
            pickle.loads(pickle.dumps(Reduced(reduction), protocol))
        except Exception as e:
            print(protocol, type(e).__name__, e)


def local():
    def inner():
        pass
    return inner


local.__module__ = None
other = lambda: 0
other.__qualname__ = other.__name__ = "Plain"
for wrong in (local(), other, lambda: 0, (x for x in ()), copyreg, pickle.PickleBuffer(b"")):
    try:
        pickle.dumps(wrong)
    except Exception as e:
        print(type(e).__name__, str(e).split(" at 0x")[0])
for wrong in (dict(protocol=6), dict(protocol="a"), dict(buffer_callback=print), dict(protocol=5, buffer_callback=1, foo=2)):
    try:
        pickle.dumps(1, **wrong)
    except Exception as e:
        print(type(e).__name__)
for make in (lambda: pickle.dump(1, 2), lambda: pickle.load(2), lambda: pickle.Pickler(1), lambda: pickle.Unpickler(1),
             lambda: pickle.Pickler.__new__(pickle.Pickler).dump(1), lambda: pickle.Unpickler.__new__(pickle.Unpickler).load(),
             lambda: pickle.loads("x"), lambda: pickle.Pickler(io.BytesIO()).persistent_id,
             lambda: pickle.Unpickler(io.BytesIO()).persistent_load):
    try:
        make()
    except Exception as e:
        print(type(e).__name__, e)

print("hooks")


class P(pickle.Pickler):
    def persistent_id(self, v):
        return "id" if v is Plain else None

    def reducer_override(self, v):
        if v is len:
            return str.upper, ("len",)
        return NotImplemented


class U(pickle.Unpickler):
    def persistent_load(self, v):
        return "<%s>" % v

    def find_class(self, module, name):
        print("find", module, name)
        return super().find_class(module, name)


for protocol in range(6):
    sink = io.BytesIO()
    P(sink, protocol).dump([Plain, len, int])
    sink.seek(0)
    print(U(sink).load())
p = pickle.Pickler(sink)
p.dispatch_table = {complex: lambda v: (str, ("complex",))}
sink.seek(0)
p.dump([1j, 1j])
print(pickle.loads(sink.getvalue()))
buffers = []
data = pickle.dumps([pickle.PickleBuffer(b"abc"), pickle.PickleBuffer(bytearray(b"abc"))], 5, buffer_callback=buffers.append)
print(data, [bytes(b) for b in buffers], [bytes(b) for b in pickle.loads(data, buffers=buffers)])
p = pickle.Pickler(sink)
p.fast = True
try:
    p.dump(loop)
except Exception as e:
    print(type(e).__name__, str(e).split(" at ")[0])
deep = []
for _ in range(100000):
    deep = [deep]
try:
    pickle.dumps(deep)
except RecursionError as e:
    print("RecursionError", e)
back = pickle.loads(b"]" * 100000 + b"a" * 99999 + b".")
for _ in range(99999):
    back = back[0]
print(back)
