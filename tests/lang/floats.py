"""Floats and complex numbers: prints what each expression gives, or its exception; the .exp file has what it must be."""
import sys


def t(s):
    try:
        r = repr(eval(s))
    except BaseException as e:
        r = type(e).__name__ + ' ' + str(e)
    sys.stdout.write(s + ' -> ' + r[:300] + '\n')


inf = float('inf')
nan = float('nan')
class C:
    def __complex__(s): return 1
class D:
    def __float__(s): return 2.0
class E:
    def __index__(s): return 3
for s in r'''divmod(inf,1)
divmod(1.0,inf)
divmod(-1.0,inf)
-1.0%inf
-1.0//inf
inf//1
inf%1
1.0//inf
(-0.0)%1
(-0.0)//1
5.0%-3
-5.0%3
0.0//-1
divmod(-0.0,3)
(-2.0)**0.5
(-8.0)**(1/3)
(-1.0)**inf
1.0**nan
nan**0
(-0.0)**-1
(-0.0)**3
inf**-1
(-inf)**3
(-inf)**-3
0.0**-inf
2.0**1024
2.0**-1080
(2.0).__pow__(3,None)
pow(2.0,3,None)
pow(2.0,3,5)
round(2.5)
round(-2.5)
round(0.5)
round(nan)
round(inf)
round(nan,2)
round(inf,-1)
round(1e308,-308)
round(1.7e308,-308)
round(5.0,'x')
round(5.0,1<<80)
round(5.0,-(1<<80))
round(123456.0,-2)
(-0.4).__round__(0)
round(-0.4)
round(2.675,2)
round(1e22,1)
round(0.15,1)
round(-0.5)
round(1e20)
round(5e15+0.5)
(1.5).__trunc__()
(1.5).__floor__()
(-1.5).__ceil__()
nan.__floor__()
inf.__ceil__()
(0.1).hex()
(-0.0).hex()
inf.hex()
nan.hex()
(5e-324).hex()
(1.0).hex()
(1e300).hex()
1.5e-310.hex()
float.fromhex('0x1.8p3')
float.fromhex('1.8')
float.fromhex('  -0x.8p-1 ')
float.fromhex('nan')
float.fromhex('-inf')
float.fromhex('0x')
float.fromhex('x')
float.fromhex('')
float.fromhex('0x1p')
float.fromhex('0x1p1024')
float.fromhex('0x1p-2000')
float.fromhex('0x1.ffffffffffffffp1023')
float.fromhex('0x1_0')
float.fromhex('1p1_0')
float.fromhex('0x1p99999999999999999999')
float.fromhex('0x0p99999999999999999999')
float.fromhex('0x1p-99999999999999999999')
float.fromhex('0x0.8p-1074')
float.fromhex('0x0.8000000000001p-1074')
float.fromhex('0x1.8p-1074')
float.fromhex('0x1.00000000000008p0')
float.fromhex('0x1.000000000000080000001p0')
float.fromhex('0x1.00000000000018p0')
float.fromhex('infinit')
float.fromhex('\x00')
float.fromhex(3)
float.fromhex(b'1')
float.fromhex('١')
float.__getformat__('double')
float.__getformat__('x')
float.__getformat__(1)
(1.5).as_integer_ratio()
inf.as_integer_ratio()
nan.as_integer_ratio()
(0.0).as_integer_ratio()
(-0.1).as_integer_ratio()
(5e-324).as_integer_ratio()
(1e300).as_integer_ratio()
hash(inf)
hash(-inf)
hash(0.5)
hash(1e300)
hash(5e-324)
hash(-1.0)
hash(2.0**61-1)
hash(1j)
hash(complex(1,2))
1.0 == 1<<80
2.0**80 == 1<<80
1e400 > 10**500
float('nan') < 10**400
1.5 < 2**70
(1.5).__format__(3)
(1.5).__getnewargs__()
(1.5).is_integer()
inf.is_integer()
1e16.is_integer()
(1.0).__eq__('x')
(1.0).__add__('x')
1.0+10**400
float.__doc__
int(1e30)
(1.0).__divmod__(0)
nan == nan
nan is nan
nan in [nan]
{nan:1}[nan]
[0.0, -0.0]
0.0 == -0.0
1e-300*1e-300
-1e-300*1e-300
1.5 .real
1.5 .imag
(1.5).conjugate()
float.real
1j/0
1j//1
1j%1
divmod(1j,1)
1j**1.5
0j**-1
0j**1j
0j**0
0j**2
(1+1j)**100
(1+1j)**101
(1+1j)**-3
(1+1j)**10000
(1e200+1e200j)**2
(1e308+1e308j)*10
(1e308+1e308j)**2
pow(1j,2,3)
abs(complex(1e308,1e308))
abs(complex(nan,inf))
abs(complex(nan,1))
abs(complex(1.7e308,1.7e308))
complex(1,2)<1
complex(1,0)==1
complex(2.0**80,0)==2**80
complex(2.0**80,0)==2**80+1
1==complex(1,0)
1.5!=complex(1.5,1)
complex(C())
complex(D())
complex(E())
complex(D(),E())
complex(1j,2j)
complex(1j)
complex(1,1j)
complex('1+2j')
complex(' ( 1-2j ) ')
complex('j')
complex('-j')
complex('+J')
complex('1+j')
complex('1e5j')
complex('nan+infj')
complex('1_0+2_0j')
complex('(1+2j')
complex('1+2')
complex('1 + 2j')
complex('1j+2')
complex('')
complex('()')
complex('1+2jj')
complex('+')
complex('1+')
complex('1-nanj')
complex('-infinityj')
complex('1+2j ')
complex('1+2j\x00')
complex('1__0j')
complex(b'1')
complex('1','2')
complex(real='1')
complex(imag='1')
complex(x=1)
complex(1,2,3)
complex(1e400,1)
complex(10**400)
complex(1,10**400)
repr(complex(0.0,1))
repr(complex(-0.0,1))
repr(complex(1,-0.0))
repr(complex(nan,nan))
repr(complex(inf,-inf))
repr(complex(1.5,1e20))
repr(complex(0,nan))
str(1e16+1j)
(1j).__getnewargs__()
(1j).conjugate()
(1j).__complex__()
int(1j)
float(1j)
1j+'x'
-1j
+1j
bool(0j)
bool(1j)
hash(0j)
1j.__format__(3)
complex(1,2)/complex(3,4)
complex(1,2)/complex(nan,4)
complex(1,2)/complex(inf,inf)
1/1j
1j-1
1-1j
2*1j
1.5/1j
(2+3j)**(1+2j)
(2+3j)**2.0
(2+3j)**True
complex(complex(1,2),3)
(0j)**(-1)
complex(object())
1j+10**400
1j == 10**400
1j.real
1j.imag
complex.__doc__
1.0.__rpow__(2)
float('1e400')
float('-1e-400')
float('9007199254740993')
float('9007199254740992.99999')
float('2.2250738585072011e-308')
float('4.9406564584124654e-324')
float('2.4703282292062327e-324')
float('2.4703282292062328e-324')
float('1.'+'0'*400+'1')
float('.5')
float('5.')
float('.')
float('e5')
float('1e5.5')
float('+.5e-3')
1e308*10
-1e308*10
inf-inf
inf*0
3.14159.__repr__()
1.1.__str__()'''.split('\n'): t(s)
