"""json with its native scanner and encoder, and every cut of a document, as CPython does it."""
import json
import json.decoder
import json.encoder
import json.scanner
import math

assert json.scanner.c_make_scanner and json.encoder.c_make_encoder


def t(f, *args, **kwargs):
    try:
        print(repr(f(*args, **kwargs)))
    except Exception as e:
        print(type(e).__name__, e)


document = '{"a": [1, -2.5e3, 0, -0, 1E400, "x\\u00e9\\ud83d\\ude00\\n\\"\\/", true, false, null, {}, [], NaN, -Infinity], "a": {"\\ud800": ""}}'
t(json.loads, document)
t(json.loads, document, object_hook=lambda d: sorted(d))
t(json.loads, document, object_pairs_hook=lambda d: d)
t(json.loads, document, parse_int=str, parse_float=str, parse_constant=str)
for i in range(len(document)):
    t(json.loads, document[:i])
    t(json.loads, document[:i] + "?" + document[i + 1:])
for text in ("", " ", "[1,]", "[,]", "{,}", '{"a" 1}', '{"a":1,}', '{1:2}', "01", "1.", ".5", "-", "+1", "1e", "1e+", '"\t"', '"\\x"', '"\\u12"',
             '"\\ud800\\u0041"', '"\\udc00"', "nul", "tru", "Infinit", "[1 2]", '"a" b', "\ufeff1", " \r\n\t1 ", "1" * 30, "\x00", "[" * 5):
    t(json.loads, text)
t(json.loads, '"\t"', strict=False)


class E(json.JSONEncoder):
    def default(self, o):
        if isinstance(o, complex):
            return [o.real, o.imag]
        return super().default(o)


class I(int):
    def __repr__(self):
        return "no"


class F(float):
    pass


class D(dict):
    pass


loop = []
loop.append(loop)
circle = {}
circle["c"] = [circle]
values = [None, True, 5, -7, 10**30, 1.5, 1e300, -0.0, math.nan, math.inf, -math.inf, "", 'q"\\\n\x00\x7f\u20ac\U0001f600\ud800', [], (), {},
          [1, [2, (3,)]], {"a": 1, 2: 3, 1.5: 4, True: 5, None: 6}, {(1,): 2}, {"b": 1, "a": 2}, D(x=1), I(3), F(2.5), {I(3): F(2.5)}, 1j, b"x", object,
          loop, circle, {"z": {1: 2}}, {1: 1, "a": 2}]
for v in values:
    t(json.dumps, v)
    t(json.dumps, v, ensure_ascii=False, separators=(",", ":"))
    t(json.dumps, v, sort_keys=True, skipkeys=True, allow_nan=False)
    t(json.dumps, v, cls=E, check_circular=v not in (loop,) and v is not circle)
    t(json.dumps, v, indent=1)
deep = []
for _ in range(100000):
    deep = [deep]
for f in (lambda: json.dumps(deep), lambda: json.loads("[" * 100000 + "]" * 100000), lambda: json.loads('{"a":' * 100000)):
    try:
        f()
    except RecursionError as e:
        print(str(e)[:32])
t(json.scanner.c_make_scanner, None)
t(json.encoder.c_make_encoder, 1, 2, 3, 4, 5, 6, 7, 8, 9)
t(json.decoder.scanstring, "abc", 5)
t(json.decoder.scanstring, 'a"bc', 0)
t(json.encoder.encode_basestring_ascii, 5)
