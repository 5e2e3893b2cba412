#!/usr/bin/env python3
"""Prints base/decimal_powers.def: the powers of ten that base/decimal.c multiplies by.

Each line is POWER(k, high, low): floor(10**k * 2**s) + 1 as a number of exactly 128 bits, where
s is chosen so that the top bit is set.
"""
LOWEST, HIGHEST = -342, 324


def power(k):
    if k >= 0:
        value, shift = 10 ** k, 0
        shift = 128 - value.bit_length()
        value = value << shift if shift >= 0 else value >> -shift
    else:
        divisor = 10 ** -k
        shift = 127 + divisor.bit_length()
        value = (1 << shift) // divisor
        if value >> 128:
            value >>= 1
    assert value.bit_length() == 128
    value += 1
    assert value.bit_length() == 128
    return value


def main():
    print('/* decimal_powers.def -- made by tools/decimal_powers.py: POWER(k, high, low) is')
    print(' * floor(10**k * 2**s) + 1, 128 bits with the top bit set. */')
    for k in range(LOWEST, HIGHEST + 1):
        value = power(k)
        print(f'POWER({k}, 0x{value >> 64:016x}, 0x{value & (1 << 64) - 1:016x})')


main()
