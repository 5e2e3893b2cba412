def run():
    for i in range(20000):
        a = ["alpha", "beta", "gamma"]
        d = {"alpha": i, "beta": "gamma"}
    return a, d
