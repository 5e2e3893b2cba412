"""Module _struct: prints what each expression gives, or its exception; the .exp file has what it must be."""
import sys


def t(s):
    try:
        r = repr(eval(s))
    except BaseException as e:
        r = type(e).__name__ + ' ' + str(e)
    sys.stdout.write(s + ' -> ' + r[:300] + '\n')


inf = float('inf')
nan = float('nan')
import _struct as struct
P=struct.pack;U=struct.unpack
class I:
    def __index__(s): return 5
class Bad:
    def __index__(s): raise ValueError('boo')
class BB:
    def __bool__(s): raise ValueError('boo')
S=struct.Struct
ba=bytearray(10)
for pre in '@<>=!':
    for c in 'bBhHiIlLqQnN?cefdsxpPzuw':
        for v in ('10**30','-10**30','300','-1','"a"','1.5','b"x"','b"xy"','128','40000','70000','2**31','2**32','2**63','2**64','-129','-40000','-2**31-1','-2**63-1','nan','inf','1e40','1e-8','65519.9','65520','I()','True','None'):
            t(f"P('{pre}{c}',{v})")
for pre in '@<>':
    for c in 'bBhHiIlLqQnN?cefdspP':
        t(f"U('{pre}{c}', bytes(range(200,200+struct.calcsize('{pre}{c}'))))")
        t(f"U('{pre}3{c}', bytes(range(1,1+struct.calcsize('{pre}3{c}'))))")
for s in r'''P('i')
P('ii',1)
P('i',1,2)
P('3')
P('')
P('é')
P(3)
P(b'i',1)
P('\0i',1)
P(' i i ',1,2)
P('0i')
P('0s',b'')
P('3s',b'ab')
P('3s',b'abcd')
P('s',bytearray(b'a'))
P('3p',b'abcd')
P('0p',b'abcd')
P('300p',b'a'*299)[0:2]
P('c',bytearray(b'a'))
P('?',[])
P('?',BB())
P('i',I())
P('i',Bad())
P('f',3.4028235677973366e38)
P('d',10**400)
P('99999999999999999999i')
P('9223372036854775807i')
P('4611686018427387904i')
struct.calcsize('9223372036854775807s')
struct.calcsize('9223372036854775808s')
struct.calcsize('>bi')
struct.calcsize('bi')
struct.calcsize('bq0i')
struct.calcsize('q0b')
struct.calcsize('bxi')
struct.calcsize('bd')
struct.calcsize('b0d')
struct.calcsize('!i')
struct.calcsize('=bl')
struct.calcsize('@b@')
P('bhilqd',1,2,3,4,5,6.0)
U('bhilqd',P('bhilqd',1,2,3,4,5,6.0))
U('i',b'')
U('i','abcd')
U('?',b'\x02')
U('5p',b'\x09abcd')
U('e',b'\x00\x3c')
U('e',b'\x01\x7c')
U('e',b'\x01\x00')
U('e',b'\xff\x7b')
U('<b',b'1',2)
struct.unpack_from('i',b'abc')
struct.unpack_from('i',b'abcdef',3)
struct.unpack_from('i',b'abcdef',-3)
struct.unpack_from('i',b'abcdef',-7)
struct.unpack_from('i',b'abcdef',-4)
struct.unpack_from('i',buffer=b'abcdef',offset=1)
struct.unpack_from('i')
struct.pack_into('i',ba,0,1)
struct.pack_into('i',ba,7,1)
struct.pack_into('i',ba,-2,1)
struct.pack_into('i',ba,-12,1)
struct.pack_into('i',ba)
struct.pack_into('i')
struct.pack_into('i',ba,0)
struct.pack_into('i',b'abcd',0,1)
struct.pack_into('i',ba,'a',1)
struct.pack_into('i',ba,2**70,1)
ba
struct.iter_unpack('i',b'12345')
struct.iter_unpack('',b'')
list(struct.iter_unpack('i',b'12345678'))
struct.iter_unpack('i',b'12345678').__length_hint__()
S('i').format,S('i').size
S(b'i').format
S()
S(3)
S('i',2)
S('z')
S.__new__(S).pack(1)
S.__new__(S).unpack(b'')
S.__new__(S).size
S.__new__(S).pack_into(ba,0)
S('i').pack('a',1)
S('i').unpack_from(b'abc')
S('i').iter_unpack(b'abc')
S('i').pack_into(ba,8,1)
S('i').pack_into(ba)
struct._clearcache()
S.unpack_from.__text_signature__
struct.unpack('i')
struct.calcsize()
struct.calcsize('i',2)
struct.error.__module__
struct.error.__name__
struct.error
struct.error.__mro__
S
S('i').__class__.__module__
[struct.pack('%dB'%i,*range(i)) for i in range(120)][-1][:3]'''.split('\n'): t(s)
