#!/usr/bin/python3
"""Vectors of keys whose seed is the scalar of both uses, and of envelopes bound to a purpose (renclave 2.5, 8.2 C1, C2),
computed with python3-cryptography alone: tests/vectors/crypto/p256_suites.json. Deterministic."""
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OUT = pathlib.Path(__file__).parent / "crypto" / "p256_suites.json"
PURPOSES = ["", "quorate-seed-v1", "quorate-entropy-v1", "quorate-private-key-v1", "quorate-data-v1", "p" * 64]


def named(label, n=32):
    return hashlib.sha256(b"quorate test vector " + label.encode()).digest()[:n]


def private(scalar):
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def point(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def seal(receiver, long_lengths, purpose, plaintext, nonce, scalar):
    ephemeral = private(scalar)
    sender, to = point(ephemeral), point(receiver)
    shared = ephemeral.exchange(ec.ECDH(), receiver.public_key())
    key = hmac.new(sender + to + shared, b"qos_encryption_hmac_message", hashlib.sha512).digest()[:32]
    length = struct.pack(">Q", 65) if long_lengths else b"\x41"
    box = AESGCM(key).encrypt(nonce, plaintext, sender + length + to + length + purpose)
    return nonce + sender + struct.pack("<I", len(box)) + box


def main():
    seed = named("suite seed")
    receiver = private(seed)
    sealed = []
    for long_lengths in (False, True):
        for purpose in PURPOSES:
            for n in (0, 1, 32, 200):
                label = f"{long_lengths} {purpose} {n}"
                nonce, scalar, plaintext = named("nonce " + label, 12), named("scalar " + label), (named(label) * 7)[:n]
                sealed.append({
                    "long_lengths": long_lengths, "purpose": purpose.encode().hex(), "plaintext": plaintext.hex(),
                    "nonce": nonce.hex(), "ephemeral": scalar.hex(),
                    "envelope": seal(receiver, long_lengths, purpose.encode(), plaintext, nonce, scalar).hex()})
    OUT.write_text(json.dumps({"seed": seed.hex(), "public": point(receiver).hex(), "sealed": sealed}, indent=1) + "\n")


if __name__ == "__main__":
    main()
