#!/bin/bash
# Input nobody should write ends in an exception.  Memory is limited: what asks for more is MemoryError.  Without a limit
# (lib.sh.inc) what asks for a terabyte at once is refused, too, and what takes all there is little by little is left out.
. "$(dirname "$0")/lib.sh.inc"
ulimit -c 0
limited_memory 3000000 && limited=1

bad() { check "$1" 1 "$2" "$weft" -c "$3"; }
good() { check "$1" 0 '^ok' "$weft" -c "$2; print('ok')"; }

bad parens 'too many nested parentheses' 'compile("("*100000+")"*100000,"f","exec")'
bad brackets 'too many nested parentheses' 'compile("["*100000+"]"*100000,"f","exec")'
bad unary 'MemoryError|RecursionError' 'compile("-"*100000+"1","f","eval")'
bad not 'MemoryError|RecursionError' 'compile("not "*100000+"1","f","eval")'
bad lambda 'MemoryError|RecursionError' 'compile("lambda: "*100000+"x","f","eval")'
bad condition 'MemoryError|RecursionError' 'compile("x if y else "*100000+"x","f","eval")'
bad attributes 'MemoryError|RecursionError' 'compile("a"+".b"*100000,"f","eval")'
bad calls 'MemoryError|RecursionError' 'compile("a"+"()"*100000,"f","eval")'
bad sum 'MemoryError|RecursionError' 'compile("x"+"+x"*1000000,"f","eval")'
bad power 'MemoryError|RecursionError' 'compile("x"+"**x"*100000,"f","eval")'
bad elif 'MemoryError|RecursionError' 'compile("if x:\n pass\n"+"elif x:\n pass\n"*100000,"f","exec")'
bad with-items 'too many statically nested blocks' 'compile("with "+",".join(["a"]*50000)+": pass","f","exec")'
bad loops 'too many statically nested blocks' 'compile("".join(" "*i+"for x in y:\n" for i in range(30))+" "*30+"pass","f","exec")'
bad tries 'too many statically nested blocks' 'compile("".join(" "*i+"try:\n" for i in range(30))+" "*30+"pass\n"+"".join(" "*i+"finally: pass\n" for i in range(29,-1,-1)),"f","exec")'
bad indents 'too many levels of indentation' 'compile("".join(" "*i+"if x:\n" for i in range(5000))+" "*5000+"pass","f","exec")'
bad star "can't use starred expression here" 'compile("*"*1+"x","f","exec")'
good many-arguments 'compile("f("+"x,"*100000+")","f","exec")'
good many-statements 'compile("x;"*100000,"f","exec")'
good many-names 'exec("\n".join("a%d=1"%i for i in range(50000)))'
good nested-20 'compile("".join(" "*i+"for x in y:\n" for i in range(20))+" "*20+"pass","f","exec")'
bad null-text 'null bytes' 'compile("a\0b","f","exec")'
bad null-bytes 'null bytes' 'compile(b"a\0b","f","exec")'
bad cookie 'unknown encoding: foo' 'compile(b"# coding: foo\n","f","exec")'
bad utf-8 "'utf-8' codec can't decode|unicode error" 'compile(b"x=\"\xff\"","f","exec")'
bad surrogate 'UnicodeEncodeError' 'compile("x=\"\ud800\"","f","exec")'
bad digits 'SyntaxError: Exceeds the limit \(4300 digits\)' 'eval("1"*1000000)'
good digits-unlimited 'import sys; sys.set_int_max_str_digits(0); eval("7"*1000000)'
good hexadecimal 'eval("0x"+"f"*1000000)'

bad shift 'MemoryError' '1 << 10**12'
bad shift-more 'OverflowError|MemoryError' '1 << 10**30'
good shift-right 'assert 1 >> 10**30 == 0 and -1 >> 10**30 == -1 and 0 << 10**30 == 0'
bad power-memory 'MemoryError' '2**(2**70)'
for what in '[0]*10**11' '(0,)*10**12' '"x"*10**12' 'b"x"*10**12' 'bytearray(10**12)' 'bytes(10**12)' '[None]*2**60' \
    '"a".ljust(10**12)' '"a".zfill(10**12)' '"\t".expandtabs(2**31-1)*1000' '"{:1000000000000}".format("a")' '(1).to_bytes(10**12,"big")' \
    'import array; array.array("d",[0])*10**12' 'list(range(10**12))' '("x"*10**8).replace("x","y"*100000)' \
    'import struct; struct.pack("1000000000000s",b"")' 'import io; b=io.BytesIO(); b.seek(10**15); b.write(b"x")'; do
    bad "memory: $what" 'MemoryError' "$what"
done
if [ "${limited:-}" ]; then
bad grow-list 'MemoryError' 'l = []
while True: l.append("x"*1000000 + str(len(l)))'
bad grow-dict 'MemoryError' 'd = {}
while True: d[len(d)] = bytes(1000000)'
bad grow-str 'MemoryError' 's = "x"
while True: s += s'
bad grow-small 'MemoryError' 'l = []
while True: l.append(str(len(l)))'
# GMP has no way to say that it found no memory for its own.
for kilobytes in 240000 300000 400000 600000; do
    (ulimit -v $kilobytes
    bad "grow-int $kilobytes" 'MemoryError' 'x = 3
while True: x *= x'
    exit $failures) || failures=$((failures + 1))
done
(ulimit -v 500000
good int-threads '
import sys, threading
sys.set_int_max_str_digits(0)
go = threading.Event()
def work():
    go.wait() # for all threads to have their stacks
    x = 3
    try:
        while True:
            x *= x
            x // 7**100000 % 5**90000
    except MemoryError:
        pass
threads = []
try:
    for _ in range(3):
        t = threading.Thread(target=work)
        t.start()
        threads.append(t)
except RuntimeError:
    assert threads # no room for another stack
go.set()
for t in threads: t.join()'
exit $failures) || failures=$((failures + 1))
# No stack for marking, no list of what is garbage: nobody asks again for each object.
(ulimit -v 500000
good garbage '
import gc
class A: pass
l = []
try:
    while True:
        a = A(); a.b = A(); a.b.c = a; l.append(a)
except MemoryError:
    pass
del l
gc.collect()'
exit $failures) || failures=$((failures + 1))
# The report of a MemoryError needs nothing that is not there yet.
(ulimit -v 400000
check report 1 '^Traceback .*line 2, in <module>.MemoryError$' "$weft" -c 'l = []
for i in range(10**9): l.append(str(i))'
exit $failures) || failures=$((failures + 1))
good after-memory-error '
l = []
try:
    while True: l.append(bytes(10000000))
except MemoryError:
    l.clear()
x = [i for i in range(100000)]'
fi

good hint '
import resource
class A:
    def __length_hint__(self): return 10**8
    def __iter__(self): return iter([1])
l = []
l.extend(A()); l += A(); l = [*l, *A()]; l[1:] = A(); list(A()); tuple(A())
b = bytearray(); b.extend(A())
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 300000'
bad hint-memory 'MemoryError' '
class A:
    def __length_hint__(self): return 2**62
    def __iter__(self): return iter([1])
[].extend(A())'
good delete-while-iterating '
for c in ([1]*100, {i: i for i in range(100)}, set(range(100)), bytearray(100)):
    try:
        for i in c:
            c.clear()
    except RuntimeError:
        pass'
good dead-lock-holder '
import threading
l = threading.Lock()
t = threading.Thread(target=l.acquire); t.start(); t.join()
assert not l.acquire(timeout=0.05)
r = threading.RLock()
t = threading.Thread(target=r.acquire); t.start(); t.join()
assert not r.acquire(timeout=0.05)'
finish
