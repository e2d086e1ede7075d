#!/usr/bin/python3
"""Makes tests/vectors/protocol/*.json: an independent model of QuorumOS's types (qos-wire 3 and 4), so that
the C descriptions are not judged by themselves. Deterministic: fixed seeds, RFC 6979. Run it from anywhere."""

import hashlib
import hmac
import json
import struct
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

OUT = Path(__file__).resolve().parent / "protocol"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


# --- Schemas: a type is a pair of functions (value -> Borsh bytes, value -> JSON tree). ------------------

class Type:
    def __init__(self, borsh, tree):
        self.borsh, self.tree = borsh, tree


class NoForm(Exception):
    """The value has no form in this encoding."""


def no_borsh(_value):
    raise NoForm


def no_tree(_value):
    raise NoForm


def sized(data):
    return struct.pack("<I", len(data)) + data


BOOL = Type(lambda v: bytes([v]), lambda v: v)
U16 = Type(lambda v: struct.pack("<H", v), lambda v: v)
U32 = Type(lambda v: struct.pack("<I", v), lambda v: v)
TEXT = Type(lambda v: sized(v.encode()), lambda v: v)
BYTES = Type(sized, lambda v: v.hex())
FIXED = Type(lambda v: v, lambda v: v.hex())


def vec(element):
    return Type(
        lambda v: struct.pack("<I", len(v)) + b"".join(element.borsh(e) for e in v),
        lambda v: [element.tree(e) for e in v],
    )


def maybe(inner):
    return Type(
        lambda v: b"\0" if v is None else b"\1" + inner.borsh(v),
        lambda v: None if v is None else inner.tree(v),
    )


def record(*fields):
    """fields: (key, type). A field whose tree is None is left out of JSON."""

    def tree(v):
        trees = ((key, t.tree(v.get(key))) for key, t in fields)
        return {key: made for key, made in trees if made is not None}

    return Type(lambda v: b"".join(t.borsh(v.get(key)) for key, t in fields), tree)


def pair(first, second):
    return Type(
        lambda v: first.borsh(v[0]) + second.borsh(v[1]),
        lambda v: [first.tree(v[0]), second.tree(v[1])],
    )


def variants(names, payloads=None):
    """A value is "name" or ("name", payload); the index is the position in names."""
    payloads = payloads or {}

    def split(v):
        return v if isinstance(v, tuple) else (v, None)

    def borsh(v):
        name, payload = split(v)
        out = bytes([names.index(name)])
        return out + payloads[name].borsh(payload) if name in payloads else out

    def tree(v):
        name, payload = split(v)
        return {name: payloads[name].tree(payload)} if name in payloads else name

    return Type(borsh, tree)


def canonical(tree):
    """qos-wire 3: sorted by UTF-16 units, integers as strings, nulls dropped from objects."""
    if isinstance(tree, dict):
        keys = sorted((k for k in tree if tree[k] is not None), key=lambda k: k.encode("utf-16-be"))
        return "{" + ",".join(plain(k) + ":" + canonical(tree[k]) for k in keys) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(canonical(e) for e in tree) + "]"
    if isinstance(tree, int) and not isinstance(tree, bool):
        return f'"{tree}"'
    return plain(tree)


def plain(tree):
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


# --- The types of qos-wire 4.2. ---------------------------------------------------------------------------

NAMESPACE = record(("name", TEXT), ("nonce", U32), ("quorumKey", BYTES))
RESTART = variants(["Never", "Always"])


def bridge_tree(v):
    kind, fields = v
    return {"type": kind, **{k: f for k, f in fields.items() if f is not None}}


def bridge_borsh(v):
    kind, fields = v
    host = TEXT if kind == "server" else maybe(TEXT)
    return bytes([["server", "client"].index(kind)]) + U16.borsh(fields["port"]) + host.borsh(fields["host"])


BRIDGE = Type(bridge_borsh, bridge_tree)
ENV = Type(
    lambda v: struct.pack("<I", len(v or {}))
    + b"".join(TEXT.borsh(k) + b"\0" + TEXT.borsh(v[k]) for k in sorted(v or {})),
    lambda v: {k: {"plain": {"value": v[k]}} for k in sorted(v)} if v else None,
)
PIVOT_V0 = record(("hash", FIXED), ("restart", RESTART), ("args", vec(TEXT)))
PIVOT_V1 = record(("hash", FIXED), ("restart", RESTART), ("bridgeConfig", vec(BRIDGE)),
                  ("debugMode", BOOL), ("args", vec(TEXT)))
PIVOT_V2 = record(("hash", FIXED), ("restart", RESTART), ("bridgeConfig", vec(BRIDGE)),
                  ("debugMode", BOOL), ("args", vec(TEXT)), ("env", ENV))
MEMBER = record(("alias", TEXT), ("pubKey", BYTES))
MEMBER_SET = record(("threshold", U32), ("members", vec(MEMBER)))
PATCH_SET = record(("threshold", U32), ("members", vec(record(("pubKey", BYTES)))))
ENCLAVE = record(("pcr0", BYTES), ("pcr1", BYTES), ("pcr2", BYTES), ("pcr3", BYTES),
                 ("awsRootCertificate", BYTES), ("qosCommit", TEXT))
COMMON = (("manifestSet", MEMBER_SET), ("shareSet", MEMBER_SET), ("enclave", ENCLAVE))
MANIFEST_V0 = record(("namespace", NAMESPACE), ("pivot", PIVOT_V0), *COMMON, ("patchSet", PATCH_SET))
MANIFEST_V1 = record(("namespace", NAMESPACE), ("pivot", PIVOT_V1), *COMMON, ("patchSet", PATCH_SET))
JSON_TEXT = Type(no_borsh, lambda v: v)
MANIFEST_V2 = record(("version", JSON_TEXT), ("namespace", NAMESPACE), ("pivot", PIVOT_V2), *COMMON,
                     ("dns", Type(no_borsh, lambda v: v)))
APPROVAL = record(("signature", BYTES), ("member", MEMBER))


def envelope(manifest, by_manifest_set, by_share_set):
    inner = record(("manifest", manifest), (by_manifest_set, vec(APPROVAL)), (by_share_set, vec(APPROVAL)))

    def renamed(v):
        return {"manifest": v["manifest"], by_manifest_set: v["approvals"], by_share_set: v["shares"]}

    return Type(lambda v: inner.borsh(renamed(v)), lambda v: inner.tree(renamed(v)))


ENVELOPES = [
    envelope(MANIFEST_V0, "manifest_set_approvals", "share_set_approvals"),
    envelope(MANIFEST_V1, "manifestSetApprovals", "shareSetApprovals"),
    envelope(MANIFEST_V2, "manifestSetApprovals", "shareSetApprovals"),
]
MANIFESTS = [MANIFEST_V0, MANIFEST_V1, MANIFEST_V2]


def version_of(manifest):
    return manifest["v"]


ANY_ENVELOPE = Type(lambda v: ENVELOPES[version_of(v["manifest"])].borsh(v),
                    lambda v: ENVELOPES[version_of(v["manifest"])].tree(v))

GENESIS_SET = record(("members", vec(MEMBER)), ("threshold", U32))
MEMBER_OUTPUT = record(("shareSetMember", MEMBER), ("encryptedQuorumKeyShare", BYTES), ("shareHash", FIXED))
SHARD = record(("member", MEMBER), ("shard", BYTES))
GENESIS_TAIL = (("dr_key_wrapped_quorum_key", maybe(BYTES)), ("quorum_key_hash", FIXED),
                ("test_message_ciphertext", BYTES), ("test_message_signature", BYTES), ("test_message", BYTES))
GENESIS_OUTPUT = record(("set", GENESIS_SET), ("dr_key", maybe(BYTES)), ("quorum_key", BYTES),
                        ("member_outputs", vec(MEMBER_OUTPUT)),
                        ("recovery_permutations", vec(vec(SHARD))), *GENESIS_TAIL)
LEGACY_OUTPUT = record(("quorum_key", BYTES), ("member_outputs", vec(MEMBER_OUTPUT)),
                       ("recovery_permutations", vec(vec(SHARD))), ("threshold", U32), *GENESIS_TAIL)
U64 = Type(lambda v: struct.pack("<Q", v), lambda v: v)
RESHARE_PLAN = record(("format", TEXT), ("namespace", TEXT), ("epoch", U64), ("previous", FIXED),
                      ("quorumKey", BYTES), ("oldShareSet", MEMBER_SET), ("oldShareHashes", vec(FIXED)),
                      ("newShareSet", MEMBER_SET), ("manifestSet", MEMBER_SET), ("enclave", ENCLAVE),
                      ("newKey", BOOL), ("drKey", maybe(BYTES)))
RESHARE_OUTPUT = record(("format", TEXT), ("plan", RESHARE_PLAN), ("manifestApprovals", vec(APPROVAL)),
                        ("shareApprovals", vec(APPROVAL)), ("shares", GENESIS_OUTPUT),
                        ("handover", maybe(record(("byOldKey", BYTES), ("byNewKey", BYTES)))))
ENCRYPTED_KEY = record(("encrypted_quorum_key", BYTES), ("signature", BYTES))

NSM_ERRORS = ["Success", "InvalidArgument", "InvalidIndex", "InvalidResponse", "ReadOnlyIndex",
              "InvalidOperation", "BufferTooSmall", "InputTooLarge", "InternalError"]
DESCRIBE_NSM = record(("version_major", U16), ("version_minor", U16), ("version_patch", U16),
                      ("module_id", TEXT), ("max_pcrs", U16), ("locked_pcrs", vec(U16)),
                      ("digest", variants(["SHA256", "SHA384", "SHA512"])))
NSM = variants(
    ["describePCR", "extendPCR", "lockPCR", "lockPCRs", "describeNSM", "attestation", "getRandom", "error"],
    {"describePCR": record(("lock", BOOL), ("data", BYTES)), "extendPCR": record(("data", BYTES)),
     "describeNSM": DESCRIBE_NSM, "attestation": record(("document", BYTES)),
     "getRandom": record(("random", BYTES)), "error": variants(NSM_ERRORS)})
PHASES = ["UnrecoverableError", "WaitingForBootInstruction", "GenesisBooted", "WaitingForQuorumShards",
          "QuorumKeyProvisioned", "WaitingForForwardedKey"]
PHASE = variants(PHASES)
P256_ERRORS = """QosHex IOError FailedToSerializeEnvelope FailedToDeserializeEnvelope AesGcm256DecryptError
    AesGcm256EncryptError FailedToCreateAes256GcmCipher FailedToDeserializePublicKey
    FailedToCoercePublicKeyToIntendedLength FailedToCoerceNonceToIntendedLength FailedToDeserializeSignature
    FailedSignatureVerification FailedToReadSecret FailedToReadPublicKey EncodedPublicKeyTooLong
    EncodedPublicKeyTooShort HkdfExpansionFailed MasterSeedInvalidUtf8 MasterSeedInvalidLength
    InvalidMasterSeed CannotCoerceLenToU8""".split()
P256 = variants(P256_ERRORS, {"QosHex": TEXT, "IOError": TEXT})
DIFFERENCE = record(("expected", TEXT), ("actual", TEXT))
ERROR_ROWS = """InvalidShare ReconstructionErrorEmptySecret ReconstructionErrorIncorrectPubKey IOError
    InvalidManifestApproval:approval NotEnoughApprovals NoMatchingRoute:phase InvalidPivotHash:difference
    OversizeMsg InvalidMsg EnclaveClient DecryptionFailed InvalidPrivateKey FailedToParseFromString
    BadEphemeralKeyPath CannotModifyPostPivotStatic FailedToGetEphemeralKey:p256 FailedToPutEphemeralKey
    CannotRotateNonExistentEphemeralKey CannotDeleteEphemeralKey:text FailedToGetQuorumKey:p256
    FailedToPutQuorumKey FailedToGetManifestEnvelope FailedToPutManifestEnvelope FailedToPutPivot
    AppClientRecvTimeout AppClientRecvInterrupted AppClientRecvConnectionClosed AppClientConnectError:text
    AppClientSendError:text AppClientError:text OversizedPayload ProtocolMsgDeserialization
    BadShareSetApprovals CouldNotVerifyApproval NotShareSetMember NotManifestSetMember P256Error:p256
    InvalidP256DRKey:p256 IncorrectSecretLen QosAttestError:text DifferentQuorumKey:difference
    DifferentManifestSet:difference DifferentNamespaceName:difference LowNonce:low DifferentPcr3:difference
    MissingEphemeralKey InvalidEphemeralKey InvalidEncryptedQuorumKeySignature EncryptedQuorumKeyInvalidLen
    InvalidQuorumSecret WrongQuorumKey InvalidStateTransition:phases DuplicateApproval
    DifferentManifest:difference QosCrypto:text PoolExpandError InvalidPivotEnv:text MissingLiveEphemeralKey
    DuplicateQuorumMember LegacyGenesisNotSupported""".split()
ERROR_PAYLOADS = {
    "approval": APPROVAL, "phase": PHASE, "difference": DIFFERENCE, "p256": P256, "text": TEXT,
    "low": record(("expected", U32), ("actual", U32)), "phases": pair(PHASE, PHASE)}
ERROR_TYPES = {row.split(":")[0]: row.split(":")[1] for row in ERROR_ROWS if ":" in row}
ERROR = variants([row.split(":")[0] for row in ERROR_ROWS],
                 {name: ERROR_PAYLOADS[kind] for name, kind in ERROR_TYPES.items()})

BOOT = record(("manifest_envelope", ANY_ENVELOPE), ("pivot", BYTES))
# Variant 23: the envelope as plain JSON, in bytes.
JSON_BOOT = Type(lambda v: sized(plain(ANY_ENVELOPE.tree(v["manifest_envelope"])).encode())
                 + sized(v["pivot"]), no_tree)
PROVISION = (("share", BYTES), ("approval", APPROVAL))
JSON_ONLY = 128
MESSAGES = {
    0: ("protocolErrorResponse", ERROR), 1: ("statusRequest", None), 2: ("statusResponse", PHASE),
    3: ("bootStandardRequest", BOOT), 4: ("bootStandardResponse", record(("nsm_response", NSM))),
    5: ("bootGenesisRequest", record(("set", GENESIS_SET), ("dr_key", maybe(BYTES)))),
    6: ("bootGenesisResponse", record(("nsm_response", NSM), ("genesis_output", GENESIS_OUTPUT))),
    7: ("provisionRequest", record(*PROVISION)), 8: ("provisionResponse", record(("reconstructed", BOOL))),
    9: ("proxyRequest", record(("data", BYTES))), 10: ("proxyResponse", record(("data", BYTES))),
    11: ("liveAttestationDocRequest", None),
    12: ("liveAttestationDocResponse",
         record(("nsm_response", NSM), ("manifest_envelope", maybe(ANY_ENVELOPE)))),
    13: ("bootKeyForwardRequest", BOOT), 14: ("bootKeyForwardResponse", record(("nsm_response", NSM))),
    15: ("exportKeyRequest", record(("manifest_envelope", ANY_ENVELOPE),
                                    ("cose_sign1_attestation_doc", BYTES))),
    16: ("exportKeyResponse", ENCRYPTED_KEY), 17: ("injectKeyRequest", ENCRYPTED_KEY),
    18: ("injectKeyResponse", None), 19: ("manifestEnvelopeRequest", None),
    20: ("manifestEnvelopeResponse", record(("manifest_envelope", maybe(ANY_ENVELOPE)))),
    21: ("versionRequest", None), 22: ("versionResponse", record(("version", TEXT), ("commit", TEXT))),
    23: (None, JSON_BOOT),
    128: ("quorateBoundProvisionRequest", record(*PROVISION, ("binding", BYTES))),
    129: ("quorateStateRequest", None),
    130: ("quorateStateResponse",
          record(("phase", PHASE), ("pivot_running", BOOL), ("tee", TEXT), ("shares_held", U32),
                 ("shares_needed", U32))),
    140: ("quorateReshareBootRequest", record(("plan", RESHARE_PLAN), ("approvals", vec(APPROVAL)))),
    141: ("quorateReshareBootResponse", record(("nsm_response", NSM))),
    142: ("quorateReshareAttestationRequest", None),
    143: ("quorateReshareAttestationResponse", record(("nsm_response", NSM))),
    144: ("quorateReshareShareRequest", record(*PROVISION, ("binding", BYTES))),
    145: ("quorateReshareShareResponse", record(("complete", BOOL))),
    146: ("quorateReshareOutputRequest", None),
    147: ("quorateReshareOutputResponse", record(("nsm_response", NSM), ("output", RESHARE_OUTPUT))),
    150: ("quorateApiRequest",
          record(("method", TEXT), ("path", TEXT), ("query", TEXT), ("authorization", TEXT),
                 ("requestId", TEXT), ("body", BYTES))),
    151: ("quorateApiResponse", record(("status", U32), ("body", TEXT))),
}
ENCODE_ONLY = {3, 13, 15}  # in Borsh: the end of the envelope cannot be known
GENESIS = {5, 6}


# --- Keys and signatures. ---------------------------------------------------------------------------------

class Person:
    def __init__(self, alias, seed):
        self.alias, self.seed = alias, bytes([seed]) * 32
        self.sign_scalar = self.derive(b"qos_p256_sign")
        self.public = point(self.derive(b"qos_p256_encrypt")) + point(self.sign_scalar)

    def derive(self, path):
        made = HKDF(algorithm=hashes.SHA512(), length=32, salt=path, info=b"").derive(self.seed)
        return int.from_bytes(made, "big")

    def member(self):
        return {"alias": self.alias, "pubKey": self.public}

    def approve(self, message):
        return {"signature": sign(self.sign_scalar, message), "member": self.member()}


def point(scalar):
    return ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def nonce_rfc6979(scalar, digest):
    start = scalar.to_bytes(32, "big") + (int.from_bytes(digest, "big") % ORDER).to_bytes(32, "big")
    key, v = bytes(32), b"\1" * 32
    for step in (b"\0", b"\1"):
        key = hmac.digest(key, v + step + start, "sha256")
        v = hmac.digest(key, v, "sha256")
    while True:
        v = hmac.digest(key, v, "sha256")
        k = int.from_bytes(v, "big")
        if 0 < k < ORDER:
            return k
        key = hmac.digest(key, v + b"\0", "sha256")
        v = hmac.digest(key, v, "sha256")


def sign(scalar, message):
    digest = hashlib.sha256(message).digest()
    k = nonce_rfc6979(scalar, digest)
    r = int.from_bytes(point(k)[1:33], "big") % ORDER
    s = pow(k, -1, ORDER) * (int.from_bytes(digest, "big") + r * scalar) % ORDER
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# --- Samples. ---------------------------------------------------------------------------------------------

PEOPLE = [Person("ann", 0x21), Person("bo", 0x22), Person("zoë", 0x23)]
QUORUM, STRANGER, DR = Person("quorum", 0x31), Person("stranger", 0x32), Person("dr", 0x33)
BRIDGES = [("server", {"port": 3000, "host": "0.0.0.0"}), ("client", {"port": 443, "host": "example.org"}),
           ("client", {"port": 65535, "host": None})]


def manifest(version, **changes):
    members = [p.member() for p in PEOPLE]
    pivot = {"hash": hashlib.sha256(b"application").digest(), "restart": "Always",
             "bridgeConfig": BRIDGES if version else [], "debugMode": bool(version),
             "args": ["--greeting", 'say "hi"\n\tä€😀\u007f\u0001']}
    if version == 2:
        pivot["env"] = {"PATH": "/bin", "A_1": "", "_z": "ä=\\"}
    made = {
        "v": version, "version": "v2",
        "namespace": {"name": "production/signer", "nonce": 4294967295, "quorumKey": QUORUM.public},
        "pivot": pivot,
        "manifestSet": {"threshold": 2, "members": members},
        "shareSet": {"threshold": 2, "members": members},
        "enclave": {"pcr0": b"\0" * 48, "pcr1": b"\1" * 48, "pcr2": b"\2" * 48, "pcr3": b"\3" * 48,
                    "awsRootCertificate": b"\x30\x03root", "qosCommit": ""},
        "patchSet": {"threshold": 1, "members": [{"pubKey": PEOPLE[0].public}]},
        "dns": {"resolvers": ["1.1.1.1", "2606:4700:4700::1111"]} if version == 2 else None,
    }
    return {**made, **changes}


def manifest_hash(m):
    if m["v"] == 2:
        return hashlib.sha256(canonical(MANIFEST_V2.tree(m)).encode()).digest()
    return hashlib.sha256(MANIFESTS[m["v"]].borsh(m)).digest()


def sealed(m, approvers=None, shares=()):
    approvers = PEOPLE[:2] if approvers is None else approvers
    return {"manifest": m, "approvals": [p.approve(manifest_hash(m)) for p in approvers],
            "shares": [p.approve(manifest_hash(m)) for p in shares]}


def storage(tree, version):
    return canonical(tree) if version == 2 else plain(tree)


def forms(kind, value, version):
    """Every form of a manifest or an envelope."""
    made = {"storage": storage(kind.tree(value), version), "plain": plain(kind.tree(value)),
            "canonical": canonical(kind.tree(value))}
    try:
        made["borsh"] = kind.borsh(value).hex()
    except NoForm:
        made["borsh"] = None
    return made


def manifests_file():
    rows = []
    for version in (0, 1, 2):
        m = manifest(version)
        e = sealed(m, shares=PEOPLE[2:])
        rows.append({"version": version, "hash": manifest_hash(m).hex(),
                     "manifest": forms(MANIFESTS[version], m, version),
                     "envelope": forms(ENVELOPES[version], e, version)})
    v0 = manifest(0)
    as_v1 = {**v0, "v": 1}
    rows_v1 = MANIFEST_V1.borsh(as_v1).hex()
    return {"rows": rows, "v0_as_v1_borsh": rows_v1,
            "v0_envelope_as_v1_borsh": ENVELOPES[1].borsh({**sealed(v0, shares=PEOPLE[2:]),
                                                           "manifest": as_v1}).hex(),
            "ambiguous": ambiguous()}


def ambiguous():
    """Borsh that versions 0 and 1 both accept. Behind restart, version 1 has five bytes more (an empty list
    of bridges, a bool): found by trying zeros with one byte that is not, so that a length differs."""
    head = NAMESPACE.borsh({"name": "n", "nonce": 0, "quorumKey": b""}) + bytes(32) + b"\0"
    for size in range(40, 120):
        for at in range(size):
            for value in range(1, 60):
                tail = bytes(at) + bytes([value]) + bytes(size - at - 1)
                if parses(tail, False) and parses(tail, True):
                    both = head + tail
                    return {"manifest": both.hex(), "envelope": (both + bytes(8)).hex()}
    raise AssertionError("no ambiguous manifest found")


def parses(tail, newer):
    """Whether everything behind restart parses as v0 or (newer) v1, without members' contents."""
    at = 0

    def u32():
        nonlocal at
        if at + 4 > len(tail):
            raise ValueError
        at += 4
        return struct.unpack_from("<I", tail, at - 4)[0]

    def blob():
        nonlocal at
        n = u32()
        if at + n > len(tail):
            raise ValueError
        at += n

    def boolean():
        nonlocal at
        if at >= len(tail) or tail[at] > 1:
            raise ValueError
        at += 1

    def many(*parts):
        for _ in range(u32()):
            for part in parts:
                part()

    def bridge():
        raise ValueError  # not searched for

    try:
        if newer:
            many(bridge)
            boolean()
        many(blob)
        for _ in range(2):
            u32()
            many(blob, blob)
        for _ in range(6):
            blob()
        u32()
        many(blob)
    except ValueError:
        return False
    return at == len(tail)


def genesis_output(dr=True, **changes):
    members = [p.member() for p in PEOPLE]
    made = {
        "set": {"members": members, "threshold": 2}, "dr_key": DR.public if dr else None,
        "quorum_key": QUORUM.public, "threshold": 2,
        "member_outputs": [{"shareSetMember": m, "encryptedQuorumKeyShare": bytes([i]) * 130,
                            "shareHash": hashlib.sha512(bytes([i])).digest()} for i, m in enumerate(members)],
        "recovery_permutations": [[{"member": members[0], "shard": b"\1\2"}], []],
        "dr_key_wrapped_quorum_key": b"\x44" * 129 if dr else None,
        "quorum_key_hash": hashlib.sha512(QUORUM.seed.hex().encode()).digest(),
        "test_message_ciphertext": b"\x55" * 113,
        "test_message_signature": sign(QUORUM.sign_scalar, b"qos-test-message"),
        "test_message": b"qos-test-message",
    }
    return {**made, **changes}


def genesis_file():
    rows = []
    for name, value in (("with dr key", genesis_output()), ("without dr key", genesis_output(dr=False))):
        encoded = GENESIS_OUTPUT.borsh(value)
        rows.append({"name": name, "borsh": encoded.hex(), "canonical": canonical(GENESIS_OUTPUT.tree(value)),
                     "hash": hashlib.sha256(encoded).hexdigest(),
                     "legacy_borsh": LEGACY_OUTPUT.borsh(value).hex(),
                     "legacy_reply": canonical({"bootGenesisResponse": {
                         "nsm_response": "lockPCR", "genesis_output": LEGACY_OUTPUT.tree(value)}})})
    return {"rows": rows, "request": canonical({"bootGenesisRequest": {
        "set": GENESIS_SET.tree(genesis_output()["set"]), "dr_key": DR.public.hex()}})}


def reshare_plan(new_key):
    members = [p.member() for p in PEOPLE]
    return {
        "format": "quorate-reshare-plan-v1", "namespace": "production/signer", "epoch": 2**62 + 1 if new_key else 1,
        "previous": b"\x0d" * 32, "quorumKey": QUORUM.public,
        "oldShareSet": {"threshold": 2, "members": members},
        "oldShareHashes": [hashlib.sha512(bytes([i])).digest() for i in range(len(members))],
        "newShareSet": {"threshold": 2, "members": members[:2]}, "manifestSet": {"threshold": 1, "members": members},
        "enclave": manifest(1)["enclave"], "newKey": new_key, "drKey": DR.public if new_key else None}


def reshare_samples():
    approval = PEOPLE[0].approve(b"z")
    document = ("attestation", {"document": b"\1"})
    yield 142, None
    yield 146, None
    for index in (141, 143):
        yield index, {"nsm_response": document}
    yield 144, {"share": b"\x0a" * 130, "approval": approval, "binding": b"\x0b" * 64}
    for flag in (True, False):
        plan = reshare_plan(flag)
        yield 140, {"plan": plan, "approvals": [approval] if flag else []}
        yield 145, {"complete": flag}
        yield 147, {"nsm_response": document, "output": {
            "format": "quorate-reshare-output-v1", "plan": plan, "manifestApprovals": [approval],
            "shareApprovals": [approval, approval], "shares": genesis_output(flag),
            "handover": {"byOldKey": b"\x0e" * 64, "byNewKey": b"\x0f" * 64} if flag else None}}


def api_samples():
    for query, body in (("", b""), ("key=a%20b", b'{"data":[1,2]}')):
        yield 150, {"method": "POST", "path": "/enclave/store-data", "query": query,
                    "authorization": "Bearer x", "requestId": "1", "body": body}
    for status in (200, 409):
        yield 151, {"status": status, "body": '{"success":true}'}


def error_samples():
    payloads = {
        "approval": PEOPLE[0].approve(b"x"), "difference": {"expected": "00ff", "actual": 'a"\n'},
        "text": "DifferentUserData { \u0007 }", "low": {"expected": 5, "actual": 3},
        "phases": (PHASES[1], PHASES[2])}
    for row in ERROR_ROWS:
        name, _, kind = row.partition(":")
        if kind == "phase":
            for phase in PHASES:
                yield (name, phase)
        elif kind == "p256":
            for error in P256_ERRORS:
                yield (name, (error, "some text") if error in ("QosHex", "IOError") else error)
        else:
            yield (name, payloads[kind]) if kind else name


def nsm_samples():
    yield ("describePCR", {"lock": True, "data": b"\0" * 48})
    yield ("extendPCR", {"data": b"\1\2"})
    yield "lockPCR"
    yield "lockPCRs"
    for digest in ("SHA256", "SHA384", "SHA512"):
        yield ("describeNSM", {"version_major": 1, "version_minor": 2, "version_patch": 14,
                               "module_id": "i-1234", "max_pcrs": 32, "locked_pcrs": [0, 1, 16, 65535],
                               "digest": digest})
    yield ("attestation", {"document": b"\xd2\x84\x43"})
    yield ("getRandom", {"random": b""})
    for error in NSM_ERRORS:
        yield ("error", error)


def message_samples():
    approval = PEOPLE[0].approve(b"y")
    for error in error_samples():
        yield 0, error
    for index in (1, 11, 18, 19, 21, 129):
        yield index, None
    for phase in PHASES:
        yield 2, phase
    for version in (0, 1, 2):
        e = sealed(manifest(version))
        boot = {"manifest_envelope": e, "pivot": b"\x7fELF"}
        for index in (3, 13, 23):
            yield index, boot
            yield index, {**boot, "pivot": b""}
        yield 12, {"nsm_response": "lockPCR", "manifest_envelope": e}
        yield 15, {"manifest_envelope": e, "cose_sign1_attestation_doc": b"\x84\x40"}
        yield 20, {"manifest_envelope": e}
    for index in (4, 14):
        for response in nsm_samples():
            yield index, {"nsm_response": response}
    for dr in (True, False):
        output = genesis_output(dr)
        yield 5, {"set": output["set"], "dr_key": output["dr_key"]}
        yield 6, {"nsm_response": ("attestation", {"document": b"\1"}), "genesis_output": output}
    yield 7, {"share": b"\x09" * 130, "approval": approval}
    yield 8, {"reconstructed": True}
    yield 8, {"reconstructed": False}
    for index in (9, 10):
        yield index, {"data": b'{"statusRequest"}'}
        yield index, {"data": b"\0" * 123}  # in Borsh: white space, then "{"
    yield 12, {"nsm_response": "lockPCRs", "manifest_envelope": None}
    for index in (16, 17):
        yield index, {"encrypted_quorum_key": b"\x08" * 129, "signature": b"\x09" * 64}
    yield 20, {"manifest_envelope": None}
    yield 22, {"version": "0.13.0", "commit": "quorate-0.1.0-abc1234"}
    yield 128, {"share": b"\x0a" * 130, "approval": approval, "binding": b"\x0b" * 64}
    yield 130, {"phase": "WaitingForQuorumShards", "pivot_running": False, "tee": "sim", "shares_held": 1,
                "shares_needed": 2}
    yield from reshare_samples()
    yield from api_samples()


def messages_file():
    rows = []
    for index, value in message_samples():
        name, payload = MESSAGES[index]
        row = {"index": index, "canonical": None, "borsh": None,
               "borsh_error": "LegacyGenesisNotSupported" if index in GENESIS else
               "ProtocolMsgDeserialization" if index in ENCODE_ONLY else None}
        if name is not None:
            row["canonical"] = canonical(name if payload is None else {name: payload.tree(value)})
        if index < JSON_ONLY:
            try:
                row["borsh"] = (bytes([index]) + (payload.borsh(value) if payload else b"")).hex()
            except NoForm:
                pass
        rows.append(row)
    return rows


def approvals_file():
    """Envelopes and what envelope_check_approvals says of them; None: they hold."""
    rows = []
    ann, bo, zoe = PEOPLE

    def add(name, error, m, approvals, p256=None):
        e = {"manifest": m, "approvals": approvals, "shares": []}
        version = m["v"]
        rows.append({"name": name, "error": error, "p256": p256,
                     "envelope": storage(ENVELOPES[version].tree(e), version)})

    def with_set(version, threshold, people):
        members = [p if isinstance(p, dict) else p.member() for p in people]
        return manifest(version, manifestSet={"threshold": threshold, "members": members})

    for version in (0, 1, 2):
        m = manifest(version)
        h = manifest_hash(m)
        add(f"v{version} exactly the threshold", None, m, [ann.approve(h), bo.approve(h)])
        add(f"v{version} more than the threshold", None, m, [zoe.approve(h), bo.approve(h), ann.approve(h)])
        add(f"v{version} too few", "NotEnoughApprovals", m, [ann.approve(h)])
        add(f"v{version} none", "NotEnoughApprovals", m, [])
    m = manifest(1)
    h = manifest_hash(m)
    other = manifest_hash(manifest(1, namespace={**m["namespace"], "nonce": 1}))
    good = [ann.approve(h), bo.approve(h)]
    add("of another manifest", "InvalidManifestApproval", m, [ann.approve(h), bo.approve(other)])
    add("a bad one beside enough good ones", "InvalidManifestApproval", m, good + [zoe.approve(other)])
    add("signature of 63 bytes", "InvalidManifestApproval", m,
        [{**ann.approve(h), "signature": ann.approve(h)["signature"][:63]}])
    add("signature of zeros", "InvalidManifestApproval", m, [{**ann.approve(h), "signature": bytes(64)}])
    add("a bad signature of a stranger", "InvalidManifestApproval", m, [STRANGER.approve(other)])
    add("a stranger", "NotManifestSetMember", m, good + [STRANGER.approve(h)])
    renamed = {**bo.approve(h), "member": {"alias": "ann", "pubKey": bo.public}}
    add("a member's key under another alias", "NotManifestSetMember", m, [ann.approve(h), renamed])
    add("twice the same member", "DuplicateApproval", m, [ann.approve(h), ann.approve(h)])
    add("twice the same member beside enough", "DuplicateApproval", m, good + [bo.approve(h)])
    add("key of an approval too short", "P256Error", m,
        [{**ann.approve(h), "member": {"alias": "ann", "pubKey": ann.public[:-1]}}],
        "EncodedPublicKeyTooShort")
    add("key of an approval too long", "P256Error", m,
        [{**ann.approve(h), "member": {"alias": "ann", "pubKey": ann.public + b"\0"}}],
        "EncodedPublicKeyTooLong")
    add("key of an approval off the curve", "P256Error", m,
        [{**ann.approve(h), "member": {"alias": "ann", "pubKey": b"\4" + b"\1" * 64 + ann.public[65:]}}],
        "FailedToReadPublicKey")
    same_key = {"alias": "twin", "pubKey": ann.public}
    add("two members with one key", "DuplicateQuorumMember", with_set(1, 1, [ann, same_key]), [])
    add("two members with one alias", "DuplicateQuorumMember",
        with_set(1, 1, [ann, {"alias": "ann", "pubKey": bo.public}]), [])
    add("two members with one encryption key", "DuplicateQuorumMember",
        with_set(1, 1, [ann, {"alias": "x", "pubKey": ann.public[:65] + bo.public[65:]}]), [])
    add("two members with one signing key", "DuplicateQuorumMember",
        with_set(1, 1, [ann, {"alias": "x", "pubKey": bo.public[:65] + ann.public[65:]}]), [])
    add("a member whose key is not one", "P256Error",
        with_set(1, 1, [ann, {"alias": "x", "pubKey": b"\4" * 130}]), [], "FailedToReadPublicKey")
    add("threshold 0 and nobody", None, with_set(1, 0, []), [])
    add("threshold above the set", "NotEnoughApprovals", (over := with_set(1, 4, PEOPLE)),
        [p.approve(manifest_hash(over)) for p in PEOPLE])
    return rows


def answers_file():
    """Answers to signed requests, as an instance's quorum key signs them (docs/instance-auth.md)."""
    short = point(QUORUM.sign_scalar)
    requests = [["quorate-api-v1", "id-1", "POST", "/generate-seed", hashlib.sha256(b"{}").hexdigest(), "7", ""],
                ["quorate-api-v1", "id-1", "GET", "/enclave/get-data?key=a", hashlib.sha256(b"").hexdigest(),
                 str(2**64 - 1), DR.public.hex()]]
    rows = []
    for key, request, status, body in (
            (QUORUM.public, requests[0], 200, '{"seed_phrase":"00ff","word_count":24}'),
            (short, requests[1], 200, '{"sealed":[1,2,255]}'),
            (QUORUM.public, requests[1], 409, '{"error":"zoë: \\"answer_signature\\"","code":409}')):
        text = "\n".join(request)
        message = "\n".join(["quorate-answer-v1", hashlib.sha256(text.encode()).hexdigest(), str(status),
                             hashlib.sha256(body.encode()).hexdigest()])
        signature = sign(QUORUM.sign_scalar, message.encode()).hex()
        rows.append({"quorum_key": key.hex(), "signed_text": text, "status": status, "body": body, "message": message,
                     "signature": signature, "answer": body[:-1] + ',"answer_signature":"' + signature + '"}'})
    return {"rows": rows}


def main():
    OUT.mkdir(exist_ok=True)
    for name, made in (("messages", messages_file()), ("manifests", manifests_file()),
                       ("genesis", genesis_file()), ("approvals", approvals_file()),
                       ("answers", answers_file())):
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        (OUT / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
