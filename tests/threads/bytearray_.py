"""bytearray and memoryview: growing, shrinking, reading, exporting at once."""
from race import race, done

b = bytearray(b"0123456789" * 10)


def write():
    b.append(65)
    b.extend(b"hello")
    b[3:5] = b"abcdef"
    b.insert(0, 66)
    b[0] = 67
    b.__iadd__(b"xyz")


def shrink():
    while len(b) > 50:
        b.pop()
        del b[0]
        del b[-5:]


def read():
    bytes(b), b[2:9], b.find(b"abc"), b.count(b"h"), b.upper(), b.split(b"a"), b == b"x"
    for x in b:
        assert 0 <= x < 256
    b.replace(b"a", b"bb"), b.hex(), b + b"1", len(b), 65 in b


def view():
    with memoryview(b) as m:
        n = len(m)
        for i in range(0, n, 7):
            m[i] = 70
        assert len(m) == n
        bytes(m), m[1:5].tobytes(), m.tolist()


race(write, shrink, read, view, allow=(BufferError, IndexError, ValueError))
race(write, b.clear, read, view, allow=(BufferError, IndexError, ValueError))
done()
