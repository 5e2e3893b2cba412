"""A csv writer used again while it puts a row together; errors of a reader in the middle of a record."""
import csv, io
def t(f):
    try: print(repr(f()))
    except BaseException as e: print(type(e).__name__, e)
# writer re-entered from __str__
class F:
    def __init__(self): self.l=[]
    def write(self, s): self.l.append(s); return len(s)
f=F(); w=csv.writer(f)
class Rx: pass
class R:
    def __init__(self, act): self.act=act
    def __str__(self): self.act(); return 'R'
t(lambda: w.writerow(['a', R(lambda: w.writerow(['x','y'])), 'b'])); print(f.l)
f.l.clear()
t(lambda: w.writerow([R(lambda: w.writerow([1,2,3])), 'b'])); print(f.l); f.l.clear()
t(lambda: w.writerow([R(lambda: w.writerow(['long'*50,2,3])), 'b', 'c'*30])); print(f.l); f.l.clear()
t(lambda: w.writerow(['"q', R(lambda: w.writerow([None,''])), 'b'])); print(f.l); f.l.clear()
def it():
    yield 'a'
    w.writerow(['in','it'])
    yield 'b'
t(lambda: w.writerow(it())); print(f.l); f.l.clear()
def rows():
    yield ['1','2']
    w.writerows([['n','m'],['o']])
    yield ['3','4']
t(lambda: w.writerows(rows())); print(f.l); f.l.clear()
class F2:
    n=0
    def write(self,s):
        f.l.append(s)
        if self.n<2:
            self.n+=1
            w2.writerow(['again',self.n])
        return 5
w2=csv.writer(F2()); t(lambda: w2.writerow(['a','b'])); print(f.l); f.l.clear()
class S(str):
    pass
class D(csv.excel):
    delimiter=';'
def bad():
    yield 'a,b'
    yield 5
r=csv.reader(bad()); t(lambda: next(r)); t(lambda: next(r)); t(lambda: next(r))
def bad():
    yield '"a,b'
    yield 5
    yield 'c"'
r=csv.reader(bad()); t(lambda: next(r)); t(lambda: next(r)); t(lambda: next(r))
def boom():
    yield '"a'
    raise KeyError(1)
r=csv.reader(boom()); t(lambda: next(r)); t(lambda: next(r))
class Fail:
    def __str__(self): raise KeyError(1)
f=F(); w=csv.writer(f)
def nested_fail():
    try: w.writerow(['in', Fail(), 'x'])
    except KeyError: pass
t(lambda: w.writerow(['a', R(nested_fail), 'b'])); print(f.l); f.l.clear()
w=csv.writer(f, quoting=csv.QUOTE_ALL)
t(lambda: w.writerow(['a', R(lambda: w.writerow([R(lambda: w.writerow([1])),2])), 'b'])); print(f.l); f.l.clear()
w1=csv.writer(f); 
t(lambda: w.writerow(['a', R(lambda: w1.writerow([R(lambda: w.writerow([1])),2])), 'b'])); print(f.l); f.l.clear()
t(lambda: w.writerow([R(lambda: w.writerow([]))])); print(f.l); f.l.clear()
t(lambda: w.writerow(['a', Fail(), 'b'])); print(f.l); t(lambda: w.writerow([1])); print(f.l); f.l.clear()
