"""Ints, bools and singletons: prints what each expression gives, or its exception; the .exp file has what it must be."""
import sys


def t(s):
    try:
        r = repr(eval(s))
    except BaseException as e:
        r = type(e).__name__ + ' ' + str(e)
    sys.stdout.write(s + ' -> ' + r[:300] + '\n')


inf = float('inf')
nan = float('nan')
class I:
    def __index__(s): return 5
class N:
    def __int__(s): return 7
class NB:
    def __int__(s): return 'x'
class Tr:
    def __trunc__(s): return 3
class FF:
    def __float__(s): return 1.5
class FB:
    def __float__(s): return 'x'
class SI(int): pass
class SF(float): pass
class SC(complex): pass
class SS(str): pass
class C:
    def __complex__(s): return 1
class C2:
    def __complex__(s): return 1+2j
class NI(int):
    def __new__(cls, *a): return int.__new__(cls, *a)
for s in r'''int('1'*5000)
str(10**5000)
1<<-1
1>>-1
1>>(1<<70)
-1>>(1<<70)
0<<(1<<70)
1<<-(1<<70)
1<<(1<<70)
int('x')
int(b'x')
int('1',1)
int('1',37)
int('1',1<<70)
int('1',-(1<<70))
int(1.5,10)
int(base=10)
int(x=1)
int(None)
int('x'*300)
int('١٢')
int('1\x00')
int(b'1\x00')
int(float('nan'))
int(float('inf'))
pow(2,-1,4)
pow(2,-1,0)
pow(2,1,0)
1//0
1%0
divmod(1,0)
1/0
0**-1
2**-1
0.0**-1
1.0//0
1.0%0
divmod(1.0,0)
1.0/0
10**400/1
(10**400)*1.0
10.0**400
pow(2.0,1,2)
pow(2,1.0,2)
(300).to_bytes(1,'big')
(-3).to_bytes(1,'big')
(3).to_bytes(-1,'big')
(3).to_bytes(1,'x')
(3).to_bytes(1,3)
(3).to_bytes()
(3).to_bytes(2)
(-3).to_bytes(2,'little',signed=True)
(3).to_bytes('a')
(3).to_bytes(1,'big',True)
int.from_bytes('x')
int.from_bytes(3)
int.from_bytes([1,2,300])
int.from_bytes([1,2])
int.from_bytes(b'\xff\xfe','little',signed=True)
int.from_bytes(b'')
int.from_bytes()
SI.from_bytes(b'\x05')
type(SI.from_bytes(b'\x05')).__name__
round(5,'x')
round(15,-1)
round(25,-1)
round(-25,-1)
round(12345678901234567890,-5)
round(5,-10)
round(5,1<<70)
(1).__round__(None)
round(1,None)
int.__new__(float)
int.__new__(int,'x',base='y')
int(1,2,3)
int(y=3)
(5).__getnewargs__()
(5).__format__(3)
int('-0x')
int(' - 1')
int('0x12',0)
int('012',0)
int('0_0',0)
int('_1')
int('')
int('0b12',2)
int('0x_1f',16)
int('1__0')
int('1_')
int(bytearray(b' 12 '))
int(bytearray(b' 1x '))
int(memoryview(b'12'))
int(bytearray(b'11'),2)
bool(1,2)
bool(x=1)
float(x=1)
float(1,2)
float('x')
float(b'x')
float([])
complex('x')
complex([])
complex(1,'x')
complex('1','1')
complex(1,[])
type(None)(1)
type(...)(1)
type(NotImplemented)(1)
int(I())
int(N())
int(NB())
int(Tr())
int(FF())
float(FF())
float(FB())
float(I())
float(N())
complex(C())
complex(C2())
complex(FF(),I())
int(SS('12'))
float(SS('1.5'))
int(SI(5))
SI(5)+1
type(SI(5)+1).__name__
SI(2**100)
SI(5)==5
hash(SI(5))
SI(5).real
type(SI(5).real).__name__
-SI(5)
+SI(0)
abs(SI(-5))
~SI(5)
SI(5) & 4
SI(5)<<1
SI(7)//2
divmod(SI(7),2)
str(SI(7))
repr(SI(7))
bool(SI(0))
SI('12',8)
SI()
SI(x=1)
SF(1.5)
SF(1.5)+1
type(SF(1.5)+1).__name__
SF('nan')
-SF(1.5)
type(+SF(1.5)).__name__
SC(1,2)
SC(1,2)+1
SC('1+2j')
SC(SC(1,2))
type(SC(1,2).conjugate()).__name__
NI(5)
True+True
True&False
True|2
True^True
type(True^True).__name__
~True
-True
True<<3
True/2
True//2
str(True)
repr(False)
int(True)
True.real
True.imag
True.numerator
True.denominator
(5).denominator
(5).bit_length()
(-5).bit_length()
(5).bit_count()
(-(2**100)).bit_count()
(2**100).bit_length()
(5).as_integer_ratio()
True.as_integer_ratio()
True.conjugate()
(5).__ceil__()
(5).__floor__()
(5).__trunc__()
(5).__index__()
(5).__float__()
(5).__bool__()
(5).__divmod__(2)
(5).__rdivmod__(12)
(5).__pow__(2)
(5).__pow__(2,3)
(5).__rpow__(2)
(5).__rsub__(2)
(5).__radd__('a')
(5).__eq__(5.0)
(5).__lt__(5.5)
5 < 5.5
5 == 5.0
2**53+1 == 2.0**53
2**53+1 > 2.0**53
2**1000 < inf
-2**1000 > -inf
2**1000 < nan
10**400 == 1e308
10**308 < 1.7e308
(1<<62)
(1<<62)-1
-(1<<62)
-(1<<62)-1
(1<<63)
4611686018427387904-1
4611686018427387903+1
-4611686018427387904-1
4611686018427387904*-1
(-4611686018427387904)//-1
(-4611686018427387904)*-1
abs(-4611686018427387904)
(2**31)*(2**31)
(2**62)//(2**31)
(-7)//2
(-7)%2
7//-2
7%-2
(-7)%-2
(2**100)//(3**20)
(-2**100)%(3**20)
(2**100)%-(3**20)
-(2**100)//-(3**50)
2**100 & -(2**70)
-(2**100) | 5
-(2**100) ^ (2**99)
~(2**100)
(2**100)>>99
-(2**100+1)>>99
3**200
(-3)**201
7**0
0**0
2**0.5
2**-3
(-2)**-3
(2**100)**2
pow(3,5,-7)
pow(3,-5,-7)
pow(3,5,1)
pow(0,0,1)
pow(0,0,-1)
pow(3,10**50,10**40+1)
pow(3,10**50,10**40)
pow(-3,10**5+1,10**20)
pow(2,3,None)
pow(3,-1,10**30+57)
hash(2**61-1)
hash(-1)
hash(2**61)
hash(-(2**61-2))
hash(2**1000)
hash(2**62)
hash(-2**62)
hash(1.0)
hash(1.5)
hash(2.0**61)
0/-5
0/5
-0.0
10**400/10**399
(2**53+1)/1
(10**23)/1
1/3
(2**1074)/(2**2148)
1/(2**1074)
1/(2**1075)
3/(2**1075)
(2**1024-2**970)/1
(2**1024-2**969)/1
0.1+0.2
1e16
1e22
123456789012345678.0
1e-5
0.0001
5e-324
1.7976931348623157e308
2.0**1024
float('1_0')
float('1__0')
float('1_.0')
float('1e_1')
float(' infinity ')
float('-nan')
float('infi')
float('')
float('0x1')
float(b'\xff')
float(bytearray(b'1_0'))
float(memoryview(b'1'))
float('1'*400)
float('१.५')
format(5,'d')
format(True)
format(True,'d')
format(2**70,',')
format(1.5)
format(1+2j)
format(255,'#x')
(5).__class__
5 .__class__
int.__doc__[:20]
type(5).__mro__
bool.__mro__
isinstance(True,int)
int.__new__(bool,1)
bool.__new__(int)
bool.__new__(bool,[])
float.__new__(float,'1.5')
float.__new__(int)
complex.__new__(complex,'1j')
max(1,2.0,3)
sum([1,2.5,3])
5 .__add__(2.5)
2.5.__add__(5)
2.5.__radd__(2**70)
2.5.__radd__(10**400)
int.__add__(5,'a')
int.__lt__(5,2.0)
'a'*2**70
[1]*SI(2)
'abc'[SI(1)]
range(SI(3))
(1).__and__(1.0)
1&1.0
1<<1.0
1.5//1j
5%'a'
1 if 2**100 else 0
not 0
not 2**100
int.from_bytes(bytes(range(40)),'big')
(2**300).to_bytes(40,'little')
-2**63
2**63-1
int(1e30)
int(-1e18)
int(4.7e18)
int(-4.611686018427388e18)
int(9.3e18)
0x7fffffffffffffff
10**18*10
99999999999*99999999999
123456789123456789*-987654321987654321
-5 % 2**100
5 % -2**100
-5 // 2**100
2**64 % 2**32
2**100 - 2**100
2**100 - (2**100-1)
2**63 - 2**63 + 1
(2**100) == (2**100)
(2**100) is not None
(2**100) != 2**101
-(2**100) < 2**100
2**100 <= 2**100
int('z',36)
int('1'*100,2)
int('7'*50,8)
int('f'*50,16)
hex(-255)
oct(8)
bin(-5)
hex(2**100)
oct(-2**100)
bin(2**70)
hex(True)
None.__bool__()
bool(None)
repr(None)
repr(...)
repr(NotImplemented)
NotImplemented.__reduce__()
Ellipsis.__reduce__()
bool(...)
None == None
hash(None)==hash(None)
type(None)
type(...)
type(NotImplemented)
None.x
1 .x
1.5.x
(1).real.imag'''.split('\n'): t(s)
