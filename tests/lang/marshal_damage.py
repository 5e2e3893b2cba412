"""Damaged marshal data: every byte changed, code objects too, cut anywhere, nested without end."""
import marshal

ERRORS = (EOFError, ValueError, TypeError, MemoryError, OverflowError)
SAMPLE = [1, 2.5, 'abc', (1, 2), {1: 2}, {3}, b'xyz', 2**100, 1j, '\xe9', frozenset([5]), None, ...]
SOURCE = """
def f(a, b=2, *c, d, **e):
    x = [i * a for i in range(b)]
    def g():
        return x, a
    try:
        return g()
    except Exception as z:
        return z
class K:
    y = 1
    def m(self):
        self.q = 1
        return self.y
out = f(3, 4, d=5), K().m()
"""


def survive(data):
    try:
        marshal.loads(data)
    except ERRORS:
        return 1
    return 0


def change(data):
    for i in range(len(data)):
        for byte in (0, 1, 0x7f, 0x80, 0xff, 0x28, 0x5b, 0x7b, 0x72, 0x30, 0x63, data[i] ^ 4):
            survive(data[:i] + bytes([byte]) + data[i + 1:])


code = compile(SOURCE, '<x>', 'exec')
for version in range(5):
    data = marshal.dumps(SAMPLE, version)
    change(data)
    print(version, marshal.loads(data) == SAMPLE, sum(survive(data[:i]) for i in range(len(data))) == len(data))
data = marshal.dumps(code)
names = {}
exec(marshal.loads(data), names)
print(names['out'], marshal.loads(data) == code)
change(data)
print(sum(survive(data[:i]) for i in range(len(data))) == len(data))
try:
    marshal.loads(b'[\x01\0\0\0' * 3000 + b'N')
except ValueError as e:
    print(e)
