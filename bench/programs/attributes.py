class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


def run():
    p, q = Point(1, 2), Point(3, 4)
    for i in range(300000):
        p.x = q.x + i
        q.y = p.y + p.x
        p.y = q.y - q.x
    return p.x, p.y
