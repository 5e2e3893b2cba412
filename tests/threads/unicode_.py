"""Facts about characters, names and normal forms, asked for the first time by several threads at once."""
import unicodedata
from race import race, together, done

old = unicodedata.ucd_3_2_0
facts = together(lambda i: [(unicodedata.category(c), unicodedata.bidirectional(c), old.category(c), c.upper(),
                             c.isidentifier(), unicodedata.east_asian_width(c))
                            for c in map(chr, range(0, 0x110000, 51))])
assert facts[0] == facts[1] == facts[2] == facts[3]
composed = "\xe9\u0229\uac01" * 4000
decomposed = unicodedata.normalize("NFD", composed)


def normal():
    assert unicodedata.normalize("NFC", decomposed) == composed
    assert old.is_normalized("NFD", decomposed)


def names():
    for c in "\xe9\u0229\uac01\u4e00":
        assert unicodedata.lookup(unicodedata.name(c)) == c
    assert eval(r"'\N{LATIN SMALL LETTER E WITH ACUTE}'") == "\xe9"


race(normal, names)
done()
