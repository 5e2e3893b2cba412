#!/bin/bash
# One short run of each mode of tests/fuzz that must never fail, with fixed seeds; also with four threads.  Longer runs are made by hand:
#     tests/fuzz/fuzz.py --program ./weft --seconds 600 --seed N
# The modes code and marshal are left out: damaged code objects are checked for what their operands name, not yet
# for registers that are read before they are written (docs/bytecode.md).
. "$(dirname "$0")/lib.sh.inc"
fuzz=$here/../fuzz/fuzz.py
check one-thread 0 ' 0 failed' timeout 200 "$weft" "$fuzz" --program "$weft" --mode calls,source,ast,sre,text --seconds 1 --steps 500 --seed 1
check four-threads 0 ' 0 failed' timeout 200 "$weft" "$fuzz" --program "$weft" --mode calls --threads 4 --seconds 1 --steps 300 --seed 1
finish
