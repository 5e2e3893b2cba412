"""Picklers and unpicklers before __init__(), after one that failed, and after one that follows it."""
import _pickle, pickle, io
def t(n, f):
    try: print(n, repr(f()))
    except BaseException as e: print(n, type(e).__name__, e)
class W: 
    def write(self,b): return len(b)
for cls in (_pickle.Pickler,):
    def uninit(): return cls.__new__(cls)
    t('dump', lambda: uninit().dump(1)); t('clear_memo', lambda: uninit().clear_memo()); t('memo', lambda: len(uninit().memo))
    t('memo set', lambda: setattr(uninit(),'memo',{})); t('bin', lambda: uninit().bin); t('fast', lambda: uninit().fast)
    t('persistent_id', lambda: uninit().persistent_id); t('dispatch_table', lambda: uninit().dispatch_table); t('sizeof', lambda: uninit().__sizeof__()>0)
    t('reducer_override', lambda: uninit().reducer_override)
    t('memo clear', lambda: uninit().memo.clear())
    for args in ((), (1,), (None,), (object(),), (W(),99), (W(),'x'), (W(),-1)):
        p=cls(io.BytesIO()); p.dump([1])
        t(('re', len(args)), lambda: p.__init__(*args))
        t('dump', lambda: p.dump([1,2])); t('clear', lambda: p.clear_memo()); t('bin', lambda: (p.bin,p.fast))
        t('again', lambda: p.__init__(io.BytesIO())); t('dump', lambda: p.dump(5))
class NW: pass
t('nw', lambda: _pickle.Pickler(NW())); t('nw', lambda: _pickle.Pickler()); t('args', lambda: _pickle.Pickler(W(),buffer_callback=3,protocol=4)); t('kw', lambda: _pickle.Pickler(W(), zz=1))
U=_pickle.Unpickler
def uninit(): return U.__new__(U)
t('load', lambda: uninit().load()); t('find', lambda: uninit().find_class('builtins','len')); t('memo copy', lambda: uninit().memo.copy()); t('memo clear', lambda: uninit().memo.clear())
t('memo set', lambda: setattr(uninit(),'memo',{})); t('memo set', lambda: setattr(uninit(),'memo',{1:2})); t('memo set', lambda: setattr(uninit(),'memo',{'a':2})); t('memo set', lambda: setattr(uninit(),'memo',{-1:2})); t('memo set', lambda: setattr(uninit(),'memo',5))
t('pl', lambda: uninit().persistent_load); t('sz', lambda: uninit().__sizeof__()>0)
t('set pl', lambda: setattr(uninit(),'persistent_load',5)); t('set pl', lambda: setattr(uninit(),'persistent_load',len)); t('del pl', lambda: delattr(uninit(),'persistent_load'))
class NoR: 
    def read(self,n): return b''
class NoRL:
    def readline(self): return b''
class RaiseA:
    @property
    def peek(self): raise KeyError('p')
    def read(self,n): return b''
    def readline(self): return b''
for args,kw in (((),{}),((1,),{}),((NoR(),),{}),((NoRL(),),{}),((RaiseA(),),{}),((io.BytesIO(),1),{}),((io.BytesIO(),),{'encoding':5}),((io.BytesIO(),),{'errors':5}),((io.BytesIO(),),{'encoding':'a\0b'}),((io.BytesIO(),),{'fix_imports':[]}),((io.BytesIO(b''),),{})):
    u=U(io.BytesIO(pickle.dumps([1]))); 
    t(('re',args and type(args[0]),kw), lambda: u.__init__(*args,**kw))
    t('load', lambda: u.load()); t('find', lambda: u.find_class('builtins','len'))
    t('again', lambda: u.__init__(io.BytesIO(pickle.dumps(3)))); t('load', lambda: u.load())
class P4(_pickle.Pickler):
    def __init__(self): pass
t('p4', lambda: P4().dump(1)); t('p4', lambda: P4().clear_memo())
class U4(_pickle.Unpickler):
    def __init__(self): pass
t('u4', lambda: U4().load()); t('u4', lambda: U4().find_class('os','getcwd').__name__)
