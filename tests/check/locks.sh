#!/bin/sh
# locks.sh -- fails if a lock of the code (a Mutex, ByteLock, ForkMutex or UserLock, or a byte or futex called "lock") has no row in the
# tables of docs/locks.md, "file `name`" or "file `Struct.field`", or a row has no such lock.
cd "$(dirname "$0")/../.." || exit 1
find base threads gc objects core modules -name '*.[ch]' | LC_ALL=C sort | xargs awk '
    BEGIN {
        while ((getline line < "docs/locks.md") > 0) {
            if (line !~ /^\| [a-z]+\//)
                continue
            split(line, cell, "|")
            text = cell[2]
            while (match(text, /[a-z_\/]+\.[ch] |`[A-Za-z_.]+`/)) {
                word = substr(text, RSTART, RLENGTH)
                text = substr(text, RSTART + RLENGTH)
                if (word ~ /^`/)
                    listed[file " " substr(word, 2, length(word) - 2)] = 1
                else
                    file = substr(word, 1, length(word) - 1)
            }
        }
    }
    FNR == 1 { inside = "" }
    /^(typedef |static )?struct [A-Za-z]+ \{/ { match($0, /struct [A-Za-z]+/); inside = substr($0, RSTART + 7, RLENGTH - 7) "." }
    /^}/ { inside = "" }
    /^( +|static )(const )?(Mutex|ByteLock|ForkMutex|UserLock) [a-z_]+( = .*)?;/ || /^(Mutex|ByteLock) [a-z_]+( = .*)?;/ ||
    /^    (ATOMIC\(uint8_t\)|FutexWord) lock;/ || /^static ATOMIC\(uint8_t\) busy;/ {
        if (inside == "" && $0 ~ /^    /)
            next # a variable of a function
        match($0, /(Mutex|ByteLock|ForkMutex|UserLock|FutexWord|ATOMIC\(uint8_t\)) [a-z_]+/)
        name = substr($0, RSTART, RLENGTH)
        sub(/^.* /, "", name)
        name = FILENAME " " inside name
        used[name] = 1
        if (!(name in listed)) {
            printf "%s:%d: %s is in no table of docs/locks.md\n", FILENAME, FNR, name
            bad = 1
        }
    }
    END {
        for (name in listed)
            if (!(name in used)) {
                printf "docs/locks.md: there is no lock %s\n", name
                bad = 1
            }
        exit bad
    }
'
