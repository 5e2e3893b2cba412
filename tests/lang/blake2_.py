"""BLAKE2 with all its parameters."""
import hashlib

for f, most in ((hashlib.blake2b, 64), (hashlib.blake2s, 32)):
    print(f.SALT_SIZE, f.PERSON_SIZE, f.MAX_KEY_SIZE, f.MAX_DIGEST_SIZE)
    for n in (0, 1, 63, 64, 65, 127, 128, 129, 256, 1000):
        data = bytes(i % 251 for i in range(n))
        h = f(data)
        print(h.name, h.block_size, h.digest_size, h.hexdigest())
        for size in (1, 3, 64, 77):
            g = f(digest_size=20, key=b"key", salt=b"salt", person=b"person", fanout=2, depth=3, leaf_size=4096, node_offset=7, node_depth=1,
                  inner_size=20, last_node=size == 3)
            for i in range(0, n, size):
                g.update(data[i:i + size])
            copy = g.copy()
            g.update(b"more")
            print(copy.hexdigest(), g.digest().hex())
    for wrong in (dict(digest_size=0), dict(digest_size=most + 1), dict(key=b"x" * (most + 1)), dict(salt=b"x" * 17), dict(person=b"x" * 17),
                  dict(fanout=256), dict(depth=0), dict(leaf_size=2**32), dict(node_offset=2**64), dict(node_depth=-1), dict(inner_size=most + 1),
                  dict(key=1), dict(leaf_size=-1)):
        try:
            print(f(b"", **wrong).hexdigest())
        except Exception as e:
            print(type(e).__name__)
    for wrong in ("text", 5, None):
        try:
            f(wrong)
        except TypeError as e:
            print(e)
