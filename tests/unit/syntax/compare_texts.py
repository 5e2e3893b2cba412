#!/usr/bin/python3.11
"""Compares trees and errors of many small texts with Python 3.11's own parser.

    compare_texts.py TOOL CORPUS.json [-v]

The corpus is a list of [text, mode, flags] as compile() takes them.
"""
import ast
import collections
import json
import subprocess
import sys
import tempfile
import warnings

import compare

MODES = {'exec': [], 'eval': ['-e'], 'single': ['-s'], 'func_type': ['-f']}


def expected(text, mode, flags):
    try:
        tree = compile(text, '<string>', mode, flags | ast.PyCF_ONLY_AST, True)
        return compare.dump(tree)
    except SyntaxError as e:
        return (f'{type(e).__name__}: {ascii(e.msg)} {e.lineno or 0}:{e.offset or 0}-'
                f'{e.end_lineno or 0}:{e.end_offset or 0} {ascii(e.text)}')
    except (ValueError, MemoryError, RecursionError, OverflowError) as e:
        return f'{type(e).__name__}: {ascii(str(e))}'


def run(tool, texts, mode, flags):
    options = list(MODES[mode]) + ['-u']
    options += ['-t'] * bool(flags & 0x1000)
    options += ['-d'] * bool(flags & 0x200)
    options += ['-i'] * bool(flags & 0x4000)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b''.join(t.encode() + b'\0' for t in texts))
        file.flush()
        result = subprocess.run([tool, *options, '-0', file.name], stdout=subprocess.PIPE)
    if result.returncode != 0:
        print('tool status', result.returncode)
    return result.stdout.decode('utf-8', 'replace').split('\n')


def main():
    warnings.simplefilter('ignore')
    sys.setrecursionlimit(20000)
    tool, corpus = sys.argv[1:3]
    groups = collections.defaultdict(list)
    with open(corpus) as file:
        for text, mode, flags in json.load(file):
            if mode in MODES and text != '':
                groups[mode, flags].append(text)
    total = bad = errors = 0
    kinds = collections.Counter()
    for (mode, flags), texts in groups.items():
        got = run(tool, texts, mode, flags)
        for text, line in zip(texts, got + [''] * len(texts)):
            want = expected(text, mode, flags)
            total += 1
            errors += 'Error: ' in want[:20]
            if want == line:
                continue
            bad += 1
            kind = 'place' if want.rsplit(':', 4)[0] == line.rsplit(':', 4)[0] else 'message'
            kinds[kind] += 1
            if 'Error: ' not in want[:20] and 'Error: ' not in line[:20]:
                print(compare.first_difference(want, line), repr(text[:300]))
                continue
            print(f'{mode} {flags:#x} {text[:300]!r}\n  want {want[:250]}\n  got  {line[:250]}')
    print(f'{total} texts, {errors} of them wrong, {bad} differ {dict(kinds)}')
    return bad > 0


if __name__ == '__main__':
    sys.exit(main())
