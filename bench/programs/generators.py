def numbers(n):
    for i in range(n):
        yield i


def squares(it):
    for x in it:
        yield x * x


def run():
    return sum(squares(numbers(300000)))
