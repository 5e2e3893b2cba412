import enum


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def run():
    a = []
    for i in range(5000):
        a.append(Colour.RED)
        a.append(Colour(2))
    return len(a)
