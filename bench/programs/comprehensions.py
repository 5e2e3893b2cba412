def run():
    total = 0
    for n in range(200):
        a = [i * 2 for i in range(500)]
        s = {i % 7 for i in a}
        d = {i: i + 1 for i in a if i % 3}
        total += len(a) + len(s) + len(d)
    return total
