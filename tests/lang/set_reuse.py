"""Sets from which as many keys go as come, also while __eq__ is at it."""
import random


class Key:
    """Equal by number; all hashes fall into few slots; comparing may change a set."""
    change = None

    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 3

    def __eq__(self, other):
        if Key.change is not None:
            change, Key.change = Key.change, None
            change()
        return self.n == other.n


r = random.Random(5)
s, model = set(), {}
for step in range(40000):
    k = r.choice([r.randrange(60), str(r.randrange(60)), (r.randrange(60), 1), r.randrange(60) * 2**70])
    if r.random() < 0.5:
        s.add(k)
        model[k] = 1
    else:
        s.discard(k)
        model.pop(k, None)
    assert len(s) == len(model)
    if step % 1000 == 0:
        assert s == set(model) and sorted(map(repr, s)) == sorted(map(repr, model))
print(len(s), sorted(map(repr, s))[:5])

for n in 3, 8, 30, 100:
    keys = [Key(i) for i in range(n)]
    s = set(keys)
    for step in range(300):
        a, b = r.randrange(n), r.randrange(n)

        def change():
            s.discard(keys[a])
            s.add(keys[b])
            s.discard(keys[b])
            s.add(keys[a])
            s.add(keys[b])

        Key.change = change if step % 3 == 0 else None
        if step % 2:
            s.add(Key(a))
        else:
            s.discard(Key(a))
            s.add(keys[a])
        Key.change = None
    print(n, len(s), sorted(k.n for k in s) == list(range(n)), sum(1 for k in s))

s = set(range(100))
seen = []
for _ in range(1000):
    k = s.pop()
    seen.append(k)
    s.add(k + 100)
print(len(s), len(set(seen)) == len(seen), all(k % 100 in {x % 100 for x in s} for k in seen))
s = {1, 2, 3}
try:
    for x in s:
        s.remove(x)
        s.add(x + 10)
        s.add(x + 20)
except RuntimeError as e:
    print(e)
