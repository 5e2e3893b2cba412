def make():
    held = ["held"]

    def run():
        for i in range(100000):
            a = held
            b = held
        return a is b
    return run


run = make()
