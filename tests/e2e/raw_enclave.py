"""The real qos_core alone on its unix socket, and a ceremony that the independent model plays with it."""

import hashlib
import json
import os
import signal
import subprocess

import cbor2

import qos_model as qos
from machine import BIN, PATIENCE, wait_until

CORE = BIN / "qos_core"
FILES = {"quorum": "qos.quorum.key", "ephemeral": "qos.ephemeral.key", "pivot": "qos.pivot.bin",
         "manifest": "qos.manifest"}
APP_UID = 65433 if os.geteuid() == 0 else os.geteuid()


class Enclave:
    def __init__(self, folder, *options):
        self.folder = folder
        self.socket = str(folder / "sock")
        self.files = {name: folder / "published" / file for name, file in FILES.items()}
        self.options = list(options)
        self.log = folder / "log"
        self.process = None

    def command(self, *more):
        words = [str(CORE), "--mock", "--sim-dir", str(self.folder / "sim"), "--usock", self.socket,
                 "--allow-unlocked-memory"]
        for name, path in self.files.items():
            words += [f"--{name}-file", str(path)]
        return words + self.options + list(more)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self.answers(), "qos_core")
        assert self.process.poll() is None, self.log.read_text()
        return self

    def answers(self):
        try:
            return self.send("statusRequest") is not None
        except OSError:
            return False

    def send(self, message):
        return qos.call_json(self.socket, message)

    def phase(self):
        return self.send("statusRequest")["statusResponse"]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def left(self):
        published = self.folder / "published"
        return sorted(os.listdir(published)) if published.exists() else []


class Ceremony:
    """Members, a quorum key with its shares, and a manifest."""

    def __init__(self, pivot, version=1, debug=False, restart="Never", args=(), env=None):
        self.names = ["alice", "bob", "carol"]
        self.pairs = {n: qos.Pair() for n in self.names}
        self.quorum = qos.Pair()
        self.pivot = pivot
        members = [qos.member(n, self.pairs[n]) for n in self.names]
        self.manifest = {
            "namespace": {"name": "e2e", "nonce": 1, "quorumKey": self.quorum.public.hex()},
            "pivot": {"hash": hashlib.sha256(pivot).hexdigest(), "restart": restart,
                      "bridgeConfig": [], "debugMode": debug, "args": list(args)},
            "manifestSet": {"threshold": 2, "members": members},
            "shareSet": {"threshold": 2, "members": members},
            "enclave": {**{f"pcr{i}": "00" * 48 for i in range(4)}, "awsRootCertificate": "00",
                        "qosCommit": ""},
        }
        if version == 2:
            self.manifest["version"] = "v2"
            if env:  # an empty one is left out of what is hashed
                self.manifest["pivot"]["env"] = {k: {"plain": {"value": v}} for k, v in env.items()}
        else:
            self.manifest["patchSet"] = {"threshold": 0, "members": []}
        self.shares = self.split(self.quorum.seed)

    @staticmethod
    def split(seed):
        slope = os.urandom(len(seed))
        return [bytes([x]) + bytes(s ^ qos._multiply(a, x) for s, a in zip(seed, slope))
                for x in (1, 2, 3)]

    def envelope(self):
        return {"manifest": self.manifest,
                "manifestSetApprovals": [qos.approval(n, self.pairs[n], self.manifest)
                                         for n in self.names[:2]],
                "shareSetApprovals": []}

    def boot(self, enclave):
        """With variant 23, as the original's client does; gives the setup key."""
        plain = json.dumps(self.envelope(), separators=(",", ":")).encode()
        frame = b"\x17" + qos.b_bytes(plain) + qos.b_bytes(self.pivot)
        reply = qos.call(enclave.socket, frame)
        assert reply[:2] == b"\x04\x05", reply[:200]
        return self.check(reply[6:], "qos-setup-manifest-pcr-commitment-v1", 16)

    def check(self, document, domain, register):
        payload = cbor2.loads(cbor2.loads(document)[2])
        hash_ = qos.manifest_hash(self.manifest)
        assert payload["user_data"] == hash_
        assert payload["nonce"] is None
        assert len(payload["pcrs"]) == 32
        assert payload["pcrs"][register] == qos.commitment_register(
            domain, payload["public_key"], hash_)
        return payload["public_key"]

    def post(self, enclave, name, setup, share=None):
        share = share or self.shares[self.names.index(name)]
        return enclave.send({"provisionRequest": {
            "share": qos.seal(setup, share).hex(),
            "approval": qos.approval(name, self.pairs[name], self.manifest)}})

    def post_bound(self, enclave, name, setup, share=None):
        sealed = qos.seal(setup, share or self.shares[self.names.index(name)])
        binding = self.pairs[name].sign(qos.binding_message(self.manifest, setup, sealed))
        return enclave.send({"quorateBoundProvisionRequest": {
            "share": sealed.hex(), "binding": binding.hex(),
            "approval": qos.approval(name, self.pairs[name], self.manifest)}})

    def boot_forward(self, enclave):
        """For a key from another enclave; gives the setup key."""
        reply = enclave.send({"bootKeyForwardRequest": {"manifest_envelope": self.envelope(),
                                                        "pivot": self.pivot.hex()}})
        assert "bootKeyForwardResponse" in reply, reply
        document = reply["bootKeyForwardResponse"]["nsm_response"]["attestation"]["document"]
        return self.check(bytes.fromhex(document), "qos-setup-manifest-pcr-commitment-v1", 16)

    def sealed_key(self, setup):
        """What an enclave that has the quorum key gives out for the enclave with this setup key."""
        sealed = qos.seal(setup, self.quorum.seed)
        return {"encrypted_quorum_key": sealed.hex(), "signature": self.quorum.sign(sealed).hex()}

    def inject(self, enclave, setup):
        reply = enclave.send({"injectKeyRequest": self.sealed_key(setup)})
        assert reply == "injectKeyResponse", reply

    def forward(self, enclave):
        self.inject(enclave, self.boot_forward(enclave))

    def provision(self, enclave):
        setup = self.boot(enclave)
        assert self.post(enclave, "alice", setup) == {"provisionResponse": {"reconstructed": False}}
        assert self.post(enclave, "carol", setup) == {"provisionResponse": {"reconstructed": True}}


SLEEPER = b"#!/bin/sh\nwhile :; do sleep 1; done\n"
