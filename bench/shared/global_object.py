class Thing:
    pass


thing = Thing()


def run():
    for i in range(100000):
        a = thing
        b = thing
    return a is b
