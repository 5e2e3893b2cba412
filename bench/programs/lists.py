def run():
    a = []
    for i in range(200000):
        a.append(i)
    total = 0
    for i in range(len(a)):
        total += a[i]
        a[i] = total
    for x in a:
        total ^= x
    return total, a[-1], a[10:20]
