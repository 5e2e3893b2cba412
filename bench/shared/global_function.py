def twice(n):
    return n + n


def run():
    for i in range(100000):
        n = twice(i)
    return n
