#!/bin/sh
# orders.sh -- fails if an acquire or a release has no tag ("[list.item]") within three lines and works on a word that the third table of
# docs/memory-model.md does not name.
cd "$(dirname "$0")/../.." || exit 1
find base threads gc objects core modules -name '*.[ch]' ! -path base/atomic.h | LC_ALL=C sort | xargs awk '
    # The last name in the first argument of what begins at text: "&x->a[i].b, ..." gives b.
    function word_of(text,    n, i, c, depth, out) {
        n = length(text)
        depth = 0
        out = ""
        for (i = 1; i <= n; i++) {
            c = substr(text, i, 1)
            if (c == "(" || c == "[") {
                depth++
                out = out " "
            } else if (c == ")" || c == "]") {
                if (--depth < 0)
                    break
            } else if (c == "," && depth == 0)
                break
            else if (depth == 0)
                out = out c
        }
        # What stands in parentheses alone is a cast: (T *)(void *)(pc + 1)
        if (out !~ /[A-Za-z_]/) {
            gsub(/\([A-Za-z_ ]*\*\)/, "", text)
            out = text
            sub(/[,;].*/, "", out)
            sub(/\).*/, "", out)
            sub(/[+-].*/, "", out)
        }
        gsub(/[^A-Za-z_0-9]+/, " ", out)
        sub(/ +$/, "", out)
        sub(/^.* /, "", out)
        return out
    }
    function finish(    i, j, line, tagged, word, text) {
        for (i = 1; i <= lines; i++) {
            line = L[i]
            if (line ~ /^[ \t]*(\*|\/\*)/)
                continue
            tagged = -1
            text = line
            while (match(text, /(load_acquire|store_release|(cas|exchange|fetch_[a-z]+)_(acquire|release|acq_rel)|__atomic_[a-z_]+)\(/)) {
                word = substr(text, RSTART, RLENGTH)
                text = substr(text, RSTART + RLENGTH)
                if (word ~ /^__atomic/ && (line " " L[i + 1]) !~ /__ATOMIC_(ACQUIRE|RELEASE|ACQ_REL)/)
                    continue
                word = word_of(text)
                if (tagged < 0) {
                    tagged = 0
                    for (j = i - 3; j <= i + 3; j++)
                        if (j >= 1 && j <= lines && L[j] ~ /\[([a-z_]+[0-9]*\.[a-z_0-9]+|field|fork_mutex|scanner)\]/)
                            tagged = 1
                }
                used[word] = 1
                if (!tagged && !(word in listed)) {
                    printf "%s:%d: an acquire or release of \"%s\", which has no tag and is in no table of docs/memory-model.md\n", \
                        file, i, word
                    bad = 1
                }
            }
        }
    }
    BEGIN {
        while ((getline line < "docs/memory-model.md") > 0) {
            if (line ~ /^\| words \|/)
                on = 1
            else if (line !~ /^\|/)
                on = 0
            if (!on || line ~ /^\| words|^\|---/)
                continue
            split(line, cell, "|")
            text = cell[2]
            gsub(/[^A-Za-z_0-9.]+/, " ", text)
            n = split(text, name, " ")
            for (i = 1; i <= n; i++) {
                sub(/^.*\./, "", name[i])
                listed[name[i]] = 1
            }
        }
    }
    FNR == 1 {
        finish()
        file = FILENAME
        lines = 0
    }
    { L[++lines] = $0 }
    END {
        finish()
        exit bad
    }
'
