# A class loses its __del__ while several of its objects die.
import gc


class C:
    def __del__(self):
        print("del C")
        del C.__del__


objects = [C(), C(), C()]
del objects


class D:
    def __del__(self):
        print("del D")
        del D.__del__


a, b = D(), D()
a.other, b.other = b, a
del a, b
print(gc.collect())


class E(list):
    def __del__(self):
        print("del E", len(self))
        E.__del__ = lambda self: print("another del", len(self))


objects = [E([1]), E([2, 3])]
del objects
