"""An independent model of an instance's genesis (renclave 1.3, 2.3, 2.4, 8.2): members' keys of both forms, shares,
manifests, responses. On python3-cryptography and nothing of ours."""
import hashlib
import os

import qos_model as qos
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ZERO_PCR = bytes(48)


class RawPair:
    """A key pair whose seed is the scalar of encryption and of signatures; shown as 65 bytes."""

    def __init__(self, seed=None):
        self.seed = seed or os.urandom(32)
        self.key = ec.derive_private_key(int.from_bytes(self.seed, "big"), qos.CURVE)
        self.shown = qos._point(self.key.public_key())
        self.public = self.shown + self.shown
        self._encrypt = self._sign = self.key

    sign = qos.Pair.sign
    open = qos.Pair.open


class QosPair(qos.Pair):
    @property
    def shown(self):
        return self.public


def pair_of(seed, shown_size):
    """The pair that a member's secret is of, by the length of the member's public key."""
    return RawPair(seed) if shown_size == 65 else QosPair(seed)


def long_key(shown):
    """As a manifest holds it: 130 bytes."""
    return bytes(shown) * 2 if len(shown) == 65 else bytes(shown)


def verify(shown, message, signature):
    return qos.verify(long_key(shown), message, signature)


def split(secret, n, k):
    """n shares, x || y, of which any k rebuild the secret."""
    rows = [list(os.urandom(k - 1)) for _ in secret]
    shares = []
    for x in range(1, n + 1):
        ys = bytearray()
        for byte, row in zip(secret, rows):
            y = 0
            for coefficient in reversed(row):
                y = qos._multiply(y ^ coefficient, x)
            ys.append(y ^ byte)
        shares.append(bytes([x]) + bytes(ys))
    return shares


def share_hash(share):
    return hashlib.sha512(share).digest()
