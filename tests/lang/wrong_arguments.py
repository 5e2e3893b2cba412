"""What methods say of arguments that do not fit."""
import _codecs
import _io
import binascii
import collections
import re


def say(function, *args, **kwargs):
    try:
        print(function(*args, **kwargs))
    except Exception as e:
        print(type(e).__name__, e)


for value in (None, 1.5, []):
    say(format, 1, value)
    say("a".encode, value)
    say("a".replace, "b", value)
    say("a".removeprefix, value)
    say(b"a".decode, "ascii", value)
    say(b"a".center, 3, value)
    say((1).to_bytes, 1, value)
    say(type, "T", value, {})
    say(type, value, (), {})
    say(_io.StringIO().write, value)
    say(_io.open, "/dev/null", value)

for value in (None, 1.5, "x", 0, 1, -1, 1 << 70, True):
    say("a\nb".splitlines, value)
    say(b"a\nb".splitlines, value)
    say(bytearray(b"a\nb").splitlines, keepends=value)
    say(_codecs.utf_8_decode, b"\xc3", "replace", value)
    say(binascii.b2a_base64, b"a", newline=value)

for method in (_io.BytesIO().close, _io.FileIO("/dev/null").readable, collections.deque().clear, [].clear, re.compile("").__copy__):
    say(method, 1)
    say(method, x=1)
say(collections.deque().append)
say(lambda: _io.BytesIO().close(1))
say(lambda: collections.deque().append())

for value in (None, 1.5, 1 << 70, -(1 << 70), 1):
    say(re.compile("b").search, "abc", value)
    say(re.compile("b").findall, "abc", 0, value)


class Clears:
    def __eq__(self, other):
        d.clear()
        return True


d = collections.deque([Clears(), 1])
say(d.remove, 1)
