"""What is generated more than once or left early: finally parts, values that return, break and continue give up."""
class D:
    n = 0
    def __init__(self): D.n += 1
    def __del__(self): D.n -= 1
def a():
    try: return D()
    finally: return 1
def b():
    for i in range(3):
        try: return D()
        finally: break
    return 2
def c():
    for i in range(3):
        try: return D()
        finally: continue
    return 3
def d():
    for i in range(3):
        try:
            try: return D()
            finally: return [D() for x in range(2)]
        finally:
            for j in (1, 2):
                if j == 2: break
            else: continue
            break
    return 4
def e():
    try: return D()
    finally:
        for i in range(2):
            try: return D()
            finally: continue
def f(s):
    try: 1/0
    finally: print([t for t in s], {t: u for t in s for u in s}, [lambda: t for t in s][0]())
def g():
    y = None
    for i in range(3):
        y = yield from h(i)
    return y
def h(i):
    yield i
    return D()
def k():
    x = 1
    try: x.y
    except AttributeError as e:
        return [e for e in (1, 2)]
    finally:
        try: return (lambda q: q + x)(1)
        finally: x = [E for E in "ab"]
for fn in a, b, c, d, e, k:
    print(fn.__name__, fn() if fn is not d and fn is not e else type(fn()).__name__, D.n)
try: f([1, 2])
except ZeroDivisionError as e: print(e)
print(list(g()), D.n)


# A name that only the import statement has.
def m():
    import zqxj_no_such_head.entities
    return zqxj_no_such_head
for i in range(3):
    try: m()
    except ImportError as e: print(e)
try: exec("def n():\n import zqxj_other_%d.b\n return zqxj_other_%d\nn()" % (7, 7))
except ImportError as e: print(e)

# The value of a variable that `yield from` and `await` assign to.
class Await:
    def __await__(self):
        yield
        return D()
async def co():
    v = None
    for i in range(3):
        v = await Await()
    del v
    return D.n
c = co()
try:
    while True: c.send(None)
except StopIteration as e: print("left", e.value, D.n)

# The name of a handler goes whatever happens, and what was handled before is handled again.
class Space(dict):
    def __delitem__(self, key):
        if key == "e" and key in self and self.get("stop"): raise RuntimeError("no")
        dict.__delitem__(self, key)
import sys
try:
    1/0
except ZeroDivisionError:
    try:
        exec("""
for i in range(1):
    try: raise KeyError(1)
    except KeyError as e:
        stop = True
        break
""", {}, Space())
    except NameError as e:
        print(type(sys.exc_info()[1]).__name__, type(e.__context__).__name__)
    print(type(sys.exc_info()[1]).__name__)
print(sys.exc_info()[1])

# A class of a function with parameters.
def show(f):
    try: print(f())
    except TypeError as e: print(e)
show(lambda: __build_class__(lambda x: x.attribute, "n"))
show(lambda: __build_class__(lambda x=1, *a, k=3, **kw: None, "n").__name__)

# A str that grows in place and cannot.
def grow():
    s = "a" * 10
    try:
        for i in range(3): s += 1
    except TypeError: pass
    return s
print(grow())
