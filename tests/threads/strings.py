"""Interning, hashing, encoding and joining strings that several threads hold."""
import sys
from race import race, together, done

N = 5000
words = together(lambda i: [sys.intern("word%d" % k) for k in range(N)])
for k in range(N):
    assert words[0][k] is words[1][k] is words[2][k] is words[3][k]
del words


class C:
    pass


obj = C()


def intern():
    for i in range(200):
        s = sys.intern("tmp%d" % (i % 50))
        assert s == "tmp%d" % (i % 50)


def attributes():
    for i in range(50):
        name = "attr%d" % i
        setattr(obj, name, i)
        getattr(obj, name, None)
        try:
            delattr(obj, name)
        except AttributeError:
            pass


text = "häßlich \U0001f600" * 20


def shared():
    t = text + "x"
    hash(text), hash(t), text.encode(), t.encode("utf-16"), text.upper(), t.split()
    {text: 1}[text]
    s = ""
    for i in range(50):
        s += "ab"
    assert s == "ab" * 50


race(intern, attributes, shared)
done()
