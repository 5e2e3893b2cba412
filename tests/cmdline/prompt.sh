#!/bin/bash
# The interactive prompt: blocks, values, tracebacks, ends, start-up files.
. "$(dirname "$0")/lib.sh.inc"
prompt() { printf '%b' "$1" | "$weft" -iq "${@:2}"; }
export weft
export -f prompt

check value 0 '>>> 5' bash -c 'prompt "2+3\n"'
check block 0 '>>> \.\.\. \.\.\. in' bash -c 'prompt "if 1:\n  print(\"in\")\n\n"'
check else 0 '>>> (\.\.\. ){6}1.3' bash -c 'prompt "try:\n 1\nexcept:\n 2\nelse:\n 3\n\n"'
check brackets 0 '>>> \.\.\. \(1, 2\)' bash -c 'prompt "(1,\n2)\n"'
check string 0 'a.nb' bash -c 'prompt "x = \"\"\"a\nb\"\"\"\nx\n"'
check underscore 0 '>>> 4.>>> 5' bash -c 'prompt "4\n_+1\n"'
check traceback 0 'File "<stdin>", line 2, in f.ZeroDivisionError.*>>> 7' bash -c 'prompt "def f():\n  1/0\n\nf()\n7\n"'
check syntax 0 'SyntaxError: invalid syntax.*>>> 7' bash -c 'prompt "1 1\n7\n"'
check prompts 0 'A .*B ' bash -c 'prompt "import sys\nsys.ps1=\"A \"\nsys.ps2=\"B \"\nif 1:\n pass\n\n"'
check no-prompts 0 '3.*4' bash -c 'prompt "import sys\ndel sys.ps1, sys.ps2\n3\n4\n"'
check display 0 'D 5' bash -c 'prompt "import sys; sys.displayhook = lambda v: print(\"D\", v)\n5\n"'
check exit 3 '>>> ' bash -c 'prompt "quit(3)\n"'
check system-exit 4 '>>> ' bash -c 'prompt "raise SystemExit(4)\n"'
check unfinished 0 '2' bash -c 'prompt "if 1:\n  2"'
check after-command 0 '>>> 5' bash -c 'prompt "x\n" -c "x=5"'
check after-exit 0 'SystemExit: 4.*>>> 2' bash -c 'prompt "2\n" -c "raise SystemExit(4)"'
check banner 0 '^Python 3.11.* on linux.Type "help"' bash -c 'echo | "$weft" -i'
echo 'print("startup"); sv = 5' > start.py
check startup 0 'startup.*>>> 5' env PYTHONSTARTUP=start.py bash -c 'prompt "sv\n"'
echo 'print(__file__, __cached__)' > names.py
check startup-names 0 "names.py None.*NameError: name '__file__'" env PYTHONSTARTUP=names.py bash -c 'prompt "__file__\n"'
check future 0 "\{'x': 'y'\}" bash -c 'prompt "from __future__ import annotations\nx: y\n__annotations__\n"'
check startup-missing 0 'Could not open PYTHONSTARTUP.FileNotFoundError.*>>> 1' env PYTHONSTARTUP=nosuch.py bash -c 'prompt "1\n"'
check inspect 0 '^$' env PYTHONINSPECT=1 "$weft" -c 'y=3'
check null-byte 0 'Error.*3' bash -c 'prompt "\"\\000\"\n3\n"'

# Ctrl-C at the prompt ends the statement, not the process.
check interrupt 0 'KeyboardInterrupt.*>>> 8' timeout 20 "$weft" -c 'import os, signal, subprocess, sys, time
p = subprocess.Popen([sys.executable, "-iq"], stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
time.sleep(1)
p.send_signal(signal.SIGINT)
time.sleep(0.5)
p.communicate(b"8\n")
sys.exit(p.returncode)'
# The end of the input at a terminal.
check terminal 0 '^ok' timeout 60 "$weft" "$here/terminal.py" "$weft"

finish
