def a(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(u, n):
    return [sum(a(i, j) * u[j] for j in range(n)) for i in range(n)]


def run():
    n = 90
    u = [1.0] * n
    for _ in range(4):
        u = times(u, n)
    return u[0]
