from collections import namedtuple

Point = namedtuple("Point", "x y")


def run():
    for i in range(5000):
        p = Point(i, 2)
        total = p.x + p.y
    return total
