#!/bin/sh
# guarantees.sh -- fails if a line of docs/thread-safety.md ("| L1 | ...") is named by no test in tests/threads, or a test names a line that
# is not there; or if docs/rules-tested.md names a test that does not exist.
cd "$(dirname "$0")/../.." || exit 1
bad=0
lines=$(sed -n 's/^| \([A-Z][0-9][0-9]*[a-z]*\) |.*/\1/p' docs/thread-safety.md)
# The tests of a line: check("L1 L3") of containers.py and moments.py, "# -- N1, N2: ..." in the others.
named=$(sed -n -e 's/^@check("\(.*\)")$/\1/p' -e 's/^# -- \([A-Z][0-9][^:]*\):.*/\1/p' tests/threads/*.py | tr -c 'A-Za-z0-9' '\n' | sort -u)
for line in $lines; do
    echo "$named" | grep -qx "$line" || { echo "docs/thread-safety.md: no test names $line"; bad=1; }
done
for line in $(sed -n 's/^@check("\(.*\)")$/\1/p' tests/threads/*.py); do
    echo "$lines" | grep -qx "$line" || { echo "tests/threads: a check of $line, which docs/thread-safety.md does not have"; bad=1; }
done
for name in $(grep '^| [A-E][0-9]' docs/rules-tested.md | grep -oE '[a-z_0-9/.]+\.(py|c)\b' | sort -u); do
    [ -f "$name" ] || [ -f "tests/threads/$name" ] || [ -f "tsan/litmus/$name" ] ||
        { echo "docs/rules-tested.md: there is no test $name"; bad=1; }
done
exit $bad
