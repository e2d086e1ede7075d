#!/usr/bin/python3
"""Makes tests/vectors/nsm/nsm.json: what passes between us and a Nitro security module (nitro.md 2.2), by python3-cbor2.

requests: what each operation must send. conversation: a whole commit of two registers, request by request. answers:
good ones. refused: answers that must not be taken, and words of the sentence that says why.
Run it with /usr/bin/python3.
"""
import hashlib
import json
from pathlib import Path

import cbor2

OUT = Path(__file__).parent / "nsm" / "nsm.json"
ZERO = bytes(48)
VALUE = bytes(range(48))
BOOT_LOCKED = list(range(16))
ERRORS = ["InvalidArgument", "InvalidIndex", "InvalidResponse", "ReadOnlyIndex", "InvalidOperation",
          "BufferTooSmall", "InputTooLarge", "InternalError"]


def sha384(*parts):
    return hashlib.sha384(b"".join(parts)).digest()


def encode(value):
    return cbor2.dumps(value).hex()


def indefinite(pairs):
    """A map without a count, as serde writes some."""
    return b"\xbf" + b"".join(cbor2.dumps(k) + (v if isinstance(v, bytes) and k == "" else cbor2.dumps(v))
                              for k, v in pairs) + b"\xff"


def wrapped(operation, inner, outer_indefinite=False):
    """{operation: inner} around bytes that are encoded already."""
    if outer_indefinite:
        return (b"\xbf" + cbor2.dumps(operation) + inner + b"\xff").hex()
    return (b"\xa1" + cbor2.dumps(operation) + inner).hex()


def description(locked=None, count=32, **more):
    return {"version_major": 1, "version_minor": 0, "version_patch": 0, "module_id": "i-0-enc0", "max_pcrs": count,
            "locked_pcrs": BOOT_LOCKED if locked is None else locked, "digest": "SHA384", **more}


def requests():
    document = {"user_data": b"user", "nonce": b"nonce", "public_key": b"key"}
    return {
        "describe": encode("DescribeNSM"),
        "read_0": encode({"DescribePCR": {"index": 0}}),
        "read_31": encode({"DescribePCR": {"index": 31}}),
        "read_300": encode({"DescribePCR": {"index": 300}}),
        "extend": encode({"ExtendPCR": {"index": 16, "data": b"hello"}}),
        "lock": encode({"LockPCR": {"index": 16}}),
        "lock_range": encode({"LockPCRs": {"range": 32}}),
        "random": encode("GetRandom"),
        "attest": encode({"Attestation": document}),
        "attest_absent": encode({"Attestation": dict.fromkeys(document)}),
        "attest_empty": encode({"Attestation": {"user_data": b"", "nonce": b"", "public_key": b"k"}}),
        "attest_largest": encode({"Attestation": {"user_data": b"u" * 512, "nonce": b"n" * 512,
                                                  "public_key": b"p" * 1024}}),
    }


def conversation():
    setup, live = sha384(b"setup"), sha384(b"live")
    after = {16: sha384(ZERO, setup), 17: sha384(ZERO, live)}
    state = lambda data, lock: {"DescribePCR": {"lock": lock, "data": data}}
    rows = [("DescribeNSM", {"DescribeNSM": description()})]
    rows += [({"DescribePCR": {"index": i}}, state(ZERO, False)) for i in (16, 17)]
    rows += [({"ExtendPCR": {"index": i, "data": d}}, {"ExtendPCR": {"data": after[i]}})
             for i, d in ((16, setup), (17, live))]
    rows += [({"LockPCRs": {"range": 32}}, "LockPCRs"),
             ("DescribeNSM", {"DescribeNSM": description(list(range(32)))})]
    rows += [({"DescribePCR": {"index": i}}, state(after[i], True)) for i in (16, 17)]
    return {"setup": setup.hex(), "live": live.hex(),
            "rows": [{"request": encode(request), "answer": encode(answer)} for request, answer in rows]}


def answers():
    """operation, name, bytes, and what must be read from them."""
    rows = []

    def add(operation, name, cbor, **expected):
        rows.append({"operation": operation, "name": name, "cbor": cbor, **expected})

    add("describe", "as the real module says it", encode({"DescribeNSM": description()}), count=32, locked="ffff",
        sha384=True)
    # As QEMU's module was seen to say it: another order.
    add("describe", "recorded of QEMU", "a16b44657363726962654e534da7" "66646967657374665348413338346"
        "86d61785f706372731820696d6f64756c655f6964" + encode("i-lab-enc0") + encode("locked_pcrs") +
        encode(BOOT_LOCKED) + encode("version_major") + "01" + encode("version_minor") + "00" +
        encode("version_patch") + "00", count=32, locked="ffff", sha384=True)
    add("describe", "all locked", encode({"DescribeNSM": description(list(range(32)))}), count=32,
        locked="ffffffff", sha384=True)
    add("describe", "64 registers, the last one locked", encode({"DescribeNSM": description([63], 64)}), count=64,
        locked="8000000000000000", sha384=True)
    add("describe", "another digest", encode({"DescribeNSM": description() | {"digest": "SHA256"}}), count=32,
        locked="ffff", sha384=False)
    add("describe", "an unknown field", encode({"DescribeNSM": description(future=[1, {"a": b"b"}])}), count=32,
        locked="ffff", sha384=True)
    add("describe", "indefinite throughout", wrapped("DescribeNSM", indefinite(description().items()), True),
        count=32, locked="ffff", sha384=True)
    add("read", "lock first", encode({"DescribePCR": {"lock": False, "data": VALUE}}), value=VALUE.hex(), lock=False)
    add("read", "data first", encode({"DescribePCR": {"data": VALUE, "lock": True}}), value=VALUE.hex(), lock=True)
    add("read", "indefinite", wrapped("DescribePCR", indefinite([("data", VALUE), ("lock", True)])),
        value=VALUE.hex(), lock=True)
    add("read", "32 bytes", encode({"DescribePCR": {"data": VALUE[:32], "lock": True}}), value=VALUE[:32].hex(),
        lock=True)
    add("extend", "48 bytes", encode({"ExtendPCR": {"data": VALUE}}), value=VALUE.hex())
    add("lock", "the name alone", encode("LockPCR"))
    add("lock_range", "the name alone", encode("LockPCRs"))
    add("random", "256 bytes", encode({"GetRandom": {"random": bytes(range(256))}}), value=bytes(range(256)).hex())
    add("random", "1 byte", encode({"GetRandom": {"random": b"x"}}), value="78")
    add("attest", "a document", encode({"Attestation": {"document": b"not looked into"}}),
        value=b"not looked into".hex())
    return rows


def refused():
    rows = []

    def add(operation, name, cbor, text):
        rows.append({"operation": operation, "name": name, "cbor": cbor, "text": text})

    good = {"describe": {"DescribeNSM": description()}, "read": {"DescribePCR": {"lock": False, "data": VALUE}},
            "extend": {"ExtendPCR": {"data": VALUE}}, "lock": "LockPCR", "lock_range": "LockPCRs",
            "random": {"GetRandom": {"random": b"r" * 256}}, "attest": {"Attestation": {"document": b"d"}}}
    for operation, answer in good.items():
        whole = bytes.fromhex(encode(answer))
        for error in ERRORS:
            add(operation, "error " + error, encode({"Error": error}), error)
        add(operation, "an error nobody knows", encode({"Error": "Overheated"}), "found another")
        add(operation, "an error that is a number", encode({"Error": 3}), "Error")
        add(operation, "two bytes too many", (whole + b"\x00\x00").hex(), "")
        for cut in sorted({0, 1, len(whole) // 2, len(whole) - 1}):
            add(operation, f"only {cut} bytes", whole[:cut].hex(), "")
        other = "GetRandom" if operation != "random" else "DescribeNSM"
        add(operation, "another operation's", encode({other: {"x": 1}}), "InvalidResponse")
        add(operation, "another operation's name", encode("DescribeNothing"), "")
        add(operation, "a number", encode(7), "")
        add(operation, "null", encode(None), "")
        add(operation, "nothing in the map", "a0", "")
    for operation in ("describe", "read", "extend", "random", "attest"):
        name, fields = next(iter(good[operation].items()))
        add(operation, "two entries", encode({name: fields, "Error": "InternalError"}), "1 entry")
        add(operation, "two entries, indefinite",
            (b"\xbf" + cbor2.dumps(name) + cbor2.dumps(fields) + cbor2.dumps("x") + b"\x01\xff").hex(), "found more")
        add(operation, "its map an array", encode({name: [1, 2]}), "")
        add(operation, "an empty map", encode({name: {}}), "expected the field")
        first, value = next(iter(fields.items()))
        twice = b"\xbf" + (cbor2.dumps(first) + cbor2.dumps(value)) * 2 + b"\xff"
        add(operation, "a key twice", wrapped(name, twice), "")
        add(operation, "a float beside it", encode({name: {**fields, "heat": 36.6}}), "")
        add(operation, "too deep beside it", encode({name: {**fields, "deep": [[[[[[[[[[1]]]]]]]]]]}}), "")
        add(operation, "a tag beside a string", wrapped(name, b"\xa1" + cbor2.dumps(first) + b"\xc1" +
                                                        cbor2.dumps(value)), "")
        add(operation, "70 fields", encode({name: {**{str(i): i for i in range(70)}, **fields}}), "")
        for field in fields:
            if field not in ("version_major", "version_minor", "version_patch", "module_id"):
                less = {k: v for k, v in fields.items() if k != field}
                add(operation, f"without {field}", encode({name: less}), f"expected the field {field}")
                add(operation, f"{field} null", encode({name: {**fields, field: None}}), field)
    add("describe", "65 registers", encode({"DescribeNSM": description(count=65)}), "at most 64")
    add("describe", "registers beyond 64 bits", encode({"DescribeNSM": description(count=2**64 - 1)}), "at most 64")
    add("describe", "a negative count", encode({"DescribeNSM": description(count=-1)}), "max_pcrs")
    add("describe", "locked beyond the count", encode({"DescribeNSM": description([32])}), "below 32")
    add("describe", "locked beyond 63", encode({"DescribeNSM": description([64])}), "below 64")
    add("describe", "locked twice", encode({"DescribeNSM": description([1, 1])}), "twice")
    add("describe", "locked is a text", encode({"DescribeNSM": description(["1"])}), "locked_pcrs")
    add("describe", "a count the bytes cannot hold",
        wrapped("DescribeNSM", b"\xa1" + cbor2.dumps("locked_pcrs") + b"\x9b" + b"\xff" * 8), "")
    add("read", "47 bytes", encode({"DescribePCR": {"lock": True, "data": VALUE[:47]}}), "found 47")
    add("read", "65 bytes", encode({"DescribePCR": {"lock": True, "data": bytes(65)}}), "found 65")
    add("read", "no bytes", encode({"DescribePCR": {"lock": True, "data": b""}}), "found 0")
    add("read", "a text of 48", encode({"DescribePCR": {"lock": True, "data": "x" * 48}}), "data")
    add("read", "lock 1", encode({"DescribePCR": {"lock": 1, "data": VALUE}}), "lock")
    add("extend", "49 bytes", encode({"ExtendPCR": {"data": bytes(49)}}), "found 49")
    add("lock", "a map", encode({"LockPCR": {}}), "LockPCR")
    add("lock", "the other lock", encode("LockPCRs"), "LockPCR")
    add("lock_range", "the other lock", encode("LockPCR"), "LockPCRs")
    add("random", "no bytes", encode({"GetRandom": {"random": b""}}), "found 0")
    add("random", "257 bytes", encode({"GetRandom": {"random": bytes(257)}}), "found 257")
    add("random", "bytes in pieces", wrapped("GetRandom", b"\xa1" + cbor2.dumps("random") + b"\x5f\x41r\xff"), "")
    add("attest", "an empty document", encode({"Attestation": {"document": b""}}), "found 0")
    add("attest", "a text", encode({"Attestation": {"document": "d"}}), "document")
    return rows


OUT.write_text(json.dumps({"requests": requests(), "conversation": conversation(), "answers": answers(),
                           "refused": refused()}, indent=1) + "\n", encoding="utf-8")
