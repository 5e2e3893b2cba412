#!/bin/sh
# links.sh -- fails if a comment or a page names a decision ("decisions/0007", or in docs/decisions/ "(0007)") that docs/decisions/ does not have,
# or two decisions have one number; or if a page links to a page that is not there.
cd "$(dirname "$0")/../.." || exit 1
bad=0
for n in $( (grep -rhoE 'decisions/[0-9]{4}' base threads gc objects core modules tests bench docs tsan README.md
             grep -hoE '\([0-9]{4}\)' docs/decisions/*.md) | grep -oE '[0-9]{4}' | sort -u); do
    set -- docs/decisions/"$n"-*.md
    [ -f "$1" ] || { echo "there is no docs/decisions/$n-*.md"; bad=1; }
    [ $# -eq 1 ] || { echo "docs/decisions/: $# pages have the number $n"; bad=1; }
done
for page in README.md docs/*.md docs/decisions/*.md; do
    for to in $(grep -oE '\]\([^)#: ]+' "$page" | sed 's/^](//' | sort -u); do
        [ -e "$(dirname "$page")/$to" ] || { echo "$page: there is no $to"; bad=1; }
    done
done
exit $bad
