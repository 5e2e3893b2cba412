class Thing:
    pass


thing = Thing()


def run():
    a = []
    for i in range(20000):
        a.append(thing)
    return len(a)
