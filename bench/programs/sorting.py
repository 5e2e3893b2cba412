def run():
    x, a = 1, []
    for i in range(60000):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        a.append(x)
    b = sorted(a)
    c = sorted(a, key=lambda v: v % 1000)
    s = sorted(str(v) for v in a)
    return b[0], c[0], s[0]
