"""Namespaces with keys whose __eq__ is a program's: each access asks them once, and what the answer
changes is seen by the next access only.  (CPython's probing may come by a key twice; with
PYTHONHASHSEED=7 it does not.)"""


class Key:
    """Equal hash to a name, equal to nothing; counts who asks."""
    def __init__(self, name, act=None):
        self.hash = hash(name)
        self.asked = 0
        self.act = act

    def __hash__(self):
        return self.hash

    def __eq__(self, other):
        if other is self:
            return True
        self.asked += 1
        if self.act is not None:
            self.act()
        return False


def rounds(what, access, n=4):
    """The comparisons of each of the first calls."""
    key, use = access
    seen = []
    for _ in range(n):
        before = key.asked
        try:
            r = use()
        except Exception as e:
            r = f'{type(e).__name__}: {e}'
        seen.append(key.asked - before)
    print(what, seen, r)


class Base:
    data = 'Base.data'

    def method(self):
        return 'Base.method'

    @staticmethod
    def static():
        return 'Base.static'

    @classmethod
    def of_class(cls):
        return cls.__name__

    @property
    def prop(self):
        return 'Base.prop'

    def __enter__(self):
        return 'entered'

    def __exit__(self, *a):
        return True

    def __init__(self, *a):
        pass


def derived(name, base=Base):
    key = Key(name)
    return key, type('X', (base,), {key: 5})


def class_attr():
    key, X = derived('data')
    return key, lambda: X.data


def class_method():
    key, X = derived('of_class')
    return key, lambda: X.of_class()


def class_static():
    key, X = derived('static')
    return key, lambda: X.static()


def instance_attr():
    key, X = derived('data')
    x = X()
    return key, lambda: x.data


def instance_prop():
    key, X = derived('prop')
    x = X()
    return key, lambda: x.prop


def instance_method():
    key, X = derived('method')
    x = X()
    return key, lambda: x.method()


def instance_call():
    key, X = derived('static')
    x = X()
    return key, lambda: x.static()


def instance_data_call():
    key, X = derived('data')
    x = X()
    return key, lambda: x.data()


def instance_missing():
    key, X = derived('missing')
    x = X()
    return key, lambda: x.missing


def instance_missing_call():
    key, X = derived('missing')
    x = X()
    return key, lambda: x.missing()


def store():
    key, X = derived('data')
    x = X()

    def use():
        x.data = 1
        return x.data
    return key, use


def store_prop():
    key, X = derived('prop')
    x = X()

    def use():
        x.prop = 1
    return key, use


for f in (class_attr, class_method, class_static, instance_attr, instance_prop, instance_method,
          instance_call, instance_data_call, instance_missing, instance_missing_call, store,
          store_prop):
    rounds(f.__name__, f())


# What a comparison changes: the class itself.

class Base1:
    a = b = c = 'from Base1'

    def m(self):
        return 'm of Base1'

    n = m


class Base2:
    a = b = c = 'from Base2'

    def m(self):
        return 'm of Base2'

    n = m


def rebase(name):
    def change():
        X.__bases__ = (Base2,)
    X = type('X', (Base1,), {Key(name, change): 5})
    return X


for name in ('a', 'b'):
    X = rebase(name)
    x = X()
    print(X.a, X.b, X.c)
    X = rebase(name)
    x = X()
    print(x.a, x.b, x.c)
X = rebase('m')
x = X()
print(x.m(), x.n())
X = rebase('m')
print(X.m(x), X.n(x))
X = rebase('a')
x = X()
try:
    x.a()
except TypeError as e:
    print(e)


# Dicts of instances.

def instance_dict(name, call):
    class C:
        def method(self):
            return 'C.method'
        data = 'C.data'
    c = C()
    key = Key(name)
    c.__dict__[key] = 5
    return key, (lambda: c.method()) if call else (lambda: c.data)


rounds('method of a dict', instance_dict('method', True))
rounds('data of a dict', instance_dict('data', False))


def fail():
    raise KeyError('from __eq__')


class C:
    def method(self):
        return 'C.method'
    data = 'C.data'


c = C()
c.__dict__[Key('method', fail)] = 5
c.__dict__[Key('data', fail)] = 5
for _ in range(3):
    for use in (lambda: c.method(), lambda: c.data, lambda: c.data()):
        try:
            print(use())
        except Exception as e:
            print(type(e).__name__, e)


def errors():
    """What a key's __eq__ raises is the error of the access, but where classes are searched."""
    class D(Base):
        pass
    d = D()
    d.__dict__[Key('odd', fail)] = 5
    yield lambda: d.odd
    yield lambda: d.odd()
    yield lambda: getattr(d, 'odd', 1)
    yield lambda: hasattr(d, 'odd')
    yield lambda: setattr(d, 'odd', 1)
    yield lambda: delattr(d, 'odd')
    yield lambda: type('X', (Base,), {Key('data', fail): 5}).data
    yield lambda: type('X', (Base,), {Key('data', fail): 5})().data
    E = type('E', (Base,), {Key('data', fail): 5})
    yield lambda: super(type('F', (E,), {}), type('F', (E,), {})()).data

    class F(E):
        def get(self):
            return super().data
    yield F().get
    f = lambda: 1
    f.__dict__[Key('odd', fail)] = 5
    yield lambda: f.odd
    yield lambda: f.odd()
    globals()[Key('odd', fail)] = 5
    yield lambda: odd
    yield lambda: exec('odd')
    yield lambda: exec('odd = 1')
    yield lambda: exec('print(odd)', {Key('odd', fail): 5})
    yield lambda: exec('print(odd)', globals(), {Key('odd', fail): 5})


for n, use in enumerate(errors()):
    for _ in range(3):
        try:
            r = use()
        except Exception as e:
            r = f'{type(e).__name__}: {e}'
        print(n, r)
del globals()[next(k for k in globals() if isinstance(k, Key))]

g = {}
exec("""
def f():
    return len
def g():
    global len
    len = 1
""", g)
key = Key('len')
g[key] = 5
rounds('builtin behind a key', (key, g['f']))


class Managed(Base):
    pass


def with_block():
    key, X = derived('__exit__', Managed)
    x = X()

    def use():
        with x:
            pass
    return key, use


rounds('with', with_block())


def make():
    key, X = derived('__init__')
    return key, lambda: type(X(1)).__name__


rounds('call of a class', make())
