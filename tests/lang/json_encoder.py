"""_json.make_encoder called by hand; values that default() changes while they are encoded; subclasses."""
import json, _json
from json import encoder
def t(f):
    try: print(repr(f()))
    except BaseException as e: print(type(e).__name__, e)
mk=_json.make_encoder
enc=_json.encode_basestring_ascii
def E(markers=None, default=lambda o: repr(o), encoder=enc, indent=None, ks=': ', isep=', ', sort=False, skip=False, nan=True):
    return mk(markers, default, encoder, indent, ks, isep, sort, skip, nan)
for o in ([], (), [1], (1,), {}, {'a':1}, {'a':(1,2)}, [(1,),[2]], 'x', 1, 1.5, None, True, float('inf'), object, {1:2,True:3,None:4,1.5:5}, {(1,):2}, {'b':1,'a':2}):
    t(lambda: E()(o,0)); t(lambda: E(sort=True)(o,0)); t(lambda: E(skip=True)(o,0)); t(lambda: E(nan=False)(o,0)); t(lambda: E(markers={})(o,0))
t(lambda: E()([1])); t(lambda: E()([1],0,1)); t(lambda: E()(o=[1],_current_indent_level=0)); t(lambda: E()([1],'x')); t(lambda: E()(obj=[1],_current_indent_level=2))
t(lambda: E(markers=1)); t(lambda: E(markers=[])); t(lambda: mk()); t(lambda: E(ks=1)); t(lambda: E(isep=b''))
t(lambda: E(indent=2)([1,(2,)],0)); t(lambda: E(indent='  ')({'a':[1]},0))
t(lambda: E(encoder=lambda s:'<'+s+'>')(['a',{'b':'c'}],0)); t(lambda: E(encoder=lambda s:5)(['a'],0)); t(lambda: E(encoder=lambda s:5)({'a':1},0))
t(lambda: E(encoder=None)(['a'],0))
t(lambda: E(default=None)([object()],0))
t(lambda: type(E()(['a'],0)))
e=E(); t(lambda: (e.markers,e.encoder is enc,e.indent,e.key_separator,e.item_separator,e.sort_keys,e.skipkeys)); t(lambda: setattr(e,'indent',1))
class X: pass
# default clears the dict
for sort in (0,1):
  for ind in (None,2):
    d={}
    def df(o): d.clear(); return 'cleared'
    d.update({'a':1,'b':X(),'c':3,'d':4})
    t(lambda: json.dumps(d,default=df,sort_keys=sort,indent=ind)); print(d)
    def df(o): d['z%d'%len(d)]=1; return 'grown'
    d.clear(); d.update({'a':1,'b':X(),'c':3,'d':4})
    t(lambda: json.dumps(d,default=df,sort_keys=sort,indent=ind)); print(len(d))
    l=[1,X(),3,4]
    def df(o): l.clear(); return 'cleared'
    t(lambda: json.dumps(l,default=df,indent=ind))
    l=[1,X(),3,4]
    def df(o): l.append(5) if len(l)<8 else 0; return 'app'
    t(lambda: json.dumps(l,default=df,indent=ind))
    class D(dict):
        def items(self): return [('q',X()),('r',2)]
    d=D(a=1)
    t(lambda: json.dumps(d,default=lambda o:'X',indent=ind,sort_keys=sort))
    class D(dict):
        def items(self): return ['ab',('r',2,3)]
    t(lambda: json.dumps(D(a=1),default=lambda o:'X',indent=ind,sort_keys=sort))
    class D(dict):
        def items(self): return 5
    t(lambda: json.dumps(D(a=1),default=lambda o:'X',indent=ind,sort_keys=sort))
    class D(dict):
        def items(self): return iter([['a',1],('b',2)])
    t(lambda: json.dumps(D(a=1),default=lambda o:'X',indent=ind,sort_keys=sort))
    class L(list):
        def __iter__(self): return iter([7,8])
        def __len__(self): return 1
    t(lambda: json.dumps(L([1,2,3]),indent=ind))
    class L(list):
        def __iter__(self): return iter([7,8])
        def __len__(self): return 0
    t(lambda: json.dumps(L([1,2,3]),indent=ind))
    class T(tuple): pass
    t(lambda: json.dumps(T((1,2)),indent=ind))
    d={'k':{}} 
    def df(o): d['k'].clear(); d.clear(); return {}
    d['k'].update(a=X(), b=1); t(lambda: json.dumps(d,default=df,indent=ind))
    class I(int):
        def __repr__(self): return 'I'
    class Fl(float):
        def __repr__(self): return 'Fl'
    class St(str): pass
    t(lambda: json.dumps([I(1),Fl(1.5),St('x'),{I(1):1,Fl(2.5):2,St('y'):3}],indent=ind))
    t(lambda: json.dumps(X(),default=lambda o:o)); 
    t(lambda: json.dumps(X(),default=lambda o:[o])); 
    t(lambda: json.dumps(X(),default=lambda o:[o],check_circular=False)); 
    x=[]; x.append(x); t(lambda: json.dumps(x)); t(lambda: json.dumps(x,check_circular=False))
    x={}; x['a']=x; t(lambda: json.dumps(x)); t(lambda: json.dumps(x,check_circular=False))
    t(lambda: json.dumps({'a':1,2:3},sort_keys=True,indent=ind)); t(lambda: json.dumps({X:1},skipkeys=True,indent=ind)); t(lambda: json.dumps({X:1,'b':2},skipkeys=True,indent=ind)); t(lambda: json.dumps({'b':2,X:1},skipkeys=True,indent=ind))
    t(lambda: json.dumps({float('nan'):1},allow_nan=False,indent=ind)); t(lambda: json.dumps(float('nan'),allow_nan=False)); t(lambda: json.dumps([float('-inf')]))
    t(lambda: json.dumps({b'x':1}))
    t(lambda: json.dumps(b'x'))
