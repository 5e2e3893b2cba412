"""Literals of every kind, and their warnings."""
import ast
import warnings

LITERALS = r"""
0 00 0_0 1 1_000 0x1F 0XfF 0o17 0O17 0b101 0B1_0 0xdead_beef 123456789012345678901234567890 0_1
1.0 1. .5 1e3 1E3 1e+3 1e-3 1_0.0_1 1_0e1_0 1e400 -1e400 0.1 5e-324 1.7976931348623157e308 0e0 0.0 -0.0
1j 1J 1.5j .5e3j 0j -0j 1_0j 1e400j
'' "" 'a' "b" 'a"b' "a'b" r'\n' R"\n" b'x' B'x' rb'\x' bR'\x' Rb'\x' u'x' U'x' f'' F'x' fr'\{1}' rF'\n'
'\0' '\00' '\000' '\1234' '\x41' '\u0041' '\U00000041' '\N{LATIN SMALL LETTER A}' '\N{bullet}' '\a\b\f\n\r\t\v\\\'\"'
b'\0\1\x41\n\\' b'\u0041' b'\377' '\377' '\ud800' '\udc80x' '\U0010ffff'
True False None ... Ellipsis __debug__
() (1,) (1,2) [] [1] {} {1} {1:2} {**{}} {*()} [*()] (*(),)
'a''b' 'a' "b" r'\a' b'a' b'b' f'a' 'b' u'a' 'b'
""".split("\n")
for line in LITERALS:
    for text in ([line] if line.startswith("'a''b'") else line.split(" ")):
        if not text:
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                value = eval(text)
                print(text, "->", type(value).__name__, ascii(value))
            except Exception as e:
                print(text, "->", type(e).__name__, e)
        for w in caught:
            print("    warns", w.category.__name__, w.message, w.lineno)

for text in ["'\\d'", "b'\\d'", "'\\8'", "'\\400'", "'\\777'", "b'\\400'", "1if 1 else 2", "1or 2", "0x1for x in ()", "1and 2", "[0x1for x in (1,)]",
             "(1)()", "'a'()", "[1,2](0)", "[1, 2]['a']", "(1, 2)[1.5]", "1 is 1", "() is ()", "x is not 'a'", "assert (1, 'x')",
             "f'{1}'()", "None[0]", "{1: 2}()", "{1}[0]", "[1][(1, 2)]", "'abc'[None]", "(lambda: 1)[0]", "(x for x in ())[0]", "[i for i in ()]()"]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compile(text, "<w>", "exec")
        except SyntaxError as e:
            print(text, type(e).__name__, e.msg, e.offset)
    for w in caught:
        print(text, "warns", w.category.__name__, w.message, w.filename, w.lineno)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            compile(text, "<w>", "exec")
            print(text, "compiles")
        except SyntaxError as e:
            print(text, type(e).__name__, e.args)

print(eval("'''a\nb'''"), eval('"""a\\\nb"""'), eval("(1 +\n 2 # c\n + 3)"))
for n in (1, 17, 18, 19, 20, 40, 4300, 4301):
    try:
        print(n, len(hex(eval("9" * n))), len(hex(eval("0x" + "f" * n))))
    except SyntaxError as e:
        print(n, e.msg, e.lineno, e.offset)
print(ast.dump(ast.parse("u'a' 'b'; 'a' u'b'; 1_0; 'a' f'{x}' 'b'")))
