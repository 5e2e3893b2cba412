#!/bin/bash
# One short run of each mode of tests/fuzz, with fixed seeds; also with four threads.  Longer runs are made by hand:
#     tests/fuzz/fuzz.py --program ./weft --seconds 600 --seed N
. "$(dirname "$0")/lib.sh.inc"
fuzz=$here/../fuzz/fuzz.py
limited_memory unlimited || set -- "$1" --memory 0
shift
check one-thread 0 ' 0 failed' "$weft" "$fuzz" --program "$weft" "$@" --mode calls,code,source,ast,sre,text,marshal --seconds 1 --steps 500 --seed 1
check four-threads 0 ' 0 failed' "$weft" "$fuzz" --program "$weft" "$@" --mode calls --threads 4 --seconds 1 --steps 300 --seed 1
finish
