def run():
    a = []
    for i in range(20000):
        a.append(123456789012345678901234567890)
    return len(a)
