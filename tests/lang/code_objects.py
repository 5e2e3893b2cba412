"""Code objects and frames: attributes, replace(), comparison, lines and positions, tracebacks, sys._getframe."""
import sys
import types


def show(label, f, *args, **kw):
    try:
        print(label, "->", f(*args, **kw))
    except BaseException as e:
        print(label, "raises", type(e).__name__, e)


def sample(a, b=2, /, c=3, *args, d, e=5, **kw):
    "doc"
    x = a + b
    def inner():
        return x, free
    free = [i for i in args]
    return inner


def plain(): pass
def gen(): yield
async def coro(): pass
async def agen(): yield


class K:
    def m(self): return __class__


for f in sample, plain, gen, coro, agen, K.m, lambda q: q:
    c = f.__code__
    print(c.co_name, c.co_qualname, c.co_argcount, c.co_posonlyargcount, c.co_kwonlyargcount, c.co_nlocals, c.co_varnames, c.co_cellvars, c.co_freevars,
          hex(c.co_flags), c.co_firstlineno, c.co_filename == __file__, [k for k in c.co_consts if isinstance(k, str)], isinstance(c.co_code, bytes), c.co_stacksize > 0)
code = compile("x = 1\ny = x\n", "name", "exec")
print(code.co_name, code.co_filename, code.co_names, code.co_flags, code.co_firstlineno, repr(code).split(" at ")[0], repr(code).split(",")[1:])
for mode, text in ("exec", "1"), ("eval", "1"), ("single", "1"):
    c = compile(text, "f", mode)
    print(mode, c.co_name, c.co_flags, eval(c))
exec(compile("1\n'a'\nNone\n2 + 3\nx = 5", "f", "exec"))
exec(compile("for i in range(2): i\n", "f", "single"))
exec(compile("1; 2; None; 'x'", "f", "single"))
print(_)
r = plain.__code__.replace(co_name="renamed", co_filename="elsewhere", co_firstlineno=100)
print(r.co_name, r.co_filename, r.co_firstlineno, r == plain.__code__, r == plain.__code__.replace(co_name="renamed", co_filename="elsewhere", co_firstlineno=100), hash(r) == hash(r.replace()))
consts = compile("a = 12345678901", "f", "exec")
ns = {}
exec(consts.replace(co_consts=tuple(99 if k == 12345678901 else k for k in consts.co_consts)), ns)
print(ns["a"])
show("replace nothing there", plain.__code__.replace, co_nothing=1)
show("replace wrong type", plain.__code__.replace, co_name=5)
show("replace wrong type", plain.__code__.replace, co_consts=[])
show("replace negative", plain.__code__.replace, co_argcount=-1)
show("read only", setattr, plain.__code__, "co_name", "x")
print(compile("a", "f", "exec") == compile("a", "f", "exec"), compile("a", "f", "exec") == compile("b", "f", "exec"), compile("1", "f", "eval") == compile("1.0", "f", "eval"), compile("a", "f", "exec") != 5)


def lines():
    a = 1

    b = (a +
         2)
    for i in range(2):
        if i:
            continue
        a = b
    try:
        c = a
    finally:
        d = 5
    return [
        a,
        b,
    ]


first = lines.__code__.co_firstlineno
seen = {line - first for _, _, line in lines.__code__.co_lines() if line}
print(sorted(seen - {4, 9}), max(seen), seen <= set(range(16)))
starts = [(a, b) for a, b, _ in lines.__code__.co_lines()]
print(starts[0][0], all(a[1] == b[0] for a, b in zip(starts, starts[1:])), all(a < b for a, b in starts))
positions = list(lines.__code__.co_positions())
print(all(len(p) == 4 for p in positions), all(p[0] is None or p[0] <= p[1] for p in positions))


def frames(depth):
    if depth:
        return frames(depth - 1)
    f = sys._getframe()
    out = []
    while f and f.f_code.co_name == "frames":
        out.append((f.f_code.co_name, f.f_locals["depth"], f.f_lineno - f.f_code.co_firstlineno))
        f = f.f_back
    return out


print(frames(3))
show("too deep", sys._getframe, 10000)
show("bad depth", sys._getframe, "x")


def frame_attributes():
    x = 1
    f = sys._getframe()
    y = 2
    return f.f_code is frame_attributes.__code__, sorted(f.f_locals), f.f_globals is globals(), f.f_builtins["len"] is len, f.f_back.f_code.co_name, f.f_trace, f.f_trace_lines, f.f_trace_opcodes, isinstance(f.f_lasti, int), repr(f).split(",")[1:]


print([v if not isinstance(v, list) else [w.strip().split(" ")[0] for w in v] for v in frame_attributes()])


def keeps():
    z = [1, 2]
    w = 5
    del w
    return sys._getframe()


f = keeps()
print(f.f_locals, f.f_lineno - keeps.__code__.co_firstlineno)
f.clear()
print(f.f_locals)
show("clear running", sys._getframe().clear)


def raises():
    a = "local of raises"
    1 / 0


def through():
    b = "local of through"
    raises()


try:
    through()
except ZeroDivisionError as e:
    tb = e.__traceback__
    while tb:
        print(tb.tb_frame.f_code.co_name, tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno, isinstance(tb.tb_lasti, int), [v for v in tb.tb_frame.f_locals.values() if isinstance(v, str) and v.startswith("local")])
        last, tb = tb, tb.tb_next
    tb = e.__traceback__
    made = types.TracebackType(None, last.tb_frame, last.tb_lasti, 77)
    print(made.tb_lineno, made.tb_next)
    made.tb_next = tb
    print(made.tb_next is tb)
    show("loop", setattr, tb, "tb_next", made)
    show("wrong", setattr, tb, "tb_next", 5)
    show("new", types.TracebackType, 1, 2, 3, 4)
    last.tb_frame.clear()
    print(last.tb_frame.f_locals)
    print(e.with_traceback(None).__traceback__)


def g():
    local = "in g"
    received = yield sys._getframe()
    yield received


it = g()
frame = next(it)
print(frame.f_locals, frame is it.gi_frame, frame.f_back, frame.f_lineno - frame.f_code.co_firstlineno)
it.send(5)
print(frame.f_locals)
it.close()
print(it.gi_frame, frame.f_locals)
show("new code", types.CodeType)
show("new function", types.FunctionType, 5, {})
show("new function", types.FunctionType, plain.__code__, 5)
show("new frame", type(sys._getframe()))
show("new generator", type(it))
