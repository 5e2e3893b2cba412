"""Stores to globals that run often: replaced, deleted, moved, in mappings of other kinds."""
n = 0
items = []


def add(k):
    global n, items
    for i in range(k):
        n += 1
        items = [i]


add(1000)
print(n, items)


def make():
    global made
    made = 1


for i in range(10):
    make()
print(made)


def move():
    global n
    for i in range(10):
        n = i
        if i == 6:
            del globals()["n"]
            globals()["q%d" % i] = 1
    print(n, "n" in globals(), list(globals())[-3:])


move()
move()
for i in range(20):
    product = i * 2.5
print(i, product)

source = """
for i in range(20):
    x = i
print(x)
"""
code = compile(source, "source", "exec")


class Loud(dict):
    def __setitem__(self, key, value):
        if value == 19:
            print("set", key)
        dict.__setitem__(self, key, value)


exec(code, {})
exec(code, {}, {})
exec(code, {}, Loud())
exec(code, Loud())
shared = {}
exec(code, shared)
exec(code, shared)
print(shared["x"])


class Body:
    for a in range(9):
        b = a


print(Body.b, Body.a)


class Noisy:
    def __init__(self, number):
        self.number = number

    def __del__(self):
        gone.append((self.number, "current" in globals() and current.number))


gone = []


def replace():
    global current
    for i in range(6):
        current = Noisy(i)


replace()
print(gone)
