#!/bin/sh
# run.sh [weft [seconds]] -- runs every racing script of this folder with the given
# interpreter; prints one line for each that fails, with where its output is.
cd "$(dirname "$0")" || exit 1
weft=${1:-../../weft}
RACE_SECONDS=${2:-0.5}
export RACE_SECONDS
log=${TMPDIR:-/tmp}/weft-threads
mkdir -p "$log"
status=0
for f in *.py; do
    [ "$f" = race.py ] && continue
    timeout "${RACE_TIMEOUT:-120}" "$weft" "$f" > "$log/$f.log" 2>&1
    code=$?
    if [ $code -ne 0 ] || ! head -n 1 "$log/$f.log" | grep -q "^ok"; then
        echo "FAIL $f (exit $code): see $log/$f.log"
        status=1
    fi
done
exit $status
