"""Module unicodedata: every fact of every code point in both versions as a checksum, normal forms of random
texts, names, messages."""
import hashlib
import random
import unicodedata as new

old = new.ucd_3_2_0
every = [chr(c) for c in range(0x110000)]
some = every[:0x3000] + every[0xa000:0xd000:7] + every[0xd7a0:0xdc10] + every[0xf900:0x12000] + \
    every[0x1d000:0x1f900] + every[0x2f800:0x2fa30]


def digest(f, chars):
    h = hashlib.sha256()
    for c in chars:
        h.update(("%s;" % (f(c),)).encode("utf-8", "surrogatepass"))
    return h.hexdigest()[:16]


def t(f, *args, **kw):
    try:
        r = ascii(f(*args, **kw))
    except Exception as e:
        r = type(e).__name__ + ascii(e.args)
    print(getattr(f, "__name__", f), ascii(args)[:60], "->", r[:200])


for db in new, old:
    print(db.unidata_version)
    for name in "category bidirectional combining mirrored east_asian_width decomposition".split():
        print(name, digest(getattr(db, name), some))
    for name in "decimal digit numeric name".split():
        f = getattr(db, name)
        print(name, digest(lambda c: f(c, None), some))
    for c in some[::37]:
        name = db.name(c, None)
        assert name is None or db.lookup(name) == db.lookup(name.encode()) == c, name
    dice = random.Random(14)
    composed = [c for c in some if new.decomposition(c)] + every[0xac00:0xae00]
    marks = [c for c in some if new.combining(c)] + every[0x1100:0x1200]
    for form in "NFC", "NFD", "NFKC", "NFKD":
        texts = ["".join(dice.choice(dice.choice((composed, marks, marks, "A\ud800\u1100\u1161\u11a8")))
                         for k in range(dice.randrange(1, 40))) for i in range(2000)]
        texts += some[::5]
        print(form, digest(lambda s: (db.normalize(form, s), db.is_normalized(form, s)), texts))
    long = "e\u0301\u0327" * 50000
    assert db.normalize("NFC", long) == "\u0229\u0301" * 50000
    assert db.normalize("NFD", db.normalize("NFC", long)) == "e\u0327\u0301" * 50000
    marks_run = "a" + "\u0300\u0327" * 20000
    assert db.normalize("NFD", marks_run) == "a" + "\u0327" * 20000 + "\u0300" * 20000
    for name in ("SP", "LINE FEED", "latin capital letter gha", "LATIN CAPITAL LETTER OI", "KEYCAP DIGIT ONE",
                 "latin small letter r with tilde", "Hangul Syllable Gag", "HANGUL SYLLABLE GAG", "VS17",
                 "CJK UNIFIED IDEOGRAPH-3400", "CJK UNIFIED IDEOGRAPH-2FFF", "", "x" * 257, "a\0b", "\xe9"):
        t(db.lookup, name)
    t(db.lookup, 1)
    t(db.lookup, "\ud800")
for f in (new.decimal, new.digit, new.numeric, new.name):
    for args in (), ("ab",), ("",), (b"a",), ("\u0378",), ("\u0378", f), ("7",), ("\u2155", "d"), (1, 2, 3):
        t(f, *args) if f not in args else print(f(*args) is f)
for f in (new.category, new.bidirectional, new.combining, new.mirrored, new.east_asian_width, new.decomposition):
    for args in (), ("ab",), ("",), (b"a",), ("\u0378",), ("7",), ("\u1e9b",), ("\u2067",), ("\u231a",), (1, 2):
        t(f, *args)
for f in (new.normalize, new.is_normalized):
    for args in (), ("NFC",), ("nfc", "x"), (1, "x"), ("NFC", 1), ("x", ""), ("NFKC", "\ufb01"):
        t(f, *args)
same = "\xe9\u1e00"
print(new.normalize("NFC", same) is same, type(old).__name__, "\N{LATIN SMALL LETTER E WITH ACUTE}")
t(type(old))
