def run():
    total = 0
    for i in range(5000):
        f = lambda x: x + i
        total += f(1) + sum(x for x in (i, f(2)))
    return total
