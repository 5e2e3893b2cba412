"""csv: dialects, readers, writers and their messages as CPython has them."""
import csv,_csv
def t(f):
    try: print(str(f()).split(" at 0x")[0])
    except Exception as e: print(type(e).__name__,e)
for q in ("",None,"ab",4,b"x"): 
    t(lambda: _csv.Dialect(quotechar=q).quotechar); t(lambda: _csv.Dialect(escapechar=q).escapechar); t(lambda: _csv.Dialect(delimiter=q).delimiter); t(lambda:_csv.Dialect(lineterminator=q).lineterminator); t(lambda:_csv.Dialect(quoting=q).quoting); t(lambda:_csv.Dialect(strict=q).strict)
for f in (csv.reader,csv.writer):
    class W: 
        def write(s,x): print(repr(x))
    w=W() if f is csv.writer else []
    t(lambda:f()); t(lambda:f(None)); t(lambda:f(w,quoting="x")); t(lambda:f(w,'foo')); t(lambda:f(w,delimiter='',)); 
    class BadClass:
        def __init__(self): raise IOError
    t(lambda:f(w,BadClass)); t(lambda:f(w,None)); 
    class BadDialect: bad_attr=0
    t(lambda:f(w,BadDialect)); t(lambda:f(w,quotechar=None)); t(lambda:f(w,delimiter=None)); t(lambda:f(w,quoting=-1)); t(lambda:f(w,quoting=100)); t(lambda:f(w,quotechar=None,quoting=csv.QUOTE_ALL)); t(lambda:f(w,lineterminator=None)); t(lambda:f(w,quotechar="",quoting=csv.QUOTE_ALL)); t(lambda:f(w,5)); t(lambda:f(w,"excel",5)); t(lambda: f(w,_csv.Dialect).dialect)
    t(lambda: f(5))
for args in ((1,2),("a\nb","c"),(None,),("",),([],),('"',),("a,b",1.5),(" x",)):
  for q in range(4):
    for kw in ({}, {"escapechar":"\\"},{"doublequote":False},{"doublequote":False,"escapechar":"\\"},{"lineterminator":"!"}):
        t(lambda: csv.writer(W(),quoting=q,**kw).writerow(args))
t(lambda: csv.writer(W()).writerow(5)); t(lambda: csv.writer(W()).writerows(5));t(lambda: csv.writer(W()).writerows([5]));
for s in ("a\0b","a,b\r\nc","a\nb\n",'"a""b"c',"'a'",'"a\\"b"',"a\\","a\\\nb",'"a\n','"a',"  x, y","1,'2'","x\rb","x\r\n\n", ' "a"', '"a" ,b', '"a"b'):
  for kw in ({}, {"escapechar":"\\"},{"doublequote":False},{"strict":True},{"skipinitialspace":True},{"quoting":2},{"quoting":3},{"quotechar":"'"}):
    t(lambda: list(csv.reader([s],**kw))); t(lambda: list(csv.reader([s,s],**kw)))
t(lambda: list(csv.reader([b"a"]))); t(lambda: csv.field_size_limit(5)); t(lambda: list(csv.reader(["aaaaaaaaaa"]))); t(lambda: csv.field_size_limit("x")); t(lambda: csv.field_size_limit(1,2)); csv.field_size_limit(131072)
t(lambda: csv.register_dialect()); t(lambda: csv.register_dialect(None)); t(lambda: csv.register_dialect("n",5)); t(lambda: csv.get_dialect("zz")); t(lambda: csv.unregister_dialect("zz")); t(lambda: csv.get_dialect("n").delimiter)
