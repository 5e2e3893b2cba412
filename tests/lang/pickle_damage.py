"""Damaged pickles raise what CPython raises; nothing crashes."""
import collections
import io
import pickle
import random


class Plain:
    pass


plain = Plain()
plain.a = 1
values = [1, 2.5, "a\u1234", b"xx", [1, 2, [3]], {1: 2, "a": [1]}, (1, 2, 3, 4), {1, 2}, frozenset([3]), bytearray(b"q"), plain,
          len, True, 10**30, collections.OrderedDict(a=1), ValueError("x")]


class File:  # neither peek() nor readinto()
    def __init__(self, data):
        file = io.BytesIO(data)
        self.read, self.readline = file.read, file.readline


LOADS = [pickle.loads, lambda d: pickle.load(io.BytesIO(d)), lambda d: pickle.load(File(d))]


def outcome(data, loads=LOADS):
    said = []
    for load in loads:
        try:
            said.append("ok " + type(load(data)).__name__)
        except Exception as e:
            said.append("%s: %s" % (type(e).__name__, e))
    assert len(set(said)) == 1, (data, said)
    return said[0]


for value in values:  # cut anywhere
    for protocol in range(6):
        data = pickle.dumps(value, protocol)
        print(type(value).__name__, protocol, sorted({outcome(data[:i], LOADS + [lambda d: pickle.load(io.BufferedReader(io.BytesIO(d)))]) for i in range(len(data))}))

heads = (b"", b"N", b"(", b"NN", b"(NN", b"](", b"}", b"K\x01)", b"cbuiltins\nobject\n)", b"((", b"()N}")
tails = (b"", b".", b"1\n.", b"\x01\x00\x00\x00\x00\x00\x00\x00.", b"'a'\n.", b"NN.", b"builtins\nlen\n.")
large = b"r\x8d\x8e\x96"  # CPython reserves memory for these before it looks further
for op in range(256):  # any opcode on any stack
    if op not in large:
        print(op, sorted({outcome(head + bytes([op]) + tail) for head in heads for tail in tails}))
for op in large:
    for tail in (b"", b"\xff" * 8, b"\x00" * 7 + b"\x7f", b"\x01" + b"\x00" * 7):
        try:
            pickle.loads(bytes([op]) + tail)
        except Exception:
            pass

random.seed(5)
for value in values:  # any byte changed: no crash (CPython takes minutes here, for it reserves what a size says)
    for protocol in range(6):
        data = pickle.dumps(value, protocol)
        for _ in range(100):
            damaged = bytearray(data)
            damaged[random.randrange(len(data))] = random.choice(b"().0123458ab]}deghijlopqrstuNRS\x00\x01\x80\x85\x91\x92\x93\x94\xff")
            try:
                pickle.loads(bytes(damaged))
            except Exception:
                pass
print("done")
