"""Compressor and decompressor objects that several threads feed, and symbol tables that they read."""
import symtable
import zlib
from race import race, together, done

text = b"".join(b"%d %d\n" % (i, i * i) for i in range(3000))
packed = zlib.compress(text)
c = zlib.compressobj()
d = zlib.decompressobj()
table = symtable.symtable("def f(a):\n def g(): return a\n return [a for a in g]", "?", "exec")


def compressing():
    c.compress(text[:20000])
    c.flush(zlib.Z_SYNC_FLUSH)
    c.copy().flush()


def decompressing():
    d.decompress(packed, 100)
    d.unconsumed_tail, d.unused_data, d.eof
    d.copy()


def whole():
    assert zlib.decompress(zlib.compress(text, 1)) == text
    assert zlib.crc32(text) == zlib.crc32(bytes(text))


def tables():
    f, = table.get_children()
    assert f.lookup("a").is_parameter() and [t.get_name() for t in f.get_children()] == ["g", "listcomp"]


race(compressing, decompressing, whole, tables, allow=(zlib.error, ValueError))
assert together(lambda i: zlib.decompressobj().decompress(packed)) == [text] * 4
done()
