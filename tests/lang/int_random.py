"""Arithmetic on random ints of many sizes: prints check sums of all results."""
import binascii
import random
import sys

sys.set_int_max_str_digits(0)
random.seed(20)
SPECIAL = [0, 1, 2, 3, 2**30, 2**31, 2**32, 2**60, 2**61, 2**62, 2**63, 2**64, 2**127, 2**128]


def number():
    kind = random.random()
    if kind < 0.2:
        n = random.choice(SPECIAL) + random.randrange(-2, 3)
    elif kind < 0.5:
        n = random.getrandbits(random.randrange(1, 140))
    elif kind < 0.6:
        n = (1 << random.randrange(1, 1500)) - random.randrange(3)
    else:
        n = random.getrandbits(random.randrange(1, 1500))
    return -n if random.random() < 0.5 else n


def attempt(f, *args):
    try:
        return f(*args)
    except (ZeroDivisionError, OverflowError, ValueError) as e:
        return str(e)


OPERATIONS = {
    'add': lambda a, b: a + b,
    'subtract': lambda a, b: a - b,
    'multiply': lambda a, b: a * b,
    'floor divide': lambda a, b: a // b,
    'remainder': lambda a, b: a % b,
    'divmod': divmod,
    'true divide': lambda a, b: a / b,
    'and': lambda a, b: a & b,
    'or': lambda a, b: a | b,
    'xor': lambda a, b: a ^ b,
    'shifts': lambda a, b: (a << b % 200, a >> b % 200),
    'compare': lambda a, b: (a < b, a == b, a >= b),
    'power': lambda a, b: a ** (b % 20),
    'modular power': lambda a, b: pow(a, b % 1000, b),
    'inverse': lambda a, b: pow(a, -1, b),
    'hash': lambda a, b: (hash(a), hash(-b)),
    'float': lambda a, b: (float(a), a < float(b), a == float(a)),
    'text': lambda a, b: (str(a), hex(b), oct(a), bin(b)),
    'read': lambda a, b: (int(str(a)) == a, int(hex(b), 16) == b, int(oct(a), 0) == a),
    'bytes': lambda a, b: (a.to_bytes(200, 'little', signed=True), b.to_bytes(200, 'big', signed=True)),
    'from bytes': lambda a, b: int.from_bytes(a.to_bytes(200, 'big', signed=True), 'big', signed=True) == a,
    'bits': lambda a, b: (a.bit_length(), b.bit_count(), ~a, -b, abs(a)),
    'round': lambda a, b: round(a, -(b % 30)),
}
pairs = [(number(), number()) for _ in range(1500)]
for name, operation in OPERATIONS.items():
    total = 0
    for a, b in pairs:
        total = binascii.crc32(repr(attempt(operation, a, b)).encode(), total)
    print(name, total)
