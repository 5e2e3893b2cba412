"""A hash object of all threads: no update is lost or torn (all are the same bytes, so their order does not matter)."""
import hashlib
from race import race, together, done

# -- N6: each update at once

N = 2000
for make in (hashlib.blake2b, hashlib.blake2s):
    h = make()
    together(lambda i: [h.update(b"x" * 77) for _ in range(N)])
    assert h.hexdigest() == make(b"x" * 77 * N * 4).hexdigest()
    race(lambda: h.update(b"abc" * 100), lambda: h.digest(), lambda: h.copy().update(b"y"), seconds=0.2)
done()
