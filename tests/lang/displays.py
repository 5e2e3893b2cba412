"""Slices read and assigned, displays, unions with displays, membership, loops over pairs, % of common kinds: prints
what each gives, or its exception; the .exp file has what CPython gives."""
import sys


def show(text, value):
    print(text, '->', repr(value))


def attempt(text, f, *args):
    try:
        show(text, f(*args))
    except BaseException as e:
        print(text, '->', type(e).__name__, e)


class Index:
    def __init__(self, n):
        self.n = n

    def __index__(self):
        return self.n

    def __repr__(self):
        return 'Index(%d)' % self.n


class Sub(list):
    def __getitem__(self, key):
        return 'got %r' % (key,)

    def __setitem__(self, key, v):
        self.append((key, v))


BOUNDS = [None, 0, 1, 3, -1, -3, 99, -99, 10 ** 30, Index(2), 'x', 1.5]
STEPS = [None, 1, 2, -1, -2, 0, 10 ** 30, -10 ** 30, Index(-1)]
for kind in (list, tuple, str, bytes, range):
    for a in BOUNDS:
        for b in BOUNDS:
            q = [97, 98, 99, 100, 101]
            x = kind(5) if kind is range else bytes(q).decode() if kind is str else kind(q)
            attempt('%s[%r:%r]' % (kind.__name__, a, b), lambda: x[a:b])
    for a in (None, 0, 3, -1, 99):
        for b in (None, 0, -2, 99):
            for c in STEPS:
                attempt('%s[%r:%r:%r]' % (kind.__name__, a, b, c), lambda: x[a:b:c])


def assign(a, b, v):
    q = [1, 2, 3, 4, 5]
    q[a:b] = v
    return q


def assign_step(a, b, c, v):
    q = [1, 2, 3, 4, 5]
    q[a:b:c] = v
    return q


for a in BOUNDS:
    for b in BOUNDS[:8]:
        for v in ([], [7], (7, 8), [7] * 50, 'xy', iter([9]), {3: 4}, 5):
            attempt('q[%r:%r] = %s' % (a, b, type(v).__name__), assign, a, b, v)
for c in STEPS:
    for v in ([7, 8, 9], [7] * 5, (1,), 5):
        attempt('q[::%r] = %r' % (c, v), assign_step, None, None, c, v)
q = [1, 2, 3, 4]
q[1:3] = q
show('itself', q)
q[:2] = q[1::-1]
show('turned', q)
q = list(range(3))
q[len(q):] = range(40)
q[2:2] = tuple(range(50))
show('grown', q)
s = Sub()
s[1:2] = 5
show('subclass', (s[1:2], s[::3], list(s)))


class Dying:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print('del', self.name, len(held))


held = [Dying('a'), Dying('b'), 3]
held[0:2] = [1]
held[:] = ()
show('held', held)


class Odd:
    """Equal to 1 and hashes like it; says when it is compared."""

    def __hash__(self):
        return 1

    def __eq__(self, other):
        print('compared with', other)
        return other == 1


def union(s, *items):
    if len(items) == 1:
        return s | {items[0]}
    return s | {items[0], items[1]}


attempt('frozenset', union, frozenset((1, 2)), 3)
attempt('frozenset there', union, frozenset((1, 2)), 2)
attempt('set', union, {1, 2}, 3)
attempt('true', union, {True}, 1)
attempt('float', lambda: sorted(map(str, union({1.0, 'a'}, 1, 'a'))))
attempt('odd', lambda: len(union(frozenset([Odd()]), 1)))
attempt('unhashable', union, frozenset(), [])
attempt('no set', union, 5, 3)
for n in range(30):
    s = frozenset()
    for i in range(n):
        s = s | {i, str(i)}
    assert len(s) == 2 * n and all(i in s and str(i) in s for i in range(n)) and n not in s
s = {1}
t = s
s |= {2}
show('in place', t)
f = g = frozenset((1,))
f |= {2}
show('frozen in place', (f, g))
for text in ('', 'a', 'ab', 'abc' * 10, 'caf\xe9', '\u20ac\U0001f600'):
    for part in ('', 'a', 'b', 'bc', '\xe9', '\u20ac', 'cab', 'abca' * 3):
        show('%a in %a' % (part, text), (part in text, part not in text, text.find(part), text.count(part)))
attempt('1 in str', lambda: 1 in 'abc')
show('keys', (1 in {True: 0}, 'a' in {'a': 1}, 1.0 in {1}, True in {1: 2}, (1, 2) in {(1, 2)}, 2 in {}, 'x' in frozenset('xy')))
attempt('list in set', lambda: [] in {1})
for n in (0, 15, 16, 17, 31, 32, 33, 200):
    long = 'ab' * n + 'aab' + 'c' * n
    show('find %d' % n, (long.find('aab'), long.find('abc'), long.rfind('ba'), long.find('bb'), long.count('ab'),
                         long.replace('ab', '-')[:40], len(long.split('ab'))))


class Iter:
    def __init__(self, n, error):
        self.n = n
        self.error = error

    def __iter__(self):
        return self

    def __next__(self):
        self.n -= 1
        if self.n < 0:
            raise self.error
        return self.n


def pairs(it):
    got = []
    for a, b in it:
        got.append((a, b))
    return got


attempt('zip', pairs, zip([1, 2, 3], 'ab'))
attempt('zip strict', pairs, zip([1, 2, 3], 'ab', strict=True))
attempt('zip strict 2', pairs, zip([1], 'ab', strict=True))
attempt('zip of one', pairs, zip(['ab', 'cd']))
attempt('zip of three', pairs, zip([1], [2], [3]))
attempt('zip stop', pairs, zip(Iter(2, StopIteration), Iter(3, ValueError('no'))))
attempt('zip error', pairs, zip(Iter(2, KeyError('k')), [1, 2, 3]))
attempt('zip of iter', pairs, zip(Iter(5, ValueError('no')), Iter(2, StopIteration('x'))))
attempt('enumerate', pairs, enumerate('abc', 5))
attempt('enumerate big', pairs, enumerate('ab', 2 ** 63 - 1))
attempt('enumerate error', pairs, enumerate(Iter(1, OSError(5))))
attempt('items', pairs, {1: 2, 'a': 'b'}.items())
attempt('plain', pairs, ['ab', (1, 2), {3: 4, 5: 6}])
attempt('too many', pairs, [(1, 2, 3)])
attempt('iter stop', pairs, Iter(0, StopIteration))
attempt('iter error', pairs, Iter(0, LookupError('e')))


def changing():
    d = {1: 2, 3: 4}
    for a, b in d.items():
        d[a + 10] = b


attempt('changed', changing)
kept = []
for pair in zip([1, 2], [3, 4]):
    kept.append(pair)
for i, pair in enumerate(kept):
    kept[i] = (pair, i)
show('kept', kept)
for text, args in [('%d', 5), ('%d%%', -7), ('%s', 'x'), ('%s', '\xe9'), ('%s-%s', ('a', 1)), ('%d', 2 ** 70),
                   ('%s', 2 ** 70), ('%d', 1.7), ('%s', 1.5), ('%s', True), ('%d', True), ('%s', ()), ('%s', (1, 2)),
                   ('%', 1), ('%d', 'x'), ('abc', 5), ('abc', ()), ('abc', {}), ('%(a)s', {'a': 1}), ('%5d|%-5s|', (1, 2)),
                   ('%s' * 60, tuple(range(100, 160))), ('x' * 300 + '%d', 5), ('%s', 'y' * 300), ('%s%s', ('y' * 250, 'zzzzzzz')),
                   ('%d', -2 ** 62), ('%d', 2 ** 62), ('%s', -0), ('%q', 1), ('%s %', 'a'), ('\xe9%d', 3)]:
    attempt('%.20r %% %.20r' % (text, args), lambda: text % args)
x, y = 'text', 42
show('f-strings', (f'{x}', f'{x}{y}', f'{x!s}{x!r}{x:>6}', f'{y:05d}{x}', f'{x}{x}' + f'{y}'))
show('calls', (str(5), str('a'), int('7'), float('1.5'), bool([]), tuple([1]), list((1,)), set([1]), type(5), dict(a=1)))
attempt('int()', int, 'x')
attempt('type()', type, 1, 2)
attempt('bool()', bool, 1, 2)
show('sums', (sum([1, 2]), sum([1.5, 2]), sum([]), any([0, '']), any([0, 5]), all([1, 'a']), all([1, 0]), sum((1, 2), 3)))
attempt('sum', sum, ['a'])
d = {}
for k in ['a', 1, 'b', 2, 'a', 1.0, True, None, (1, 2)]:
    d[k] = k
show('dict', d)
l = [1]
l.extend(l)
l.extend((5, 6))
l.extend([7] * 40)
l += range(3)
show('extended', l)
k = 'a' + str(1)
show('dict displays', ({k: 1, 'a1': 2, 'b': [], k: 3}, {1: 'x', True: 'y', 1.0: 'z'}, {}, {2 ** 70: 1, 2 ** 70: 2},
                       {'p%d' % i: i for i in range(3)}, {'q': Dying('c'), 'q': 1}))
attempt('unhashable key', lambda: {'a': 1, []: 2})
show('set of', (sorted(map(str, set([3, 1, 3, 'a', 'a', 1.0]))), set(range(40)) == set(list(range(40)) * 2), set(('x',)), len(set([1] * 100))))
show('short finds', ['hello world'.find(x) for x in ('wor', 'ld', 'he', 'lo w', 'worlds', 'xx', 'o', 'hello world', 'hello world!')])
show('wide finds', ['\u20acab\u20acabc'.find(x) for x in ('abc', '\u20aca', 'bc', 'ba', '\u20acabc\u20ac')])
