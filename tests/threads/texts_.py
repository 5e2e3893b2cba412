"""JSON and CSV: encoders, decoders, readers and writers that threads share, made of what others change."""
import csv
import io
import itertools
import json
from race import race, together, done

shared = {"a": [1, 2.5, None, "text"], "b": {"c": True}}
items = list(range(30))
encoder, decoder = json.JSONEncoder(indent=1, sort_keys=True), json.JSONDecoder(object_pairs_hook=dict)
text = json.dumps({"k%d" % i: [i, "é", {"x": None}] for i in range(50)})
value = json.loads(text)


def change():
    shared["k"] = items
    shared.pop("k", None)
    shared["a"].append(1)
    shared["a"].pop()
    items.append("x")
    items.pop()
    shared["b"] = {"c": [items]}


def encode():
    for f in (json.dumps, encoder.encode, lambda v: "".join(encoder.iterencode(v)), lambda v: json.dumps(v, sort_keys=True)):
        back = json.loads(f(shared))
        assert back["a"][:4] == [1, 2.5, None, "text"], back
    assert json.dumps(value) == text


def decode():
    assert decoder.decode(text) == value and json.loads(text.encode()) == value
    assert decoder.raw_decode("[1] x") == ([1], 3)
    json.loads("[1,")


def settings():
    decoder.strict = not decoder.strict
    decoder.memo.clear()
    encoder.indent = None
    encoder.indent = 1


race(encode, change, decode, settings, allow=(RuntimeError, ValueError, KeyError, AttributeError))

rows = [["a", "b,c", str(i), 'd "e"'] for i in range(500)]
sink = io.StringIO(newline="")
writer = csv.writer(sink)
assert together(lambda i: [writer.writerow(r) for r in rows] and 1) == [1] * 4
assert sorted(csv.reader(io.StringIO(sink.getvalue(), newline=""))) == sorted(rows * 4)

reader = csv.reader(itertools.cycle(['a,"b c",1\r\n', '"x""y",z,2\r\n']))


def read():
    row = next(reader)
    reader.line_num, reader.dialect.delimiter
    assert row in (["a", "b c", "1"], ['x"y', "z", "2"]), row


def dialects():
    csv.register_dialect("own", delimiter=";")
    csv.get_dialect("own").delimiter, csv.list_dialects()
    list(csv.reader(["1;2"], "own"))
    csv.unregister_dialect("own")


def limit():
    old = csv.field_size_limit(1000)
    assert old in (1000, 131072)


class Slow:
    """Gives one line, and another thread comes in the middle."""

    def __iter__(self):
        return self

    def __next__(self):
        return "".join(["1", ",", str(len(items))])


slow = csv.reader(Slow())


def reread():
    assert len(next(slow)) == 2


race(read, read, dialects, limit, allow=(csv.Error,))
csv.field_size_limit(131072)
race(reread, reread, lambda: writer.writerow(items), lambda: sink.truncate(0), allow=(csv.Error,))
done()
