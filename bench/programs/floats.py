def run():
    x, total = 0.5, 0.0
    for i in range(400000):
        x = x * 3.7 * (1.0 - x)
        total += x * x - 0.25
    return total
