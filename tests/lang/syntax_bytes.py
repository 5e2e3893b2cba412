"""Encoding cookies, byte order marks, newlines and odd characters in source text given as bytes."""
TEXTS = [
    b"# coding: latin-1\nx = '\xe9\xff'", b"# -*- coding: iso-8859-15 -*-\nx = '\xa4'", b"\xef\xbb\xbfx = '\xc3\xa9'",
    b"\xef\xbb\xbf# coding: utf-8\nx = 1", b"\n# vim: set fileencoding=latin-1 :\nx = '\xe9'", b"1\n# coding: latin-1\nx = '\xc3\xa9'",
    b"\n\n# coding: latin-1\nx = '\xc3\xa9'", b"x = 1\r\nx += 1\r\n", b"x = 1\rx += 2\r", b"x = '''a\r\nb\rc\n'''", b"x = 'a\\\r\nb'",
    b"# coding: ascii\nx = 1", b"#coding=cp1252\nx = '\x80'", b"# coding: koi8-r\nx = '\xc1'", b"x = 1 \\\n+ 2",
    b"\x0cx = 1", b"if 1:\n\tx = 2\n", b"if 1:\n\x0c  x = 2\n  x += 1", b"x = 1;", b"x = 1 # \xc3\xa9", b"\xc3\xa9 = 1; x = \xc3\xa9",
    "x = 'ﬁ'; ﬁn = 2; x = fin".encode(), "𝐱 = 3".encode(), "x = 'a' 'b' \"c\" '''d'''".encode(),
    b"\xef\xbb\xbf# coding: latin-1\nx = 1", b"# coding: nope\nx = 1", b"# coding: ascii\nx = '\xe9'",
]
for text in TEXTS:
    names = {}
    try:
        exec(compile(text, "<bytes>", "exec"), names)
        print(text, ascii(names.get("x")))
    except SyntaxError as e:
        print(text, type(e).__name__, e.msg, e.lineno, e.offset)
