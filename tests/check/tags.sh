#!/bin/sh
# tags.sh -- fails if a tag of an acquire or release in a comment ("[list.item]") has no row in docs/memory-model.md or
# docs/containers.md, or a row has no such comment; or if a tag of base/, threads/ and gc/ (the first table of
# memory-model.md) has no program in tsan/litmus.
cd "$(dirname "$0")/../.." || exit 1
find base threads gc objects core modules -name '*.[ch]' | LC_ALL=C sort | xargs awk '
    function rows(file,    line, cell, n, i, tag, words, table, command, name) {
        while ((getline line < file) > 0) {
            if (line ~ /^\| tag/)
                table++
            words = line ~ /^\|/ && (words || line ~ /^\| words/)  # that table is for orders.sh
            if (!words && line ~ /^\| [a-z_]+(\.[a-z_]+)?[ ,(].*\|/) {
                split(line, cell, "|")
                n = split(cell[2], tag, ",")
                for (i = 1; i <= n; i++) {
                    gsub(/ |\(SC\)/, "", tag[i])
                    if (tag[i] != "tag") {
                        listed[tag[i]] = file
                        if (file ~ /memory-model/ && table == 1)
                            litmus[tag[i]] = 1
                    }
                }
            }
        }
    }
    BEGIN {
        rows("docs/memory-model.md")
        rows("docs/containers.md")
    }
    {
        line = $0
        while (line != "") {
            if (!comment) {
                if (!(i = index(line, "/*")))
                    break
                line = substr(line, i + 2)
                comment = 1
            }
            text = line
            line = ""
            if ((i = index(text, "*/"))) {
                line = substr(text, i + 2)
                text = substr(text, 1, i - 1)
                comment = 0
            }
            while (match(text, /\[[a-z_]+(\.[a-z_]+)?\]/)) {
                tag = substr(text, RSTART + 1, RLENGTH - 2)
                text = substr(text, RSTART + RLENGTH)
                used[tag] = 1
                if (tag ~ /\./ && !(tag in listed)) {
                    printf "%s:%d: the tag [%s] is in no table\n", FILENAME, FNR, tag
                    bad = 1
                }
            }
        }
    }
    END {
        command = "ls tsan/litmus"
        while ((command | getline name) > 0)
            if (sub(/\.c$/, "", name))
                program[name] = 1
        for (tag in litmus)
            if (!(tag in program)) {
                printf "tsan/litmus has no program %s.c\n", tag
                bad = 1
            }
        for (tag in listed)
            if (!(tag in used)) {
                printf "%s: nothing in the code has the tag [%s]\n", listed[tag], tag
                bad = 1
            }
        exit bad
    }
'
