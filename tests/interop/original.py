"""What the stand-ins share: the original's command-line grammar and its own flags, and nothing else
(qos-behaviour 0.3, 1.6, 2.1, 3.1, 4.1). A flag that only ours has is an error here, so a scenario that runs with
the stand-ins uses nothing that the original lacks."""
import datetime
import hashlib
import hmac
import os
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import qos_model as qos  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

BASE = ["host-ip", "host-port", "endpoint-base-path=qos"]
KEY = ["secret-path?", "yubikey!"]
SKIP = ["unsafe-skip-attestation!"]
PARTS = ["qos-release-dir", "pcr3-preimage-path", "pivot-hash-path", "manifest-set-dir",
         "share-set-dir", "quorum-key-path", "patch-set-dir?"]

# A bare name is a required value, "name?" an optional one, "name=x" has a default, "name!" is a switch.
COMMANDS = {
    "host-health": BASE,
    "enclave-status": BASE,
    "enclave-version": BASE,
    "generate-file-key": ["master-seed-path", "pub-path"],
    "pivot-hash": ["pivot-path", "output-path"],
    "boot-genesis": BASE + ["namespace-dir", "share-set-dir", "pcr3-preimage-path",
                            "qos-release-dir", "dr-key-path?"] + SKIP,
    "after-genesis": ["share-path", "alias", "namespace-dir", "qos-release-dir",
                      "pcr3-preimage-path", "current-pin-path?", "validation-time-override?"]
                     + KEY + SKIP,
    "verify-genesis": ["namespace-dir", "master-seed-path"],
    "generate-manifest": ["nonce", "namespace", "restart-policy", "manifest-path", "pivot-args=[]",
                          "bridge-config=[]", "dns-resolvers?", "debug-mode=false",
                          "use-manifest-version=1"] + PARTS,
    "approve-manifest": ["manifest-path", "manifest-approvals-dir", "alias",
                         "unsafe-auto-confirm!"] + PARTS + KEY,
    "generate-manifest-envelope": ["manifest-approvals-dir", "manifest-path",
                                   "manifest-envelope-path?"],
    "boot-standard": BASE + ["pivot-path", "pcr3-preimage-path", "manifest-envelope-path?"] + SKIP,
    "get-attestation-doc": BASE + ["attestation-doc-path", "manifest-envelope-path?"],
    "proxy-re-encrypt-share": ["share-path", "approval-path", "eph-wrapped-share-path",
                               "attestation-doc-path", "pcr3-preimage-path", "manifest-set-dir",
                               "alias", "manifest-envelope-path?", "unsafe-eph-path-override?",
                               "unsafe-auto-confirm!"] + KEY + SKIP,
    "post-share": BASE + ["approval-path", "eph-wrapped-share-path"],
    "boot-key-fwd": BASE + ["pivot-path", "attestation-doc-path", "manifest-envelope-path?"],
    "export-key": BASE + ["attestation-doc-path", "encrypted-quorum-key-path",
                          "manifest-envelope-path?"],
    "inject-key": BASE + ["encrypted-quorum-key-path"],
    "dangerous-dev-boot": BASE + ["pivot-path", "restart-policy", "pivot-args=[]",
                                  "unsafe-eph-path-override?"],
}
# Of the original, and of no scenario here.
OTHER_COMMANDS = {
    "provision-yubikey": ["pub-path", "yubikey!"],
    "advanced-provision-yubikey": ["master-seed-path", "current-pin-path?"],
    "yubikey-sign": ["payload"],
    "yubikey-public": [],
    "yubikey-piv-reset": [],
    "yubikey-change-pin": ["new-pin-path", "current-pin-path?"],
    "get-ephemeral-key-hex": ["attestation-doc-path", "ephemeral-key-path"],
    "shamir-split": ["secret-path", "total-shares", "threshold", "output-dir"],
    "shamir-reconstruct": ["share", "output-path"],
    "display": ["file-path", "display-type", "json!"],
    "json-to-borsh": ["file-path", "display-type", "output-path"],
    "p256-sign": ["payload-path", "signature-path", "master-seed-path"],
    "p256-verify": ["payload-path", "signature-path", "pub-path"],
    "p256-asymmetric-encrypt": ["plaintext-path", "ciphertext-path", "pub-path"],
    "p256-asymmetric-decrypt": ["plaintext-path", "ciphertext-path", "master-seed-path",
                                "output-hex!"],
}
CORE = ["cid?", "port?", "usock?", "mock!", "mock-pcrs?", "quorum-file=/qos.quorum.key",
        "pivot-file=/qos.pivot.bin", "ephemeral-file=/qos.ephemeral.key",
        "manifest-file=/qos.manifest"]
HOST = ["host-ip", "host-port", "cid?", "port?", "usock?", "endpoint-base-path=qos",
        "socket-timeout=20000", "vsock-to-host=false"]
BRIDGE = ["control-url?", "cid?", "usock?", "host-port-override?", "vsock-to-host=true",
          "egress-bin-path=/qos_egress", "egress-host!"]


def nonce(scalar, digest):
    """RFC 6979, 3.2, for P-256 and SHA-256."""
    reduced = int.from_bytes(digest, "big") % ORDER_OF_P256
    start = scalar.to_bytes(32, "big") + reduced.to_bytes(32, "big")
    key, v = bytes(32), b"\1" * 32
    for step in (b"\0", b"\1"):
        key = hmac.digest(key, v + step + start, "sha256")
        v = hmac.digest(key, v, "sha256")
    while True:
        v = hmac.digest(key, v, "sha256")
        if 0 < int.from_bytes(v, "big") < ORDER_OF_P256:
            return int.from_bytes(v, "big")
        key = hmac.digest(key, v + b"\0", "sha256")
        v = hmac.digest(key, v, "sha256")


class Pair(qos.Pair):
    """Signs as the original: deterministically, without normalising s."""

    def sign(self, message):
        scalar = self._sign.private_numbers().private_value
        digest = hashlib.sha256(message).digest()
        k = nonce(scalar, digest)
        r = ec.derive_private_key(k, qos.CURVE).public_key().public_numbers().x % ORDER_OF_P256
        s = pow(k, -1, ORDER_OF_P256) * (int.from_bytes(digest, "big") + r * scalar) % ORDER_OF_P256
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Options(dict):
    def __getattr__(self, name):
        return self.get(name.replace("_", "-"))


def names(table):
    return [entry.rstrip("?!").split("=")[0] for entry in table]


def parse(table, words):
    """The options of these words; ValueError with the original's text."""
    kinds = dict(zip(names(table), table))
    given, i = Options(), 0
    while i < len(words):
        name = words[i][2:]
        if not words[i].startswith("--") or name not in kinds:
            raise ValueError(f"found {words[i]}, which was not an expected argument")
        if name in given:
            raise ValueError(f"found argument {name} more then once, but only one instance was expected")
        if kinds[name].endswith("!"):
            given[name] = True
        elif i + 1 < len(words) and not words[i + 1].startswith("--"):
            i += 1
            given[name] = words[i]
        elif "=" in kinds[name]:
            given[name] = kinds[name].split("=", 1)[1]
        else:
            raise ValueError(f"found argument {name}, which requires a value, but no value was given")
        i += 1
    for name, kind in sorted(kinds.items()):
        if name == kind and name not in given:
            raise ValueError(f"argument {name} is required but was not found")
        if "=" in kind:
            given.setdefault(name, kind.split("=", 1)[1])
    return given


def of_process(table):
    """Options of a program without commands; its start fails as the original's does."""
    try:
        return parse(table, sys.argv[1:])
    except ValueError as error:
        sys.exit(f"Entered invalid CLI args: {error}")


def exactly(stream, n):
    data = b""
    while len(data) < n:
        piece = stream.recv(n - len(data))
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def receive(stream):
    (n,) = struct.unpack("<Q", exactly(stream, 8))
    if n > 128 << 20:
        raise ConnectionError("OversizedPayload")
    return exactly(stream, n)


def send(stream, payload):
    stream.sendall(struct.pack("<Q", len(payload)))
    stream.sendall(payload)


def mock_pki(folder):
    """A PKI of the form that the original compiles in (qos-wire 7.5): no extension says that it is simulated."""
    begin, end = datetime.datetime(2020, 1, 1), datetime.datetime(2120, 1, 1)
    keys = {name: ec.generate_private_key(ec.SECP384R1()) for name in ("root", "intermediate", "leaf")}
    issuer = "root"
    for name, key in keys.items():
        subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"mock {n}")])
                       for n in (name, issuer))
        is_leaf = name == "leaf"
        usage = {use: False for use in ("content_commitment", "key_encipherment", "data_encipherment",
                                        "key_agreement", "crl_sign", "encipher_only", "decipher_only")}
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(by)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(begin).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(not is_leaf, None), True)
                   .add_extension(x509.KeyUsage(digital_signature=is_leaf, key_cert_sign=not is_leaf,
                                                **usage), True))
        if is_leaf:
            builder = (builder
                       .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
                       .add_extension(x509.SubjectAlternativeName([x509.DNSName("mock-nsm.qos.test")]),
                                      False))
        der = builder.sign(keys[issuer], hashes.SHA384()).public_bytes(Encoding.DER)
        (folder / f"{name}.der").write_bytes(der)
        scalar = key.private_numbers().private_value
        (folder / f"{name}_p384_secret.hex").write_text(f"{scalar:096x}")
        issuer = name


def reuse_seed(path):
    return bytes.fromhex(Path(path).read_text().strip())


def write_secret(path, text):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)


ORDER = ["manifest", "manifestSetApprovals", "shareSetApprovals", "version", "namespace", "pivot",
         "manifestSet", "shareSet", "enclave", "patchSet", "dns", "name", "nonce", "quorumKey", "hash",
         "restart", "bridgeConfig", "debugMode", "args", "env", "type", "port", "host", "signature",
         "member", "threshold", "members", "alias", "pubKey", "pcr0", "pcr1", "pcr2", "pcr3",
         "awsRootCertificate", "qosCommit", "resolvers"]


def plain(value, key=None):
    """Plain JSON in the order of declaration, numbers as numbers, as stored for version 1."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: ORDER.index(k) if k in ORDER else len(ORDER))
        return {k: plain(value[k], k) for k in keys}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return int(value) if key in ("nonce", "threshold", "port") else value
