class Counter:
    def __init__(self):
        self.n = 0

    def add(self, k):
        self.n += k
        return self

    def get(self):
        return self.n


def run():
    c = Counter()
    total = 0
    for i in range(200000):
        c.add(i)
        total += c.get()
    return total
