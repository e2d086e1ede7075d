#!/usr/bin/python3
"""Makes tests/vectors/protocol/proxy.json: an independent model of the proxy's messages (qos-wire 4.5), written
from the specification's table alone. Run it from anywhere."""

import json
import struct
from pathlib import Path

OUT = Path(__file__).resolve().parent / "protocol" / "proxy.json"


def u16(v):
    return struct.pack("<H", v)


def u64(v):
    return struct.pack("<Q", v)


def text(v):
    return struct.pack("<I", len(v.encode())) + v.encode()


def texts(v):
    return struct.pack("<I", len(v)) + b"".join(map(text, v))


ERRORS = {
    "QOSIOError": (0, text), "OversizeMsg": (1, None), "OversizedPayload": (2, None),
    "InvalidMsg": (3, None), "ParseError": (4, text), "DNSResolutionError": (5, text),
    "ReadOverflow": (6, lambda v: u64(v[0]) + u64(v[1])), "TooManyConnections": (7, u64),
}


def error(name, payload=None):
    index, encode = ERRORS[name]
    body = bytes([0, index]) + (encode(payload) if encode else b"")
    row = {"kind": 0, "error": index, "name": name, "borsh": body.hex()}
    if isinstance(payload, str):
        row["text"] = payload
    elif isinstance(payload, tuple):
        row["first"], row["second"] = payload
    elif payload is not None:
        row["number"] = payload
    return row


def by_name(hostname, port, resolvers, dns_port):
    body = b"\3" + text(hostname) + u16(port) + texts(resolvers) + u16(dns_port)
    return {"kind": 3, "host": hostname, "port": port, "resolvers": resolvers, "dns_port": dns_port,
            "borsh": body.hex()}


def by_ip(ip, port):
    return {"kind": 4, "host": ip, "port": port, "borsh": (b"\4" + text(ip) + u16(port)).hex()}


rows = [
    error("QOSIOError", "Connection refused (os error 111)"), error("OversizeMsg"), error("OversizedPayload"),
    error("InvalidMsg"), error("ParseError", ""), error("DNSResolutionError", "no record for b\u00fccher.example"),
    error("ReadOverflow", (1, 65536)), error("TooManyConnections", 256),
    {"kind": 1, "borsh": "01"},
    {"kind": 2, "number": 7, "borsh": (b"\2" + u64(7)).hex()},
    by_name("api.example.com", 443, ["8.8.8.8", "2001:4860:4860::8888"], 53),
    by_name("", 0, [], 65535),
    by_name("x" * 255, 65535, ["::1"], 0),
    by_ip("127.0.0.1", 8080), by_ip("::1", 1),
    {"kind": 5, "host": "93.184.216.34", "borsh": (b"\5" + text("93.184.216.34")).hex()},
]
bad = {
    "no bytes": "",
    "an unknown message": "06",
    "an unknown error": "0008",
    "an error without its index": "00",
    "a byte too many": "0100",
    "a status cut short": "02" + "00" * 7,
    "a name longer than what came": "03ffffffff",
    "a name that is not UTF-8": "0301000000ff" + "0000" + "00000000" + "0000",
    "more resolvers than bytes": "0300000000" + "0000" + "ffffff7f",
    "an address without a port": (b"\4" + text("127.0.0.1")).hex(),
    "a port of one byte": (b"\4" + text("127.0.0.1") + b"\1").hex(),
    "JSON": b'"StatusRequest"'.hex(),
}
made = {"good": rows, "bad": [{"name": name, "borsh": borsh} for name, borsh in bad.items()]}
OUT.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
