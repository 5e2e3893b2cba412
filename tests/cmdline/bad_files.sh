#!/bin/bash
# Scripts that are no text or are archives, streams that take or give nothing, variables with nonsense: each ends as CPython's do.
. "$(dirname "$0")/lib.sh.inc"
ulimit -c 0
unset PYTHONUNBUFFERED

# The same wrong text by every way into the program.
printf 'x=1\0\nprint(x)\n' > nul.py
printf '# coding: foo\n' > cookie.py
printf 'x="\xff"\n' > bytes.py
printf '\xef\xbb\xbf# coding: latin-1\n' > mark.py
printf '\xff\xfex\0' > wide.py
printf 'if 1:\n\tx\n        y\n' > tabs.py
printf 'x = (1,\n' > open.py
printf '"""abc\n' > text.py
printf 'x=1\\' > slash.py
"$weft" -c 'print("("*100000+")"*100000)' > parens.py
"$weft" -c 'print("x="+"1"*1000000)' > digits.py
ways() {
    check "$1 file" 1 "$2" "$weft" "$1.py"
    check "$1 stdin" 1 "$2" bash -c '"$0" - < "$1"' "$weft" "$1.py"
    check "$1 module" 1 "$2" "$weft" -m "$1"
    check "$1 import" 1 "$2" "$weft" -c "import $1"
    check "$1 exec" 1 "$3" "$weft" -c "exec(open('$1.py', 'rb').read())"
    check "$1 thread" 0 "$3" "$weft" -c "
import threading
threading.stack_size(65536)
thread = threading.Thread(target=exec, args=(open('$1.py', 'rb').read(),))
thread.start(); thread.join()"
}
ways nul 'SyntaxError|null bytes' 'source code .*null bytes'
ways cookie 'unknown encoding: foo|encoding problem: foo' 'unknown encoding: foo'
ways bytes 'SyntaxError: .*(xff|invalid start byte)' 'SyntaxError'
ways mark 'encoding problem: .*BOM|SyntaxError' 'encoding problem: .*BOM|SyntaxError'
ways wide 'SyntaxError|null bytes' 'SyntaxError|null bytes'
ways tabs 'TabError: inconsistent use of tabs' 'TabError'
ways open "'\(' was never closed" "'\(' was never closed"
ways text 'unterminated triple-quoted string' 'unterminated triple-quoted string'
ways slash 'unexpected EOF while parsing' 'unexpected EOF while parsing'
ways parens 'too many nested parentheses' 'too many nested parentheses'
ways digits 'Exceeds the limit \(4300 digits\)' 'Exceeds the limit \(4300 digits\)'

# Files that are no scripts.
mkdir empty_folder
printf 'PK\003\004garbage' > cut.zip
printf 'garbage' > garbage.pyc
: > nothing.pyc
printf 'print("compiled", __file__.endswith(".pyc"))\n' > source.py
"$weft" -c 'import py_compile; py_compile.compile("source.py", "compiled.pyc")'
cp compiled.pyc compiled_without_name
head -c 30 compiled.pyc > cut.pyc
{ printf '#!/usr/bin/env python3\n'; "$weft" -c '
import io, sys, zipfile
data = io.BytesIO()
with zipfile.ZipFile(data, "w") as file:
    file.writestr("__main__.py", "print(\"in a zip\")")
    file.writestr("folder/__init__.py", "print(\"found\")")
sys.stdout.buffer.write(data.getvalue())' 2> /dev/null; } > archive
check archive 0 '^in a zip' "$weft" archive
check archive-path 0 '^found' env PYTHONPATH="$place/archive" "$weft" -c "import folder"
check folder 1 "can't find '__main__' module in" "$weft" empty_folder
check missing 2 "can't open file '.*nowhere.py': \[Errno 2\] No such file" "$weft" nowhere.py
check cut-zip 1 'SyntaxError: invalid non-printable character U\+0003' "$weft" cut.zip
check garbage-pyc 1 'RuntimeError: Bad magic number in .pyc file' "$weft" garbage.pyc
check empty-pyc 1 'EOFError: EOF read where not expected' "$weft" nothing.pyc
check cut-pyc 1 'EOFError' "$weft" cut.pyc
check compiled 0 '^compiled True' "$weft" compiled.pyc
check compiled-by-magic 0 '^compiled False' "$weft" compiled_without_name
check device 1 'SyntaxError' "$weft" /dev/full
check device-stdin 1 'SyntaxError' bash -c '"$0" < /dev/zero' "$weft"
check empty-device 0 '^$' "$weft" /dev/null
mkfifo pipe
check fifo 0 '^5$' bash -c 'echo "print(5)" > pipe & "$0" pipe' "$weft"
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
    chmod 755 . && : > secret.py && chmod 0 secret.py
    check unreadable 2 "can't open file '.*secret.py': \[Errno 13\] Permission denied" \
        setpriv --reuid=65534 --clear-groups "$weft" secret.py
fi

# Streams: full, closed, gone.
full() { check "full: $1" "$2" "$3" bash -c '"$0" $2 -c "$1" 2>&1 > /dev/full' "$weft" "$1" "${4:-}"; }
full 'print(5)' 120 'OSError: \[Errno 28\] No space left on device'
full 'print(5); raise SystemExit(3)' 120 'OSError: \[Errno 28\]'
full 'print(5)' 1 'OSError: \[Errno 28\]' -u
full 'import sys; sys.stdout.write("x" * 100000)' 1 'OSError: \[Errno 28\]'
full 'import os; print(5); os._exit(3)' 3 '^$'
check full-stderr 120 '^$' bash -c '"$0" -c 1/0 2> /dev/full' "$weft"
check gone-1 120 'OSError: \[Errno 9\] Bad file descriptor' "$weft" -c 'import os; os.close(1); print(4)'
check gone-2 120 '^$' "$weft" -c 'import os; os.close(2); 1/0'
check gone-0 1 'Bad file descriptor' "$weft" -c 'import os; os.close(0); input()'
check pipe 0 '^0$' bash -c '"$0" -c "for i in range(100000): print(i)" 2> /dev/null | head -n 1' "$weft"

# Variables.
variable() { check "$1" "$2" "$3" env "$1" "$weft" -c 'print("ran")'; }
variable PYTHONHASHSEED=x 1 'PYTHONHASHSEED must be "random" or an integer in range \[0; 4294967295\]'
variable PYTHONHASHSEED=99999999999 1 'PYTHONHASHSEED must be'
variable PYTHONIOENCODING=foo 1 'LookupError: unknown encoding: foo'
variable PYTHONIOENCODING=: 0 '^ran'
variable PYTHONUTF8=x 1 'invalid PYTHONUTF8 environment variable value'
variable PYTHONINTMAXSTRDIGITS=5 1 'PYTHONINTMAXSTRDIGITS: invalid limit'
variable PYTHONWARNINGS=foo 0 'Invalid -W option ignored: invalid action: .foo.*ran'
variable PYTHONVERBOSE=0 0 '^ran$'
variable PYTHONOPTIMIZE=x 0 '^ran'
variable PYTHONSTARTUP=/nonexistent 0 '^ran'
variable PYTHONPYCACHEPREFIX=/dev/full 0 '^ran'
variable LC_ALL=foo 0 '^ran'

# Signals while it starts end it, or are KeyboardInterrupt; nothing hangs.
for delay in 0.001 0.005 0.01 0.02 0.03; do
    timeout $((20 * patience)) timeout -s INT $delay "$weft" -c 'import time; time.sleep(5)' > /dev/null 2>&1
    [ $? -eq 124 ] || { echo "FAILED: SIGINT after $delay"; failures=$((failures + 1)); }
    timeout $((20 * patience)) timeout -s TERM $delay "$weft" -c 'import time; time.sleep(5)' > /dev/null 2>&1
    [ $? -eq 124 ] || { echo "FAILED: SIGTERM after $delay"; failures=$((failures + 1)); }
done
# Too little memory: an error of some sort, not a signal.
for kilobytes in 100000 300000 1000000; do
    (limited_memory $kilobytes || exit 0; timeout $((20 * patience)) "$weft" -c 'x = list(range(10**6))') > /dev/null 2>&1
    got=$?
    [ $got -lt 124 ] || [ $got -eq 127 ] || { echo "FAILED: ulimit -v $kilobytes: exit code $got"; failures=$((failures + 1)); }
done
finish
