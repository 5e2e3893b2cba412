table = {"a": "value a", "b": "value b"}


def run():
    a = []
    for i in range(20000):
        a.append(table["a"])
        a.append(table["b"])
    return len(a)
