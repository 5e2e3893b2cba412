"""Generators, coroutines and asynchronous generators as objects: every way to go in and out."""
import sys
import types
import warnings

warnings.simplefilter("ignore")


def show(label, f, *args):
    try:
        print(label, "->", f(*args))
    except BaseException as e:
        print(label, "raises", type(e).__name__, e.args, "cause", repr(e.__cause__), "context", repr(e.__context__))


def talk():
    received = []
    try:
        while True:
            try:
                x = yield len(received)
                received.append(x)
                if x == "stop":
                    return received
            except ValueError as e:
                received.append(f"caught {e}")
            except GeneratorExit:
                received.append("closing")
                raise
    finally:
        print("   finally", received)


g = talk()
show("send early", g.send, 1)
show("next", next, g)
show("send", g.send, "a")
show("throw", g.throw, ValueError("v"))
show("throw class", g.throw, ValueError)
show("send None", g.send, None)
print(g.gi_running, g.gi_frame is not None, g.gi_frame.f_lineno, g.gi_code.co_name, g.gi_yieldfrom, g.__name__, g.__qualname__)
show("stop", g.send, "stop")
show("finished", next, g)
show("throw finished", g.throw, KeyError("k"))
show("close finished", g.close)
print(g.gi_frame)
g = talk()
show("close unstarted", g.close)
g = talk(); next(g)
show("close", g.close)
g = talk(); next(g)
show("throw unhandled", g.throw, KeyError("k"))
show("throw unstarted", talk().throw, KeyError("k"))
show("throw odd", talk().throw, 5)
show("throw with value", talk().throw, ValueError, "text")
show("throw instance with value", talk().throw, ValueError("x"), "text")
show("throw bad traceback", talk().throw, ValueError, "x", 5)


def ignores_exit():
    while True:
        try:
            yield 1
        except GeneratorExit:
            pass


def returns_on_exit():
    try:
        yield 1
    except GeneratorExit:
        return 5


g = ignores_exit(); next(g)
show("ignores exit", g.close)
g = returns_on_exit(); next(g)
show("returns on exit", g.close)


def raises_stop():
    yield 1
    raise StopIteration(5)


show("stop inside", list, raises_stop())


def reenter():
    yield next(me)


me = reenter()
show("reenter", next, me)


def inner():
    try:
        x = yield 1
        print("   inner got", x)
        y = yield 2
        print("   inner got", y)
    except ValueError as e:
        print("   inner caught", e)
        yield "handled"
    finally:
        print("   inner finally")
    return "inner result"


def outer():
    result = yield from inner()
    print("   outer got", result)
    result = yield from [10, 20]
    print("   outer got", result)
    return "outer result"


g = outer()
print([next(g), g.gi_yieldfrom.__name__, g.send("a"), g.send("b"), next(g)])
show("end", next, g)
g = outer(); next(g)
show("throw into inner", g.throw, ValueError("v"))
show("go on", next, g)
g = outer(); next(g)
show("close inner", g.close)
show("from 5", lambda: list((lambda: (yield from 5))()))


class It:
    def __init__(self): self.n = 0
    def __iter__(self): return self
    def __next__(self):
        self.n += 1
        if self.n > 3: raise StopIteration("it result")
        return self.n
    def send(self, x): return ("sent", x)
    def throw(self, *a): return ("thrown", a[0])
    def close(self): print("   it closed")


def delegates():
    return (yield from It())


g = delegates()
print(next(g), g.send(5), g.throw(ValueError("q")), next(g), next(g))
show("it end", next, g)
g = delegates(); next(g); g.close()


def expressions():
    a = (yield 1) + (yield 2)
    b = [(yield 3), (yield 4)]
    c = {"k": (yield 5)}
    d = (yield), (yield 6)
    print("  ", a, b, c, d, f"{(yield 7)}", (lambda: 1)(), not (yield 8))
    x = yield 1, 2
    y = yield *[3], 4
    return x, y


g = expressions()
value = next(g)
try:
    while True:
        value = g.send(value if isinstance(value, int) else 0)
except StopIteration as e:
    print(e.value)

handled = []


def context():
    try:
        raise KeyError("in generator")
    except KeyError:
        yield sys.exception if hasattr(sys, "exception") else None
        handled.append(sys.exc_info()[1])
        yield 2
        raise ValueError("second")


g = context()
try:
    raise OSError("outside")
except OSError:
    next(g)
    handled.append(sys.exc_info()[1])
    next(g)
    show("context", next, g)
print(handled)
print(list(x for x in range(5) if x % 2), sum(x * y for x in range(3) for y in range(x)), next((x for x in ()), "none"))
g = (print("  evaluated", x) or x for x in range(2))
print("made"); print(list(g))
print(*(f"{a}{b}" for a in "ab" for b in "cd" if a + b != "bc"))
try:
    (x for x in 5)
except TypeError as e:
    print(e)

# coroutines


class Awaitable:
    def __init__(self, *values): self.values = values
    def __await__(self):
        got = []
        for v in self.values:
            got.append((yield v))
        return got


async def child(x):
    got = await Awaitable(x, x + 1)
    return got


async def parent():
    try:
        a = await child(1)
        b = await child(10)
        return a, b
    except ValueError as e:
        return f"caught {e}"
    finally:
        print("   parent finally")


def drive(c, sends=()):
    out = []
    try:
        value = c.send(None)
        for s in list(sends) + [None] * 20:
            out.append(value)
            value = c.throw(s) if isinstance(s, BaseException) else c.send(s)
    except StopIteration as e:
        return out, e.value
    return out, "unfinished"


print(drive(parent(), "abcd"))
print(drive(parent(), ["a", ValueError("v")]))
c = parent()
print(c.cr_running, c.cr_await, c.cr_origin, c.cr_frame.f_lineno > 0, c.cr_code.co_name, c.__name__)
c.send(None)
print(type(c.cr_await).__name__)
show("await twice", drive, c)
c = parent(); c.send(None); c.close()
show("closed", c.send, None)
show("reuse", drive, c)
show("iterate", iter, parent)
for bad in ("5", "'x'", "[1]", "None", "BadAwait()", "BadAwait2()"):
    class BadAwait:
        def __await__(self): return 5
    class BadAwait2:
        def __await__(self): return parent()
    names = {"BadAwait": BadAwait, "BadAwait2": BadAwait2, "parent": parent}
    exec(f"async def f(): return await {bad}", names)
    show("await " + bad, drive, names["f"]())


@types.coroutine
def old_style():
    return (yield "old")


async def uses_old():
    return await old_style(), [x async for x in agen(3)], {x: y async for x in agen(2) async for y in agen(1)}, [await child(y) for y in (1,)]


async def agen(n):
    try:
        for i in range(n):
            got = yield i
            if got:
                print("   agen got", got)
            await Awaitable(f"pause {i}")
    finally:
        print("   agen finally")


print(drive(uses_old(), "xyz"))


class Manager:
    def __init__(self, name, swallow=False): self.name, self.swallow = name, swallow
    async def __aenter__(self):
        await Awaitable("enter " + self.name)
        return self.name
    async def __aexit__(self, t, v, tb):
        await Awaitable("exit " + self.name)
        print("   aexit", self.name, t and t.__name__)
        return self.swallow


async def uses_managers(fail):
    async with Manager("a", True) as a, Manager("b") as b:
        print("  ", a, b)
        if fail:
            raise ValueError("inside")
    async for x in agen(2):
        print("   x", x)
        if fail:
            break
    else:
        print("   else")
    return "done"


print(drive(uses_managers(False)))
print(drive(uses_managers(True)))


async def manual():
    g = agen(3)
    out = [await g.__anext__(), await g.asend("hello"), g.ag_running, g.ag_await, g.ag_code.co_name]
    try:
        await g.athrow(ValueError("thrown"))
    except ValueError as e:
        out.append(str(e))
    try:
        await g.__anext__()
    except StopAsyncIteration as e:
        out.append("ended")
    g = agen(3)
    await g.__anext__()
    out.append(await g.aclose())
    out.append(await g.aclose())
    out.append(await anext(agen(1)))
    out.append(await anext(agen(0), "default"))
    return out


print(drive(manual()))
show("asend twice", lambda: [drive(a) for a in [agen(1).__anext__()] * 2])
for bad in ("async for x in 5: pass", "async with 5: pass", "[x async for x in (1,)]", "async for x in BadIter(): pass", "async for x in BadNext(): pass"):
    class BadIter:
        def __aiter__(self): return 5
    class BadNext:
        def __aiter__(self): return self
        def __anext__(self): return 5
    names = {"BadIter": BadIter, "BadNext": BadNext}
    exec(f"async def f():\n    {bad}", names)
    show(bad, drive, names["f"]())


async def asyncgen_expression():
    g = (x * 2 async for x in agen(2) if await child(x))
    return [type(g).__name__, [y async for y in g]]


print(drive(asyncgen_expression()))
print([f.__code__.co_flags & 0x2a0 for f in (talk, parent, agen, old_style, drive)])
