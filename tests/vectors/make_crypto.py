#!/usr/bin/python3
"""Makes tests/vectors/crypto/*.json: an independent model of qos-wire sections 1 and 2.

ECDSA, RFC 6979 and GF(2^8) are written here in plain integers; HKDF, AES-GCM and ECDH are those of
python3-cryptography. Everything is derived from fixed labels, so a second run writes the same:

    /usr/bin/python3 tests/vectors/make_crypto.py
"""

import functools
import hashlib
import hmac
import json
import pathlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OUT = pathlib.Path(__file__).resolve().parent / "crypto"


class Curve:
    """A short Weierstrass curve with a = -3, in plain integers."""

    def __init__(self, p, b, n, gx, gy, size, digest, library):
        self.p, self.b, self.n, self.g = p, b, n, (gx, gy)
        self.size, self.digest, self.library = size, digest, library
        assert (gy * gy - gx**3 + 3 * gx - b) % p == 0

    def add(self, a, b):
        if a is None or b is None:
            return b if a is None else a
        if a[0] == b[0] and (a[1] + b[1]) % self.p == 0:
            return None
        if a == b:
            slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, self.p)
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def mul(self, k, point=None):
        total, step = None, point or self.g
        while k:
            if k & 1:
                total = self.add(total, step)
            step = self.add(step, step)
            k >>= 1
        return total

    def octets(self, number):
        return number.to_bytes(self.size, "big")

    def point(self, scalar):
        x, y = self.mul(scalar)
        return b"\x04" + self.octets(x) + self.octets(y)


P256 = Curve(
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    gx=0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    gy=0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    size=32,
    digest="sha256",
    library=ec.SECP256R1(),
)
P384 = Curve(
    p=2**384 - 2**128 - 2**96 + 2**32 - 1,
    b=int(
        "B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE814112"
        "0314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF",
        16,
    ),
    n=int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
    gx=int(
        "AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B98"
        "59F741E082542A385502F25DBF55296C3A545E3872760AB7",
        16,
    ),
    gy=int(
        "3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147C"
        "E9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F",
        16,
    ),
    size=48,
    digest="sha384",
    library=ec.SECP384R1(),
)


def seeded(label, n=32):
    """n bytes that depend on nothing but the label."""
    return hashlib.shake_256(b"quorate crypto vectors: " + label.encode()).digest(n)


# ECDSA with RFC 6979 nonces


def nonces(curve, scalar, hashed):
    def mac(key, data):
        return hmac.new(key, data, curve.digest).digest()

    material = curve.octets(scalar) + curve.octets(int.from_bytes(hashed, "big") % curve.n)
    v, k = b"\x01" * curve.size, b"\x00" * curve.size
    for step in (b"\x00", b"\x01"):
        k = mac(k, v + step + material)
        v = mac(k, v)
    while True:
        v = mac(k, v)
        yield v
        k = mac(k, v + b"\x00")
        v = mac(k, v)


def sign_numbers(curve, scalar, message, k=None):
    hashed = hashlib.new(curve.digest, message).digest()
    for candidate in nonces(curve, scalar, hashed):
        use = int.from_bytes(candidate, "big") if k is None else k
        if not 0 < use < curve.n:
            continue
        r = curve.mul(use)[0] % curve.n
        s = pow(use, -1, curve.n) * (int.from_bytes(hashed, "big") + r * scalar) % curve.n
        if r and s:
            return r, s


def sign(curve, scalar, message):
    r, s = sign_numbers(curve, scalar, message)
    return curve.octets(r) + curve.octets(s)


RFC6979 = [  # RFC 6979 A.2.5 and A.2.6: curve, x, message, k, r, s
    (
        P256,
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "sample",
        "A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        P256,
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "test",
        "D16B6AE827F17175E040871A1C7EC3500192C4C92677336EC2537ACAEE0008E0",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
    (
        P384,
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA"
        "9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        "sample",
        "94ED910D1A099DAD3254E9242AE85ABDE4BA15168EAF0CA8"
        "7A555FD56D10FBCA2907E3E83BA95368623B8C4686915CF9",
        "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA7"
        "3D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
        "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526"
        "203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
    ),
    (
        P384,
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA"
        "9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        "test",
        "015EE46A5BF88773ED9123A5AB0807962D193719503C527B"
        "031B4C2D225092ADA71F4A459BC0DA98ADB95837DB8312EA",
        "8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36"
        "AB775D509D7A5FEB0542A7F0812998DA8F1DD3CA3CF023DB",
        "DDD0760448D42D8A43AF45AF836FCE4DE8BE06B485E9B61B"
        "827C2F13173923E06A739F040649A667BF3B828246BAA5A5",
    ),
]


def rfc6979_file():
    published, drawn = [], []
    for curve, x, message, k, r, s in RFC6979:
        scalar, hashed = int(x, 16), hashlib.new(curve.digest, message.encode()).digest()
        assert next(nonces(curve, scalar, hashed)) == bytes.fromhex(k)
        assert sign(curve, scalar, message.encode()) == bytes.fromhex(r + s)
        published.append(
            {
                "size": curve.size,
                "scalar": x.lower(),
                "message": message,
                "nonce": k.lower(),
                "signature": (r + s).lower(),
            }
        )
    for curve in (P256, P384):
        for i in range(4):
            scalar = int.from_bytes(seeded(f"nonce key {i}", curve.size), "big") % curve.n
            hashed = curve.octets(
                int.from_bytes(seeded(f"nonce hash {i}", curve.size), "big") % curve.n
            )
            source = nonces(curve, scalar, hashed)
            drawn.append(
                {
                    "size": curve.size,
                    "scalar": curve.octets(scalar).hex(),
                    "hash": hashed.hex(),
                    "nonces": [next(source).hex() for _ in range(3)],
                }
            )
    return {"published": published, "drawn": drawn}


# Key pairs


class Pair:
    def __init__(self, seed):
        self.seed = seed
        self.encrypt = self.derive(b"qos_p256_encrypt")
        self.sign = self.derive(b"qos_p256_sign")
        self.aes = self.derive(b"qos_aes_gcm_encrypt")
        self.public = b"".join(
            P256.point(int.from_bytes(s, "big")) for s in (self.encrypt, self.sign)
        )

    def derive(self, path):
        return HKDF(hashes.SHA512(), 32, salt=path, info=b"").derive(self.seed)


def library_key(scalar, curve=P256):
    return ec.derive_private_key(int.from_bytes(scalar, "big"), curve.library)


def off_curve(point):
    return point[:-1] + bytes([point[-1] ^ 1])


def compressed(point):
    half = (len(point) - 1) // 2
    return bytes([2 + (point[-1] & 1)]) + point[1 : 1 + half]


def bad_points(curve, good):
    half = (len(good) - 1) // 2
    wide = curve.octets(curve.p)
    return [
        ("prefix 02 on a full point", b"\x02" + good[1:]),
        ("prefix 05", b"\x05" + good[1:]),
        ("hybrid prefix", bytes([6 + (good[-1] & 1)]) + good[1:]),
        ("prefix 00", b"\x00" + good[1:]),
        ("all zero", bytes(len(good))),
        ("infinity as 04 with zero coordinates", b"\x04" + bytes(2 * half)),
        ("y changed", off_curve(good)),
        ("x and y exchanged", b"\x04" + good[1 + half :] + good[1 : 1 + half]),
        ("x = p", b"\x04" + wide + good[1 + half :]),
        ("y = p", b"\x04" + good[1 : 1 + half] + wide),
        ("all ones", b"\x04" + b"\xff" * (2 * half)),
        ("compressed, padded", compressed(good) + bytes(half)),
    ]


def keys_file():
    pairs, refused = [], []
    for i in range(6):
        pair = Pair(bytes([i * 51] * 32) if i in (0, 5) else seeded(f"pair {i}"))
        for scalar, at in ((pair.encrypt, 0), (pair.sign, 65)):
            public = library_key(scalar).public_key()
            assert (
                public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
                == pair.public[at : at + 65]
            )
        pairs.append(
            {
                "seed": pair.seed.hex(),
                "encrypt_scalar": pair.encrypt.hex(),
                "sign_scalar": pair.sign.hex(),
                "aes_key": pair.aes.hex(),
                "public": pair.public.hex(),
            }
        )
    good = Pair(seeded("pair 1")).public
    for length in (0, 1, 64, 65, 66, 129):
        refused.append(
            {
                "name": f"{length} bytes",
                "public": good[:length].hex(),
                "error": "EncodedPublicKeyTooShort",
            }
        )
    for more in (b"\x00", good):
        refused.append(
            {
                "name": f"{130 + len(more)} bytes",
                "public": (good + more).hex(),
                "error": "EncodedPublicKeyTooLong",
            }
        )
    for name, point in bad_points(P256, good[:65]):
        refused.append(
            {
                "name": f"encryption half: {name}",
                "public": (point + good[65:]).hex(),
                "error": "FailedToReadPublicKey",
            }
        )
    for name, point in bad_points(P256, good[65:]):
        refused.append(
            {
                "name": f"signing half: {name}",
                "public": (good[:65] + point).hex(),
                "error": "FailedToReadPublicKey",
            }
        )
    scalars = [
        {"scalar": P256.octets(k).hex(), "point": P256.point(k).hex()}
        for k in (1, 2, P256.n // 2, P256.n - 2, P256.n - 1)
    ]
    bad_scalars = [P256.octets(k).hex() for k in (0, P256.n, P256.n + 1, 2**256 - 1)]
    bad_scalars += ["", "01", P256.octets(1).hex() + "00", P256.octets(1).hex()[2:]]
    return {
        "pairs": pairs,
        "refused_publics": refused,
        "scalars": scalars,
        "refused_scalars": bad_scalars,
    }


# Signatures


def bad_signatures(curve, r, s, other):
    n, size = curve.n, curve.size
    top = 2 ** (8 * size) - 1

    def join(a, b):
        return curve.octets(a) + curve.octets(b)

    good = join(r, s)
    form = [(f"{length} bytes", good[:length]) for length in (0, 1, size, 2 * size - 1)]
    form += [("one byte more", good + b"\x00"), ("twice", good + good)]
    numbers = {
        "r = 0": (0, s),
        "s = 0": (r, 0),
        "r = s = 0": (0, 0),
        "r = n": (n, s),
        "s = n": (r, n),
        "r = n + 1": (n + 1, s),
        "s = n + 1": (r, n + 1),
        "r all ones": (top, s),
        "s all ones": (r, top),
    }
    if r + n <= top:
        numbers["r + n"] = (r + n, s)
    if s + n <= top:
        numbers["s + n"] = (r, s + n)
    form += [(name, join(a, b)) for name, (a, b) in numbers.items()]
    wrong = {
        "r and s exchanged": (s, r),
        "r negated": (n - r, s),
        "r = s = 1": (1, 1),
        "r = 1": (1, s),
        "s = 1": (r, 1),
        "r = s = n - 1": (n - 1, n - 1),
        "r + 1": (r + 1, s),
        "s + 1": (r, s + 1),
        "of another message": other,
    }
    return form, [(name, join(*pair)) for name, pair in wrong.items()]


def signature_cases(curve, scalar, label):
    """Valid signatures (both halves of s), with the deterministic one marked."""
    cases, seen = [], set()
    messages = [
        b"",
        b"a",
        b"qos-test-message",
        seeded(f"{label} hash"),
        seeded(f"{label} long", 1000),
    ]
    messages += [f"{label} {i}".encode() for i in range(6)]
    for message in messages:
        r, s = sign_numbers(curve, scalar, message)
        for value in (s, curve.n - s):
            high = value > curve.n // 2
            seen.add((value == s, high))
            cases.append(
                {
                    "message": message.hex(),
                    "signature": (curve.octets(r) + curve.octets(value)).hex(),
                    "high_s": high,
                    "deterministic": value == s,
                }
            )
    assert len(seen) == 4
    return cases


def refused_signatures(curve, scalar, names):
    message = b"to be refused"
    form, wrong = bad_signatures(
        curve,
        *sign_numbers(curve, scalar, message),
        sign_numbers(curve, scalar, b"another message"),
    )
    return [
        {"name": name, "message": message.hex(), "signature": signature.hex(), "error": error}
        for error, group in zip(names, (form, wrong))
        for name, signature in group
    ]


def p256_signatures_file():
    pair = Pair(seeded("pair 2"))
    scalar = int.from_bytes(pair.sign, "big")
    return {
        "seed": pair.seed.hex(),
        "public": pair.public.hex(),
        "valid": signature_cases(P256, scalar, "p256"),
        "refused": refused_signatures(
            P256, scalar, ("FailedToDeserializeSignature", "FailedSignatureVerification")
        ),
    }


def p384_file():
    scalar = int.from_bytes(seeded("p384 key", 48), "big") % P384.n
    point = P384.point(scalar)
    cases = [
        ("63 bytes short", point[:34]),
        ("one byte short", point[:-1]),
        ("one byte more", point + b"\x00"),
        ("compressed", compressed(point)),
        ("empty", b""),
        ("a P-256 point", P256.point(7)),
    ]
    refused_points = [
        {"name": name, "point": bad.hex()} for name, bad in cases + bad_points(P384, point)
    ]
    bad_scalars = [P384.octets(k).hex() for k in (0, P384.n, 2**384 - 1)] + [
        "",
        "01",
        P384.octets(1).hex() + "00",
    ]
    return {
        "scalar": P384.octets(scalar).hex(),
        "point": point.hex(),
        "valid": signature_cases(P384, scalar, "p384"),
        "refused": refused_signatures(P384, scalar, ("expected", "expected one by this key")),
        "refused_points": refused_points,
        "refused_scalars": bad_scalars,
    }


# Envelopes


def shared_x(ephemeral, receiver_point):
    peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), receiver_point)
    return library_key(ephemeral).exchange(ec.ECDH(), peer)


def seal(ephemeral, nonce, receiver_point, plaintext):
    own = P256.point(int.from_bytes(ephemeral, "big"))
    key = hmac.new(
        own + receiver_point + shared_x(ephemeral, receiver_point),
        b"qos_encryption_hmac_message",
        "sha512",
    ).digest()[:32]
    aad = own + bytes([len(own)]) + receiver_point + bytes([len(receiver_point)])
    sealed = AESGCM(key).encrypt(nonce, plaintext, aad)
    return nonce + own + struct.pack("<I", len(sealed)) + sealed


def seal_symmetric(pair, nonce, plaintext):
    sealed = AESGCM(pair.aes).encrypt(nonce, plaintext, b"qos_aes_gcm_256_hmac_sha512")
    return nonce + struct.pack("<I", len(sealed)) + sealed


def flip(data, at, bit=0):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def refused_envelopes(good, other, header):
    """header: bytes before the length field."""
    body = header + 4
    length = len(good) - body
    cut = [0, 1, 11, 12, 13, header - 1, header, header + 3, body, len(good) - 1]
    cases = [
        (f"cut to {n} bytes", good[:n], "FailedToDeserializeEnvelope") for n in sorted(set(cut))
    ]
    cases += [
        ("one byte more", good + b"\x00", "FailedToDeserializeEnvelope"),
        ("twice", good + good, "FailedToDeserializeEnvelope"),
    ]
    for name, claim in (
        ("length + 1", length + 1),
        ("length - 1", length - 1),
        ("length 0", 0),
        ("length 4 GiB", 2**32 - 1),
        ("length big-endian", int.from_bytes(struct.pack(">I", length), "little")),
    ):
        cases.append(
            (
                name,
                good[:header] + struct.pack("<I", claim) + good[body:],
                "FailedToDeserializeEnvelope",
            )
        )
    for n in (0, 1, 15):
        cases.append(
            (
                f"ciphertext of {n} bytes",
                good[:header] + struct.pack("<I", n) + good[body : body + n],
                "AesGcm256DecryptError",
            )
        )
    cases += [
        ("tag alone", good[:header] + struct.pack("<I", 16) + good[-16:], "AesGcm256DecryptError"),
        ("nonce flipped", flip(good, 0), "AesGcm256DecryptError"),
        ("last nonce bit flipped", flip(good, 11, 7), "AesGcm256DecryptError"),
        ("ciphertext flipped", flip(good, body), "AesGcm256DecryptError"),
        ("first tag byte flipped", flip(good, len(good) - 16), "AesGcm256DecryptError"),
        ("last tag byte flipped", flip(good, len(good) - 1, 7), "AesGcm256DecryptError"),
        ("tag zero", good[:-16] + bytes(16), "AesGcm256DecryptError"),
        ("for another receiver", other, "AesGcm256DecryptError"),
    ]
    return [{"name": name, "envelope": data.hex(), "error": error} for name, data, error in cases]


def envelopes_file():
    pair, stranger = Pair(seeded("pair 3")), Pair(seeded("pair 4"))
    own = pair.public[:65]
    sealed, symmetric = [], []
    for i, n in enumerate((0, 1, 15, 16, 17, 32, 33, 130, 1000)):
        ephemeral, nonce, plaintext = (
            seeded(f"ephemeral {i}"),
            seeded(f"nonce {i}", 12),
            seeded(f"plain {i}", n),
        )
        sealed.append(
            {
                "ephemeral": ephemeral.hex(),
                "nonce": nonce.hex(),
                "plaintext": plaintext.hex(),
                "shared_x": shared_x(ephemeral, own).hex(),
                "envelope": seal(ephemeral, nonce, own, plaintext).hex(),
            }
        )
        symmetric.append(
            {
                "nonce": nonce.hex(),
                "plaintext": plaintext.hex(),
                "envelope": seal_symmetric(pair, nonce, plaintext).hex(),
            }
        )
    ephemeral, nonce, plaintext = seeded("refused"), seeded("refused", 12), seeded("refused plain")
    good = seal(ephemeral, nonce, own, plaintext)
    refused = refused_envelopes(good, seal(ephemeral, nonce, stranger.public[:65], plaintext), 77)
    refused += [
        {
            "name": f"ephemeral point: {name}",
            "envelope": (good[:12] + point + good[77:]).hex(),
            "error": "FailedToDeserializePublicKey",
        }
        for name, point in bad_points(P256, good[12:77])
    ]
    refused += [
        {
            "name": "another ephemeral point",
            "envelope": (good[:12] + P256.point(9) + good[77:]).hex(),
            "error": "AesGcm256DecryptError",
        },
        {
            "name": "sealed to the signing half",
            "envelope": seal(ephemeral, nonce, pair.public[65:], plaintext).hex(),
            "error": "AesGcm256DecryptError",
        },
    ]
    good = seal_symmetric(pair, nonce, plaintext)
    refused_symmetric = refused_envelopes(good, seal_symmetric(stranger, nonce, plaintext), 12)
    return {
        "seed": pair.seed.hex(),
        "sealed": sealed,
        "refused": refused,
        "symmetric": symmetric,
        "refused_symmetric": refused_symmetric,
    }


# Shamir


def gf_mul(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11B
        b >>= 1
    return product


@functools.lru_cache(None)
def gf_inverse(a):
    return next(b for b in range(256) if gf_mul(a, b) == 1)


def split(secret, n, k, random):
    """random: the k - 1 rows of coefficients, of x first, each a byte per secret byte."""
    rows = [secret] + [random[i * len(secret) : (i + 1) * len(secret)] for i in range(k - 1)]
    shares = []
    for x in range(1, n + 1):
        payload, power = bytes(len(secret)), 1
        for row in rows:
            payload = bytes(p ^ gf_mul(c, power) for p, c in zip(payload, row))
            power = gf_mul(power, x)
        shares.append(bytes([x]) + payload)
    return shares


def combine(shares):
    out = bytes(len(shares[0]) - 1)
    for share in shares:
        weight = 1
        for other in shares:
            if other is not share:
                weight = gf_mul(weight, gf_mul(other[0], gf_inverse(other[0] ^ share[0])))
        out = bytes(o ^ gf_mul(s, weight) for o, s in zip(out, share[1:]))
    return out


def shamir_file():
    cases = []
    for i, (n, k, size) in enumerate(
        ((2, 2, 1), (3, 2, 32), (5, 3, 32), (5, 5, 33), (16, 9, 7), (255, 2, 4), (255, 128, 2))
    ):
        secret, random = seeded(f"secret {i}", size), seeded(f"coefficients {i}", size * (k - 1))
        shares = split(secret, n, k, random)
        assert combine(shares[-k:]) == combine(shares) == secret != combine(shares[: max(k - 1, 1)])
        cases.append(
            {
                "n": n,
                "k": k,
                "secret": secret.hex(),
                "random": random.hex(),
                "shares": [s.hex() for s in shares],
            }
        )
    zero = {
        "n": 3,
        "k": 3,
        "secret": "00ff",
        "random": "00000000",
        "shares": ["0100ff", "0200ff", "0300ff"],
    }
    assert [s.hex() for s in split(bytes.fromhex("00ff"), 3, 3, bytes(4))] == zero["shares"]
    shares = split(seeded("secret 2"), 5, 3, seeded("coefficients 2", 64))
    too_few = {"shares": [s.hex() for s in shares[:2]], "combined": combine(shares[:2]).hex()}
    a, b, c = shares[:3]
    refused = [
        ("no share", [], "SharingMinThreshold"),
        ("one share", [a], "SharingMinThreshold"),
        ("the same share twice", [a, a], "SharingDuplicateIdentifier"),
        (
            "one identifier, two payloads",
            [a, b, bytes([a[0]]) + c[1:]],
            "SharingDuplicateIdentifier",
        ),
        ("identifier 0", [a, b"\x00" + b[1:]], "SharingInvalidIdentifier"),
        ("identifier 0 first", [b"\x00" + b[1:], a], "SharingInvalidIdentifier"),
        ("one byte less", [a, b[:-1]], "InvalidShare"),
        ("one byte more", [a, b + b"\x00"], "InvalidShare"),
        ("empty shares", [b"", b""], "InvalidShare"),
        ("one empty share", [a, b""], "InvalidShare"),
        ("identifiers alone", [a[:1], b[:1]], "InvalidShare"),
    ]
    field = [
        [a, b, gf_mul(a, b)]
        for a, b in ((0, 0), (1, 255), (2, 128), (0x53, 0xCA), (0x57, 0x83), (255, 255))
    ]
    return {
        "split": cases + [zero],
        "too_few": too_few,
        "mul": field,
        "inverses": [0] + [gf_inverse(a) for a in range(1, 256)],
        "refused": [
            {"name": name, "shares": [s.hex() for s in group], "error": error}
            for name, group, error in refused
        ],
    }


def main():
    OUT.mkdir(exist_ok=True)
    files = {
        "rfc6979": rfc6979_file,
        "p256_keys": keys_file,
        "p256_signatures": p256_signatures_file,
        "p256_envelopes": envelopes_file,
        "p384": p384_file,
        "shamir": shamir_file,
    }
    for name, make in files.items():
        (OUT / f"{name}.json").write_text(json.dumps(make(), indent=1) + "\n")


if __name__ == "__main__":
    main()
