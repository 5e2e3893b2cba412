"""Module marshal: prints what each expression gives, or its exception; the .exp file has what it must be."""
import sys


def t(s):
    try:
        r = repr(eval(s))
    except BaseException as e:
        r = type(e).__name__ + ' ' + str(e)
    sys.stdout.write(s + ' -> ' + r[:300] + '\n')


inf = float('inf')
nan = float('nan')
import marshal
def rt(x,*v): return marshal.loads(marshal.dumps(x,*v))
def d(x,*v): 
    b=marshal.dumps(x,*v); return b
def strip(b): return bytes(c&0x7f for c in b[:1])+b[1:]
l=[1]; l.append(l)
dd={}; dd['d']=dd
class R:
    def __init__(s,b): s.b=b; s.p=0
    def read(s,n): 
        r=s.b[s.p:s.p+n]; s.p+=n; return r
    def readinto(s,b):
        r=s.b[s.p:s.p+len(b)]; s.p+=len(r); b[:len(r)]=r; return len(r)
class W:
    def __init__(s): s.b=b''
    def write(s,b): s.b+=b; return len(b)
def cut(x,*v):
    b=marshal.dumps(x,*v); out=set()
    for i in range(len(b)):
        try: marshal.loads(b[:i]); out.add('ok%d'%i)
        except (EOFError,ValueError,TypeError) as e: out.add(type(e).__name__)
    return sorted(out)
def nest(n):
    x=[]
    for i in range(n): x=[x]
    return x
def nt(n):
    x=nest(n); b=marshal.dumps(x); marshal.loads(b); return len(b)>0
objs=[None,True,False,...,StopIteration,0,1,-1,2**31-1,2**31,-2**31,-2**31-1,2**62,2**63,-2**64,2**100,-3**200,0.0,-0.0,1.5,1e300,inf,1j,-2.5+3j,'','a','abc'*100,'é','\u20ac','\U0001f600','\ud800',b'',b'abc',bytearray(b'xy'),(),(1,),(1,2,'a'),[],[1,[2]],{},{1:2,'a':[3]},set(),{1},frozenset(),frozenset([1,2]),(1,)*300]
for i,o in enumerate(objs):
    t('rt(objs[%d])'%i)
    t('[rt(objs[%d],v)==objs[%d] for v in range(5)]'%(i,i))
    for v in (0,1,2): t('d(objs[%d],%d)'%(i,v))
    t('type(rt(objs[%d])).__name__'%i)
for s in r'''marshal.dumps(object())
marshal.loads(b'')
marshal.loads(b'x')
marshal.loads(b'i')
marshal.loads(b'i12')
marshal.loads(b'(\xff\xff\xff\xff')
marshal.loads(b'[\xff\xff\xff\xff')
marshal.loads(b'<\xff\xff\xff\xff')
marshal.loads(b's\xff\xff\xff\xff')
marshal.loads(b'u\xff\xff\xff\xff')
marshal.loads(b'a\xff\xff\xff\xff')
marshal.loads(b'l\x00\x00\x00\x80')
marshal.loads(b'l\x01\x00\x00\x00\x00\x00')
marshal.loads(b'l\x01\x00\x00\x00\xff\xff')
marshal.loads(b'l\x00\x00\x00\x00')
marshal.loads(b'I\xff\xff\xff\xff\xff\xff\xff\x7f')
marshal.loads(b'0')
marshal.loads(b'r\0\0\0\0')
marshal.loads(b'(\x01\0\0\x000')
marshal.loads(b'[\x01\0\0\x000')
marshal.loads(b'?')
marshal.loads(b'Q')
marshal.loads('a')
marshal.loads(b'N junk')
marshal.load(1)
marshal.load(R('abc'))
marshal.load(R(marshal.dumps([1,'a',2.5])))
marshal.load(R(marshal.dumps([1,'a',2.5])[:-2]))
marshal.dump(1,2)
marshal.dump([1,2],W())
marshal.dumps(1,'a')
len(rt(l)), rt(l)[1] is not None
(lambda x:x[1] is x)(rt(l))
(lambda x:x['d'] is x)(rt(dd))
cut([1,2.5,'abc',(1,2),{1:2},{3},b'xyz',2**100,1j,'é'])
cut([1,2.5,'abc',(1,2),{1:2},{3},b'xyz',2**100,1j,'é'],1)
nt(1990)
nt(1998)
nt(1999)
nt(2000)
nt(2001)
marshal.loads(memoryview(marshal.dumps((1,2))))
marshal.dumps(int)
marshal.dumps(type('X',(int,),{})(5))
marshal.dumps([object()])
marshal.dumps({1:object()})
(lambda x:x[0] is x[1])(rt((lambda s:[s,s])('ab'*50)))
marshal.loads(b'\xe9\x01\x00\x00\x00')
marshal.loads(b'\xa9\x02r\x00\x00\x00\x00N')
marshal.dumps({3,1,2,'a','b'})==marshal.dumps({'b',2,'a',1,3})'''.split('\n'): t(s)
