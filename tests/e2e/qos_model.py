"""An independent model of QuorumOS's formats (qos-wire 1 to 5) for the end-to-end tests: keys, signatures,
envelopes, Shamir, manifests and framed calls, on python3-cryptography and nothing of ours."""

import hashlib
import hmac
import json
import os
import socket
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()


def _point(public):
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _public(point):
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)


class Pair:
    """A key pair from its 32-byte master seed."""

    def __init__(self, seed=None):
        self.seed = seed or os.urandom(32)
        self._encrypt = self._scalar(b"qos_p256_encrypt")
        self._sign = self._scalar(b"qos_p256_sign")
        self.public = _point(self._encrypt.public_key()) + _point(self._sign.public_key())

    def _scalar(self, path):
        secret = HKDF(hashes.SHA512(), 32, path, b"").derive(self.seed)
        return ec.derive_private_key(int.from_bytes(secret, "big"), CURVE)

    def sign(self, message):
        r, s = utils.decode_dss_signature(self._sign.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def open(self, envelope):
        nonce, sender = envelope[:12], envelope[12:77]
        (n,) = struct.unpack("<I", envelope[77:81])
        assert len(envelope) == 81 + n
        shared = self._encrypt.exchange(ec.ECDH(), _public(sender))
        return _cipher(sender, self.public[:65], shared).decrypt(
            nonce, envelope[81:], _additional(sender, self.public[:65]))


def _cipher(sender, receiver, shared):
    key = hmac.new(sender + receiver + shared, b"qos_encryption_hmac_message", hashlib.sha512)
    return AESGCM(key.digest()[:32])


def _additional(sender, receiver):
    return sender + b"\x41" + receiver + b"\x41"


def seal(public, plaintext):
    receiver, nonce = public[:65], os.urandom(12)
    ephemeral = ec.generate_private_key(CURVE)
    sender = _point(ephemeral.public_key())
    shared = ephemeral.exchange(ec.ECDH(), _public(receiver))
    box = _cipher(sender, receiver, shared).encrypt(nonce, plaintext, _additional(sender, receiver))
    return nonce + sender + struct.pack("<I", len(box)) + box


def verify(public, message, signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        _public(public[65:]).verify(utils.encode_dss_signature(r, s), message,
                                    ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


def _multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def _inverse(a):
    return next(b for b in range(1, 256) if _multiply(a, b) == 1)


def combine(shares):
    """Lagrange at 0 over GF(256), polynomial 0x11B; a share is x and then one byte per secret byte."""
    secret = bytearray(len(shares[0]) - 1)
    for share in shares:
        weight = 1
        for other in shares:
            if other is not share:
                weight = _multiply(weight, _multiply(other[0], _inverse(other[0] ^ share[0])))
        for i, y in enumerate(share[1:]):
            secret[i] ^= _multiply(weight, y)
    return bytes(secret)


# Borsh, of what is hashed or only exists in Borsh.

def b_bytes(data):
    return struct.pack("<I", len(data)) + data


def b_text(text):
    return b_bytes(text.encode())


def b_list(items, encode):
    return struct.pack("<I", len(items)) + b"".join(map(encode, items))


def b_hex(text):
    return b_bytes(bytes.fromhex(text))


def b_option(value, encode):
    return b"\0" if value is None else b"\1" + encode(value)


def b_member(m):
    return b_text(m["alias"]) + b_hex(m["pubKey"])


def b_set(s):
    return struct.pack("<I", int(s["threshold"])) + b_list(s["members"], b_member)


def b_bridge(b):
    if b["type"] == "server":
        return b"\0" + struct.pack("<H", int(b["port"])) + b_text(b["host"])
    return b"\1" + struct.pack("<H", int(b["port"])) + b_option(b.get("host"), b_text)


def b_manifest_v1(m):
    n, p, e, t = m["namespace"], m["pivot"], m["enclave"], m["patchSet"]
    return b"".join([
        b_text(n["name"]), struct.pack("<I", int(n["nonce"])), b_hex(n["quorumKey"]),
        bytes.fromhex(p["hash"]), bytes([["Never", "Always"].index(p["restart"])]),
        b_list(p["bridgeConfig"], b_bridge), bytes([p["debugMode"]]), b_list(p["args"], b_text),
        b_set(m["manifestSet"]), b_set(m["shareSet"]),
        b_hex(e["pcr0"]), b_hex(e["pcr1"]), b_hex(e["pcr2"]), b_hex(e["pcr3"]),
        b_hex(e["awsRootCertificate"]), b_text(e["qosCommit"]),
        struct.pack("<I", int(t["threshold"])), b_list(t["members"], lambda k: b_hex(k["pubKey"])),
    ])


def b_genesis_set(s):
    return b_list(s["members"], b_member) + struct.pack("<I", int(s["threshold"]))


def b_genesis_output(g):
    def member(o):
        return (b_member(o["shareSetMember"]) + b_hex(o["encryptedQuorumKeyShare"])
                + bytes.fromhex(o["shareHash"]))

    assert g["recovery_permutations"] == []
    return b"".join([
        b_genesis_set(g["set"]), b_option(g.get("dr_key"), b_hex), b_hex(g["quorum_key"]),
        b_list(g["member_outputs"], member), b_list([], None),
        b_option(g.get("dr_key_wrapped_quorum_key"), b_hex), bytes.fromhex(g["quorum_key_hash"]),
        b_hex(g["test_message_ciphertext"]), b_hex(g["test_message_signature"]),
        b_hex(g["test_message"]),
    ])


def canonical(value):
    """Canonical JSON: sorted keys, integers as strings, nulls dropped."""
    def walk(v):
        if isinstance(v, dict):
            return {k: walk(x) for k, x in v.items() if x is not None}
        if isinstance(v, list):
            return [walk(x) for x in v]
        return str(v) if isinstance(v, int) and not isinstance(v, bool) else v

    return json.dumps(walk(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def manifest_hash(m):
    return hashlib.sha256(canonical(m) if "version" in m else b_manifest_v1(m)).digest()


def member(alias, pair):
    return {"alias": alias, "pubKey": pair.public.hex()}


def approval(alias, pair, manifest):
    return {"signature": pair.sign(manifest_hash(manifest)).hex(), "member": member(alias, pair)}


def binding_message(manifest, setup_public, envelope):
    return (b"quorate-share-v1" + manifest_hash(manifest) + b_bytes(setup_public)
            + b_bytes(envelope))


def commitment_register(domain, public, hash_):
    """What PCR16 or PCR17 holds after the commitment."""
    preimage = canonical({"domain": domain, "ephemeralPublicKey": public.hex(),
                          "manifestHash": hash_.hex()})
    return hashlib.sha384(bytes(48) + hashlib.sha384(preimage).digest()).digest()


class Connection:
    """A framed connection: u64 little-endian length and payload, both ways."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)

    def call(self, payload):
        self.socket.sendall(struct.pack("<Q", len(payload)) + payload)
        (n,) = struct.unpack("<Q", self._read(8))
        return self._read(n)

    def _read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def call(path, payload):
    with Connection(path) as c:
        return c.call(payload)


def call_json(path, message):
    return json.loads(call(path, json.dumps(message).encode()))
