def run():
    a = []
    for i in range(20000):
        a.append((1, 2, "three"))
    return len(a)
