"""Code objects that must be refused, each for its own reason; with "library": none of the library's is; with "large": large ones
are checked in bounded time."""
import marshal
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "..", "..", "core", "vm", "opcodes.def")) as f:
    LINES = re.findall(r"^OP\((\w+), +(\d)", f.read(), re.M)
OPS = {name: number for number, (name, words) in enumerate(LINES)}
WORDS = {name: int(words) for name, words in LINES}
A_DEAD, B_DEAD, C_DEAD, A_LIVE, FLAG_X = 1, 2, 4, 8, 16
T = 3                                   # the first temporary
CONSTS = (None, 1.5, ("x",), ("x", 1), (lambda: 0).__code__, "text", [1])


def template(a, b):
    c = a
    return attribute.name


def cells():
    inside = 0
    return (lambda: inside).__code__


def code(*lines, handlers=(), template=template, registers=40, **changes):
    """Each line: name, flags, a, b, c (or a and bc as a list), live temporaries; then the extra word, if it has one."""
    words, live, sets = [], [], [()]
    for name, flags, a, b, c, alive, *extra in lines:
        if isinstance(b, list):
            b, c = b[0] & 0xffff, b[0] >> 16 & 0xffff
        words.append(struct.pack("<BBHHH", OPS[name], flags, a, b, c))
        alive = tuple(alive)
        if alive not in sets:
            sets.append(alive)
        live += [sets.index(alive)] * (1 + WORDS[name])
        if WORDS[name]:
            words.append(struct.pack("<q", extra[0] if extra else 0))
    starts, registers_ = [0], []
    for s in sets:
        registers_ += s
        starts.append(len(registers_))
    own = template.__code__.co_code
    variables = struct.unpack("<8I", own[-32:])[2]
    magic = struct.unpack("<8I", own[-32:])[7]
    data = b"".join(words) + struct.pack("<%dI" % len(starts), *starts) + struct.pack("<%dH" % len(live), *live)
    data += struct.pack("<%dH" % len(registers_), *registers_)
    data += b"\0" * (-len(data) % 8)
    data += struct.pack("<8I", len(words), registers, variables, len(sets), len(registers_), 0,
                        template.__code__.co_nlocals, magic)
    table = b"".join(struct.pack("<4I", *h, 0) for h in handlers)
    return template.__code__.replace(co_code=data, co_consts=CONSTS, co_exceptiontable=table, **changes)


NONE = ("RETURN_CONST", 0, 0, [0], 0, ())
RETURN = ("RETURN", 0, T, 0, 0, (T,))
INT = ("LOAD_INT", 0, T, [7], 0, ())
ENTER = ("ENTER_HANDLER", 0, T, 0, 0, ())
LEAVE = ("LEAVE_HANDLER", 0, T, 0, 0, (T, T + 1))
UNWIND = ("UNWIND_HANDLER", 0, T, 0, 0, (T, T + 1))

GOOD = [
    ("a value", 7, (INT, RETURN)),
    ("a variable", 1, (("COPY", 0, T, 0, 0, ()), RETURN)),
    ("a call", 3, (("LOAD_CONST", 0, T, [4], 0, ()), ("COPY", 0, T + 8, 0, 0, (T,)), ("DROP", 0, T + 8, 0, 0, (T, T + 8)),
                   ("DROP", 0, T, 0, 0, (T,)), ("ADD", 0, T, 0, 1, ()), RETURN)),
]
BAD = [
    ("no such register", (("LOAD_INT", 0, 40, [1], 0, ()), NONE)),
    ("no such register", (("LOAD_INT", A_LIVE, T, [1], 0, ()), NONE)),
    ("no such register", (("LOAD_INT", 0, 0, [1], 0, ()), NONE)),
    ("no such register", (("MOVE", 0, T, 0, 0, ()), RETURN)),
    ("no such constant", (("LOAD_CONST", 0, T, [7], 0, ()), RETURN)),
    ("no such name", (("LOAD_GLOBAL", 0, T, [9], 0, ()), RETURN)),
    ("a jump leads nowhere", (("JUMP", 0, 0, [-1], 0, ()),)),
    ("a jump leads nowhere", (("JUMP", 0, 0, [1], 0, ()), ("LOAD_GLOBAL", 0, T, [0], 0, ()), RETURN)),
    ("a jump leads nowhere", (("JUMP_BACK", 0, 0, [0], 0, ()), NONE)),
    ("the instructions are malformed", (INT,)),
    ("a cache is not empty", (("LOAD_GLOBAL", 0, T, [0], 0, (), 5), RETURN)),
    ("a flag means nothing", (("COMPARE", 6 << 5, T, 0, 1, ()), RETURN)),
    ("a flag means nothing", (("LOAD_INT", B_DEAD, T, [1], 0, ()), RETURN)),
    ("not of the kind needed", (("ADD_K", 0, T, 0, 5, ()), RETURN)),
    ("not of the kind needed", (("MAKE_FUNCTION", 0, T, 5, 0, ()), RETURN)),
    ("not of the kind needed", (("COPY", 0, T, 0, 0, ()), ("COPY", 0, T + 6, 0, 0, (T,)),
                                ("CALL_KW", 0, T, 1, T, (T, T + 6), 3), RETURN)),
    ("a count is wrong", (("BUILD_SLICE", 0, T, T, 1, ()), RETURN)),
    # what registers hold
    ("the live map names a register that holds nothing", (RETURN,)),
    ("a register is read that holds nothing", (("ADD", 0, T, 0, T + 1, ()), RETURN)),
    ("a register is read that may hold nothing", (("ADD", 0, T, 0, 2, ()), RETURN)),
    ("a register is written that holds something", (INT, ("LOAD_INT", 0, T, [8], 0, (T,)), RETURN)),
    ("the live map misses a register", (INT, NONE)),
    ("a register holds something when the frame ends", (INT, ("RETURN_CONST", 0, 0, [0], 0, (T,)))),
    ("a register ends twice", (INT, ("ADD", B_DEAD | C_DEAD, T, T, T, (T,)), RETURN)),
    ("a register ends that is read, too", (INT, ("SET_ITEM", C_DEAD, T, 0, T, (T,)), NONE)),
    ("of another kind", (INT, ("LIST_APPEND", 0, T, 0, 0, (T,)), RETURN)),
    ("of another kind", (("LOAD_CONST", 0, T, [6], 0, ()), ("LIST_APPEND", 0, T, 0, 0, (T,)), RETURN)),
    ("of another kind", (("LOAD_DEREF", 0, T, 0, 0, ()), RETURN)),
    ("of another kind", (INT, ("RAISE_REST", 0, T, 0, 0, (T,)),)),
    ("of another kind", (("COPY", 0, T, 0, 0, ()), ("COPY", 0, T + 1, 0, 0, (T,)), LEAVE, NONE)),
    ("of another kind", (("COPY", 0, T, 0, 0, ()), ("MAKE_FUNCTION", FLAG_X, T, 4, T, (T,)), RETURN)),
    ("may hold nothing", (("LOAD_METHOD", 0, T, 0, 0, ()), ("CALL", 0, T, 1, T, (T, T + 6)), RETURN)),
    ("above a call's window", (("COPY", 0, T, 0, 0, ()), ("COPY", 0, T + 9, 0, 0, (T,)),
                               ("CALL", 0, T, 0, T, (T, T + 9)), ("DROP", 0, T + 9, 0, 0, (T, T + 9)), RETURN)),
    ("the live map", (("JUMP_IF_TRUE", 0, 0, [1], 0, ()), INT, RETURN)),
    ("only a generator yields", (("YIELD", 0, T, 0, 0, ()), RETURN)),
    ("a generator cannot be made here", (("RETURN_GENERATOR", 0, 0, 0, 0, ()), ("RETURN_GENERATOR", 0, 0, 0, 0, ()), NONE)),
    ("a handler is reached without an exception", (ENTER, LEAVE, NONE)),
    ("what is unpacked is written, too", (("UNPACK", A_LIVE, 0, 0, 2, ()), NONE)),
]
HANDLERS = [
    ("the exception table is malformed", (ENTER, LEAVE, NONE), [(1, 2, 0)]),
    ("the exception table is malformed", (NONE, NONE), [(0, 1, 1)]),
    ("the live map names a register that holds nothing", (("COPY", 0, T, 0, 0, ()), RETURN, UNWIND), [(0, 1, 2)]),
    ("a register ends that the handler needs",
     (("COPY", 0, T, 0, 0, ()), ("COPY", 0, T + 1, 1, 0, (T,)), ("ADD", B_DEAD, T + 2, T + 1, 0, (T, T + 1)),
      ("DROP", 0, T, 0, 0, (T, T + 2)), ("RETURN", 0, T + 2, 0, 0, (T + 2,)), UNWIND), [(2, 3, 5)]),
    ("of another kind",
     (("COPY", 0, T, 0, 0, ()), ("COPY", 0, T + 1, 1, 0, (T,)), ("ADD", 0, T + 2, 0, 1, (T, T + 1)),
      ("RAISE", 1 << 5, T + 2, 0, 0, (T, T + 1, T + 2)), UNWIND), [(2, 3, 4)]),
]


def refused(what, f):
    try:
        f()
    except ValueError as error:
        if what in str(error):
            return True
        print("another reason than", repr(what) + ":", error)
    else:
        print("not refused:", what)
    return False


def main():
    ok = True
    for name, result, lines in GOOD:
        f = type(main)(code(*lines), {})
        if f(1, 2) != result:
            print("wrong:", name)
            ok = False
    for what, lines in BAD:
        ok &= refused(what, lambda: code(*lines))
    for what, lines, handlers in HANDLERS:
        ok &= refused(what, lambda: code(*lines, handlers=handlers))
    # Cells: as many as the code has, and only cells.
    inner = cells()
    global CONSTS
    CONSTS += (inner,)
    ok &= refused("a function lacks its cells", lambda: code(("MAKE_FUNCTION", 0, T, 7, 0, ()), RETURN))
    ok &= refused("other cells than its code", lambda: code(
        ("COPY", 0, T, 0, 0, ()), ("BUILD_TUPLE", 0, T, T, 1, (T,)), ("MAKE_FUNCTION", 4 << 5, T, 7, T, (T,)), RETURN))
    # co_code itself.
    own = template.__code__.co_code
    for at in range(0, len(own) - 32, 8):
        if not at % 3:
            ok &= refused("", lambda: template.__code__.replace(co_code=own[:at] + b"\xff" * 8 + own[at + 8:]))
    ok &= refused("co_code is malformed", lambda: template.__code__.replace(co_code=b"abc"))
    # marshal says it in its own way.
    data = marshal.dumps(template.__code__)
    at = data.index(own[:16])
    ok &= refused("bad marshal data (code object: ", lambda: marshal.loads(data[:at] + b"\xff" * 8 + data[at + 8:]))
    print("all refused" if ok else "NOT all refused")


def library():
    """No code that the compiler makes is refused, and it comes back as it was."""
    where = os.path.dirname(os.__file__)
    modules = bad = 0
    for folder in (where, os.path.join(where, "asyncio"), os.path.join(where, "email")):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    whole = compile(f.read(), path, "exec")
                modules += 1
                try:
                    if marshal.loads(marshal.dumps(whole)) != whole:
                        raise ValueError("another code object")
                except ValueError as error:
                    print(path, error)
                    bad += 1
    print(modules, "modules,", bad, "refused")


def large():
    # A chain of blocks in which kinds become less certain one after the other; many variables.
    many = 300
    source = "def f(p):\n" + "".join(" v%d = []\n" % i for i in range(many)) + " while p:\n"
    source += "".join("  if p: v%d = v%d\n" % (i, i + 1) for i in range(many - 1)) + " return v0\n"
    whole = compile(source, "large", "exec")
    marshal.loads(marshal.dumps(whole))
    # Registers, live maps and instructions of the largest size.
    top = 65000
    alive = list(range(T, top))
    lines = [("LOAD_INT", 0, T, [1], 0, alive)] * 3000 + [NONE]
    refused("", lambda: code(*lines, registers=top))
    lines = [("JUMP_IF_TRUE", 0, 0, [0], 0, ())] * 60000 + [NONE]
    code(*lines, registers=2000)
    refused("too complicated", lambda: code(*lines, registers=65536))
    lines = [("DELETE_FAST", 0, 2, 0, 0, ()), ("LOAD_INT", A_LIVE, 2, [1], 0, ())] * 20000 + [NONE, UNWIND]
    refused("", lambda: code(*lines, handlers=[(i, 40001, 40001) for i in range(0, 40000, 2)]))
    print("checked")


if __name__ == "__main__":
    {"library": library, "large": large}.get(sys.argv[-1], main)()
