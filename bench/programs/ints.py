def run():
    a, b, count = 1, 0, 0
    for i in range(300000):
        a = (a * 1103515245 + 12345) & 0x7fffffff
        b += a % 7 + a // 3
        if a & 1:
            count += 1
    return b, count
