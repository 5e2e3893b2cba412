#!/bin/sh
# layers.sh -- fails if a file includes a header of a layer above its own (docs/style.md),
# or a header without its folder.
cd "$(dirname "$0")/../.." || exit 1
find base threads gc objects core modules -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort |
xargs awk '
    function layer(path) {
        if (path ~ /^base\//) return 1
        if (path ~ /^threads\//) return 2
        if (path ~ /^gc\//) return 3
        if (path ~ /^objects\//) return 4
        if (path ~ /^core\/syntax\//) return 5
        if (path ~ /^core\/vm\//) return 6
        if (path ~ /^core\/compile\//) return 7
        if (path ~ /^core\/run\//) return 8
        if (path ~ /^modules\//) return 9
        if (path == "core/main.c") return 10
        return 0
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, part, "\"")
        target = layer(part[2])
        if (target == 0) {
            printf "%s:%d: includes \"%s\" without its folder\n", FILENAME, FNR, part[2]
            bad = 1
        } else if (target > layer(FILENAME)) {
            printf "%s:%d: includes \"%s\" of a higher layer\n", FILENAME, FNR, part[2]
            bad = 1
        }
    }
    END { exit bad }
'
