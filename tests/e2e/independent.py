"""QuorumOS's keys, signatures and envelopes read by other code than ours: python3-cryptography (qos-wire 1).

usage: independent.py verify-echo QUORUM_KEY_PUB ANSWER_JSON
       independent.py open-dr DR_SECRET WRAPPED_KEY QUORUM_KEY_PUB SEED_OUT
"""
import hashlib
import hmac
import json
import os
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
POINT_SIZE = 65


def scalar(seed, path):
    derived = HKDF(hashes.SHA512(), 32, salt=path, info=b"").derive(seed)
    return ec.derive_private_key(int.from_bytes(derived, "big"), CURVE)


def point(private):
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def public_of_seed(seed):
    """The 130 bytes a .pub file holds in hex."""
    return point(scalar(seed, b"qos_p256_encrypt")) + point(scalar(seed, b"qos_p256_sign"))


def verify(public, message, signature):
    """Raises InvalidSignature unless signature (r || s) over message was made with public's signing half."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, public[POINT_SIZE:])
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def open_envelope(seed, envelope):
    nonce, sender = envelope[:12], envelope[12:77]
    size, ciphertext = int.from_bytes(envelope[77:81], "little"), envelope[81:]
    if size != len(ciphertext):
        raise ValueError(f"envelope: expected {size} bytes, found {len(ciphertext)}")
    private = scalar(seed, b"qos_p256_encrypt")
    own = point(private)
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
    key = hmac.digest(sender + own + shared, b"qos_encryption_hmac_message", hashlib.sha512)[:32]
    return AESGCM(key).decrypt(nonce, ciphertext, sender + b"\x41" + own + b"\x41")


def read_hex(path):
    return bytes.fromhex(Path(path).read_text(encoding="ascii").strip())


def verify_echo(public, answer, message=None):
    """Checks an answer of signed-echo and returns what was signed."""
    if bytes.fromhex(answer["public_key_hex"]) != public:
        raise ValueError("the answer carries another public key than the quorum key")
    text = answer["signed_payload_json"]
    verify(public, text.encode(), bytes.fromhex(answer["signature_hex"]))
    payload = json.loads(text)
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if text != canonical or payload["domain"] != "echo app signed":
        raise ValueError(f"not the canonical payload of signed-echo: {text}")
    if message is not None and payload["message"] != message:
        raise ValueError(f"another message was signed: {payload['message']}")
    return payload


def open_dr(dr_secret, wrapped, public):
    """The seed in dr_wrapped_quorum_key, which must be that of the quorum key."""
    seed = open_envelope(read_hex(dr_secret), Path(wrapped).read_bytes())
    if public_of_seed(seed) != public:
        raise ValueError("the seed is not that of the quorum key")
    return seed


def main(words):
    if len(words) == 3 and words[0] == "verify-echo":
        with open(words[2], encoding="utf-8") as answer:
            print("signature verifies over:", verify_echo(read_hex(words[1]), json.load(answer)))
    elif len(words) == 5 and words[0] == "open-dr":
        seed = open_dr(words[1], words[2], read_hex(words[3]))
        out = os.open(words[4], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(out, seed.hex().encode())
        os.close(out)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InvalidSignature:
        sys.exit("independent.py: the signature does not verify")
    except (ValueError, OSError) as error:
        sys.exit(f"independent.py: {error}")
