class Thing:
    def twice(self, n):
        return n + n


thing = Thing()


def run():
    for i in range(100000):
        n = thing.twice(i)
    return n
