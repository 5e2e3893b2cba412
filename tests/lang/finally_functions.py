"""Functions, classes and comprehensions in a finally part: each way into it has its own copy of the code."""


def ways(way):
    found = []
    for turn in range(2):
        try:
            if way == "raise":
                raise KeyError(way)
            if way == "return":
                return found
            if way == "break":
                break
            if way == "continue":
                continue
        finally:
            local, other = turn + 10, "free"

            def inner(a, b=local, *args, c=other, **more):
                x = [a, b, args, c, sorted(more.items()), local]
                return x

            class Class:
                name = local

                def method(self):
                    return __class__.__name__, other

            found.append(inner(1))
            found.append(inner(1, 2, 3, c=4, d=5))
            found.append(Class().method() + (Class.name,))
            found.append([i + local for i in range(3) if i])
            found.append(sorted({i for i in (2, 2, 1)} | {j * k for j in (3, 3) for k in [local]}))
            found.append({k: v for k, v in zip("ab", (1, local))})
            found.append(list((i, (lambda y=i: (y, other))()) for i in range(2)))
            found.append([[(a, b) for b in range(a)] for a in range(3)])

            def generator(n):
                got = yield n
                try:
                    yield got
                finally:
                    found.append([n for n in range(n)])
            g = generator(2)
            found.append([next(g), g.send("sent")])
            g.close()
    return found


for way in ("none", "return", "break", "continue", "raise"):
    try:
        print(way, ways(way))
    except KeyError as error:
        frame = error.__traceback__.tb_next.tb_frame
        print(way, repr(error), frame.f_locals["found"])


def nested(deep):
    try:
        try:
            if deep:
                raise ValueError("a")
        finally:
            a = [x for x in range(3)]
            try:
                raise TypeError("b")
            finally:
                b = [(x, y) for x in a for y in a if x < y]
    except TypeError as error:
        return a, b, repr(error.__context__)


print(nested(False), nested(True))


def in_with(fails):
    class Manager:
        def __enter__(self):
            return self

        def __exit__(self, *args):
            return [True for _ in range(2)]
    try:
        with Manager():
            if fails:
                raise OSError
            return [x for x in range(2)]
    finally:
        print([x * y for x in range(3) for y in (fails, 2)])


print(in_with(0), in_with(1))
