#!/usr/bin/python3.11
"""Writes the tables of base/ that libunistring has no functions for: base/unicode_width.def,
base/unicode_old.def and base/unicode_sequences.def.

usage: tools/unicode_tables.py NamedSequences.txt

Run by hand when the Unicode version changes; the build never runs it.  The facts come from
python3.11's unicodedata (14.0.0, and 3.2.0 for the old version) and from NamedSequences.txt of
the Unicode Character Database.
"""
import os
import sys
import unicodedata as new

old = new.ucd_3_2_0
BASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "base")
ALL = [chr(c) for c in range(0x110000)]
ASSIGNED = [c for c in ALL if new.category(c) != "Cn"]


def runs(chars, fact):
    """(first, last, value) of neighbours in `chars` with the same value; None is left out"""
    found, before = [], None
    for i, c in enumerate(chars):
        value = fact(c)
        if value is not None:
            if found and before == i - 1 and found[-1][2] == value:
                found[-1][1] = ord(c)
            else:
                found.append([ord(c), ord(c), value])
            before = i
    return found


def write(name, header, rows):
    with open(os.path.join(BASE, name), "w", encoding="ascii") as f:
        f.write(f"/* {name} -- X-macro: {header} */\n/* Written by tools/unicode_tables.py. */\n")
        line = ""
        for row in rows:
            if line and len(line) + 1 + len(row) > 100:
                f.write(line + "\n")
                line = ""
            line += (" " if line else "") + row
        f.write(line + "\n")


def main():
    widths = runs(ASSIGNED, new.east_asian_width)
    write("unicode_width.def", "WIDTH(first, class): the East Asian width of assigned code\n"
          " * points from `first` to the next row.", [f"WIDTH(0x{a:x}, {w})" for a, _, w in widths])

    rows = [f"OLD_ASSIGNED(0x{a:x}, 0x{b:x})" for a, b, _ in
            runs(ASSIGNED, lambda c: None if old.category(c) == "Cn" else 1)]
    both = [c for c in ALL if old.category(c) != "Cn"]

    def differs(name, *default):
        then, now = getattr(old, name), getattr(new, name)
        return runs(both, lambda c: None if then(c, *default) == now(c, *default) else then(c, *default))

    rows += [f"OLD_CATEGORY(0x{a:x}, 0x{b:x}, {v})" for a, b, v in differs("category")]
    rows += [f"OLD_BIDI(0x{a:x}, 0x{b:x}, {v})" for a, b, v in differs("bidirectional")]
    rows += [f"OLD_WIDTH(0x{a:x}, 0x{b:x}, {v})" for a, b, v in differs("east_asian_width")]
    rows += [f"OLD_MIRRORED(0x{a:x}, 0x{b:x}, {v})" for a, b, v in differs("mirrored")]
    rows += [f"OLD_DECIMAL(0x{a:x}, 0x{b:x}, {v})" for a, b, v in differs("decimal", -1)]
    for c in both:
        then, now = old.normalize("NFD", c), new.normalize("NFD", c)
        if then != now:
            rows.append(f"OLD_DECOMPOSITION(0x{ord(c):x}, 0x{ord(then):x})")
    for name in ("combining", "decomposition"):
        assert not differs(name), name
    for name in ("digit", "numeric", "name"):
        assert not differs(name, None), name
    write("unicode_old.def", "what Unicode 3.2 said otherwise than 14.0.  OLD_ASSIGNED(first, last)\n"
          " * counts only code points assigned today; OLD_x(first, last, value) is in sorted order for each\n"
          " * x; OLD_DECOMPOSITION(c, to) are the five mappings corrected since.", rows)

    sequences = []
    with open(sys.argv[1], encoding="utf-8") as f:
        for line in f:
            line = line.split("#")[0].strip()
            if line:
                name, codes = line.split(";")
                sequences.append((name.strip(), [int(c, 16) for c in codes.split()]))
    sequences.sort()
    for name, codes in sequences:
        assert new.lookup(name) == "".join(map(chr, codes)), name
    longest = max(len(codes) for _, codes in sequences)
    write("unicode_sequences.def", "SEQUENCE(name, code points, 0-terminated), by name; at most\n"
          f" * {longest} code points.  From NamedSequences.txt.",
          [f'SEQUENCE("{name}", {", ".join(f"0x{c:x}" for c in codes + [0])})' for name, codes in sequences])


main()
