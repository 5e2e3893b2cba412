"""Rarely used methods and arguments of built-in types, with their error messages: a line is a program (;; ends its
lines), what it leaves in r or raises is printed."""

PROGRAMS = r'''
r='{'.format()
r='}'.format()
r='{0'.format(1)
r='{!}'.format(1)
r='{!x}'.format(1)
r='{!rr}'.format(1)
r='{:{}}'.format(1,5)
r='{:{:{}}}'.format(1,5,6)
r='{0}{}'.format(1,2)
r='{}{0}'.format(1,2)
r='{a.b}'.format(a=1)
r='{a[b]}'.format(a={})
r='{a[b}'.format(a={})
r='{a[]}'.format(a={})
r='{a.}'.format(a=1)
r='{.a}'.format(1)
r='{[0]}'.format([1])
r='{[0}'.format([1])
r='{[0]x}'.format([1])
r='{0[-1]}'.format([1])
r='{0[1.5]}'.format([1])
r='{-1}'.format(1)
r='{99999999999999999999}'.format(1)
r='{5}'.format(1)
r='{x}'.format()
r='{:d}'.format('a')
r='{:s}'.format(1)
r='{:c}'.format(-1)
r='{:c}'.format(1114112)
r='{:+c}'.format(1)
r='{:,c}'.format(1)
r='{:#s}'.format('a')
r='{:+s}'.format('a')
r='{:=5s}'.format('a')
r='{:05s}'.format('a')
r='{:,s}'.format('a')
r='{:,_d}'.format(1)
r='{:_,d}'.format(1)
r='{:,x}'.format(1)
r='{:_x}'.format(123456)
r='{:.5d}'.format(1)
r='{:n}'.format(1.5)
r='{:,n}'.format(1)
r='{:z}'.format(1)
r='{:zf}'.format(-0.0)
r='{:zd}'.format(1)
r='{:q}'.format(1)
r='{:q}'.format(1.0)
r='{:q}'.format('a')
r='{:q}'.format(1j)
r='{:05}'.format(1j)
r='{:=5}'.format(1j)
r='{:10.3}'.format(1.5+2j)
r='{:>10.3f}'.format(1.5+2j)
r='{:5}'.format(None)
r='{:5}'.format([])
r='{:5}'.format(object)
r='{:.}'.format(1.0)
r='{:.a}'.format(1.0)
r='{:1.99999999999999999999f}'.format(1.0)
r='{:99999999999999999999}'.format(1)
r=format(1,'5 ')
r=format(True,'d')
r=format(True,'')
r=format(True,'5')
r=format('a','5'*3)
r=format(1,None)
r=format(1,5)
r='{:%}'.format(0.5)
r='{:%}'.format(1)
r='{:#.0f}'.format(1.0)
r='{:#x}'.format(-255)
r='{:#010b}'.format(5)
r='{:e}'.format(10**400)
r='{:g}'.format(float('nan'))
r='{:010}'.format(float('-inf'))
r='a'.format_map(5)
r='{a}'.format_map({'b':1})
r='%d'%'a'
r='%d'%1.5
r='%x'%1.5
r='%c'%'ab'
r='%c'%-1
r='%c'%1.5
r='%s %s'%1
r='%s'%(1,2)
r='%(a)s'%1
r='%(a)s'%{}
r='%(a'%{}
r='%'%()
r='%5'%1
r='%y'%1
r='%*d'%('a',1)
r='%.*f'%(2,1.555)
r='%.*f'%(2.0,1.555)
r='%-05d|'%5
r='%+ d'%5
r='% d'%5
r='%#o %#x %#X'%(8,255,255)
r='%i %u'%(1.9,2)
r='%ld'%5
r='%r %a'%('é','é')
r='%99999999999999999999d'%1
r='%.99999999999d'%1
r=b'%d'%'a'
r=b'%s'%'a'
r=b'%b'%1
r=b'%c'%256
r=b'%c'%b'ab'
r=b'%a'%'é'
r=b'%(a)s'%{b'a':b'x'}
r=b'%y'%1
r=b'%x'%1.5
r=int('')
r=int(' ')
r=int('1_')
r=int('_1')
r=int('1__0')
r=int('0x1')
r=int('0x1',16)
r=int('0x1',0)
r=int('0b2',0)
r=int('010',0)
r=int('1',1)
r=int('1',37)
r=int('z',36)
r=int('1',-1)
r=int(1,2)
r=int(b'1',2)
r=int(bytearray(b' 12 '))
r=int(memoryview(b'12'))
r=int('1\0')
r=int(b'1\0')
r=int(b'\xff')
r=int('é')
r=int('١٢')
r=int('+ 1')
r=int('--1')
r=int('1.5')
r=int(None)
r=int([])
r=int(x=1)
r=int('1',base=2.0)
r=int(base=2)
r=int(1.5,10)
r=int(float('nan'))
r=int(float('inf'))
r=int('9'*5000)
r=str(10**5000)
r=int('9'*5000,16)>0
r=float('')
r=float('1_')
r=float('1_0')
r=float('_1')
r=float('1__0')
r=float('nan()')
r=float('infinit')
r=float('-Infinity')
r=float('1e')
r=float('0x1p3')
r=float('1e400')
r=float('é')
r=float(b'1.5')
r=float(b'\xff')
r=float('1\0')
r=float(None)
r=float([])
r=float('١.٢')
r=float.fromhex('')
r=float.fromhex('0x')
r=float.fromhex('0x1p99999')
r=float.fromhex('1.8p-1')
r=float.fromhex('nan ')
r=float.fromhex('0x1.fffffffffffffp1024')
r=float.fromhex(1)
r=complex('1+')
r=complex('1+2')
r=complex('1+2j ')
r=complex(' ( 1 + 2j ) ')
r=complex('1',2)
r=complex(1,'2')
r=complex('j')
r=complex('1j1')
r=complex(None)
r=complex(1j,2j)
r=complex([])
r=(1.5).as_integer_ratio()
r=float('inf').as_integer_ratio()
r=float('nan').as_integer_ratio()
r=(1.5).hex(), float('nan').hex(), (-0.0).hex()
r=round(1.5,None), round(2.675,2), round(1e300,-300), round(15,-1), round(25,-1)
r=round(1.5,'a')
r=round('a')
r=round(float('nan'))
r=round(float('inf'))
r=round(1e308,-308)
r=round(1.7e308,-308)
r=divmod(1,0)
r=divmod(1.0,0)
r=1%0
r=1.0%0
r=1.0//0
r=1j//1
r=1j%1
r=divmod(1j,1)
r=1j<1j
r=0**-1
r=0.0**-1
r=0j**-1
r=(-8)**(1/3)
r=pow(2,-1,5)
r=pow(2,-1,4)
r=pow(2,1,0)
r=pow(2.0,1,5)
r=pow(2,1.0,5)
r=pow(1j,1,5)
r=pow('a',2)
r=1<<-1
r=1>>-1
r=1<<(1<<70)
r=0<<(1<<70)
r=(1).to_bytes(0,'big')
r=(256).to_bytes(1,'big')
r=(-1).to_bytes(1,'big')
r=(-1).to_bytes(1,'big',signed=True)
r=(1).to_bytes(-1,'big')
r=(1).to_bytes(1,'x')
r=(1).to_bytes()
r=int.from_bytes(b'','big')
r=int.from_bytes('a','big')
r=int.from_bytes([1,256],'big')
r=int.from_bytes(5,'big')
r=(5).bit_count(),(-5).bit_count(),(5).bit_length()
r=(5).conjugate(),(5).__index__(),(5).__trunc__()
r=b'a'.split(5)
r=b'a'.split('a')
r=b'a'.split(b'')
r=b'a'+'a'
r=b'a'*1.5
r=b'a'.join(['a'])
r=b'a'.join([b'a',1])
r=b'a'.join(5)
r=b'a'.replace('a','b')
r=b'a'.replace(b'a',b'b','c')
r=b'a'.find('a')
r=b'a'.find(256)
r=b'a'.find(-1)
r=b'a'.index(98)
r=b'a'.startswith('a')
r=b'a'.startswith(('a',))
r=b'a'.startswith((b'a',5))
r=b'a'.strip('a')
r=b'a'.center(5,'a')
r=b'a'.center(5,b'ab')
r=b'a'.center('a')
r=b'a'.translate('a')
r=b'a'.translate(b'a')
r=b'a'.translate(None,b'a')
r=b'a'.translate(None,'a')
r=b'a'.partition('a')
r=b'a'.partition(b'')
r=b'a'.fromhex('1')
r=bytes.fromhex('zz')
r=bytes.fromhex('0 1')
r=bytes.fromhex('01 é')
r=bytes.fromhex(b'01')
r=b'ab'.hex(':',1),b'abc'.hex(b'-',-2)
r=b'ab'.hex('::')
r=b'ab'.hex('é')
r=b'ab'.hex(5)
r=b'ab'.hex(':',None)
r=bytes('a')
r=bytes('é','ascii')
r=bytes('a','ascii','x')
r=bytes(5,'ascii')
r=bytes(-1)
r=bytes([256])
r=bytes([-1])
r=bytes(['a'])
r=bytes(1.5)
r=bytes(None)
r=bytes(b'a',errors='x')
r=bytes(encoding='x')
r=bytes(1<<70)
r=bytearray(-1)
r=bytearray([256])
r=bytearray(b'a').append(256)
r=bytearray(b'a').append('a')
r=bytearray(b'a').extend('a')
r=bytearray(b'a').extend([256])
r=bytearray(b'a').insert(0,b'a')
r=bytearray(b'a').pop(5)
r=bytearray().pop()
r=bytearray(b'a').remove(98)
r=bytearray(b'a').remove(256)
x=bytearray(b'abc');;x[0]='a'
x=bytearray(b'abc');;x[0]=256
x=bytearray(b'abc');;x[5]=1
x=bytearray(b'abc');;x['a']=1
x=bytearray(b'abc');;x[0:1]=5
x=bytearray(b'abc');;x[0:1]='a'
x=bytearray(b'abc');;x[::2]=b'a'
x=bytearray(b'abc');;del x[5]
x=bytearray(b'abc');;m=memoryview(x);;x.append(1)
b'a'['a']
b'a'[5]
b'a'[1:2:0]
r='a' in b'a'
r=256 in b'a'
r=b'a'<'a'
r=b'a'.decode('x')
r=b'\xff'.decode()
r=b'a'.decode(5)
r=b'a'.decode('utf-8',5)
r=b'\xff'.decode('utf-8','x')
r='a'.encode('x')
r='\ud800'.encode()
r='é'.encode('ascii','x')
r='a'.encode(5)
r='a'.join([1])
r='a'.join(['a',1])
r='a'.join(5)
r='a'+1
r=1+'a'
r='a'*'a'
r='a'*(1<<70)
r='a'.split('')
r='a'.split(1)
r='a'.split(None,'a')
r='a'.replace('a',1)
r='a'.replace('a')
r='a'.center(5,'')
r='a'.center(5,'ab')
r='a'.center(5,b'a')
r='a'.zfill('a')
r='+1'.zfill(5),'-'.zfill(3)
r='a'.expandtabs('a')
r='a'.startswith(1)
r='a'.startswith((1,))
r='a'.startswith('a','b')
r='a'.count(1)
r='a'.index('b')
r='a'.rindex('b')
r='a'.strip(1)
r='a'.partition('')
r='a'.partition(1)
r='a'.translate(5)
r='a'.translate({97:1114112})
r='a'.translate({97:1.5})
r='a'.translate({97:'xx'})
r='a'.translate([1])
r=str.maketrans(1)
r=str.maketrans('a','bc')
r=str.maketrans('a',1)
r=str.maketrans({'ab':1})
r=str.maketrans({1.5:1})
r=str.maketrans('a','b','c')
r='a'.removeprefix(1)
r='a'.isidentifier(1)
r='a'[1.5]
r='a'['a']
r='a'[5]
r=ord('ab')
r=ord(b'ab')
r=ord(1)
r=ord('')
r=chr(-1)
r=chr(1114112)
r=chr('a')
r=chr(1.5)
r=str(b'a','ascii','x')
r=str(1,'ascii')
r=str('a','ascii')
r=str(object=5)
r=str(encoding='ascii')
r=str(b'\xff',errors='replace')
r=slice(1,2).indices('a')
r=slice(1,2).indices(-1)
r=slice('a').indices(5)
r=slice(1,2,0).indices(5)
r=slice(1,2,1.5).indices(5)
r=slice(None,None,-1).indices(5),slice(-1,-9,-2).indices(5)
r=slice(1<<70).indices(5)
r=slice(1).indices(1<<70)
r=slice()
r=slice(1,2,3,4)
r=slice(1,2,3)<slice(1,2,4),slice(1)==slice(1)
r=hash(slice(1))
r=slice(1).start,slice(1).__reduce__()
slice(1).start=5
r=memoryview(5)
r=memoryview('a')
r=memoryview(b'ab').cast('H').tolist()
r=memoryview(b'abc').cast('H')
r=memoryview(b'ab').cast('x')
r=memoryview(b'ab').cast('HH')
r=memoryview(b'ab').cast(5)
r=memoryview(b'abcd').cast('H').cast('I')
r=memoryview(b'abcd').cast('B',[2,2]).tolist()
r=memoryview(b'abcd').cast('B',[2,3])
r=memoryview(b'abcd').cast('B',[])
r=memoryview(b'abcd').cast('B',(4,0))
r=memoryview(b'abcd').cast('B',(-4,))
r=memoryview(b'abcd').cast('B',['a'])
r=memoryview(b'abcd').cast('B',[2,2])[0]
r=memoryview(b'abcd').cast('B',[2,2])[0,1]
r=memoryview(b'abcd').cast('B',[2,2])[0,1,2]
r=memoryview(b'abcd').cast('B',[2,2])[5,0]
r=memoryview(b'abcd').cast('B',[2,2])[0:1].tolist()
r=memoryview(b'abcd')[::2].cast('H')
r=memoryview(b'abcd')[::2].tobytes(),memoryview(b'abcd')[::-1].tolist()
memoryview(b'abcd')[0]=1
m=memoryview(bytearray(b'abcd'));;m[0]='a'
m=memoryview(bytearray(b'abcd'));;m[0]=256
m=memoryview(bytearray(b'abcd'));;m[0:2]=b'abc'
m=memoryview(bytearray(b'abcd'));;m[0:2]='ab'
m=memoryview(bytearray(b'abcd'));;m[5]=1
m=memoryview(bytearray(b'abcd'));;del m[0]
m=memoryview(bytearray(b'abcd'));;m['a']
m=memoryview(bytearray(b'abcd'));;m.release();;m[0]
m=memoryview(bytearray(b'abcd'));;m.release();;r=repr(m)[:9]
m=memoryview(bytearray(b'abcd'));;m.release();;len(m)
m=memoryview(bytearray(b'abcd'));;hash(m)
r=hash(memoryview(b'ab'))==hash(b'ab')
r=hash(memoryview(b'abcd').cast('H'))
r=memoryview(b'ab')==b'ab',memoryview(b'ab')=='ab'
r=memoryview(b'ab')<b'ab'
r=memoryview(b'ab').tobytes('x')
r=memoryview(b'ab').tobytes(order='F')
r=memoryview(b'ab').hex(':')
r=memoryview(b'\1\2\3\4\0\0\0\0').cast('?').tolist()
r=memoryview(b'abcd').cast('c').tolist(),memoryview(b'abcdefgh').cast('d').tolist()
m=memoryview(bytearray(8)).cast('d');;m[0]='a'
m=memoryview(bytearray(8)).cast('c');;m[0]=1
m=memoryview(bytearray(8)).cast('?');;m[0]=[1];;r=m[0]
m=memoryview(b'abcd');;r=(m.nbytes,m.itemsize,m.shape,m.strides,m.suboffsets,m.ndim,m.readonly,m.format,m.c_contiguous,m.f_contiguous,m.contiguous)
r=memoryview(b'abcd').index
r=range(0)==range(5,5),range(0,5,2)==range(0,6,2),range(1)==[0]
r=hash(range(0))==hash(range(5,5)),hash(range(0,5,2))==hash(range(0,6,2))
r=range(5).index(7)
r=range(5).index('a')
r=range(5).index(2.0),range(5).count(2.0),range(5).count('a')
r=range(1.5)
r=range('a')
r=range(1,2,0)
r=range()
r=range(1,2,3,4)
r=range(5)[5]
r=range(5)['a']
r=range(5)[1:3],range(10)[::-2],range(5)[10:]
r=range(1<<70)[1<<69]
r=len(range(1<<70))
r=range(5)<range(6)
r=1.0 in range(5),1.5 in range(5),'a' in range(5)
range(5).start=1
r=range(5).__reduce__(),repr(range(1,5)),repr(range(1,5,2))
r=list(zip([1],[1,2],strict=True))
r=list(zip([1,2],[1],strict=True))
r=list(zip([1,2],[1,2],[1],strict=True))
r=list(zip([1],[1],[1,2],strict=True))
r=list(zip([],[],[1],strict=True))
r=list(zip(strict=True))
r=zip(5)
r=zip([1],5)
r=zip([1],x=1)
r=list(zip([1],strict=1)),list(zip([1],[2],strict=0))
r=zip([1],strict=True).__reduce__()[2:]
r=map()
r=map(len)
r=map(len,5)
r=filter(None)
r=filter(None,5)
r=enumerate()
r=enumerate(5)
r=enumerate([],'a')
r=enumerate([],start=1.5)
r=list(enumerate('ab',1<<70))
r=reversed(5)
r=reversed({1})
r=list(reversed({1:2,3:4})),list(reversed({1:2}.items()))
r=iter(5)
r=iter(5,1)
r=next([])
r=next(iter([]))
r=next(iter([]),5)
r=sorted([1,'a'])
r=sorted(5)
r=sorted([1],5)
r=sorted([1],key=5)
r=sorted([1],reverse='a')
r=sorted([1],reverse=None)
r=sorted([1,2],key=lambda x:1/0)
r=sorted([3,1,2],key=lambda x:-x,reverse=True)
l=[1,2,3];;r=sorted(l,key=lambda x:l.clear() or x)
l=[3,2,1];;l.sort(key=lambda x:l.append(1) or x)
r=[].sort(5)
r=[].sort(cmp=5)
r=[1].index(2)
r=[1].index(2,'a')
r=[1].remove(2)
r=[].pop()
r=[1].pop(5)
r=[1].pop('a')
r=[1].insert('a',1)
r=[1].extend(5)
r=[1]+(1,)
r=[1]*'a'
r=[1]*1.5
r=[1]['a']
r=[1][5]
l=[1];;l['a']=1
l=[1];;l[5]=1
l=[1];;l[0:1]=5
l=[1,2,3];;l[::2]=[1]
l=[1,2,3];;l[::0]=[1]
l=[1,2,3];;del l['a']
l=[1,2,3];;del l[5]
l=[1,2,3];;del l[::2];;r=l
l=[1];;l+=5
l=[1];;l*='a'
r=[1]<(1,)
r=[1]<['a']
r=hash([])
r=list(5)
r=list(x=5)
r=tuple(x=5)
r=(1,)+[1]
r=(1,).index(2)
r=(1,)[5]
r=(1,)['a']
r=hash(([],))
r={1:2}['a']
r={}[[]]
r={[]:1}
r={}.pop(1)
r={}.popitem()
r={}.pop()
r={}.update(5)
r={}.update([5])
r={}.update([(1,2,3)])
r={}.update(['ab'])
r={}.update([(1,)])
r=dict(5)
r=dict([1])
r=dict(1,2)
r=dict([(1,2)],a=3)
r=dict(**{1:2})
r={}.fromkeys(5)
r=dict.fromkeys([[]])
r={}.setdefault([])
r={}|5
r={1:2}|{3:4},{1:2}|[]
d={};;d|=5
d={};;d|=[(1,2)];;r=d
d={1:2};;r=[d.clear() for k in d]
d={1:2};;r=[d.update({3:4}) for k in d]
d={1:2,3:4};;r=[d.pop(k) or d.setdefault(k+10) for k in d]
r={1:2}.keys()&[1],{1:2}.keys()|{3},{1:2}.keys()-[1],{1:2}.keys()^[2]
r={1:2}.keys()&5
r={1:2}.keys()-5
r={1:2}.keys()|5
r={1:2}.keys()<5
r={1:2}.keys()<{1,2},{1:2}.keys()>={1},{1:2}.keys()=={1},{1:2}.items()=={(1,2)}
r={1:[]}.items()&{1}
r={1:[]}.items()|{1}
r={1:2}.values()==({1:2}.values())
r={1:2}.values()&{1}
r=[1]&{1:2}.keys()
r={1:2}.keys().isdisjoint([1]),{1:2}.items().isdisjoint(5)
r={1:2}.keys().mapping,{1:2}.items().mapping
r=hash({}.keys())
r=hash({}.values())!=0
r=repr({1:2}.keys()),repr({1:2}.values()),repr({1:2}.items())
r={1:2}.keys()[0]
r=len({}.items()),(1,2) in {1:2}.items(),(1,) in {1:2}.items(),1 in {1:2}.items()
r={1}.add([])
r={1}.remove(2)
r={1}.remove([])
r=set().pop()
r={1}|[1]
r={1}.union(5)
r={1}.update(5)
r={1}<[1]
r=frozenset([1])|{2},{2}|frozenset([1])
r=set(5)
r=set(1,2)
r=frozenset(x=1)
r=hash({1})
r={1}.issubset(5)
r={1}.symmetric_difference(5)
r={1}^5
s={1};;s-=5
r={1}.discard([])
r={frozenset([1])}.remove({1})
r={1,2}.difference([1],[2]),{1}.intersection(),{1}.isdisjoint([2])
class A(int,str):pass
class A(bool):pass
class A(type(None)):pass
class A(5):pass
class A(object,int):pass
class M(type):pass;;class N(type):pass;;class A(metaclass=M):pass;;class B(metaclass=N):pass;;class C(A,B):pass
class A(metaclass=5):pass
class A(x=1):pass
class A:__slots__=5
class A:__slots__=['a b']
class A:__slots__=[5]
class A:__slots__=['__dict__','__dict__']
class A:__slots__=['__weakref__','__weakref__']
class A:__slots__=['a'];;a=5
class A:;; __slots__=['a'];; a=5
class A(int):__slots__=['a']
class A(tuple):__slots__=['a']
class A(tuple):__slots__=['__weakref__']
class A:__slots__=['a'];;class B:__slots__=['b'];;class C(A,B):pass
class A:__slots__=['a'];;class B:__slots__=['b'];;pass
class A:__slots__='a';;A().a
class A:__slots__='a';;A().b=1
class A:__slots__='a';;a=A();;a.a=1;;del a.a;;del a.a
class A:__slots__=('__x','b');;r=sorted(k for k in A.__dict__ if 'x' in k or k=='b')
class A:__slots__={'a':'doc'};;r=A.a.__doc__,A.__slots__
class A:__slots__='a';;class B:__slots__='a';;A().__class__=B
class A:__slots__='a';;class B:pass;;A().__class__=B
class A:pass;;A().__class__=int
class A:pass;;A().__class__=5
class A:pass;;del A().__class__
class A:pass;;A.__bases__=()
class A:pass;;A.__bases__=5
class A:pass;;A.__bases__=(5,)
class A:pass;;class B(A):pass;;A.__bases__=(B,)
class A:pass;;A.__name__=5
class A:pass;;A.__name__='a\0'
class A:pass;;A.__qualname__=5
class A:pass;;del A.__name__
class A:pass;;A.__dict__={}
class A:pass;;A.__module__=5;;r=repr(A)
class A:pass;;A.__mro__=5
int.x=5
del int.x
int.__add__=5
type('a',(),{},x=1)
type('a')
type('a',5,{})
type('a',(),5)
type(5,(),{})
type('a\0',(),{})
type()
type.__new__(type)
type.__new__(5)
type.__new__(int,'a',(),{})
type.__call__(5)
object(5)
object.__new__()
object.__new__(5)
object.__new__(int)
object.__init__(5,6)
int.__new__(str)
int.__new__(bool)
class A:pass;;A(5)
class A:;; def __new__(cls,*a):return object.__new__(cls,*a);;A(5)
class A:;; def __init__(self,*a):object.__init__(self,*a);;A(5)
class A:;; def __init__(self):return 5;;A()
class A:;; def __new__(cls):return 5;;r=A()
super()
super(5)
super(int,5).x
super(int,'a')
super(int)
super(int,5).__add__(5)
super(int).__thisclass__
r=super(int,5).__thisclass__,super(int,5).__self__,super(int,5).__self_class__
r=repr(super(int,5)),repr(super(int))
class A:;; def f(self):super().g();;A().f()
class A:;; def f(self):return super().f;;A().f()
class A:;; def f():super();;A.f()
class A:;; def f(self):del self;super();;A().f()
class A:;; def f(*a):return super();;r=type(A().f())
def f(x):super();;f(5)
class A:;; f=lambda self:super().x;;A().f()
class P:;; x=property();;P().x
class P:;; x=property();;P().x=1
class P:;; x=property();;del P().x
class P:;; x=property(lambda s:1);;P().x=1
class P:;; @property;; def x(self):'doc';;r=P.x.__doc__,P.x.fget.__name__
r=property(1,2,3,4,5)
r=property(doc='a').__doc__
class P(property):pass;;r=P(lambda s:1,doc='a').__doc__
def f():'fdoc';;class P(property):pass;;r=P(f).__doc__
def f():'fdoc';;r=property(f).__doc__,property(f,doc='x').__doc__
property(len).fget=1
r=property(len).getter(int).fget,property(len).__isabstractmethod__
r=staticmethod()
r=staticmethod(1,2)
r=staticmethod(5)()
r=staticmethod(5).__func__,staticmethod(5).__isabstractmethod__
r=repr(staticmethod(len)),repr(classmethod(len))
r=staticmethod(len).__doc__==len.__doc__,staticmethod(len).__name__,staticmethod(len).__wrapped__
r=classmethod(len).__name__,classmethod(len).__wrapped__,classmethod(len).__func__
r=classmethod(5).__get__(None,int)
r=classmethod(5).__get__(None,int)()
r=classmethod(len)()
r=classmethod(len).__get__(5)
r=classmethod(len).__get__(None)
def f():'d';;f.x=5;;r=staticmethod(f).x
def f():'d';;f.x=5;;r=staticmethod(f).__dict__,classmethod(f).__dict__['x']
def f(a:int):'d';;r=staticmethod(f).__annotations__,classmethod(f).__qualname__,classmethod(f).__module__
r=len.__get__(5)
r=list.append.__get__(5)
r=list.append.__get__(None,int)
r=list.append(5,6)
r=list.append()
r=list.append([])
r=[].append()
r=[].append(1,2)
r=[].append(x=1)
r=int.__add__(5)
r=int.__add__('a',5)
r=int.__add__(5,6,7)
r=int.real.__get__('a')
r=int.real.__get__(5)
r=int.real.__set__(5,6)
r=type.__dict__['__doc__'].__get__(5)
r=(5).real
(5).real=6
(5).x=6
r=(5).x
del (5).x
r=int.x
r=None.x
r=getattr(5,'x')
r=getattr(5,5)
r=getattr(5)
setattr(5,5,5)
r=hasattr(5,5)
delattr(5,'real')
r=type.x
r=len.x
len.x=1
r=(lambda:1).x
f=lambda:1;;f.__code__=5
f=lambda:1;;f.__defaults__=5
f=lambda:1;;f.__kwdefaults__=5
f=lambda:1;;f.__name__=5
f=lambda:1;;f.__dict__=5
f=lambda:1;;del f.__code__
f=lambda:1;;f.__globals__=5
f=lambda:1;;f.__closure__=5
f=lambda:1;;f.__annotations__=5
x=1;;f=lambda:1;;f.__code__=(lambda y:lambda:y)(1).__code__
class A:__match_args__=5;;match A():;; case A(1):pass
class A:__match_args__=(5,);;match A():;; case A(1):pass
class A:__match_args__=('a',);;match A():;; case A(1,2):pass
class A:pass;;match A():;; case A(1):pass
class A:__match_args__=('a',);;a=1;;match A():;; case A(1,a=1):pass
class A:;; __match_args__=('a','a');; a=1;;match A():;; case A(1,1):pass
class A:;; __match_args__=('a',);; a=1;;match A():;; case A(1,a=1):pass
class A:;; __match_args__=['a'];; a=1;;match A():;; case A(1):pass
match 5:;; case int(1,2):pass
x=5;;match 5:;; case x():pass
match 5:;; case int(5) as y:r=y
match {'a':1,'b':2}:;; case {'a':x,**rest}:r=x,rest
match [1,2,3]:;; case [a,*b]:r=a,b
match 'abc':;; case [a,*b]:r=1;; case str(x):r=x
match 5:;; case {}:r=1;; case 5.0:r=2
class E(Exception):pass;;g=ExceptionGroup('m',[ValueError(1),TypeError(2)]);;r=g.split(ValueError)
g=ExceptionGroup('m',[ValueError(1),ExceptionGroup('n',[TypeError(2)])]);;r=g.split(TypeError),g.subgroup(lambda e:isinstance(e,ValueError))
g=ExceptionGroup('m',[ValueError(1)]);;r=g.split(5)
g=ExceptionGroup('m',[ValueError(1)]);;r=g.split((int,))
g=ExceptionGroup('m',[ValueError(1)]);;r=g.subgroup(OSError),g.subgroup(ValueError) is g
g=ExceptionGroup('m',[ValueError(1)]);;r=g.split(lambda e:1/0)
g=ExceptionGroup('m',[ValueError(1)]);;r=g.subgroup()
g=ExceptionGroup('m',[ValueError(1)]);;r=g.derive([TypeError()]),g.derive([KeyboardInterrupt()])
g=ExceptionGroup('m',[ValueError(1)]);;r=g.derive([])
g=ExceptionGroup('m',[ValueError(1)]);;r=g.derive(5)
r=ExceptionGroup('m',[])
r=ExceptionGroup('m',[5])
r=ExceptionGroup('m',5)
r=ExceptionGroup(5,[ValueError()])
r=ExceptionGroup('m')
r=ExceptionGroup('m',[KeyboardInterrupt()])
r=type(BaseExceptionGroup('m',[ValueError()])),type(BaseExceptionGroup('m',[KeyboardInterrupt()]))
class G(ExceptionGroup):pass;;g=G('m',[ValueError(1)]);;r=type(g.split(ValueError)[0]),G('m',[ValueError()])
class G(ExceptionGroup):;; def derive(self,e):return 5;;g=G('m',[ValueError(1),TypeError()]);;r=g.split(ValueError)
class G(ExceptionGroup):;; def derive(self,e):return G(self.message+'!',e);;g=G('m',[ValueError(1),TypeError()]);;r=g.split(ValueError)
class G(ExceptionGroup,ValueError):pass;;r=G('m',[OSError()])
class G(BaseExceptionGroup,ValueError):pass;;r=G('m',[KeyboardInterrupt()])
g=ExceptionGroup('m',[ValueError(1)]);;g.exceptions=5
g=ExceptionGroup('m',[ValueError(1)]);;g.message='x';;r=str(g)
g=ExceptionGroup('m',[ValueError(1)]*2);;r=str(g),repr(g),g.args,g.exceptions
g=ExceptionGroup('m',[ValueError(1)]);;g.add_note('n');;r=g.split(ValueError)[0].__notes__
g=ExceptionGroup('m',[ValueError(1)]);;g.__notes__=5;;r=g.split(TypeError)[1].__notes__
r=ExceptionGroup[int]
e=ValueError();;e.add_note(5)
e=ValueError();;e.__notes__=5;;e.add_note('a')
e=ValueError();;e.__cause__=5
e=ValueError();;e.__context__=5
e=ValueError();;e.__traceback__=5
e=ValueError();;del e.__traceback__
e=ValueError();;e.args=5
e=ValueError();;e.__suppress_context__='a'
e=ValueError();;r=e.with_traceback(5)
raise 5
raise ValueError from 5
raise int
class A(Exception):;; def __new__(cls):return 5;;raise A
try:;; 1/0;;except 5:pass
try:;; 1/0;;except (5,):pass
try:;; raise ValueError;;except* ExceptionGroup:pass
try:;; raise ValueError(1);;except* ValueError as e:r=e
try:;; raise ExceptionGroup('m',[ValueError(1),TypeError(2)]);;except* ValueError as e:r=e
r=StopIteration(1,2).value,SystemExit(1,2).code,OSError(2,'x').errno,OSError(2,'x','f').filename
r=OSError(2,'x'),OSError(2,'x','f',None,'g'),str(OSError(2,'x','f',None,'g')),OSError('a'),OSError(1,2,3,4,5,6)
r=type(OSError(2,'x')),type(OSError(13,'x')),type(OSError('2','x'))
r=KeyError('a'),str(KeyError('a')),str(KeyError('a','b')),str(KeyError())
r=ImportError('a',name='b',path='c').path,ImportError(x=1)
r=AttributeError('a',name='b',obj=5).obj,NameError('a',name='b').name
r=NameError('a',x=1)
r=SyntaxError('m',('f',1,2,'t')).text,str(SyntaxError('m',('f',1,2,'t'))),SyntaxError('m',('f',1))
r=SyntaxError('m',('f',1,2,'t',3,4)).end_offset,SyntaxError('m',5)
r=UnicodeDecodeError('a',b'b',0,1,'r'),str(UnicodeDecodeError('a',b'b',0,1,'r')),UnicodeDecodeError(1)
r=UnicodeEncodeError('a','b',0,1,'r').object,str(UnicodeEncodeError('a','bé',0,2,'r')),str(UnicodeTranslateError('b',0,1,'r'))
import traceback;;r=''.join(traceback.format_exception(ExceptionGroup('m',[ValueError(1),ExceptionGroup('n',[TypeError(2),KeyError(3)])])))
import traceback;;g=ExceptionGroup('m',[ValueError(i) for i in range(20)]);;r=''.join(traceback.format_exception(g))
import traceback;;g=ValueError(0);;exec('for i in range(15): g=ExceptionGroup(str(i),[g])');;r=''.join(traceback.format_exception(g))
import traceback;;e=ValueError(1);;e.__cause__=ExceptionGroup('c',[OSError(2)]);;e.add_note('n1\nn2');;r=''.join(traceback.format_exception(ExceptionGroup('m',[e])))
import sys;;sys.stderr=sys.stdout;;e=ValueError(1);;e.__cause__=ExceptionGroup('c',[OSError(2)]);;e.add_note('n1\nn2');;sys.excepthook(type(e),ExceptionGroup('m',[e,e]),None)
import sys;;sys.stderr=sys.stdout;;g=ExceptionGroup('m',[ValueError(i) for i in range(20)]);;sys.excepthook(type(g),g,None)
import sys;;sys.stderr=sys.stdout;;g=ValueError(0);;exec('for i in range(15): g=ExceptionGroup(str(i),[g])');;sys.excepthook(type(g),g,None)
import sys;;sys.stderr=sys.stdout;;g=ValueError(0);;g.__notes__=5;;sys.excepthook(type(g),g,None);;g.__notes__=['a',5];;sys.excepthook(type(g),g,None)
r=isinstance(5,5)
r=isinstance(5,(int,5))
r=isinstance(5,int|str),isinstance(5,list[int])
r=issubclass(5,int)
r=issubclass(int,5)
r=callable()
r=abs('a')
r=sum(['a'])
r=sum([1],'a')
r=sum(['a'],'')
r=sum([b''],b'')
r=sum(5)
r=max()
r=max([])
r=max(5)
r=max([],default=5),max(1,2,key=lambda x:-x)
r=max(1,2,default=5)
r=max([1,'a'])
r=min(1,key=5)
r=any(5)
r=all([1,0,1/0])
r=hex('a'),1
r=bin(1.5)
r=oct(-8)
r=id()
r=vars(5)
r=dir(5,6)
r=print(5,file=5)
r=print(5,sep=5)
r=print(5,x=5)
r=eval(5)
r=eval('1',5)
r=exec('1',{},5)
r=compile('1','f','x')
r=compile(5,'f','exec')
r=compile('1','f','exec',99999)
r=__import__(5)
r=__import__('')
r=__import__('os',level=-1)
r=globals(5)
r=input(1,2)
'''


def result(source):
    names = {}
    try:
        exec(source, names)
        return repr(names.get('r', '-'))
    except BaseException as e:
        return f'{type(e).__name__}: {e}'


for line in PROGRAMS.split('\n'):
    if line:
        print(line, '=>', result(line.replace(';;', '\n')))
