"""SyntaxErrors: type, message, place and line of a few hundred wrong programs, in every mode."""
import warnings

warnings.simplefilter("ignore")
PROGRAMS = r"""def f(a,a): pass
def f():\n x=1\n global x
def f():\n print(x)\n global x
def f():\n x:int\n global x
def f():\n global x\n x:int=1
def f(a):\n global a
def f(a):\n nonlocal a
nonlocal x
def f():\n nonlocal x
def f():\n x=1\n def g():\n  print(x)\n  nonlocal x
def f():\n x=1\n def g():\n  x=2\n  nonlocal x
def f():\n x=1\n def g():\n  nonlocal x\n  x:int=2
def f():\n global x\n nonlocal x
class A:\n def f():\n  nonlocal __class__\n  __class__=1\n nonlocal y
return 1
yield 1
yield from x
await x
async with a: pass
async for a in b: pass
[x async for x in y]
class A:\n return 1
class A:\n yield 1
def f():\n from a import *
class A:\n from a import *
break
continue
if 1:\n break
for x in y:\n def f():\n  break
while 1: pass\nelse: break
async def f():\n yield from x
async def f():\n yield 1\n return 2
def f():\n await x
def f():\n async with a: pass
def f():\n [x async for x in y]
lambda: await x
[i:=1 for i in x]
[[i:=1 for j in x] for i in y]
[x for x in (y:=z)]
class A:\n [y:=1 for x in z]
[(yield x) for x in y]
[x for x in (yield y)]
def f():\n [(yield x) for x in y]
def f():\n return [x for y in (yield)]
def f():\n ((yield) for x in y)
*a
*a = b
*a, *b = c
(*a), b = c
del *a
x = *a
[*a, *b] = c
f(**a, *b)
f(a=1, a=2)
f(a=1, b=2, a=2)
class A(x=1, x=2): pass
print(*a, b=1, **c, b=2)
x: int; (x): int = 1; x.y: int; x[1]: int; x, y: int
[x]: int
def f(): x: (yield)
from __future__ import annotations\nx: (yield)
from __future__ import annotations\ndef f(a: (yield)): pass
from __future__ import annotations\ndef f() -> (await x): pass
from __future__ import annotations\nx: (y:=1)
from __future__ import annotations\nclass A:\n x: [(yield) for i in j]
def f(__debug__): pass
__debug__ = 1
import __debug__
import a as __debug__
def __debug__(): pass
class __debug__: pass
f(__debug__=1)
x.__debug__ = 1
del __debug__
for __debug__ in x: pass
with a as __debug__: pass
try: pass\nexcept a as __debug__: pass
def f(*__debug__): pass
def f(**__debug__): pass
lambda __debug__: 1
(__debug__ := 1)
global __debug__
x: __debug__
__debug__: int
match x:\n case __debug__: pass
match x:\n case [*__debug__]: pass
match x:\n case {1:2, **__debug__}: pass
match x:\n case A(__debug__=1): pass
match x:\n case a: pass\n case b: pass
match x:\n case a | b: pass
match x:\n case [a, a]: pass
match x:\n case a as a: pass
match x:\n case {1: a, 1: b}: pass
match x:\n case A(a=1, a=2): pass
match x:\n case (a | [b]): pass
match x:\n case [a] | [b]: pass
match x:\n case [*a, *b]: pass
match x:\n case _ | 1: pass
match x:\n case -a: pass
match x:\n case 1+1: pass
match x:\n case 1j+1: pass
match x:\n case {a: 1}: pass
match x:\n case {**a, 1: 2}: pass
match x:\n case {f'': 1}: pass
match x:\n case f'{x}': pass
match x:\n case a.b(): pass\n case a.b: pass
try: pass\nexcept: pass\nexcept a: pass
try: pass\nexcept* a: break
for x in y:\n try: pass\n except* a: continue
def f():\n try: pass\n except* a: return 1
try: pass\nexcept* a: pass\nexcept b: pass
1 = x
f() = x
x + 1 = 2
x() += 1
(a, b) += 1
[a] += 1
None = 1
True: int = 1
lambda: x = 1
a if b else c = 1
f'{x}' = 1
'a' = 1
... = 1
a < b = c
not a = 1
-a = 1
{a} = 1
{a:b} = 1
[x for x in y] = 1
(x for x in y) = 1
(yield) = 1
await a = 1
del f()
del 1
del a + b
del (a, b()), c
del None
for 1 in x: pass
for f() in x: pass
for a, b+c in x: pass
with a as 1: pass
with a as f(): pass
with a as (b, c()): pass
[x for 1 in y]
[x for f() in y]
(1 := 2)
(a.b := 2)
(a[1] := 2)
(f() := 2)
x := 1
f(x := 1, y=2)
f(a.b=1)
f(1=2)
f(True=1)
f(a+b=1)
f(x for x in y, 1)
f(1, x for x in y)
f(a=1, 2)
f(**a, 2)
f(a=1, *b, 2)
class A(x for x in y): pass
def f(a=1, b): pass
def f(a, /, b, /): pass
def f(*, a, /): pass
def f(*a, *b): pass
def f(**a, b): pass
def f(*): pass
def f(*, **a): pass
def f(a, *, ): pass
def f(/, a): pass
def f(a b): pass
def f(1): pass
def f(a.b): pass
def f((a, b)): pass
def f(*a=1): pass
def f(**a=1): pass
def f(a:=1): pass
lambda a=1, b: 1
lambda *: 1
lambda *a, *b: 1
lambda **a, b: 1
lambda (a): 1
lambda *a=1: 1
lambda /, a: 1
import a.b as c.d
import a as b.c
from a import b.c
from a import (b
from a import b,
from . import *
from a import *, b
import *
from a import
import
if x = 1: pass
if x: y = 
while x = 1: pass
x = = 1
x == = 1
x + + + 
x y
x y z = 1
print x
print 'a'
exec 'a'
print(x y)
f(x y)
[x y]
{x y}
(x y)
{1:2, 3}
{1:2, 3:}
{1:2, 3:4, **}
{1, 2:3}
{1: *a}
{**a: 1}
[a, b
(a, b
{a: b
f(a,
a[1
a[1)
(a]
{a)
a)
a]
a}
'abc
'''abc
\"abc
f'{
f'{a
f'{a:
f'{a!'
f'{a!x}'
f'{}'
f'{ }'
f'{!r}'
f'{:x}'
f'{a b}'
f'{a=!}'
f'}'
f'{a}}'
f'{a:{b:{c}}}'
f'{a\\nb}'
f'{#}'
f'{lambda x:1}'
f'{a[}'
f'{(a}'
f'{a)}'
f'{*a}'
f'{**a}'
f'{a:=5}'
f'{yield}'
f'{a.}'
f'{1 +}'
b'é'
b'a' 'b'
'\\x1'
'\\u12'
'\\N{foo}'
b'\\x1'
0777
0b12
0b
0o9
0o
0x
0xg
1_
1__0
1e
1e+
1.e
1a
1if 2 else 3
1or 2
0_7
1_000_
1.5_
5j5
$
?
a ? b
a $ b
`a`
a!
a!b
!a
a <> b
a ~ b
a++
a--
++a
a +* b
a ** ** b
a // / b
€
é = 1; è
a\u00a0b
\\x
a \\ b
\\
a = \\
if 1:\npass
if 1:\n  pass\n pass
if 1:\n  pass\n   pass
if 1:\n\tpass\n        pass
 x = 1
x = 1\n y = 2
def f():
def f():\nx
class A:
class A:\nx
for x in y:
for x in y:\nz
while x:
while x:\ny
with x:
with x:\ny
try:
try:\nx
try: pass
try: pass\nfinally
try: pass\nexcept
try: pass\nexcept a, b: pass
try: pass\nexcept a as b.c: pass
try: pass\nexcept:\nx
try: pass\nfinally:\nx
try: pass\nelse: pass
try: pass\nexcept a: pass\nelse:\nx
if x
if x\n pass
else: pass
elif x: pass
if x: pass\nelse\n pass
if x: pass\nelif y\n pass
for x in y
for x y: pass
for x
for in y: pass
while
while x pass
def f
def f(
def f()
def f() pass
def f() ->: pass
def f(a:): pass
def f(a=): pass
def 1(): pass
class
class 1: pass
class A
class A(
class A() pass
class A(B) pass
with x
with x as: pass
with x as y pass
with (x, y: pass
with (a as b, c as d) pass
match x:\n case 1\n  pass
match x:\n pass
match x:\n case: pass
match x:\nx
match x:\n case 1:\nx
async x
async def f(
async for x in y
await
lambda
lambda x
lambda x:
return
raise x from
raise from x
assert
assert x,
del
del x,,y
global
global x.y
global x y
nonlocal x, 
pass x
break x
continue x
import a b
from a import b c
a, b c
a = b c
a.b.c d
a.1
a.
.a
a..b
...a
a[
a[1:2:3:4]
a[b c]
a[*b:c]
a[]
()=1 2
a if b
a if b else
a else b
a if else c
not
a not b
a is is b
a in in b
a and
and a
or b
a or or b
yield = 1
def f(): yield yield
None()
x = yield = 1
True = False
a = 1 = b
a = None = b
a, 1 = b
[a, 1] = b
(a, f()) = b
*a, 1 = b
a: b: c
a: int = b = c
a: = 1
a:
(a: b)
{a: b, c}
{a: b for c in d, e}
[a for]
[a for b]
[a for b in]
[a for b in c if]
[a for b c]
[a, b for c in d]
{a, b for c in d}
[*a for b in c]
{**a for b in c}
(*a)
(**a)
(*a for b in c)
f(*)
f(**)
f(a=)
f(=1)
f(a, , b)
f(,)
f(a for b in c for)
(,)
[,]
{,}
(a,,)
@
@a
@a\nx
@a\n@b\n
@a b\ndef f(): pass
x = (\n1\n2\n)
f(\n a\n b)
'a' b
a 'b'
1 2
1 'a'
'a' 'b' c
print 1, 2
print >>f, x
exec a in b
raise a, b
a <- b -> c
a => b
a := b := c
(a := b := c)
a &&  b
a || b
!!
a ?: b
foo(a, b for b in range(5), c)
def f(x, y=1, z): return x
import a, 
from a import ()
from a import (,)
from a.b import c.d
class A:\n  def f(self):\n    pass\n   x = 1
if 1:\n    x\n  else:\n    y
"""


def show(mode, source):
    try:
        compile(source, "<s>", mode)
    except Exception as e:
        print("   ", mode, type(e).__name__, e.args,
              [getattr(e, name, "none") for name in ("lineno", "offset", "end_lineno", "end_offset", "text")])
    else:
        print("   ", mode, "fine")


for source in PROGRAMS.split("\n"):
    source = source.replace("\\n", "\n").replace("\\\\", "\\").replace("\\t", "\t").replace('\\"', '"')
    print(repr(source))
    for mode in "exec", "eval", "single":
        show(mode, source)
