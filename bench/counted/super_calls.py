class Base:
    def method(self):
        return 1


class Derived(Base):
    def method(self):
        return super().method() + 1


def run():
    d = Derived()
    total = 0
    for i in range(10000):
        total += d.method()
    return total
