def make(n):
    count = 0

    def step(k):
        nonlocal count
        count += k + n
        return count
    return step


def run():
    f = make(3)
    for i in range(400000):
        f(i)
    return f(0)
