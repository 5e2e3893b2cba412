"""Module array: prints what each expression gives, or its exception; the .exp file has what it must be."""
import sys


def t(s):
    try:
        r = repr(eval(s))
    except BaseException as e:
        r = type(e).__name__ + ' ' + str(e)
    sys.stdout.write(s + ' -> ' + r[:300] + '\n')


inf = float('inf')
nan = float('nan')
from array import array
import array as A
class F:
    def __init__(s,x='x'): s.x=x
    def read(s,n): return s.x[:n]
class W:
    def __init__(s): s.l=[]
    def write(s,b): s.l.append(b)
def w(a):
    f=W(); a.tofile(f); return f.l
class SA(array): pass
a=array('i',[1,2,3])
def do(a, f):
    try: r=f(a)
    except BaseException as e: return type(e).__name__,str(e),a
    return r,a
def ss(l,k,v):
    a=array('i',l); a[k]=v; return a
def ds(l,k):
    a=array('i',l); del a[k]; return a
for c in 'bBhHiIlLqQfdu':
    for v in ('10**30','-10**30','300','-1','-300','70000','2**31','2**32','2**63','2**64','"a"','"ab"','1.5','None','True'):
        t("array('%s',[%s])"%(c,v))
for st in (None,0,1,2,-1,-2,5,-9):
    for en in (None,0,1,3,-1,7):
        for step in (None,1,2,3,-1,-2,-3):
            t('array("i",range(6))[%s:%s:%s]'%(st,en,step))
            t('ds(range(6),slice(%s,%s,%s))'%(st,en,step))
            t('ss(range(6),slice(%s,%s,%s),array("i",[9,8]))'%(st,en,step))
            t('ss(range(6),slice(%s,%s,%s),array("i",[9,8,7]))'%(st,en,step))
for s in r'''array()
array('x')
array(1)
array('ii')
array('i',1)
array('i','a')
array('i',1,2)
array('i',x=1)
array('i',b'abcd')
array('i',b'abc')
array('i',bytearray(b'abcd'))
array('u','abc')
array('u',b'abcd')
array('b',array('i',[1]))
array('u',array('i',[1]))
array('i',array('u','a'))
array('i',[1,2])+[1]
array('i',[1])+array('b',[1])
array('i',[1])+array('i',[2])
array('i',[1])*'a'
array('i',[1,2])*3
3*array('i',[1,2])
array('i',[1])*-1
array('i',[1])*(2**62)
array('i',[1])[5]
array('i',[1])[-1]
array('i',[1])[-2]
array('i',[1])['a']
array('i',[1]).__setitem__(5,1)
array('i',[1]).__setitem__('a',1)
array('i',[1]).__setitem__(0,'a')
array('i',[1]).__setitem__(slice(0,1),[1])
array('i',[1]).__setitem__(slice(0,1),array('b'))
array('i',[1]).__delitem__(5)
array('i',[1]).__delitem__('a')
array('i').pop()
array('i',[1]).pop(3)
do(array('i',[1,2,3]),lambda a:a.pop())
do(array('i',[1,2,3]),lambda a:a.pop(0))
do(array('i',[1,2,3]),lambda a:a.pop(-2))
do(array('i',[1,2,3]),lambda a:a.remove(2))
array('i',[1]).remove(3)
array('i',[1]).index(3)
array('i',[1,2,1]).index(1,1)
array('i',[1,2,1]).index(1,-1,5)
array('i',[1,2,1]).index(1,1,2)
array('i',[1,2,1]).count(1)
array('i',[1]).count('x')
array('i',[1]).insert('a',1)
do(array('i',[1,2,3]),lambda a:a.insert(-5,9))
do(array('i',[1,2,3]),lambda a:a.insert(1,9))
do(array('i',[1,2,3]),lambda a:a.insert(99,9))
array('i',[1]).append('x')
array('i',[1]).extend(1)
do(array('i',[1]),lambda a:a.extend([2,3,'a']))
do(array('i',[1]),lambda a:a.extend(a))
array('i',[1]).extend(array('b',[1]))
array('i',[1]).fromlist(1)
do(array('i',[1]),lambda a:a.fromlist([1,'a']))
do(array('i',[1]),lambda a:a.fromlist([1,5]))
array('i',[1]).frombytes('a')
array('i',[1]).frombytes(b'abc')
array('i',[1]).frombytes(array('i',[1]))
do(array('i',[1]),lambda a:a.frombytes(b'\1\0\0\0'))
array('i',[1]).fromunicode('a')
array('u').fromunicode(1)
do(array('u','a'),lambda a:a.fromunicode('bc\U0001f600'))
array('u','abc\U0001f600').tounicode()
array('i',[1]).tounicode()
do(array('i',[1]),lambda a:a.byteswap())
do(array('d',[1]),lambda a:a.byteswap())
do(array('i',[1,2,3]),lambda a:a.reverse())
do(array('h',[1,2,3,4]),lambda a:a.reverse())
array('i',[1]).fromfile(F(),1)
array('i',[1]).fromfile(F(),-1)
array('i',[1]).fromfile(1,1)
do(array('i',[1]),lambda a:a.fromfile(F(b'\5\0\0\0\6\0\0\0'),1))
do(array('i',[1]),lambda a:a.fromfile(F(b'\5\0\0\0'),2))
array('i',[1]).tofile(1)
w(array('i',[1,2]))
[len(x) for x in w(array('i',range(40000)))]
array('i',[1,2]).tobytes()
array('i',[1]).tolist()
array('i',[1]).buffer_info()[1]
array('i',[1]).typecode
array('i',[1]).itemsize
array('i',[1]).__reduce_ex__(2)
array('i',[1]).__reduce_ex__(3)
array('u','ab').__reduce_ex__(3)
array('u','ab').__reduce_ex__(2)
array('f',[1]).__reduce_ex__(4)
array('i',[1]).__reduce_ex__('a')
SA('i',[1]).__reduce_ex__(3)
repr(array('i'))
repr(array('u','ab'))
repr(array('u'))
repr(array('d',[1.5]))
repr(SA('i',[1]))
array('i',[1])<array('i',[2])
array('i',[1,2])<array('i',[1])
array('i',[1])<=array('i',[1,2])
array('i',[1])==array('d',[1])
array('i',[1])!=array('d',[1.5])
array('i',[1])==[1]
array('i',[1])<[1]
array('i',[1])>array('u','a')
hash(a)
'a' in a
2 in a
list(iter(a))
type(iter(a))
iter(a).__reduce__()[1:]
iter(a).__setstate__(5)
a.__copy__()
a.__deepcopy__({})
A.typecodes
A._array_reconstructor(array,'i',8,b'abcd')
A._array_reconstructor(array,'i',22,b'abcd')
A._array_reconstructor(array,'i',-1,b'abcd')
A._array_reconstructor(array,'x',8,b'abcd')
A._array_reconstructor(int,'i',8,b'abcd')
A._array_reconstructor(1,'i',8,b'abcd')
A._array_reconstructor(array,'i',8,b'abc')
A._array_reconstructor(array,'i',8,'abc')
A._array_reconstructor(array,'i',2,b'abcd')
A._array_reconstructor(array,'i',3,b'abcd')
A._array_reconstructor(array,'f',14,b'abcd')
A._array_reconstructor(array,'f',15,b'abcd')
A._array_reconstructor(array,'d',14,b'abcd')
A._array_reconstructor(array,'f',16,b'abcdefgh')
A._array_reconstructor(array,'u',18,b'ab')
A._array_reconstructor(array,'u',18,b'abc')
A._array_reconstructor(array,'u',19,b'ab')
A._array_reconstructor(array,'u',21,b'\0\0\0a')
A._array_reconstructor(array,'l',8,b'abcd')
A._array_reconstructor(array,'I',13,b'abcdefgh')
A.ArrayType is array
memoryview(array('i',[1])).format
memoryview(array('i',[1,2])).tolist()
memoryview(array('u','a')).format
bytes(array('h',[1,2]))
do(array('i',[1]),lambda a:a.__iadd__([1]))
do(array('i',[1]),lambda a:a.__iadd__(array('i',[2])))
array('i',[1]).__iadd__(array('d',[1]))
array('i',[1]).__imul__('a')
do(array('i',[1,2]),lambda a:a.__imul__(3))
do(array('i',[1,2]),lambda a:a.__imul__(0))
array.__module__
list(reversed(a))
array('i',range(3)) + array('i')
sum(array('d',[.5,1.5]))
max(array('b',[3,-5]))
array('i',(x for x in range(5)))
array('i',range(5))
len(array('i',range(1000)))
[array('i',range(n)).tolist()==list(range(n)) for n in (0,1,5,100)]
SA('i',[1,2])[0:1]
type(SA('i',[1])+SA('i',[2])).__name__
array.__doc__ is not None'''.split('\n'): t(s)
def exp():
    a=array('i',[1,2,3]); m=memoryview(a)
    out=[]
    for f in (lambda:a.append(1),lambda:a.pop(),lambda:a.insert(0,1),lambda:a.extend([1]),lambda:a.__delitem__(0),lambda:a.frombytes(b'abcd'),lambda:a.__setitem__(slice(0,1),array('i')),lambda:a.fromlist([1]),lambda:a.__iadd__(array('i',[1])),lambda:a.__imul__(2),lambda:a.remove(1),lambda: a.__setitem__(0,7),lambda:a.__setitem__(slice(0,1),array('i',[8])), lambda: a.reverse()):
        try: out.append(f())
        except BufferError as e: out.append(str(e))
    m.release(); a.append(4)
    return out,a
t('exp()')
