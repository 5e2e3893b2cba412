def risky(i):
    if i % 3 == 0:
        raise ValueError(i)
    return i


def run():
    good = bad = 0
    for i in range(100000):
        try:
            good += risky(i)
        except ValueError as e:
            bad += e.args[0]
    return good, bad
