things = [["thing", n] for n in range(10)]


def run():
    for i in range(100000):
        a = things[3]
        b = things[7]
    return a is b
