# Calls with ** and positional arguments: what is evaluated when, and what the callee gets.
def f(*a,**k): return a,k
d={'x':1}
print(f(**d), f(1,**d), f(1,2,y=3,**d), f(*[1],**d), f(**d,z=2), f(1,*(),2,**{}))
class C:
    def m(self,*a,**k): return a,k
c=C()
print(c.m(**d),c.m(1,**d),c.m(*(1,),**d))
def g():
    yield f((yield 1), (yield 2), **(yield 3))
h=g(); next(h); h.send('a'); h.send('b'); print(h.send({'q':1}))
async def co(x): return x
async def main():
    return f(await co(1), await co(2), **await co({'k':3}))
try: main().send(None)
except StopIteration as e: print(e.value)
class M(type):
    def __new__(m,n,b,d,**k): print(n,b,k); return super().__new__(m,n,b,d)
    def __init__(s,*a,**k): pass
kw={'metaclass':M,'opt':1}
class X(C,**kw): pass
class Y(**kw): pass
for bad in ({1:2},5,{'x':1}):
    try: print(f(x=0,**bad))
    except TypeError as e: print(e)
try: f(1,**undefined)
except NameError as e: print(e)
try: f(1/0,**undefined)
except ZeroDivisionError as e: print(e)
print(eval("f("+",".join("x%d"%i if 0 else str(i) for i in range(300))+",**d)")[1])
print(len(eval("f("+",".join(str(i) for i in range(3000))+",**d)")[0]))
def rec(n,**k): return n if n==0 else rec(n-1,**k)
print(rec(300,**d))
@(lambda *a,**k: (lambda fn: (a,k)))(1,2,**d)
def deco(): pass
print(deco)
