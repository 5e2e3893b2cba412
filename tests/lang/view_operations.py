"""Dict views with & | ^ -: whose of two equal items the result has."""
def t(f):
    try: print(repr(f()))
    except BaseException as e: print(type(e).__name__, e)
class T(set): pass
d={1:2,3:[]}
for other in ({True},{True,5},{True,5,6},{1.0},frozenset([True,7,8]),T([True,5,6]),[True],[True,3.0,1.0],{True:1,4:5}.keys(),{(1,2):3}.keys(),{1.0:2}.items(),{(True,2.0)},[(True,2.0)],[(1,2.0),(3,[])],{True:1,2:3,3.0:4}.keys()):
    t(lambda: d.keys()&other); t(lambda: other&d.keys()); t(lambda: d.items()&other); t(lambda: other&d.items()); t(lambda: d.keys()|other); t(lambda: d.keys()^other); t(lambda: d.keys()-other); t(lambda: d.items()^other); t(lambda: d.items()-other)
d={}
t(lambda: d.keys()&{1}); t(lambda: d.items()&{(1,2)}); t(lambda: d.items()&[[]]); t(lambda: {1:2}.keys()&[[]]); t(lambda: {1:2}.items()&[[]]); t(lambda: {1:2}.items()&[[1]]);t(lambda: {1:2}.items()&[[1,2]]); t(lambda: {1:2}.items()&[(1,[])])
