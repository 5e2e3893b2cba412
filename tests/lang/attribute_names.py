# Names of attributes: no str where one is due, and dunders whose names are put together.
import weakref


def tried(f, *args):
    try:
        return f(*args)
    except (TypeError, AttributeError, RecursionError) as e:
        return f'{type(e).__name__}: {e}'


class Plain:
    def method(self):
        pass


class Text(str):
    pass


p = Plain()
objects = [p.method, [].append, len, int.__add__, super(Plain, p), weakref, Plain, p, list[int], int | str, 1.5]
for o in objects:
    for name in (1, None, 2.5, b'abc', (), 2**80):
        print(type(o).__name__, tried(type(o).__getattribute__, o, name))
        for f in (type(o).__setattr__, type(o).__delattr__):
            args = (o, name, 1) if f.__name__ == '__setattr__' else (o, name)
            print(type(o).__name__, f.__name__, tried(f, *args))
    print(tried(type(o).__getattribute__, o, Text('__no_such__')).split(':')[0])

# -- classes made with names that are not literals --


def built(*parts):
    return ''.join(parts)


for make in (built, lambda *parts: Text(''.join(parts))):
    C = type('C', (), {make('__re', 'pr__'): lambda self: 'repr', make('__le', 'n__'): lambda self: 7,
                       make('__ca', 'll__'): lambda self: 'called', make('__e', 'q__'): lambda self, other: 'equal',
                       make('__ad', 'd__'): lambda self, other: 'sum'})
    print(repr(C()), len(C()), C()(), C() == 1, C() + 1, tried(hash, C()))

    class D(C):
        pass
    print(repr(D()), len(D()))
    setattr(D, make('__le', 'n__'), lambda self: 8)
    print(len(D()))
    delattr(D, make('__le', 'n__'))
    print(len(D()))

for name in '__str__ __bool__ __iter__ __index__'.split():
    C = type('C', (), {name: lambda self: 1 / 0})
    try:
        {'__str__': str, '__bool__': bool, '__iter__': iter, '__index__': int}[name](C())
    except ZeroDivisionError:
        print(name, 'called')
C = type('C', (), {built('__he', 'xx__'): 1, built('__', 'x'): 2, built('_'): 3})
print(sorted(n for n in vars(C) if len(n) < 4 or 'hex' in n))
