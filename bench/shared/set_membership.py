names = {"one", "two", "three", "four", "five", "six", "seven"}


def run():
    count = 0
    for i in range(100000):
        if "two" in names:
            count += 1
        if "nine" in names:
            count += 1
    return count
