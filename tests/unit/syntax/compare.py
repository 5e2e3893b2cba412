#!/usr/bin/python3.11
"""Compares ast_dump_tool with Python 3.11's own parser.

    compare.py TOOL [FILE-OR-FOLDER...]     default: /usr/lib/python3.11

Prints the files whose trees or errors differ; the exit status tells.
"""
import ast
import os
import struct
import subprocess
import sys
import warnings

BATCH = 40


def bits(value):
    return struct.pack('>d', value).hex()


def dump_constant(value):
    if type(value) is float:
        return 'float:' + bits(value)
    if type(value) is complex:
        return 'complex:' + bits(value.imag)
    return ascii(value)


def dump(node):
    """ast.dump(node, include_attributes=True) with portable constants."""
    if isinstance(node, ast.AST):
        parts = []
        cls = type(node)
        for name in node._fields:
            value = getattr(node, name)
            if value is None and getattr(cls, name, ...) is None:
                continue
            parts.append(f'{name}={dump(value)}')
        for name in node._attributes:
            parts.append(f'{name}={getattr(node, name)}')
        return f'{cls.__name__}({", ".join(parts)})'
    if isinstance(node, list):
        return f'[{", ".join(map(dump, node))}]'
    return dump_constant(node)


def expected(name, **options):
    with open(name, 'rb') as file:
        source = file.read()
    try:
        return dump(ast.parse(source, **options))
    except SyntaxError as error:
        return f'{type(error).__name__}: {ascii(error.msg)}'
    except ValueError as error:
        return f'ValueError: {ascii(str(error))}'


def all_files(names):
    for name in names:
        if os.path.isdir(name):
            for folder, _, files in sorted(os.walk(name)):
                for file in sorted(files):
                    if file.endswith('.py'):
                        yield os.path.join(folder, file)
        else:
            yield name


def first_difference(a, b):
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    start = max(at - 100, 0)
    return f'  expected ...{a[start:at + 80]}\n  got      ...{b[start:at + 80]}'


def main():
    warnings.simplefilter('ignore')
    sys.setrecursionlimit(20000)
    tool = sys.argv[1]
    files = list(all_files(sys.argv[2:] or ['/usr/lib/python3.11']))
    bad = 0
    for start in range(0, len(files), BATCH):
        batch = files[start:start + BATCH]
        result = subprocess.run([tool, *batch], stdout=subprocess.PIPE)
        lines = result.stdout.decode('utf-8', 'replace').split('\n')
        for index, name in enumerate(batch):
            want = expected(name)
            got = lines[index] if index < len(lines) else ''
            if want != got and not ('Error: ' in want[:20] and got.startswith(want)):
                bad += 1
                print(f'{name}\n{first_difference(want, got)}')
    print(f'{len(files)} files, {bad} differ')
    return bad > 0


if __name__ == '__main__':
    sys.exit(main())
