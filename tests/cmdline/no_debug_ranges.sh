#!/bin/bash
# no_debug_ranges.sh WEFT -- code without columns: tracebacks have no marks, co_positions() lines only.
weft=$1
program='
def f():
    return [1][2]
assert all(a == b and c is None and d is None for a, b, c, d in f.__code__.co_positions())'
"$weft" -X no_debug_ranges -c "$program" || exit 1
PYTHONNODEBUGRANGES=1 "$weft" -c "$program" || exit 1
file=$(mktemp) && trap 'rm -f "$file"' EXIT
echo 'x = [1][2] + 1' > "$file"
[ "$("$weft" -X no_debug_ranges "$file" 2>&1 | grep -c '\^')" = 0 ] || exit 1
[ "$("$weft" "$file" 2>&1 | grep -c '\^')" = 1 ]
