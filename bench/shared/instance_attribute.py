class Thing:
    def __init__(self):
        self.part = ["part"]


thing = Thing()


def run():
    for i in range(100000):
        a = thing.part
        b = thing.part
    return a is b
