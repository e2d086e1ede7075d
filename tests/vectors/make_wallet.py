#!/usr/bin/python3
"""Makes wallet/model.json: seeds, keys, addresses and signatures by a model that shares nothing with the C code but
the specifications (BIP39, BIP32, SLIP-0010, EIP-55, EIP-191, RFC 6979). Before it writes, the model reproduces every
figure of wallet/published.json. Needs Debian's python3-cryptography and python3-mnemonic.
"""
import hashlib
import hmac
import json
import unicodedata
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives import hashes, serialization
from mnemonic import Mnemonic

OUT = Path(__file__).resolve().parent / "wallet"
LIST = Mnemonic("english")
WORDS = LIST.wordlist
HARD = 1 << 31
STRENGTHS = (16, 20, 24, 28, 32)


def seeded(label, n=32):
    return hashlib.shake_256(f"quorate wallet {label}".encode()).digest(n)


# BIP39


def phrase(entropy):
    bits = "".join(f"{b:08b}" for b in entropy) + f"{hashlib.sha256(entropy).digest()[0]:08b}"[: len(entropy) // 4]
    words = " ".join(WORDS[int(bits[i : i + 11], 2)] for i in range(0, len(bits), 11))
    assert words == LIST.to_mnemonic(entropy) and bytes(LIST.to_entropy(words)) == entropy
    return words


def is_phrase(words):
    return len(words) in (12, 15, 18, 21, 24) and set(words) <= set(WORDS) and LIST.check(" ".join(words))


def bip39_seed(words, passphrase):
    salt = "mnemonic" + unicodedata.normalize("NFKD", passphrase)
    seed = hashlib.pbkdf2_hmac("sha512", words.encode(), salt.encode(), 2048)
    assert seed == Mnemonic.to_seed(words, passphrase)
    return seed


def read_text(text):
    """The original's text form: (words, passphrase), or None."""
    parts = text.split()
    for n in (24, 21, 18, 15, 12):
        if len(parts) >= n and is_phrase(parts[:n]):
            return " ".join(parts[:n]), " ".join(parts[n:])
    return None


# Curves


class Secp256k1:
    name, label, library = "secp256k1", b"Bitcoin seed", ec.SECP256K1()
    p, n, a = 2**256 - 2**32 - 977, 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141, 0


class P256:
    name, label, library = "P-256", b"Nist256p1 seed", ec.SECP256R1()
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Ed25519:
    name, label = "ed25519", b"ed25519 seed"


CURVES = {c.name: c for c in (Secp256k1, P256, Ed25519)}


def public(curve, private, form=serialization.PublicFormat.CompressedPoint):
    raw = serialization.Encoding.Raw
    if curve is Ed25519:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(private)
        return key.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
    key = ec.derive_private_key(int.from_bytes(private, "big"), curve.library)
    return key.public_key().public_bytes(serialization.Encoding.X962, form)


def h512(key, data):
    both = hmac.new(key, data, "sha512").digest()
    return both[:32], both[32:]


def master(curve, seed):
    key, chain = h512(curve.label, seed)
    while curve is not Ed25519 and not 0 < int.from_bytes(key, "big") < curve.n:
        assert curve is P256
        key, chain = h512(curve.label, key + chain)
    return key, chain


def child(curve, key, chain, index):
    data = (b"\0" + key if index >= HARD else public(curve, key)) + index.to_bytes(4, "big")
    while True:
        left, right = h512(chain, data)
        if curve is Ed25519:
            return left, right
        number = int.from_bytes(left, "big")
        total = (number + int.from_bytes(key, "big")) % curve.n
        if number < curve.n and total:
            return total.to_bytes(32, "big"), right
        assert curve is P256
        data = b"\1" + right + index.to_bytes(4, "big")


def levels(curve, path):
    out = []
    for part in path.split("/")[1:]:
        hard = part[-1] in "'h" or curve is Ed25519
        out.append(int(part.rstrip("'h")) + (HARD if hard else 0))
    return out


def effective(curve, path):
    return "m" + "".join(f"/{i % HARD}" + ("'" if i >= HARD else "") for i in levels(curve, path))


def derive(curve, seed, path):
    key, chain = master(curve, seed)
    for index in levels(curve, path):
        key, chain = child(curve, key, chain, index)
    return key, chain


# Keccak and addresses


def keccak_f(a):
    lfsr = 1
    for _ in range(24):
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, a[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x][y] = a[x][y], rotate(current, (t + 1) * (t + 2) // 2)
        a = [[a[x][y] ^ (~a[(x + 1) % 5][y] & a[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        for j in range(7):
            if lfsr & 1:
                a[0][0] ^= 1 << ((1 << j) - 1)
            lfsr = lfsr << 1 ^ (0x171 if lfsr & 0x80 else 0)
    return a


def rotate(word, by):
    by %= 64
    return (word << by | word >> (64 - by)) & (2**64 - 1)


def keccak256(message):
    rate, a = 136, [[0] * 5 for _ in range(5)]
    padded = bytearray(message + bytes(rate - len(message) % rate))
    padded[len(message)] ^= 1
    padded[-1] ^= 0x80
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            a[i % 5][i // 5] ^= int.from_bytes(padded[at + 8 * i : at + 8 * i + 8], "little")
        a = keccak_f(a)
    return b"".join(a[i][0].to_bytes(8, "little") for i in range(4))


def eip55(digits):
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(h, 16) >= 8 else c for c, h in zip(digits, digest))


def base58(data):
    alphabet, number, out = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = alphabet[digit] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def unbase58(text):
    alphabet, number = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 0
    for c in text:
        number = number * 58 + alphabet.index(c)
    raw = number.to_bytes(82, "big")
    assert hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]
    return raw[:-4]


def address(curve, private):
    if curve is Ed25519:
        return base58(public(curve, private))
    if curve is P256:
        return public(curve, private).hex()
    point = public(curve, private, serialization.PublicFormat.UncompressedPoint)
    return eip55(keccak256(point[1:])[-20:].hex())


# Signatures


def rfc6979(order, private, digest):
    """The first candidate; none of our figures needs a second one."""
    number = private + (int.from_bytes(digest, "big") % order).to_bytes(32, "big")
    k, v = bytes(32), b"\1" * 32
    for mark in (b"\0", b"\1"):
        k = hmac.new(k, v + mark + number, "sha256").digest()
        v = hmac.new(k, v, "sha256").digest()
    nonce = int.from_bytes(hmac.new(k, v, "sha256").digest(), "big")
    assert 0 < nonce < order
    return nonce


def ecdsa(curve, private, digest, low):
    nonce = rfc6979(curve.n, private, digest)
    point = ec.derive_private_key(nonce, curve.library).public_key().public_numbers()
    r, d = point.x % curve.n, int.from_bytes(private, "big")
    s = pow(nonce, -1, curve.n) * (int.from_bytes(digest, "big") + r * d) % curve.n
    parity = point.y & 1 | (2 if point.x >= curve.n else 0)
    if low and s > curve.n // 2:
        s, parity = curve.n - s, parity ^ 1
    key = ec.derive_private_key(d, curve.library).public_key()
    der = utils.encode_dss_signature(r, s)
    key.verify(der, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big"), der, parity


def sign(curve, private, kind, message):
    """(compact, DER or None, recovery id or None)"""
    if curve is Ed25519:
        return ed25519.Ed25519PrivateKey.from_private_bytes(private).sign(message), None, None
    if curve is P256:
        return ecdsa(curve, private, hashlib.sha256(message).digest(), False)[:2] + (None,)
    if kind == "message":
        message = b"\x19Ethereum Signed Message:\n%d" % len(message) + message
    return ecdsa(curve, private, keccak256(message), True)


# The published figures, reproduced


def check_published(figures):
    for row in figures["bip39"]:
        assert phrase(bytes.fromhex(row["entropy"])) == row["words"]
        assert is_phrase(row["words"].split())
        assert bip39_seed(row["words"], figures["bip39_passphrase"]).hex() == row["seed"]
    for tree in figures["bip32"]:
        for row in tree["keys"]:
            key, chain = derive(Secp256k1, bytes.fromhex(tree["seed"]), row["path"])
            assert unbase58(row["xprv"])[13:] == chain + b"\0" + key
            assert "xpub" not in row or unbase58(row["xpub"])[13:] == chain + public(Secp256k1, key)
    for tree in figures["slip10"]:
        curve = CURVES[tree["curve"]]
        for row in tree["keys"]:
            key = derive(curve, bytes.fromhex(tree["seed"]), row["path"])[0]
            assert key.hex() == row["private"]
            assert row.get("public", public(curve, key).hex()) == public(curve, key).hex()
    for row in figures["addresses"]:
        curve = CURVES[row["curve"]]
        key = derive(curve, bip39_seed(row["words"], ""), row["path"])[0]
        assert key.hex() == row["private"] and address(curve, key) == row["address"]
    for text in figures["eip55"]:
        assert eip55(text[2:].lower()) == text
    for row in figures["keccak256"]:
        assert keccak256(bytes.fromhex(row["message"])).hex() == row["hash"]
    for row in figures["signatures"]:
        made = sign(CURVES[row["curve"]], bytes.fromhex(row["private"]), row["as"], bytes.fromhex(row["message"]))
        assert made[0].hex() == row["signature"] and made[2] == row.get("recovery_id")


# What the model adds

PASSPHRASES = (
    "", "TREZOR", " ", "  two  spaces\tand a tab ", "p\u00e4ssw\u00f6rd", "pa\u0308sswo\u0308rd", "\uff46\uff55\uff4c\uff4c",
    "\ufdfa", "\u212b\u00c5A\u030a", "q\u0307\u0323 q\u0323\u0307", "\ud55c\uae00", "\U0001f511", "\u00bd \u2460 \ufb03", "\u3000",
    "\u0344\u1e9b\u0323", "x" * 200, "\u00e9" * 300,
)


def mnemonics():
    rows = []
    for i in range(60):
        entropy = seeded(f"entropy {i}", STRENGTHS[i % 5])
        if i % 12 == 11:
            entropy = bytes(2) + entropy[2:]
        passphrase = PASSPHRASES[i % len(PASSPHRASES)]
        words = phrase(entropy)
        rows.append({"entropy": entropy.hex(), "words": words, "passphrase": passphrase,
                     "seed": bip39_seed(words, passphrase).hex()})
    return rows


def nfkd_of_everything():
    """SHA-256 over the NFKD of every code point that Python's version of Unicode assigns, each with a line end behind
    it; and which these are, as (first, last)."""
    points = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
    text = "".join(chr(c) + "\n" for c in points)
    ranges = []
    for c in points:
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    digest = hashlib.sha256(unicodedata.normalize("NFKD", text).encode()).hexdigest()
    return {"unicode": unicodedata.unidata_version, "sha256": digest, "assigned": ranges}


def extended(words, more):
    """words and then `more` list words, such that all of them together are a phrase, too."""
    at = 0
    while True:
        tail = [WORDS[(at // 2048**k) % 2048] for k in range(more)]
        if is_phrase(words.split() + tail):
            return " ".join(tail)
        at += 1


def texts():
    twelve, fifteen, full = phrase(seeded("a", 16)), phrase(seeded("b", 20)), phrase(seeded("c", 32))
    swallowed = extended(twelve, 3)
    given = [
        twelve, fifteen, full, f"  {twelve}\n", twelve.replace(" ", "  "), twelve.replace(" ", "\t\r\n\v\f"),
        twelve.replace(" ", "\u3000"), "\u00a0" + twelve.replace(" ", "\u2003") + "\u2028", f"{twelve} pass", f"{full} test-passphrase",
        f"{twelve} two words", f"{twelve}   three   spaced\twords ", f"{twelve} p\u00e4ss\u3000w\u00f6rd", f"{twelve} {swallowed}",
        f"{twelve} {twelve}", f"{full} {full}", f"{fifteen} zoo zoo zoo", f"{twelve} abandon",
        f"{twelve} \u200b", f"{full} " + "y" * 3000,
        # not a phrase
        "", " ", "\u3000", "abandon", "invalid seed phrase", " ".join(twelve.split()[:11]), twelve.upper(), twelve.title(),
        " ".join(["abandon"] * 12), " ".join(["abandon"] * 24), twelve.replace(" ", "-"), twelve.replace(" ", "\u200b"),
        "x" + twelve, "pass " + twelve, twelve + "x", " ".join(twelve.split()[::-1]), " ".join(w[:4] for w in full.split()),
        " ".join(["abandonabandon"] * 12), " ".join(["xxabandon"] * 11 + ["about"]), "\uff41bandon " * 11 + "about",
    ]
    rows = []
    for text in given:
        found = read_text(text)
        row = {"text": text, "count": len(text.split())}
        if found:
            row["entropy"] = bytes(LIST.to_entropy(found[0])).hex()
            row["passphrase"] = found[1]
        rows.append(row)
    assert read_text(f"{twelve} {swallowed}")[1] == ""
    return rows, {"words": twelve, "passphrase": swallowed}


def keys():
    rows = []
    paths = ("m", "m/0", "m/0'", "m/1/2/3", "m/44'/60'/0'/0/0", "m/44'/60'/0'/0/7", "m/44'/501'/0'/0/0", "m/44'/501'/1'/0'",
             "m/84h/0h/0h/0/0", "m/2147483647'/2147483647", "m" + "/1" * 32)
    for i in range(6):
        seed = seeded(f"hd seed {i}", (16, 24, 32, 48, 63, 64)[i])
        for path in paths:
            for curve in CURVES.values():
                key = derive(curve, seed, path)[0]
                rows.append({"curve": curve.name, "seed": seed.hex(), "path": path, "effective": effective(curve, path),
                             "private": key.hex(), "public": public(curve, key).hex(), "address": address(curve, key)})
    # Leading zeros, which base58 writes as digits of their own.
    found, i = 0, 0
    while found < 2:
        key = seeded(f"zeros {i}")
        if public(Ed25519, key)[0] == 0:
            found += 1
            rows.append({"curve": "ed25519", "public": public(Ed25519, key).hex(), "address": address(Ed25519, key)})
        i += 1
    return rows


def signatures():
    rows = []
    messages = (b"", b"\x00", b"hello", b"\xf8\x01" + bytes(60), bytes(range(256)), b"\x02" + seeded("tx", 400), b"m" * 135, b"m" * 136,
                b"m" * 137, b"m" * 272)
    edge = {"secp256k1": [1, Secp256k1.n - 1], "P-256": [1, P256.n - 1], "ed25519": [0, 2**256 - 1]}
    for curve in CURVES.values():
        privates = [seeded(f"signer {i}") for i in range(4)] + [k.to_bytes(32, "big") for k in edge[curve.name]]
        for private in privates:
            for kind in ("transaction", "message"):
                for message in messages:
                    if kind == "transaction" and not message:
                        continue
                    compact, der, recovery = sign(curve, private, kind, message)
                    row = {"curve": curve.name, "private": private.hex(), "public": public(curve, private).hex(), "as": kind,
                           "message": message.hex(), "signature": compact.hex()}
                    if der is not None:
                        row["der"] = der.hex()
                    if recovery is not None:
                        row["recovery_id"] = recovery
                    rows.append(row)
    return rows


def main():
    check_published(json.loads((OUT / "published.json").read_text(encoding="utf-8")))
    read, swallowed = texts()
    model = {"mnemonics": mnemonics(), "texts": read, "swallowed": swallowed, "keys": keys(), "signatures": signatures(),
             "nfkd": nfkd_of_everything(),
             "keccak256": [{"message": seeded("keccak", n).hex(), "hash": keccak256(seeded("keccak", n)).hex()}
                           for n in (1, 31, 32, 134, 135, 136, 137, 271, 272, 273, 1000)]}
    lines = [f" {json.dumps(name)}: " + ("[\n  " + ",\n  ".join(map(json.dumps, rows)) + "\n ]" if isinstance(rows, list)
                                          else json.dumps(rows)) for name, rows in model.items()]
    (OUT / "model.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
