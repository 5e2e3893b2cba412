"""BLAKE2 with every parameter, and the lengths round a block's."""
import hashlib


def t(f, *args, **kw):
    try:
        print(f.__name__, kw if len(str(kw)) < 80 else sorted(kw), "->", f(*args, **kw).hexdigest()[:40])
    except Exception as e:
        print(f.__name__, kw if len(str(kw)) < 80 else sorted(kw), type(e).__name__, e)


for f, most, salt in (hashlib.blake2b, 64, 16), (hashlib.blake2s, 32, 8):
    for n in 0, 1, 3, 63, 64, 65, 127, 128, 129, 1000, 100000:
        t(f, bytes(i % 251 for i in range(n)))
    for kw in ({"digest_size": 1}, {"digest_size": most}, {"digest_size": most + 1}, {"digest_size": 0}, {"key": b"k"},
               {"key": b"k" * most}, {"key": b"k" * (most + 1)}, {"salt": b"s" * salt}, {"salt": b"s" * (salt + 1)},
               {"person": b"p"}, {"person": b"p" * (salt + 1)}, {"fanout": 0}, {"fanout": 255}, {"fanout": 256},
               {"depth": 0}, {"depth": 255}, {"leaf_size": 2**32 - 1}, {"leaf_size": 2**32}, {"leaf_size": -1},
               {"node_offset": 2**48 - 1}, {"node_offset": 2**64 - 1}, {"node_depth": 255}, {"node_depth": -1},
               {"inner_size": most}, {"inner_size": most + 1}, {"last_node": True}, {"usedforsecurity": False},
               {"key": b"key", "salt": b"salt", "person": b"me", "fanout": 2, "depth": 2, "leaf_size": 5,
                "node_offset": 1, "node_depth": 1, "inner_size": most, "last_node": True, "digest_size": 20}):
        t(f, b"text" * 40, **kw)
    h = f(b"a", key=b"secret")
    c = h.copy()
    h.update(memoryview(b"bcd")[::1])
    for i in range(300):
        c.update(bytes([i & 255]))
    print(h.digest()[:8], c.hexdigest()[:16], h.name, h.block_size, h.digest_size, f.SALT_SIZE, f.MAX_KEY_SIZE)
    t(f, "text")
    t(f, 1)
    t(f, foo=1)
