"""Source that is not UTF-8 in a comment and again in the last line, which no newline ends."""
for text in (b"# \xff\nx = '\xe9'", b"# \xff\nx = 1 # \xfe\n'\xe9", b"#\xff\n\xe9", b"# \xff", b"# -*- coding: utf-8 -*-\n# \xff\ny = '\xff\xfe'",
             b"# \xff\n" * 50 + b"z = \"\xc3"):
    try:
        compile(text, "?", "exec")
        print("good")
    except SyntaxError as e:
        print("line", e.lineno, e.text.startswith(("x", "y", "z", "\ufffd", "'")))
