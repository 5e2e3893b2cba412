"""f-strings, format(), %-formatting and string methods that parse."""
import datetime
import decimal

name, n, x, d, s = "World", 42, 3.14159, {"k": "v", 1: 2}, [1, 2, 3]
w, p, fill, spec = 10, 3, "*", ">10"
print(f"Hello {name}!", f"{n}", f"{n:5}|{n:<5}|{n:>5}|{n:^5}|{n:05}|{n:+}|{n: }|{n:x}|{n:#x}|{n:b}|{n:#o}|{n:e}|{n:,}|{n:_}|{n:c}|{n:%}")
print(f"{x:.2f}|{x:10.3f}|{x:<10.1e}|{x:+.0f}|{x:g}|{x:G}|{x:n}|{x:%}|{x:010.2f}|{x!r:>10}|{x!s:^12}|{x!a}")
print(f"{x:{w}.{p}f}|{n:{fill}>{w}}|{name:{spec}}|{name!r:{fill}^{w + 5}}|{n:{'>' if n else '<'}{w}}")
print(f"{n=}", f"{n = }", f"{ n=}", f"{n=:5}", f"{name=!s}", f"{name=}", f"{x=:.1f}", f"{d['k']=}", f"{n+1=}", f"{(lambda q: q*2)(n)=}", f"{n =!r:>5}")
print(f"{{}}", f"{{{n}}}", f"{{n}}", f"{'a' 'b'}", f'{"nested " + f"{n}"}', f"{d['k']}{d[1]}", f"{s[0]}{s[-1]:>3}", f"{len(s)}", f"{s}", f"{d}")
print(f"{n if n > 5 else 0}", f"{[i for i in s]}", f"{ {1: 2}[1] }", f"{(yield_ := 5)}", yield_, f"{n!r}{n!s}{n!a}", f"{'é'!a}", f"{None}", f"{True:5}|{True:d}")
print(f'''multi
line {n
} {
    x
:.1f}''', rf"\n{n}\t", fr"{n}\{{", f"\n{n}\x41\N{BULLET}", f"{n}" "plain {n}" f"{x:.1f}", "" f"", f"{''}")
print(f"{datetime.date(2020, 1, 2):%Y/%m/%d}", f"{datetime.datetime(2020, 1, 2, 3, 4):%H:%M}", f"{decimal.Decimal('1.50'):.1f}", f"{1 + 2j:.1f}", f"{10 ** 30:,}", f"{-n:=+8}", f"{-0.0:.0f}", f"{1e100:.3}", f"{float('nan'):5}|{float('inf'):+}")


class F:
    def __format__(self, spec): return f"<{spec}>"
    def __str__(self): return "str"
    def __repr__(self): return "repr"


f = F()
print(f"{f}", f"{f:abc}", f"{f!r:>6}", f"{f!s}", f"{f:{n}{name}}", f"{f=}", f"{f=:x}", f"{f:{{}}}" if 0 else "", format(f), format(f, "z"))
log = []
def t(v): log.append(v); return v
print(f"{t(1)}{t(2):{t(3)}}{t(4)!r}", log)
for text in ["f'{n:d}'", "f'{x:d}'", "f'{name:d}'", "f'{s:5}'", "f'{None:5}'", "f'{n:.2}'", "f'{name:,}'", "f'{n:,_}'", "f'{name:=5}'", "f'{n:zz}'", "f'{x:.2q}'", "f'{n:10000000000000000000}'", "f'{missing}'", "f'{n.x}'", "f'{1/0}'"]:
    try:
        print(text, eval(text))
    except Exception as e:
        print(text, type(e).__name__, e)
VALUES = [0, 1, -1, 42, -42, 255, 10 ** 20, 3.5, -0.5, 1e10, 1e-5, 123456.789, float("inf"), "text", "", True]
SPECS = ["", "5", "<8", ">8", "^9", "*^9", "08", "+", "-", " ", "x", "X", "#x", "o", "#b", "b", "d", "n", "c", "e", "E", ".2e", "f", "F", ".0f", ".3f", "g", ".3g", "#g", "%", ".1%", ",", "_", ",.2f", "_x", "+08.2f", "=8", "0=8", "s", ".2", ".2s", "10.3", "z", "z.1f"]
for v in VALUES:
    row = []
    for sp in SPECS:
        try:
            row.append(format(v, sp))
        except (ValueError, OverflowError) as e:
            row.append(str(e))
    print(repr(v), row)
for fmt, args in [("%s %s", (1, "a")), ("%5d|%-5d|%05d|%+d|% d", (1, 2, 3, 4, 5)), ("%x %X %#x %o %#o", (255, 255, 255, 8, 8)), ("%e %.2e %g %.3g %f %.0f", (1.5, 1.5, 1e10, 1e-5, 2.5, 2.5)), ("%c%c", (65, "b")), ("%r %a", ("é", "é")), ("%(a)s %(b)5.1f", {"a": 1, "b": 2}),
                  ("%*d|%-*d|%.*f", (5, 1, 5, 2, 2, 3.14159)), ("%%", ()), ("%s", ((1, 2),)), ("%i %u", (1.9, -3)), ("%5s|%-5s|%.2s", ("abc", "abc", "abc")), ("%s", [1]), ("%d", (10 ** 30,)), ("%x", (-255,)), ("%5%|", ())]:
    try:
        print(fmt, "=>", fmt % args)
    except Exception as e:
        print(fmt, "raises", type(e).__name__, e)
print("{} {} {}".format(1, "a", None), "{0} {1} {0}".format("a", "b"), "{a} {b!r:>5}".format(a=1, b="x"), "{0.real} {0.imag} {1[0]} {1[k]}".format(3, {"k": 1, 0: 2}) if 0 else "{0.real} {1[k]}".format(3, {"k": 1}), "{:{}}".format("x", 5), "{:{w}.{p}}".format(3.14159, w=8, p=3), "{{}}".format(), "{!s:^7}".format("a"))
