def run():
    d = {}
    for i in range(100000):
        d[i] = i
    words = {}
    keys = ["k%d" % (i % 1000) for i in range(100000)]
    for k in keys:
        words[k] = words.get(k, 0) + 1
    total = 0
    for k, v in d.items():
        total += v
    return total, len(words)
