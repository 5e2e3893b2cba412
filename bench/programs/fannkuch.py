def run():
    n = 8
    p = list(range(n))
    q = p[:]
    s = list(range(n))
    sign, best, total = 1, 0, 0
    while True:
        if p[0]:
            q[:] = p
            flips = 0
            while q[0]:
                k = q[0]
                q[:k + 1] = q[k::-1]
                flips += 1
            best = max(best, flips)
            total += sign * flips
        if sign == 1:
            p[0], p[1] = p[1], p[0]
            sign = -1
        else:
            p[1], p[2] = p[2], p[1]
            sign = 1
            for i in range(2, n):
                if s[i]:
                    s[i] -= 1
                    break
                s[i] = i
                if i == n - 1:
                    return total, best
                t = p[0]
                p[:i + 1] = p[1:i + 2]
                p[i + 1] = t
