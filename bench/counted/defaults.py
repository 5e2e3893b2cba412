def make(a, b="default", *, c="keyword"):
    return [b, c, a]


def run():
    for i in range(20000):
        a = make(i)
    return a
