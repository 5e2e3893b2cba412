#!/bin/sh
# globals.sh [build-dir] -- lists the writable data of the built objects and fails for a
# symbol that globals.txt does not know, and for a line there that fits nothing any more.
# Static types (NAME_type, exc_NAME) are objects, not state, and are left out.
#
# globals.txt: FILE SYMBOL reason; a SYMBOL may be a pattern of the shell's.  A reason that
# begins with "debug:" is for a symbol that only builds with assertions have.
#
# Builds with a sanitizer are position-independent: constants that hold addresses are
# relocated as the program starts and are read-only from then on (.data.rel.ro).
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cd "${1:-$here/../..}" || exit 1
list=$(mktemp) || exit 1
trap 'rm -f "$list"' EXIT
find base threads gc objects core modules -name '*.o' | LC_ALL=C sort | while read -r object; do
    # An object of automake's is named folder/libNAME_a-file.o or folder/file.o.
    source=$(echo "$object" | sed -e 's,/lib[a-z]*_a-,/,' -e 's,\.o$,.c,')
    nm --defined-only -f sysv "$object" 2>/dev/null |
        awk -F'|' -v file="$source" '{ gsub(/ /, "") }
            $3 ~ /^[bBdDuC]$/ && $7 !~ /^\.data\.rel\.ro/ {
                sub(/\.[0-9]+$/, "", $1); sub(/^.*\./, "", $1); print file, $1 }'
done | grep -v -E ' (exc_[A-Za-z]+|[a-z_0-9]+_type|__unnamed_.*|__(a|t)san.*|__emutls.*|DW\.ref.*)$' |
    LC_ALL=C sort -u > "$list"
if [ ! -s "$list" ]; then
    echo "no built objects here: run make first, or name the build folder"
    exit 1
fi
awk -v known="$here/globals.txt" '
    function matches(text, pattern,    re) {
        re = pattern
        gsub(/\./, "\\.", re)
        gsub(/\*/, ".*", re)
        gsub(/\?/, ".", re)
        return text ~ ("^" re "$")
    }
    BEGIN {
        while ((getline line < known) > 0) {
            if (line ~ /^#/ || line ~ /^[ \t]*$/)
                continue
            n++
            split(line, word, /[ \t]+/)
            file[n] = word[1]
            symbol[n] = word[2]
            used[n] = word[3] == "debug:"
            if (word[3] == "") {
                print "globals.txt: no reason for " word[1] " " word[2]
                bad = 1
            }
        }
    }
    {
        found = 0
        for (i = 1; i <= n; i++)
            if (matches($1, file[i]) && matches($2, symbol[i])) {
                used[i] = 1
                found = 1
            }
        if (!found) {
            print "not in globals.txt: " $1 " " $2
            bad = 1
        }
    }
    END {
        for (i = 1; i <= n; i++)
            if (!used[i]) {
                print "globals.txt: fits nothing: " file[i] " " symbol[i]
                bad = 1
            }
        exit bad
    }
' "$list"
