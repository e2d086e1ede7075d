"""Manifests and keys that pass between TEE instances, played by an independent model: a quorum key born here and
given to a first instance, so that everything after it can be checked against the key itself."""
import hashlib
import struct
import subprocess
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

import qos_model as qos
from instance import CORE
from sim_documents import Forge, payload_of

SETUP = "qos-setup-manifest-pcr-commitment-v1"
ZEROS = [0] * 32


def numbers(data):
    return list(data)


class ShortPair:
    """A key pair of the REST API's own suite: the seed is the scalar, the public key one point."""

    def __init__(self):
        self.private = ec.generate_private_key(qos.CURVE)
        self.seed = self.private.private_numbers().private_value.to_bytes(32, "big")
        self.public = qos._point(self.private.public_key())

    def sign(self, message):
        r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def measured(instance):
    """PCR0 to PCR3 as qos_core prints them."""
    words = [str(CORE), "--tee", "sim", "--sim-dir", str(instance.sim), "--print-pcrs",
             "--allow-unlocked-memory"] + (["--role", instance.role] if instance.role else [])

    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split("\n")
    return [bytes.fromhex(line.split()[0]) for line in lines if line]


def core_key(key):
    return (bytes(key) * 2 if len(key) == 65 else bytes(key)).hex()


def manifest_hash(m):
    """Of a manifest as the REST API has it, by the independent model: SHA-256 of QuorumOS's Borsh, version 1."""
    def members(s):
        return {"threshold": s["threshold"],
                "members": [{"alias": x["alias"], "pubKey": core_key(x["pub_key"])} for x in s["members"]]}
    e = m["enclave"]
    return qos.manifest_hash({
        "namespace": {"name": m["namespace"]["name"], "nonce": m["namespace"]["nonce"],
                      "quorumKey": core_key(m["namespace"]["quorum_key"])},
        "pivot": {"hash": bytes(m["pivot"]["hash"]).hex(), "restart": m["pivot"]["restart"],
                  "bridgeConfig": [], "debugMode": False, "args": m["pivot"]["args"]},
        "manifestSet": members(m["manifest_set"]), "shareSet": members(m["share_set"]),
        "enclave": {**{f"pcr{i}": bytes(e[f"pcr{i}"]).hex() for i in range(4)},
                    "awsRootCertificate": bytes(e["aws_root_certificate"]).hex(), "qosCommit": e["qos_commit"]},
        "patchSet": {"threshold": 0, "members": []}})


class Handover:
    """A quorum key, its members, and the manifest that instances under this TEE may boot."""

    def __init__(self, instance, short=True, pivot=b"the built-in application"):
        self.quorum = ShortPair() if short else qos.Pair()
        self.names = ["member1", "member2", "member3"]
        self.pairs = {n: ShortPair() if short else qos.Pair() for n in self.names}
        self.pivot = pivot
        members = [self.member(n) for n in self.names]
        registers = measured(instance)
        self.manifest = {
            "namespace": {"nonce": 12345, "name": "qos-namespace", "quorum_key": numbers(self.quorum.public)},
            "enclave": {**{f"pcr{i}": numbers(registers[i]) for i in range(4)},
                        "aws_root_certificate": numbers((instance.sim / "root.der").read_bytes()),
                        "qos_commit": "commit"},
            "pivot": {"hash": numbers(hashlib.sha256(pivot).digest()), "restart": "Never",
                      "args": ["arg1", "arg2"]},
            "manifest_set": {"threshold": 2, "members": members},
            "share_set": {"threshold": 2, "members": members},
        }

    def member(self, name):
        return {"alias": name, "pub_key": numbers(self.pairs[name].public)}

    def hash(self, manifest=None):
        return manifest_hash(manifest or self.manifest)

    def approval(self, name, manifest=None):
        return {"signature": numbers(self.pairs[name].sign(self.hash(manifest))), "member": self.member(name)}

    def envelope(self, manifest=None, self_signed=True, approved_by=()):
        manifest = manifest or self.manifest
        made = {"manifest": manifest, "share_set_approvals": [],
                "manifest_set_approvals": [self.approval(n, manifest) for n in approved_by]}
        if self_signed:
            made["quorum_key_signature"] = numbers(self.quorum.sign(self.hash(manifest)))
        return made

    def sealed(self, setup, seed=None, signer=None):
        """What an instance that has the key gives out for this setup key."""
        box = qos.seal(setup, seed or self.quorum.seed)
        return {"encrypted_quorum_key": numbers(box), "signature": numbers((signer or self.quorum).sign(box))}

    def give(self, instance):
        """The key, straight from here: the first instance of a chain."""
        share(instance, self.envelope())
        instance.ok("POST", "/enclave/inject-key", self.sealed(setup_key(instance)))
        assert instance.phase() == "ApplicationReady"
        return instance

    def receiver(self, instance):
        """A document as an enclave of this TEE would give it out, for a setup key whose secret is here."""
        pair, hash_ = qos.Pair(), self.hash()
        registers = {16: qos.commitment_register(SETUP, pair.public, hash_)}
        document = Forge(instance.sim).changed(
            attestation(instance), registers=registers, public_key=pair.public, user_data=hash_,
            timestamp=int(time.time() * 1000))
        return pair, document

    def has_the_key(self, instance):
        """Asks the instance for its key with a document made here, opens what it gives, and compares the seed."""
        pair, document = self.receiver(instance)
        given = export(instance, self.envelope(), document)
        box = bytes(given["encrypted_quorum_key"])
        qos_verify(self.quorum, box, bytes(given["signature"]))
        return pair.open(box) == self.quorum.seed


def qos_verify(quorum, message, signature):
    public = quorum.public if len(quorum.public) == 130 else quorum.public * 2
    qos.verify(public, message, signature)


# The guide's steps

def result(answer, variant):
    assert list(answer) == sorted(answer) and list(answer["result"]) == [variant], answer
    return answer["result"][variant]


def share(instance, envelope):
    answer = instance.ok("POST", "/enclave/share-manifest", {"manifest_envelope": envelope})
    assert result(answer, "ShareManifestResponse") == {"success": True}
    assert instance.phase() == "WaitingForForwardedKey"


def attestation(instance, **body):
    body = body or {"manifest_hash": ZEROS, "pcr_values": [[], [], [], []]}
    answer = instance.ok("POST", "/enclave/generate-attestation", body)
    return bytes(result(answer, "GenerateAttestationResponse")["attestation_doc"])


def setup_key(instance):
    return payload_of(attestation(instance))["public_key"]


def export(instance, envelope, document):
    answer = instance.ok("POST", "/enclave/export-key",
                         {"manifest_envelope": envelope, "attestation_doc": numbers(document)})
    return result(answer, "ExportKeyResponse")


def export_refused(instance, envelope, document, status=400):
    return instance.refused(status, "POST", "/enclave/export-key",
                            {"manifest_envelope": envelope, "attestation_doc": numbers(document)})


def inject(instance, key):
    answer = instance.ok("POST", "/enclave/inject-key", key)
    assert result(answer, "InjectKeyResponse") == {"success": True}
    assert instance.phase() == "ApplicationReady"


def pass_on(source, target, envelope):
    """The guide's Scenario 1, from the manifest on."""
    share(target, envelope)
    inject(target, export(source, envelope, attestation(target)))


def unsigned_document(timestamp_ms, user_data, public, registers):
    """The original's document: plain Borsh that anybody can write (finding 7)."""
    def vec(data):
        return struct.pack("<I", len(data)) + data
    return (struct.pack("<Q", timestamp_ms) + vec(user_data) + b"\x01" + vec(public)
            + b"".join(vec(r) for r in registers))
