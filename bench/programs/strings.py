def run():
    parts = []
    for i in range(60000):
        parts.append("item %d: %s" % (i, str(i * 2)))
    text = ", ".join(parts)
    return len(text.split(", ")), text.count("item"), text.upper().find("ITEM 500"), len(text.replace("item", "x"))
