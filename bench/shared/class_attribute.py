class Thing:
    part = ["part"]


def run():
    for i in range(100000):
        a = Thing.part
        b = Thing.part
    return a is b
