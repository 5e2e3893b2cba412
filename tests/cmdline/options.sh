#!/bin/bash
# The options, what they do, exit codes and messages.
. "$(dirname "$0")/lib.sh.inc"

mkdir -p pk d empty
echo 'import sys; print("main", __name__, sys.argv[1:], sys.path[0])' | tee pk/__main__.py > d/__main__.py
touch pk/__init__.py
"$weft" -c 'import zipfile
z = zipfile.ZipFile("z.zip", "w"); z.write("d/__main__.py", "__main__.py"); z.close()'
echo 'import sys; print(sys.argv, __name__, __file__, sys.path[0])' > s.py
printf 'garbage first line\nprint("second")\n' > skip.py
printf 'print(1)\nprint(2\n' > synt.py

check stdin-newlines 0 "^'a.r.nb.rc.n'" bash -c 'printf "a\r\nb\rc\n" | "$0" -c "import sys; print(repr(sys.stdin.read()))"' "$weft"
check buffering 0 '^.\(False, False\), \(False, False\), \(True, False\)' env -u PYTHONUNBUFFERED "$weft" -c 'import sys
print([(f.line_buffering, f.write_through) for f in (sys.stdin, sys.stdout, sys.stderr)])' < /dev/null
check buffering-off 0 '^.\(False, True\), \(False, True\), \(False, True\)' "$weft" -u -c 'import sys
print([(f.line_buffering, f.write_through) for f in (sys.stdin, sys.stdout, sys.stderr)])' < /dev/null
check locale-c 0 '^1 utf-8 surrogateescape None' env -u LC_CTYPE LC_ALL=C "$weft" -c 'import os, sys
print(sys.flags.utf8_mode, sys.stdout.encoding, sys.stdout.errors, os.environ.get("LC_CTYPE"))'
check locale-c-utf8-off 0 '^0' env LC_ALL=C PYTHONUTF8=0 "$weft" -c 'import sys; print(sys.flags.utf8_mode)'
check strange-stdout 120 "Exception ignored in: 5.AttributeError: 'int' object has no attribute 'flush'" "$weft" -c 'import sys; sys.stdout = 5'
check strange-stderr 120 '^$' "$weft" -c 'import sys; sys.stderr = 5'
check streams-at-exit 0 '^last words' "$weft" -c 'import io, sys
class C:
    def __del__(self): print("last words")
c = C()
sys.stdout = io.StringIO()'
check builtins-at-exit 0 '^gone' "$weft" -c 'import builtins
class C:
    def __del__(self): print("gone")
builtins.c = C()'
check script 0 "^\['s.py', 'a'\] __main__ $place/s.py $place" "$weft" s.py a
check command 0 "^\['-c', 'x'\]" "$weft" -c 'import sys; print(sys.argv)' x
check command-joined 0 '^5$' "$weft" -cprint\(5\)
check stdin 0 "^\['-', 'q'\]" "$weft" - q <<< 'import sys; print(sys.argv)'
check stdin-plain 0 '^7' "$weft" <<< 'print(7)'
check module 0 "main __main__ \['x'\]" "$weft" -m pk x
check no-module 1 'No module named nosuch' "$weft" -m nosuch
check directory 0 "main __main__ \['x'\] $place/d" "$weft" d x
check zip 0 "main __main__ \['x'\] $place/z.zip" "$weft" z.zip x
check directory-without-main 1 "can't find '__main__' module in '$place/empty'" "$weft" empty
check no-file 2 "can't open file '$place/nosuch.py': \[Errno 2\] No such file or directory" "$weft" nosuch.py
check syntax-error 1 "File \"$place/synt.py\", line 2.*SyntaxError: '\(' was never closed" "$weft" synt.py
check skip-line 0 '^second' "$weft" -x skip.py
check assert-removed 0 '^False' "$weft" -O -c 'assert 0; print(__debug__)'
check docstrings-removed 0 '^None' "$weft" -OO -c 'def f():
    "d"
print(f.__doc__)'
check flags 0 'dont_write_bytecode=1, no_user_site=1, .*ignore_environment=1.* isolated=1' "$weft" -IB -c 'import sys; print(sys.flags)'
check environment 0 '^\(1, 1, 1, True, 1, True\)' env PYTHONOPTIMIZE=1 PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 \
    PYTHONDEVMODE=1 PYTHONUTF8=1 PYTHONSAFEPATH=1 "$weft" -c 'import sys; f = sys.flags
print((f.optimize, f.dont_write_bytecode, f.no_user_site, f.dev_mode, f.utf8_mode, f.safe_path))'
check environment-ignored 0 '^0' env PYTHONOPTIMIZE=2 "$weft" -E -c 'import sys; print(sys.flags.optimize)'
echo 'x = 1' | tee cached.py > uncached.py
check cache-written 0 '^.*/__pycache__/cached.weft-311.pyc True' env -u PYTHONPYCACHEPREFIX "$weft" -c 'import cached, os
print(cached.__cached__, os.path.exists(cached.__cached__))'
check cache-read 0 'cached.weft-311.pyc matches .*/cached.py.*code object from .*cached.weft-311.pyc' env -u PYTHONPYCACHEPREFIX "$weft" -v -c 'import cached'
check cache-not-written 0 '^False' env -u PYTHONPYCACHEPREFIX "$weft" -B -c 'import uncached, os; print(os.path.exists(uncached.__cached__))'
check hash-seed 0 '^True' env PYTHONHASHSEED=0 "$weft" -c 'import subprocess, sys
print(int(subprocess.run([sys.executable, "-c", "print(hash(\"a\"))"], capture_output=True).stdout) == hash("a"))'
check bad-hash-seed 1 'Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be' env PYTHONHASHSEED=x "$weft" -c pass
check hash-random 0 '^1 1 0 1' bash -c 'for o in "PYTHONHASHSEED=0 $0 -R" "PYTHONHASHSEED=3 $0" "PYTHONHASHSEED=0 $0" "PYTHONHASHSEED=x $0 -R"; do
    env $o -c "import sys; print(sys.flags.hash_randomization, end=\" \")"; done' "$weft"
check cache-prefix 0 '^foo None None bar' bash -c 'for o in "" "-X pycache_prefix" "-X pycache_prefix=" "-X pycache_prefix=bar"; do
    PYTHONPYCACHEPREFIX=foo "$0" -B $o -c "import sys; print(sys.pycache_prefix, end=\" \")"; done' "$weft"
check atexit-gone 0 '^second first' "$weft" -c 'import sys, atexit
atexit.register(print, "first")
del sys.modules["atexit"], atexit
import atexit
atexit.register(print, "second", end=" ")
del sys.modules["atexit"]'
check digits 0 '^1000' "$weft" -X int_max_str_digits=1000 -c 'import sys; print(sys.get_int_max_str_digits())'
check bad-digits 1 'int_max_str_digits: invalid limit' "$weft" -X int_max_str_digits=10 -c pass
check utf8-off 0 '^0' env PYTHONUTF8=1 "$weft" -X utf8=0 -c 'import sys; print(sys.flags.utf8_mode)'
check bad-utf8 1 'invalid -X utf8 option value' "$weft" -X utf8=2 -c pass
check gil-refused 1 'no global interpreter lock' "$weft" -X gil=1 -c pass
check gil-off 0 '^False' "$weft" -X gil=0 -c 'import sys; print(sys._is_gil_enabled())'
check x-options 0 "'foo': 'bar', 'q': True" "$weft" -X foo=bar -X q -c 'import sys; print(sys._xoptions)'
check importtime 0 'import time: self.*import time: +[0-9]+ \| +[0-9]+ \| +json' "$weft" -X importtime -c 'import json'
check verbose 0 "import 'json'" "$weft" -v -c 'import json'
check warning-error 1 'UserWarning: x' "$weft" -W error -c 'import warnings; warnings.warn("x")'
check warning-environment 1 'UserWarning: x' env PYTHONWARNINGS=error "$weft" -c 'import warnings; warnings.warn("x")'
check bad-warning 0 'Invalid -W option ignored' "$weft" -W bogus -c pass
check bytes-warning 0 'BytesWarning: str\(\) on a bytes instance' "$weft" -b -c 'str(b"a")'
check bytes-error 1 'BytesWarning: Comparison between bytes and string' "$weft" -bb -c 'b"a" == "a"'
check bytes-int 1 'BytesWarning: Comparison between bytes and int' "$weft" -bb -c 'b"a" == 97'
check bytearray-error 1 'BytesWarning: str\(\) on a bytearray instance' "$weft" -bb -c 'str(bytearray())'
check encoding 0 '^iso8859-1 replace' env PYTHONIOENCODING=latin-1:replace "$weft" -c 'import sys; print(sys.stdout.encoding, sys.stdout.errors)'
check bad-encoding 1 'init_stdio_encoding' env PYTHONIOENCODING=nosuch "$weft" -c pass
check path 0 '^True' env PYTHONPATH=/a:/b "$weft" -c 'import sys; print("/a" in sys.path)'
check isolated-path 0 '^False' env PYTHONPATH=/a:/b "$weft" -I -c 'import sys; print("/a" in sys.path or "" in sys.path)'
mkdir -p "$place/home/lib"
ln -s /usr/lib/python3.11 "$place/home/lib/python3.11"
show='import sys, json; print(sys.prefix, sys.exec_prefix, sys.base_prefix, json.__file__, sys._stdlib_dir)'
check home 0 "^$place/home $place/home $place/home $place/home/lib/python3.11/json/__init__.py $place/home/lib/python3.11" \
    env PYTHONHOME="$place/home" "$weft" -c "$show"
check home-two 0 "^$place/home /elsewhere $place/home " env PYTHONHOME="$place/home:/elsewhere" "$weft" -c "$show"
check home-empty 0 '^/usr /usr /usr ' env PYTHONHOME= "$weft" -c "$show"
check home-ignored 0 '^/usr /usr /usr ' env PYTHONHOME="$place/home" "$weft" -E -c "$show"
check home-isolated 0 '^/usr /usr /usr ' env PYTHONHOME=/nowhere "$weft" -I -c "$show"
check home-missing 1 "PYTHONHOME = /nowhere.  stdlib dir = '/nowhere/lib/python3.11'.Fatal Python error" \
    env PYTHONHOME=/nowhere "$weft" -c "$show"
check platlibdir 1 "stdlib dir = '$place/home/lib64/python3.11'" env PYTHONHOME="$place/home" PYTHONPLATLIBDIR=lib64 "$weft" -c 1
ln -s lib "$place/home/lib64"
check platlibdir-there 0 "^$place/home lib64 $place/home/lib64/python3.11" env PYTHONHOME="$place/home" PYTHONPLATLIBDIR=lib64 \
    "$weft" -c 'import sys; print(sys.prefix, sys.platlibdir, sys._stdlib_dir)'
check tracemalloc 1 'does not trace allocations' "$weft" -X tracemalloc -c 1
check tracemalloc-none 0 '^1' env PYTHONTRACEMALLOC=1 "$weft" -X tracemalloc=0 -c 'print(1)'
check tracemalloc-environment 1 'PYTHONTRACEMALLOC is not available' env PYTHONTRACEMALLOC=25 "$weft" -c 1
check tracemalloc-off 0 '^1' env PYTHONTRACEMALLOC=0 "$weft" -c 'print(1)'
check tracemalloc-ignored 0 '^1' env PYTHONTRACEMALLOC=1 "$weft" -E -c 'print(1)'
check tracemalloc-bad 1 'PYTHONTRACEMALLOC: invalid number of frames' env PYTHONTRACEMALLOC=many "$weft" -c 1
check malloc 0 '^1' env PYTHONMALLOC=malloc_debug "$weft" -c 'print(1)'
check malloc-bad 1 'PYTHONMALLOC: unknown allocator' env PYTHONMALLOC=best "$weft" -c 1
check no-site 0 '^False' "$weft" -S -c 'import sys; print("site" in sys.modules)'
check unbuffered 0 '^True' "$weft" -u -c 'import sys; print(sys.stdout.write_through)'
check unknown 2 'Unknown option: -z.usage:' "$weft" -z
check unknown-long 2 'unknown option --nosuch.usage:' "$weft" --nosuch
check jython 2 'reserved for Jython' "$weft" -J
check argument-missing 2 'Argument expected for the -c option' "$weft" -c
check bad-pycs 2 "must be one of 'default', 'always', or 'never'" "$weft" --check-hash-based-pycs foo -c 1
check help 0 'usage: .*-X opt' "$weft" -h
check help-long 0 '^usage:' "$weft" --help
check help-question 0 '^usage:' "$weft" '-?'
check help-env 0 'PYTHONSTARTUP' "$weft" --help-env
check help-x 0 'importtime' "$weft" --help-xoptions
check help-all 0 'usage:.*PYTHONHASHSEED.*importtime' "$weft" --help-all
check version 0 '^Python 3\.11\.' "$weft" -V
check version-long 0 'free-threaded' "$weft" -VV

check exit-3 3 '^$' "$weft" -c 'import sys; sys.exit(3)'
check exit-none 0 '^$' "$weft" -c 'raise SystemExit'
check exit-text 1 '^bye$' "$weft" -c 'raise SystemExit("bye")'
check exit-huge 255 '^$' "$weft" -c 'raise SystemExit(2**70)'
check exit-negative 255 '^$' "$weft" -c 'raise SystemExit(-1)'
check exit-tuple 1 '^\(1, 2\)' "$weft" -c 'raise SystemExit((1, 2))'
check uncaught 1 'ZeroDivisionError: division by zero' "$weft" -c '1/0'
check interrupted 130 'KeyboardInterrupt' "$weft" -c 'raise KeyboardInterrupt'
check undecodable 1 'Unable to decode the command from the command line' "$weft" -c $'\xed\xa0\x80'
check full-device 120 'No space left on device' "$weft" -c 'import sys; sys.stdout = open("/dev/full", "w"); print(1)'
cat > finalized.py <<'END'
name = 'seen'
class A:
    def __del__(self):
        print(name)
a = A()
END
check exit-finalizers 0 '^seen$' "$weft" -c 'import finalized'
check atexit-error 0 'Exception ignored in atexit callback' "$weft" -c 'import atexit; atexit.register(lambda: 1/0)'
check no-stderr 1 'ZeroDivisionError' "$weft" -c 'import sys; del sys.stderr; 1/0'
check stdout-none 0 '^$' "$weft" -c 'import sys; sys.stdout = None; print(1)'
check stdin-lost 1 'RuntimeError: input\(\): lost sys.stdin' "$weft" -c 'import sys; sys.stdin = None; input()'
check no-excepthook 1 'sys.excepthook is missing.*ZeroDivisionError' "$weft" -c 'import sys; del sys.excepthook; 1/0'
check modules-cleared 1 'ZeroDivisionError' "$weft" -c 'import sys; sys.modules.clear(); 1/0'
check builtins-cleared 0 '^$' "$weft" -c 'import builtins; builtins.__dict__.clear()'
check sys-cleared 1 'ZeroDivisionError' "$weft" -c 'import sys; sys.__dict__.clear(); 1/0'

# Standard streams that are closed when the program starts.
check stdout-closed 0 '^$' bash -c '"$0" -c "print(1)" >&-' "$weft"
check stdin-closed 1 'lost sys.stdin' bash -c '"$0" -c "input()" <&-' "$weft"
check stderr-closed 1 '^$' bash -c '"$0" -c "1/0" 2>&-' "$weft"
check all-closed 3 '^$' bash -c '"$0" -c "import sys; open(\"/dev/null\"); sys.exit(3)" <&- >&- 2>&-' "$weft"
check closed-none 0 '^None' bash -c '"$0" -c "import sys; print(sys.stdin)" <&-' "$weft"
finish
