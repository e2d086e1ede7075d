"""Seeds, keys, addresses and envelopes of the built-in application by another implementation: BIP39, BIP32, SLIP-0010,
Keccak-256 and EIP-55 over hashlib and python3-cryptography."""

import hashlib
import hmac
import pathlib
import struct
import unicodedata

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import qos_model as qos

WORDS = (pathlib.Path(__file__).resolve().parents[2] / "src/app/wallet/english.txt").read_text().split()
LABELS = {"secp256k1": b"Bitcoin seed", "p256": b"Nist256p1 seed", "ed25519": b"ed25519 seed"}
LIBRARY = {"secp256k1": ec.SECP256K1(), "p256": ec.SECP256R1()}
ORDERS = {"secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
          "p256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551}
MASK = 2**64 - 1


def phrase(entropy):
    bits = "".join(f"{b:08b}" for b in entropy + hashlib.sha256(entropy).digest()[:1])
    bits = bits[:len(entropy) * 8 + len(entropy) // 4]
    return " ".join(WORDS[int(bits[i:i + 11], 2)] for i in range(0, len(bits), 11))


def bip39_seed(words, passphrase=""):
    salt = "mnemonic" + unicodedata.normalize("NFKD", passphrase)
    return hashlib.pbkdf2_hmac("sha512", words.encode(), salt.encode(), 2048)


def private_key(curve, secret):
    if curve == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    return ec.derive_private_key(int.from_bytes(secret, "big"), LIBRARY[curve])


def public_key(curve, secret, whole=False):
    public = private_key(curve, secret).public_key()
    if curve == "ed25519":
        return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    form = serialization.PublicFormat
    return public.public_bytes(serialization.Encoding.X962,
                               form.UncompressedPoint if whole else form.CompressedPoint)


def derive(curve, seed, path):
    """The private key. (A child that no key belongs to comes once in 2^127: not treated.)"""
    both = hmac.new(LABELS[curve], seed, "sha512").digest()
    for step in path.split("/")[1:]:
        hard = step.endswith("'") or curve == "ed25519"
        index = int(step.rstrip("'")) + (2**31 if hard else 0)
        key = b"\0" + both[:32] if hard else public_key(curve, both[:32])
        child = hmac.new(both[32:], key + index.to_bytes(4, "big"), "sha512").digest()
        if curve != "ed25519":
            number = (int.from_bytes(child[:32], "big") + int.from_bytes(both[:32], "big")) % ORDERS[curve]
            child = number.to_bytes(32, "big") + child[32:]
        both = child
    return both[:32]


def _turn(word, by):
    return (word << by % 64 | word >> (64 - by % 64)) & MASK if by % 64 else word


def _permute(a):
    register = 1
    for _ in range(24):
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        a = [a[i] ^ c[(i + 4) % 5] ^ _turn(c[(i + 1) % 5], 1) for i in range(25)]
        x, y, word = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            word, a[x + 5 * y] = a[x + 5 * y], _turn(word, (t + 1) * (t + 2) // 2)
        a = [a[i] ^ ~a[i // 5 * 5 + (i + 1) % 5] & a[i // 5 * 5 + (i + 2) % 5] & MASK for i in range(25)]
        for j in range(7):
            if register & 1:
                a[0] ^= 1 << ((1 << j) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return a


def keccak256(message):
    padded = bytearray(message + bytes(136 - len(message) % 136))
    padded[len(message)] ^= 1
    padded[-1] ^= 0x80
    state = [0] * 25
    for at in range(0, len(padded), 136):
        lanes = struct.unpack("<17Q", padded[at:at + 136])
        state = _permute([word ^ (lanes[i] if i < 17 else 0) for i, word in enumerate(state)])
    return struct.pack("<4Q", *state[:4])


def ethereum_address(secret):
    digits = keccak256(public_key("secp256k1", secret, whole=True)[1:])[-20:].hex()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(h, 16) > 7 else c for c, h in zip(digits, digest))


def base58(data):
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def verify(curve, public, message, signature, as_message):
    """Signatures as the application makes them: DER, of ed25519 64 bytes."""
    if curve == "ed25519":
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return
    key = ec.EllipticCurvePublicKey.from_encoded_point(LIBRARY[curve], public)
    if curve == "p256":
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        return
    if as_message:
        message = b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message
    key.verify(signature, keccak256(message), ec.ECDSA(utils.Prehashed(hashes.SHA256())))


class QuorumKey:
    """The quorum key from its 32 bytes, of either suite: opens and makes envelopes with a purpose, or with none."""

    def __init__(self, seed, long):
        self.pair = qos.Pair(seed) if long else None
        self.private = self.pair._encrypt if long else ec.derive_private_key(int.from_bytes(seed, "big"), qos.CURVE)
        self.point = qos._point(self.private.public_key())
        signer = self.pair._sign if long else self.private
        self.signing_point = qos._point(signer.public_key())
        self.length = b"\x41" if long else (65).to_bytes(8, "big")

    def _box(self, sender, shared):
        key = hmac.new(sender + self.point + shared, b"qos_encryption_hmac_message", hashlib.sha512)
        return AESGCM(key.digest()[:32])

    def open(self, envelope, purpose=b""):
        nonce, sender, box = envelope[:12], envelope[12:77], envelope[81:]
        shared = self.private.exchange(ec.ECDH(), qos._public(sender))
        more = sender + self.length + self.point + self.length + purpose
        return self._box(sender, shared).decrypt(nonce, box, more)

    def seal(self, plaintext, purpose=b"", length=None):
        one = ec.generate_private_key(qos.CURVE)
        sender, nonce, length = qos._point(one.public_key()), bytes(12), length or self.length
        shared = one.exchange(ec.ECDH(), qos._public(self.point))
        box = self._box(sender, shared).encrypt(nonce, plaintext, sender + length + self.point + length + purpose)
        return nonce + sender + struct.pack("<I", len(box)) + box


def stored_seed(plaintext):
    """(entropy, passphrase) of what a seed's envelope holds."""
    assert plaintext[:19] == struct.pack("<I", 15) + b"quorate-seed-v1"
    n, = struct.unpack("<I", plaintext[19:23])
    entropy, rest = plaintext[23:23 + n], plaintext[23 + n:]
    assert struct.unpack("<I", rest[:4])[0] == len(rest) - 4
    return entropy, rest[4:]
