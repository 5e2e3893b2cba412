#!/bin/sh
# run.sh -- checks the models of this folder with spin (package spin), and that they fail without what they
# claim to need.  Prints one line for each that is not as it should be.
cd "$(dirname "$0")" || exit 1
out=$(mktemp -d "${TMPDIR:-/tmp}/weft-model.XXXXXX")
trap 'rm -rf "$out"' EXIT
status=0

# check MODEL RIGHT|WRONG [-DFLAG]
check() {
    rm -f "$out"/pan*
    cp "$1" "$out"
    (cd "$out" && spin ${3:-} -a "$1") > "$out/log" 2>&1
    gcc -O2 -DSAFETY -DMEMLIM=2000 -o "$out/pan" "$out/pan.c" >> "$out/log" 2>&1
    (cd "$out" && timeout 600 ./pan -m1000000 >> log 2>&1)
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$out/log")
    if [ "$2:$errors" != RIGHT:0 ] && ! { [ "$2" = WRONG ] && [ "${errors:-0}" -gt 0 ]; }; then
        echo "$1 ${3:-}: errors: ${errors:-none, it did not run}"
        tail -n 20 "$out/log"
        status=1
    fi
}

check favour.pml RIGHT
check favour.pml WRONG -DNO_BARRIER
check favour.pml WRONG -DNO_LOOK
check turn.pml RIGHT
check turn.pml WRONG -DNO_BARRIER
check turn.pml WRONG -DNO_LOOK
check turn.pml WRONG -DFAVOUR_FIRST
exit $status
