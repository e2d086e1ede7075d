#!/usr/bin/python3
"""Makes tests/vectors/codec: canonical JSON and CBOR, each from a model that is not ours.

Canonical JSON (qos-wire 3) is modelled here over Python's json module. CBOR comes from python3-cbor2 and from the
examples of RFC 8949, appendices A and F, which cbor2 must judge as we expect wherever it judges at all.
Run it with /usr/bin/python3 (Debian's python3-cbor2); the same input makes the same files.
"""
import io
import json
import pathlib
import random

import cbor2

OUT = pathlib.Path(__file__).parent / "codec"


# Canonical JSON.

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text):
    return '"' + "".join(SHORT.get(c, c if c >= " " else f"\\u{ord(c):04x}") for c in text) + '"'


def canonical(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return f'"{value}"'
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, dict):
        kept = [k for k in value if value[k] is not None]
        kept.sort(key=lambda k: k.encode("utf-16-be"))
        return "{" + ",".join(quoted(k) + ":" + canonical(value[k]) for k in kept) + "}"
    raise TypeError(value)


HAND_WRITTEN = [
    "null", "true", "false", '""', '"a"', "0", "-1", "[]", "{}", " [ ] ", "\t{\r\n}",
    "9223372036854775807", "-9223372036854775808",
    '"18446744073709551615"',
    '{"a":{"b":{"c":{}}}}', "[[],[[]],{}]", "[null,null]", '{"a":null}', '{"a":[{"b":null}]}',
    '{"\\uffff":1,"\\ud800\\udc00":2,"\\ue000":3,"\\ud7ff":4,"z":5,"":6}',
    '{"b":1,"a":2,"ab":3,"aa":4,"B":5,"_":6,"1":7,"10":8,"2":9}',
    '{"\\u007f":1,"\\u0080":2,"~":3,"\\u00ff":4,"\\u0100":5}',
    '["\\u0000\\u0001\\u0007\\u0008\\u0009\\u000a\\u000b\\u000c\\u000d\\u000e\\u001f\\u0020\\u007f"]',
    '["\\/ / \\" \\\\ \\b\\f\\n\\r\\t"]', '["\u00fc \u20ac \U0001f600 \ud7ff \ue000"]',
    '["\\ud83d\\ude00"]', '{"\\n":1,"\\"":2,"\\\\":3}',
    "[" * 128 + "]" * 128, "[" * 128 + "1" + "]" * 128, '{"a":' * 127 + "1" + "}" * 127,
]

REFUSED_JSON = [
    ("1.0", "a float"), ("1e0", "a float"), ("[-0.0]", "a float"), ('{"n":-1.25}', "a float"),
    ("[-0]", "an integer to some, a float to others"),
    ("9223372036854775808", "beyond 64-bit signed"), ("[-9223372036854775809]", "beyond 64-bit signed"),
    ('{"a":1,"a":1}', "a key twice"), ('{"a":1,"\\u0061":2}', "a key twice, once escaped"),
    ("", "nothing"), (" ", "nothing"), ("{}x", "text behind"), ("{}{}", "text behind"), ("[1,]", "a comma too many"),
    ('{"a":1,}', "a comma too many"), ("[1 2]", "no comma"), ('{"a" 1}', "no colon"), ("{a:1}", "a bare key"),
    ("['a']", "single quotes"), ("[01]", "a leading zero"), ("[+1]", "a plus"), ("[.5]", "no digit"),
    ("[1.]", "no digit"),
    ("[0x10]", "not decimal"), ("[NaN]", "not JSON"), ("[Infinity]", "not JSON"), ("[nul]", "not JSON"),
    ("[True]", "not JSON"),
    ('["\t"]', "a raw control character"), ('["\n"]', "a raw control character"), ('["\\x"]', "an unknown escape"),
    ('["\\u12"]', "a short escape"), ('["\\ud800"]', "half a surrogate pair"),
    ('["\\udc00\\ud800"]', "a pair in the wrong order"),
    ('["\\ud800\\u0041"]', "half a surrogate pair"), ('["a', "an open string"), ("[", "an open array"),
    ('{"a":', "an open object"),
    ("]", "nothing to close"), ("[}", "the wrong bracket"), ("// x\n1", "a comment"), ("\ufeff{}", "a byte order mark"),
    ("[" * 129 + "]" * 129, "too deep"), ('{"a":' * 129 + "1" + "}" * 129, "too deep"),
]
REFUSED_BYTES = [
    (b'["\xff"]', "not UTF-8"), (b'["\xc0\x80"]', "an overlong form"), (b'["\xed\xa0\x80"]', "a surrogate"),
    (b'["\xf4\x90\x80\x80"]', "beyond U+10FFFF"), (b'["\xe2\x82"]', "a cut character"), (b'{"\xff":1}', "not UTF-8"),
    (b"[1]\0", "NUL behind"), (b"\0", "NUL"), (b'["\0"]', "a raw NUL"),
]


def some_text(r):
    alphabet = 'ab"\\/\n\r\t\b\f\x01\x1f\x7f\u0080\u00f6\u20ac\ufb33\ue000\uffff\U00010000\U0001f600\U0010ffff'
    return "".join(r.choice(alphabet) for _ in range(r.randrange(6)))


def some_json(r, depth):
    kind = r.randrange(8 if depth < 4 else 5)
    if kind < 5:
        return [None, r.random() < 0.5, r.randrange(-2**63, 2**63), r.randrange(-300, 300), some_text(r)][kind]
    if kind == 5:
        return [some_json(r, depth + 1) for _ in range(r.randrange(5))]
    return {some_text(r): some_json(r, depth + 1) for _ in range(r.randrange(7))}


def canonical_vectors():
    r = random.Random(8259)
    accept = [(text, json.loads(text)) for text in HAND_WRITTEN]
    for i in range(80):
        value = some_json(r, 0)
        accept.append((json.dumps(value, ensure_ascii=i % 2 == 0, indent=[None, 1, 3][i % 3]), value))
    refuse = [(text.encode(), why) for text, why in REFUSED_JSON] + REFUSED_BYTES
    return {
        "accept": [{"input": text.encode().hex(), "canonical": canonical(v).encode().hex()} for text, v in accept],
        "refuse": [{"input": text.hex(), "why": why} for text, why in refuse],
    }


# CBOR.

RFC_ACCEPTED = """00 01 0a 17 1818 1819 1864 1903e8 1a000f4240 1b000000e8d4a51000 1bffffffffffffffff
c249010000000000000000 3bffffffffffffffff c349010000000000000000 20 29 3863 3903e7 f4 f5 f6
c074323031332d30332d32315432303a30343a30305a c11a514b67b0 d74401020304 d818456449455446
d82076687474703a2f2f7777772e6578616d706c652e636f6d 40 4401020304 60 6161 6449455446 62225c 62c3bc 63e6b0b4 64f0908591
80 83010203 8301820203820405 98190102030405060708090a0b0c0d0e0f101112131415161718181819 a0 a201020304
a26161016162820203 826161a161626163 a56161614161626142616361436164614461656145
9fff 9f018202039f0405ffff 9f01820203820405ff 83018202039f0405ff 83019f0203ff820405
9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff bf61610161629f0203ffff 826161bf61626163ff
bf6346756ef563416d7421ff""".split()

RFC_NOT_OURS = """f90000 f98000 f93c00 fb3ff199999999999a f93e00 f97bff fa47c35000 fa7f7fffff fb7e37e43c8800759c f90001
f90400 f9c400 fbc010666666666666 f97c00 f97e00 f9fc00 fa7f800000 fa7fc00000 faff800000 fb7ff0000000000000
fb7ff8000000000000 fbfff0000000000000 f7 f0 f8ff c1fb41d452d9e8200000
5f42010243030405ff 7f657374726561646d696e67ff""".split()

RFC_MALFORMED = """18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000
41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203
81 818181818181818181 8200 a1 a20102 a100 a2000000 c0 5f4100 7f6100 9f 9f0102 bf bf01020102 819f 9f8000
9f9f9f9f9fffffffff 9f819f819f9fffffff 1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe
f800 f801 f818 f81f 5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff 5f5f4100ffff 7f7f6100ffff
ff 81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff 9f829f819f9fffffffff bf00ff bf000000ff 1f 3f df""".split()
# cbor2 is laxer than RFC 8949 about these.
CBOR2_ACCEPTS = set("f800 f801 f818 f81f ff 81ff 8200ff a1ff00 a100ff".split())


def pairs(n):
    return b"".join(cbor2.dumps(i) + b"\0" for i in range(n))


OWN_ACCEPTED = [
    ("1800", "a longer head than needed"), ("1b0000000000000001", "a longer head than needed"),
    ("580141", "a longer head than needed"), ("a201f620f5", "keys 1 and -1"),
    ("a240f660f4", "keys h'' and \"\" differ"), ("a24101f60120", "keys h'01' and 1 differ"),
    ("81" * 8 + "00", "eight levels"), ("d863" * 8 + "00", "eight tags"),
    ("a100" * 8 + "00", "eight maps"), ("bf00" * 8 + "00" + "ff" * 8, "eight maps"),
    ((b"\xb8\x40" + pairs(64)).hex(), "64 entries"),
]
OWN_REFUSED = [
    ("a201000100", "a key twice"), ("a20100180100", "a key twice, once with a longer head"),
    ("bf01000100ff", "a key twice"),
    ("a26161006161f6", "a key twice"), ("81a24100004100f5", "a key twice"), ("a1f400", "a boolean as key"),
    ("a1f600", "null as key"), ("a18000", "an array as key"), ("a1a000", "a map as key"), ("a1c00000", "a tag as key"),
    ("81" * 9 + "00", "nine levels"), ("9f" * 9 + "ff" * 9, "nine levels"), ("d863" * 9 + "00", "nine tags"),
    ("a100" * 9 + "00", "nine levels"), ((b"\xb8\x41" + pairs(65)).hex(), "65 entries"),
    ("61ff", "not UTF-8"), ("63eda080", "a surrogate"), ("62c080", "an overlong form"), ("", "nothing"),
    ("9bffffffffffffffff00", "a count beyond the input"), ("bb800000000000000000", "a count beyond the input"),
]


def some_cbor(r, depth):
    kind = r.randrange(9 if depth < 4 else 6)
    scalars = [None, r.random() < 0.5, r.randrange(-2**64, 2**64), r.randrange(-300, 300),
               r.randbytes(r.randrange(300)), some_text(r)]
    if kind < 6:
        return scalars[kind]
    if kind == 6:
        return [some_cbor(r, depth + 1) for _ in range(r.randrange(30))]
    if kind == 7:
        return cbor2.CBORTag(r.randrange(100000, 2**32), some_cbor(r, depth + 1))
    keys = [r.choice([r.randrange(-2**64, 2**64), r.randbytes(r.randrange(5)), some_text(r)])
            for _ in range(r.randrange(8))]
    return {k: some_cbor(r, depth + 1) for k in keys}


def judged(text):
    """Whether cbor2 reads text, as one item that takes all of it."""
    data = bytes.fromhex(text)
    stream = io.BytesIO(data)
    try:
        cbor2.CBORDecoder(stream).decode()
    except Exception:  # whatever it raises, it refuses
        return False
    return stream.tell() == len(data)


def cbor_vectors():
    r = random.Random(8949)
    accept = [(text, "RFC 8949 A") for text in RFC_ACCEPTED] + OWN_ACCEPTED
    accept += [(cbor2.dumps(some_cbor(r, 0)).hex(), "cbor2") for _ in range(60)]
    for text, note in accept:
        assert judged(text), (text, note)
    for text in RFC_NOT_OURS:
        assert judged(text), text
    for text in RFC_MALFORMED:
        assert judged(text) == (text in CBOR2_ACCEPTS), text
    refuse = [(text, "RFC 8949 A, not in our subset") for text in RFC_NOT_OURS]
    refuse += [(text, "RFC 8949 F, not well-formed") for text in RFC_MALFORMED] + OWN_REFUSED
    edges = [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1]
    return {
        "accept": [{"cbor": text, "note": note} for text, note in accept],
        "refuse": [{"cbor": text, "why": why} for text, why in refuse],
        "integers": [{"n": str(n), "uint": cbor2.dumps(n).hex(), "negative": cbor2.dumps(-1 - n).hex()} for n in edges],
        "lengths": [{"n": n, "bytes": cbor2.dumps(b"a" * n).hex(), "text": cbor2.dumps("a" * n).hex(),
                     "array": cbor2.dumps([None] * n).hex(), "map": cbor2.dumps(dict.fromkeys(range(n))).hex()}
                    for n in (0, 1, 23, 24, 255, 256)],
    }


def main():
    OUT.mkdir(exist_ok=True)
    for name, vectors in (("canonical_json", canonical_vectors()), ("cbor", cbor_vectors())):
        (OUT / f"{name}.json").write_text(json.dumps(vectors, indent=0) + "\n")


if __name__ == "__main__":
    main()
