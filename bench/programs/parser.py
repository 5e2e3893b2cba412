TEXT = '{"a": [1, 2, {"b": "text", "c": null}], "d": {"e": true, "f": 3.25}, "g": "%s"}' % ("x" * 20)


def value(s, i):
    c = s[i]
    if c == '"':
        j = s.index('"', i + 1)
        return s[i + 1:j], j + 1
    if c == "[":
        items = []
        i += 1
        while s[i] != "]":
            v, i = value(s, i)
            items.append(v)
            while s[i] in ", ":
                i += 1
        return items, i + 1
    if c == "{":
        d = {}
        i += 1
        while s[i] != "}":
            k, i = value(s, i)
            while s[i] in ": ":
                i += 1
            d[k], i = value(s, i)
            while s[i] in ", ":
                i += 1
        return d, i + 1
    j = i
    while s[j] not in ",]} ":
        j += 1
    word = s[i:j]
    if word == "null":
        return None, j
    if word == "true":
        return True, j
    return (float(word) if "." in word else int(word)), j


def run():
    for _ in range(2000):
        v, _ = value(TEXT, 0)
    return v
