"""Memory that some threads write while others hand it to everything that takes a bytes-like object.

Each byte is an old or a new one; what is made of it may be any mix, and no function looks twice at a byte
and believes it the second time."""
import array
import binascii
import codecs
import hashlib
import io
import marshal
import operator
import os
import pickle
import re
import socket
import struct
import tempfile
import zlib
from race import race, together, done

N = 4096
memory = bytearray(b"a" * N)
view = memoryview(memory)
frozen = view.toreadonly()
wide = view.cast("i")
items = array.array("i", range(300))
sources = (memory, view, frozen, items)


def write_view():
    view[:100] = b"\xff" * 100
    view[::7] = bytes(len(view[::7]))
    view[5] = 200
    wide[3] = -1
    view[:N] = b"a" * N


def write_array():
    memory[7] = 0xc3
    memory[8:108] = b"\xe2" * 100
    memory.__setitem__(slice(0, 20, 2), b"1" * 10)
    items[3] = 7
    items[5:9] = array.array("i", [1, 2, 3, 4])
    items.byteswap()


def write_packed():
    struct.pack_into("<3i10sd", view, 16, 1, 2, 3, b"text", 2.5)
    struct.pack_into("300s", memory, 1000, b"\xf0" * 300)
    io.BytesIO(b"\x80" * 500).readinto(view)
    io.BufferedReader(io.BytesIO(b"9" * 500)).readinto(view[100:])


def copies():
    for s in sources:
        bytes(s), bytearray(s), memoryview(s).tobytes(), memoryview(s).tolist(), b"".join((s, s))
        array.array("b").frombytes(memoryview(s).cast("B"))
        io.BytesIO(s).write(s)
        pickle.dumps(s if s is memory or s is items else bytes(s), 5)
        marshal.loads(marshal.dumps(s))
        io.BufferedWriter(io.BytesIO()).write(s)


def compares():
    view == frozen, view == memory, wide == view.cast("i"), view[::2] == frozen[1::2], wide != items
    view.cast("d") == view.cast("d"), memory == memory[:], memory < b"b" * N, operator.eq(memory, frozen)
    memory.startswith(frozen[:5]), memory.find(frozen[4:8]), memory.count(b"a"), b"ab" in memory
    frozen.hex(), memory.rpartition(b"\xff"), memory.strip(b"a"), memory.translate(None, b"a")


def replaces():
    for s in memory, b"a" * 50:
        s.replace(b"aa", b"longer"), s.replace(b"a", b""), s.split(b"a"), s.rsplit(b"\xff", 3), s.splitlines()
        s.expandtabs(), s.join((view, view)), s.title(), s.hex("-"), repr(s), s.upper(), s.zfill(N + 9), s.center(N + 99)
        s % (), b"%b" % view, s + s, s * 2


def unpacks():
    struct.unpack_from("<3i10spd", view, 16), struct.unpack("%dp" % N, memory), list(struct.iter_unpack("<q", frozen))
    int.from_bytes(view[:40], "big")
    int.from_bytes(frozen[:40], "little", signed=True)
    hashlib.md5(view), hashlib.blake2b(view), hashlib.sha256(memory).digest()
    zlib.crc32(view), zlib.adler32(memory), zlib.compress(view), binascii.crc32(frozen)


def parses():
    for f in (lambda s: str(s, "utf-8"), lambda s: s.decode("utf-8", "surrogateescape"), lambda s: str(s, "utf-16", "replace"),
              lambda s: codecs.utf_7_decode(s, "replace"), lambda s: codecs.unicode_escape_decode(s, "replace"),
              lambda s: str(s, "utf-8", "backslashreplace"), lambda s: codecs.charmap_decode(s, "replace", {97: "x"}),
              int, float, complex, lambda s: compile(s, "?", "eval"), binascii.a2b_base64, binascii.a2b_hex, binascii.b2a_hex,
              marshal.loads, pickle.loads, zlib.decompress, binascii.a2b_qp, binascii.b2a_qp, binascii.b2a_uu,
              codecs.latin_1_decode, codecs.escape_decode, bytes.fromhex):
        for s in memory, view:
            try:
                f(s)
            except (ValueError, TypeError, SyntaxError, EOFError, zlib.error, LookupError, pickle.UnpicklingError,
                    AttributeError, MemoryError, RecursionError):
                pass


def searches():
    for s in memory, view, frozen:
        for p in patterns:
            p.search(s), p.findall(s), p.sub(b"x", s), p.split(s)
            for m in p.finditer(s):
                m.groups()


patterns = [re.compile(p) for p in (rb"(\xff+)a", rb"[^a]{2,}?(.)", rb"(?i)A\b|\x00")]
OK = (IndexError, ValueError, BufferError, struct.error)
race(write_view, copies, compares, write_array, allow=OK)
race(write_packed, replaces, unpacks, write_array, allow=OK)
race(write_view, parses, searches, write_packed, allow=OK)

# Files and sockets that read into it and write from it.
path = tempfile.mkstemp()[1]
a, b = socket.socketpair()
for s in a, b:
    s.settimeout(0.01)


def files():
    with open(path, "r+b", buffering=0) as f:
        f.write(view)
        f.seek(0)
        f.readinto(view)
        os.pwrite(f.fileno(), frozen, 0)
    with open(path, "r+b") as f:
        f.write(frozen)
        f.seek(0)
        f.readinto(view)
        f.readinto1(memory)


def sends():
    a.send(view), a.sendall(frozen), a.sendmsg([view, memory])


def receives():
    b.recv_into(view)
    b.recvfrom_into(memory)
    b.recvmsg_into([view])


race(files, sends, receives, write_array, allow=OK + (TimeoutError, BlockingIOError))
os.unlink(path)

# An array that nobody else has touched yet becomes shared in the middle of something.


def first(i):
    for n in range(60):
        mine = bytearray(b"ab" * 500)
        given[i] = mine
        mine.replace(b"ab", b"longer"), mine.decode("latin-1"), mine.decode("utf-8", "replace"), mine.split(b"a"), mine.hex(), mine.find(b"c"), mine + mine
        other = given[i - 1]
        if other is not None:
            try:
                other[:] = b"\xe9" * 1000
                other.extend(b"more")
                other.clear()
            except BufferError:
                pass  # its thread is just reading it
    return True


given = [None] * 4
assert together(first) == [True] * 4
done()
