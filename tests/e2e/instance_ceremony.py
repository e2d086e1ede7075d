"""A genesis and its members by the REST API of TEE instances (renclave 2 and 3), as an independent implementation has
them: keys of 65 and of 130 bytes, their shares, and the manifest as QuorumOS hashes it."""

import hashlib
import hmac
import os
import pathlib

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import qos_model as qos

SHARED = pathlib.Path(__file__).resolve().parents[2] / ".." / "shared" / "vectors" / "renclave"


class RawPair:
    """A key whose 32 bytes are the scalar of signatures and of envelopes; 65 bytes in public."""

    def __init__(self, scalar=None):
        self.seed = scalar or (int.from_bytes(os.urandom(32), "big") >> 1 | 1).to_bytes(32, "big")
        self._private = ec.derive_private_key(int.from_bytes(self.seed, "big"), qos.CURVE)
        self.public = qos._point(self._private.public_key())

    def sign(self, message):
        r, s = utils.decode_dss_signature(self._private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def open(self, envelope):
        nonce, sender, box = envelope[:12], envelope[12:77], envelope[81:]
        assert int.from_bytes(envelope[77:81], "little") == len(box)
        shared = self._private.exchange(ec.ECDH(), qos._public(sender))
        key = hmac.new(sender + self.public + shared, b"qos_encryption_hmac_message", hashlib.sha512)
        return AESGCM(key.digest()[:32]).decrypt(nonce, box, sender + b"\x41" + self.public + b"\x41")


def long_form(key):
    return key + key if len(key) == 65 else key


class Party:
    """n members, k of whom rebuild the key, before and after their genesis."""

    def __init__(self, k=2, n=3, long=False, pairs=None):
        self.k = k
        self.pairs = pairs or [qos.Pair() if long else RawPair() for _ in range(n)]
        self.names = [f"member{i + 1}" for i in range(len(self.pairs))]
        self.reply = None

    def members(self):
        return [{"alias": name, "pub_key": list(pair.public)}
                for name, pair in zip(self.names, self.pairs)]

    def request(self, **changed):
        return {"namespace_name": "qos-namespace", "namespace_nonce": 12345,
                "manifest_members": self.members(), "manifest_threshold": self.k,
                "share_members": self.members(), "share_threshold": self.k,
                "pivot_hash": list(range(1, 33)), "pivot_args": ["arg1", "arg2"], "dr_key": None, **changed}

    def genesis(self, instance, **changed):
        self.reply = instance.ok("POST", "/enclave/genesis-boot", self.request(**changed))
        return self.reply

    @property
    def quorum_key(self):
        return bytes(self.reply["quorum_public_key"])

    def issued(self, i):
        return bytes(self.reply["encrypted_shares"][i]["encrypted_quorum_key_share"])

    def share(self, i):
        return self.pairs[i].open(self.issued(i))

    def seed(self, people=None):
        return qos.combine([self.share(i) for i in people or range(self.k)])

    def sealed(self, i, setup=None):
        return qos.seal(setup or bytes(self.reply["ephemeral_key"]), self.share(i))

    def approval(self, i):
        return {"signature": list(self.pairs[i].sign(bytes.fromhex(self.reply["manifest_hash"]))),
                "member": self.members()[i]}

    def injection(self, people, form="P", setup=None, **changed):
        """form: P plaintext, E envelope to the setup key, A as the genesis issued it."""
        give = {"P": self.share, "E": lambda i: self.sealed(i, setup), "A": self.issued}[form]
        return {"namespace_name": "qos-namespace", "namespace_nonce": 12345,
                "shares": [{"member_alias": self.names[i], "decrypted_share": list(give(i))} for i in people],
                **changed}

    def inject(self, instance, people, form="P", **how):
        return instance.ok("POST", "/enclave/inject-shares", self.injection(people, form, **how))


def assert_complete(party, instance, answer):
    assert answer["success"] is True and bytes(answer["reconstructed_quorum_key"]) == party.quorum_key
    assert instance.phase() == "ApplicationReady"


def as_qos(manifest):
    """The manifest of the REST API as qos_model has manifests: version 1, keys in their long form."""
    def octets(numbers):
        return bytes(numbers).hex()

    def members(found):
        return {"threshold": found["threshold"],
                "members": [{"alias": m["alias"], "pubKey": long_form(bytes(m["pub_key"])).hex()}
                            for m in found["members"]]}

    e = manifest["enclave"]
    return {"namespace": {"name": manifest["namespace"]["name"], "nonce": manifest["namespace"]["nonce"],
                          "quorumKey": long_form(bytes(manifest["namespace"]["quorum_key"])).hex()},
            "pivot": {"hash": octets(manifest["pivot"]["hash"]), "restart": manifest["pivot"]["restart"],
                      "bridgeConfig": [], "debugMode": False, "args": manifest["pivot"]["args"]},
            "manifestSet": members(manifest["manifest_set"]), "shareSet": members(manifest["share_set"]),
            "enclave": {**{f"pcr{i}": octets(e[f"pcr{i}"]) for i in range(4)},
                        "awsRootCertificate": octets(e["aws_root_certificate"]), "qosCommit": e["qos_commit"]},
            "patchSet": {"threshold": 0, "members": []}}


def hash_of(manifest):
    return qos.manifest_hash(as_qos(manifest))


def state_file(manifest, quorum, share_hashes):
    """What an instance leaves in its state folder for this manifest, signed by the quorum key's pair."""
    manifest_hash = hash_of(manifest)
    signed = b"quorate-instance-state-v1" + manifest_hash + b"".join(share_hashes)
    return {"version": "quorate-instance-state-v1",
            "manifest_envelope": {"manifest": manifest, "manifest_set_approvals": [], "share_set_approvals": [],
                                  "quorum_key_signature": list(quorum.sign(manifest_hash))},
            "share_hashes": [h.hex() for h in share_hashes], "signature": quorum.sign(signed).hex()}


def document_of(octets):
    """What an attestation document says: its payload, unsigned."""
    return cbor2.loads(cbor2.loads(bytes(octets))[2])


def live_document(instance):
    """As QuorumOS's clients get it."""
    reply = qos.call_json(instance.socket, "liveAttestationDocRequest")["liveAttestationDocResponse"]
    found = reply["nsm_response"] if "nsm_response" in reply else reply["nsmResponse"]
    return document_of(bytes.fromhex(next(iter(found.values()))["document"]))
