"""The order of an object's weak references: the shared plain ones first, others newest first."""
import itertools
import weakref


class C:
    pass


class Sub(weakref.ref):
    pass


def callback(r):
    pass


makers = [lambda o: weakref.ref(o), lambda o: weakref.proxy(o), lambda o: Sub(o),
          lambda o: weakref.ref(o, callback), lambda o: weakref.proxy(o, callback), lambda o: Sub(o, callback)]
for perm in itertools.permutations(range(len(makers))):
    o = C()
    ids = [(r, id(r)) for r in (makers[i](o) for i in perm)]
    numbers = [i for r, i in ids]
    print(perm, [numbers.index(id(r)) for r in weakref.getweakrefs(o)], numbers.index(id(o.__weakref__)))

o = C()
log = []
refs = [weakref.ref(o, lambda r, i=i: log.append(i)) for i in range(5)]
subs = [Sub(o, lambda r, i=i: log.append(("sub", i))) for i in range(3)]
a, b = Sub(o), Sub(o)
print(a is b, weakref.ref(o) is weakref.ref(o), weakref.proxy(o) is weakref.proxy(o), weakref.getweakrefcount(o))
del o
print(log, a(), refs[0]())
