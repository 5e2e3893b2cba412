#!/bin/sh
# run.sh [build-dir] -- builds each litmus program of this folder and runs it, with
# ThreadSanitizer and without.  Prints one line for each that fails.
cd "$(dirname "$0")/../.." || exit 1
out=${1:-/tmp/weft-litmus}
mkdir -p "$out"
sources="base/mem.c base/mem_map.c base/clock.c base/hash.c base/assert.c $(echo threads/*.c gc/*.c)"
status=0
for variant in "thread:clang -O1 -g -fsanitize=thread -DWEFT_SANITIZER_thread:" "plain:gcc -O2 -g:-lmimalloc"; do
    name=${variant%%:*}
    rest=${variant#*:}
    compiler=${rest%%:*}
    libs=${rest#*:}
    rm -rf "$out/$name"
    mkdir -p "$out/$name"
    for f in $sources; do
        $compiler -std=gnu11 -I. -c "$f" -o "$out/$name/$(echo "$f" | tr / _).o" || exit 1
    done
    for f in tsan/litmus/*.c; do
        program="$out/$name/$(basename "$f" .c)"
        $compiler -std=gnu11 -I. "$f" "$out/$name"/*.o -o "$program" $libs -lurcu-common -lpthread || exit 1
        if ! timeout 300 "$program" > "$program.log" 2>&1; then
            echo "$name $(basename "$f"): failed, see $program.log"
            status=1
        fi
    done
done
exit $status
