#!/bin/bash
# Code objects from outside (code.replace, marshal): what cannot be run safely is refused with a ValueError that says why;
# what the compiler makes is not.
. "$(dirname "$0")/lib.sh.inc"
here_abs=$(cd "$here" && pwd)
check refused 0 '^all refused$' "$weft" -I "$here_abs/bad_code.py"
check library 0 '^[1-9][0-9]* modules, 0 refused$' "$weft" -I -W ignore "$here_abs/bad_code.py" library
check rather-many 0 '^checked$' "$weft" -I "$here_abs/bad_code.py" large
finish
