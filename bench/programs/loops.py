def run():
    total = 0
    for i in range(1500):
        j = 0
        while j < 500:
            total += i ^ j
            j += 1
    return total
