things = {name: [name] for name in ("one", "two", "three", "four", "five", "six", "seven")}


def run():
    for i in range(100000):
        a = things["two"]
        b = things["six"]
    return a is b
