"""Classes without end, each with many sets of attributes: what dead ones used is used again."""
names = ["a%d" % i for i in range(60)]


def make(i):
    class C:
        pass
    o = C()
    for n in names:
        setattr(o, n, i)
    return o.a7 - i + len(o.__dict__)


print(sum(make(i) for i in range(20000)))


class D:
    pass


d = D()
d.x = 1
d.y = 2
print(d.x + d.y, sorted(vars(d)))

# New names on objects that die, without end; and on one class.
total = 0
for i in range(300000):
    d = D()
    setattr(d, "n%d" % i, i)
    total += getattr(d, "n%d" % i)
    setattr(D, "c%d" % i, i)
    total += getattr(D, "c%d" % i) + getattr(d, "c%d" % i)
    delattr(D, "c%d" % i)
print(total, [n for n in vars(D) if not n.startswith("__")])
