"""Classes that come and go by the thousand: what the attribute caches know of those that stay remains true."""
import gc
keep=[type("K%d"%i,(),{"v":i,"f":lambda s:s.v}) for i in range(300)]
def use():
    return sum(k().f() for k in keep)
want=use()
for r in range(6):
    for i in range(2500):
        c=type("D",(),{"x":i}); o=c(); o.a=1; o.b=2; assert o.x==i and o.a==1
    gc.collect()
    assert use()==want
print("ok")
