"""A ceremony on one machine: members with keys, a quorum key, manifests, boots, shares; every step by qos_client."""
import hashlib
import os
import subprocess
from pathlib import Path

from machine import BIN, Application, Machine

NAMESPACE = "production-v1"
YES = "y\n" * 32


class Refused(Exception):
    """qos_client ended with an error; str() is all it printed."""


class Ceremony:
    """The state of one ceremony: files in folder, an enclave in machine."""

    def __init__(self, members=3, threshold=2, machine=None):
        self.machine = machine or Machine()
        self.folder = self.machine.folder / "ceremony"
        self.folder.mkdir()
        self.members = [f"member{i + 1}" for i in range(members)]
        self.threshold = threshold
        self.role_file = self.folder / "role.txt"
        self.role_file.write_text(self.machine.role + "\n")
        self.root = self.machine.sim / "root.der"
        self.genesis_dir = self.folder / "genesis"
        self.set_dir = self.folder / "members"
        self.release = self.folder / "release"
        self.app = Application(self.machine)
        self.made = self.folder / "made"
        for folder in (self.genesis_dir, self.set_dir, self.release, self.made):
            folder.mkdir()

    def environment(self, root=""):
        """root: "" the simulated enclave's, None nobody's, else a path."""
        env = {k: v for k, v in os.environ.items() if k != "QUORATE_ATTESTATION_ROOT"}
        env["HOME"] = str(self.folder)
        if root is not None:
            env["QUORATE_ATTESTATION_ROOT"] = str(root or self.root)
        return env

    def client(self, *words, root="", answers=YES):
        """Runs qos_client, returns what it printed; Refused when it fails."""
        done = subprocess.run([BIN / "qos_client", *map(str, words)], input=answers, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder,
                              env=self.environment(root), timeout=60)
        if done.returncode != 0:
            raise Refused(f"exit {done.returncode}: {done.stdout}")
        return done.stdout

    def host(self):
        return "--host-ip", "127.0.0.1", "--host-port", self.machine.port

    def secret(self, member):
        return self.folder / f"{member}.secret"

    def share(self, member):
        return self.folder / f"{member}.share"

    def quorum_key(self):
        return self.genesis_dir / "quorum_key.pub"

    def public(self):
        return bytes.fromhex(self.quorum_key().read_text())

    def pcr_words(self):
        return "--qos-release-dir", self.release, "--pcr3-preimage-path", self.role_file

    def write_release(self, pcrs=None):
        pcrs = pcrs or self.machine.print_pcrs()
        lines = [f"{pcrs[name]} {name}\n" for name in ("PCR0", "PCR1", "PCR2")]
        (self.release / "aws-x86_64.pcrs").write_text("".join(lines))

    def keys(self):
        for member in self.members:
            self.client("generate-file-key", "--master-seed-path", self.secret(member), "--pub-path",
                        self.set_dir / f"{member}.pub")
        (self.set_dir / "quorum_threshold").write_text(f"{self.threshold}\n")

    def genesis(self, *more, root=""):
        return self.client("boot-genesis", *self.host(), "--share-set-dir", self.set_dir,
                           "--namespace-dir", self.genesis_dir, *self.pcr_words(), *more, root=root)

    def after_genesis(self, member, *more, root=""):
        return self.client("after-genesis", "--secret-path", self.secret(member), "--share-path",
                           self.share(member), "--alias", member, "--namespace-dir",
                           self.genesis_dir, *self.pcr_words(), *more, root=root)

    def born(self, *genesis_words):
        """Keys, genesis and shares, then a fresh enclave."""
        self.machine.start()
        self.write_release()
        self.keys()
        self.genesis(*genesis_words)
        for member in self.members:
            self.after_genesis(member)
        self.machine.restart()
        return self

    def manifest_path(self, nonce=1):
        return self.made / f"manifest-{nonce}"

    def envelope_path(self, nonce=1):
        return self.made / f"envelope-{nonce}"

    def pivot_hash_file(self, pivot):
        path = self.made / "pivot-hash.txt"
        path.write_text(hashlib.sha256(Path(pivot).read_bytes()).hexdigest() + "\n")
        return path

    def set_words(self, patch=True):
        words = ["--manifest-set-dir", self.set_dir, "--share-set-dir", self.set_dir,
                 "--quorum-key-path", self.quorum_key()]
        return words + (["--patch-set-dir", self.set_dir] if patch else [])

    def generate_manifest(self, pivot, *more, nonce=1, restart="never", patch=True, root=""):
        self.client("generate-manifest", "--nonce", nonce, "--namespace", NAMESPACE,
                    "--restart-policy", restart, "--pivot-hash-path", self.pivot_hash_file(pivot),
                    "--manifest-path", self.manifest_path(nonce), "--pivot-args", "[]",
                    *self.pcr_words(), *self.set_words(patch), *more, root=root)
        return self.manifest_path(nonce)

    def approve(self, member, pivot, *more, nonce=1, patch=True, root="", answers=YES):
        return self.client("approve-manifest", "--secret-path", self.secret(member),
                           "--manifest-path", self.manifest_path(nonce),
                           "--manifest-approvals-dir", self.made, "--pivot-hash-path",
                           self.pivot_hash_file(pivot), "--alias", member, *self.pcr_words(),
                           *self.set_words(patch), *more, root=root, answers=answers)

    def envelope(self, nonce=1):
        return self.client("generate-manifest-envelope", "--manifest-approvals-dir", self.made,
                           "--manifest-path", self.manifest_path(nonce), "--manifest-envelope-path",
                           self.envelope_path(nonce))

    def approved(self, pivot, *more, nonce=1, restart="never", patch=True, root=""):
        """A manifest, approved by as many members as are needed, in its envelope."""
        self.generate_manifest(pivot, *more, nonce=nonce, restart=restart, patch=patch, root=root)
        for member in self.members[: self.threshold]:
            self.approve(member, pivot, nonce=nonce, patch=patch, root=root)
        self.envelope(nonce)

    def boot(self, pivot, nonce=1, root=""):
        return self.client("boot-standard", "--manifest-envelope-path", self.envelope_path(nonce),
                           "--pivot-path", pivot, *self.host(), "--pcr3-preimage-path",
                           self.role_file, root=root)

    def attestation(self):
        return self.made / "attestation_doc"

    def fetch_attestation(self):
        return self.client("get-attestation-doc", *self.host(), "--attestation-doc-path",
                           self.attestation(), "--manifest-envelope-path",
                           self.made / "fetched_envelope")

    def wrapped(self, member):
        return self.made / f"{member}.eph_wrapped.share"

    def share_approval(self, member):
        return self.made / f"{member}.attestation.approval.json"

    def reencrypt(self, member, *more, root="", answers=YES):
        return self.client("proxy-re-encrypt-share", "--share-path", self.share(member),
                           "--secret-path", self.secret(member), "--attestation-doc-path",
                           self.attestation(), "--eph-wrapped-share-path", self.wrapped(member),
                           "--approval-path", self.share_approval(member),
                           "--manifest-envelope-path", self.made / "fetched_envelope",
                           "--pcr3-preimage-path", self.role_file, "--manifest-set-dir",
                           self.set_dir, "--alias", member, *more, root=root, answers=answers)

    def post(self, member):
        return self.client("post-share", *self.host(), "--eph-wrapped-share-path",
                           self.wrapped(member), "--approval-path", self.share_approval(member))

    def provision(self, members=None):
        """Shares of these members (as many as are needed), until the key is reconstructed."""
        members = members or self.members[: self.threshold]
        self.fetch_attestation()
        for member in members:
            self.reencrypt(member)
        said = [self.post(member) for member in members]
        assert all("has *not* been reconstructed" in text for text in said[:-1]), said
        assert "The quorum key has been reconstructed." in said[-1], said
