"""One ceremony with a mixture of programs: members' files, enclaves with a mock TEE, their hosts. Only flags and
outputs of the original are used here; nothing of ours."""
import contextlib
import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import qos_model as qos
from machine import (BIN, BUILD, Process, alive, answers, free_port, request, wait_until,
                     work_folder)

STANDINS = Path(__file__).resolve().parent / "standins"
PIVOT = BUILD / "tests/interop/interop-pivot"
ROLES = ("client", "host", "core", "bridge")
MEMBERS = ("user1", "user2", "user3")
ROLE = "arn:aws:iam::123456789012:role/interop"
NAMESPACE = "quit-coding-to-vape"


@dataclass
class Mixture:
    name: str
    programs: dict


def ours(role):
    return BIN / f"qos_{role}"


def mixture(name, **standins):
    return Mixture(name, {r: STANDINS / f"qos_{r}" if r in standins else ours(r) for r in ROLES})


def chosen():
    """The programs that the environment names, ours in the other roles; nothing named: ours, ours beside each
    stand-in, and with QUORATE_FULL=1 the stand-ins among themselves."""
    named = {r: os.environ.get(f"QOS_{r.upper()}_BIN") for r in ROLES}
    if any(named.values()):
        return [Mixture("named", {r: Path(p).resolve() if p else ours(r) for r, p in named.items()})]
    others = [mixture(f"other-{r}", **{r: True}) for r in ROLES]
    if os.environ.get("QUORATE_FULL"):
        others.append(mixture("others", **dict.fromkeys(ROLES, True)))
    return [mixture("ours"), *others]


MIXTURES = chosen()


class Node:
    """An enclave and its host."""

    def __init__(self, world, name, mock_pcrs=None, core=None):
        self.world, self.name = world, name
        self.program = core or world.programs["core"]
        self.folder = world.folder / name
        self.folder.mkdir()
        self.folder.chmod(0o777)  # an application under another uid writes here
        self.socket, self.port = self.folder / "sock", free_port()
        self.mock = ["--mock"] + (["--mock-pcrs", mock_pcrs] if mock_pcrs else [])
        self.core = self.host = None

    def file(self, name):
        return self.folder / "files" / name

    def start_core(self, *more):
        words = [*self.mock, "--usock", self.socket, "--quorum-file", self.file("quorum.key"),
                 "--pivot-file", self.file("pivot.bin"), "--ephemeral-file",
                 self.file("ephemeral.key"), "--manifest-file", self.file("manifest")]
        self.core = self.world.start("core", self.name, words + list(more), self.folder, self.program)
        self.core.wait_ready(self.socket.exists, "the enclave's socket")
        return self

    def start_host(self, *more):
        words = ["--host-ip", "127.0.0.1", "--host-port", self.port, "--usock", self.socket, *more]
        self.host = self.world.start("host", self.name, words, self.folder)
        self.host.wait_ready(lambda: answers(self.port, "/qos/host-health"), "the host")
        return self

    def start(self):
        return self.start_core().start_host()

    def words(self):
        return ["--host-ip", "127.0.0.1", "--host-port", self.port]

    def get(self, route):
        return request(self.port, "GET", f"/qos/{route}")

    def message(self, payload):
        status, body = request(self.port, "POST", "/qos/message", payload)
        assert status == 200, body
        return body

    def info(self):
        status, body = self.get("enclave-info")
        assert status == 200, body
        return json.loads(body)

    def phase(self):
        return self.info()["phase"]

    def wait_for_application(self, text):
        file = self.folder / "pivot_works"
        wait_until(file.exists, "the application's file")
        assert file.read_text() == text  # and no environment after it


class World:
    def __init__(self, programs):
        self.programs = programs.programs
        self.folder = work_folder()
        self.processes, self.nodes = [], []
        self.home = self.folder / "home"
        self.home.mkdir()
        self.sim = self.home / ".local/state/quorate/sim"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home),
                    "PYTHONDONTWRITEBYTECODE": "1"}
        # Any of our enclaves makes the PKI that all mock TEEs of this world share.
        subprocess.run([ours("core"), "--mock", "--print-pcrs"], env=self.env, check=True,
                       capture_output=True)
        self.pivot = self.folder / "pivot"
        self.pivot.write_bytes(PIVOT.read_bytes())
        self.pivot.chmod(0o755)

    def path(self, name):
        return self.folder / name

    def write(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)
        return self.path(name)

    def need_commands(self, *commands, of=None):
        """Skips where the client has no such command; this ends by itself when it is there."""
        program = of or self.programs["client"]
        for command in commands:
            if STANDINS in program.parents:
                continue
            done = subprocess.run([program, command, "--help"], env=self.env, capture_output=True)
            if done.returncode != 0:
                pytest.skip(f"{program.name} has no command {command} yet")

    def need_forwarding(self):
        commands = "boot-key-fwd", "export-key", "inject-key"
        self.need_commands(*commands)
        if self.programs["core"] == ours("core"):
            self.need_commands(*commands, of=ours("client"))  # they come together

    def trust_mock(self):
        """The original reads no environment and trusts a compiled mock root; ours, where it verifies, this one."""
        self.env["QUORATE_ATTESTATION_ROOT"] = str(self.sim / "root.der")

    def need_bridge(self):
        for program in (self.programs["bridge"],
                        ours("bridge") if self.programs["core"] == ours("core") else None):
            if program and not program.exists():
                pytest.skip(f"{program.name} is not built yet")

    def start(self, role, name, words, cwd, program=None):
        process = InFolder(program or self.programs[role], words, self.folder / f"{name}.{role}", self.env, cwd)
        self.processes.append(process)
        return process

    def node(self, name="enclave", mock_pcrs=None, core=None):
        return Node(self, name, mock_pcrs, core)

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def left_running(self):
        """Programs of this world's folder that still run."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                program = os.readlink(process / "exe")
                if program.startswith(f"{self.folder}/") and alive(process.name):
                    found.append(program)
        return found

    @contextlib.contextmanager
    def another_client(self):
        """The stand-in where a real client plays, ours where the stand-in does."""
        usual = self.programs["client"]
        other = ours("client") if STANDINS in usual.parents else STANDINS / "qos_client"
        self.programs = {**self.programs, "client": other}
        try:
            yield
        finally:
            self.programs = {**self.programs, "client": usual}

    def client(self, *words, answers=""):
        """What the client printed on stdout and stderr together; it must succeed."""
        done = subprocess.run([self.programs["client"], *map(str, words)], input=answers, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder,
                              env=self.env, timeout=60)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def talk(self, words, exchanges):
        """Reads each expected line before the answer to it is written, as the original's tests do."""
        process = subprocess.Popen([self.programs["client"], *map(str, words)], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, cwd=self.folder, env=self.env)
        try:
            for lines, answer in exchanges:
                for line in lines.split("\n"):
                    assert process.stdout.readline() == line + "\n"
                if answer is not None:
                    process.stdin.write(answer + "\n")
                    process.stdin.flush()
            rest, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, rest
        return rest

    # What several scenarios begin with.

    def make_release(self, pcrs=("a1", "b2", "c3")):
        self.write("release/aws-x86_64.pcrs",
                   "".join(f"{p * 48} PCR{i}\n" for i, p in enumerate(pcrs)))
        self.write("pcr3-preimage.txt", ROLE + "\n")
        role = hashlib.sha384(bytes(48) + ROLE.encode()).hexdigest()
        return self.write("mock.pcrs", "".join(
            f"{p * 48} PCR{i}\n" for i, p in enumerate(pcrs)) + f"{role} PCR3\n")

    def make_members(self):
        """Three members, keys and shares from an independent model: {alias: pair}."""
        self.quorum = qos.Pair()
        pairs = {m: qos.Pair() for m in MEMBERS}
        slope = os.urandom(32)
        for x, (member, pair) in enumerate(pairs.items(), 1):
            share = bytes([x]) + bytes(s ^ qos._multiply(a, x) for s, a in zip(self.quorum.seed, slope))
            self.write(f"{member}.secret", pair.seed.hex())
            self.path(f"{member}.share").write_bytes(qos.seal(pair.public, share))
            for folder in ("manifest-set", "share-set", "patch-set"):
                self.write(f"{folder}/{member}.pub", pair.public.hex())
        for folder in ("manifest-set", "share-set", "patch-set"):
            self.write(f"{folder}/quorum_threshold", "2\n")
        self.write("quorum_key.pub", self.quorum.public.hex())
        self.write("pivot-hash.txt", hashlib.sha256(self.pivot.read_bytes()).hexdigest())
        return pairs

    def part_words(self, version=1):
        patch = ["--patch-set-dir", "patch-set"] if version == 1 else []
        return [*patch, "--qos-release-dir", "release", "--pcr3-preimage-path", "pcr3-preimage.txt",
                "--pivot-hash-path", "pivot-hash.txt", "--manifest-set-dir", "manifest-set",
                "--share-set-dir", "share-set", "--quorum-key-path", "quorum_key.pub"]

    def generate_manifest(self, nonce=2, restart="never", args="[--msg,testing420]", bridges=None,
                          version=1):
        self.path(f"boot-{nonce}").mkdir()
        more = ["--bridge-config", bridges] if bridges else []
        more += ["--use-manifest-version", "2"] if version == 2 else []
        self.client("generate-manifest", "--nonce", nonce, "--namespace", NAMESPACE,
                    "--restart-policy", restart, "--manifest-path", f"boot-{nonce}/manifest",
                    "--pivot-args", args, *more, *self.part_words(version))
        return json.loads(self.path(f"boot-{nonce}/manifest").read_text())

    def approve_words(self, member, nonce=2, version=1):
        return ["approve-manifest", "--secret-path", f"{member}.secret", "--manifest-path",
                f"boot-{nonce}/manifest", "--manifest-approvals-dir", f"boot-{nonce}", "--alias",
                member, *self.part_words(version)]

    def approval(self, member, nonce=2):
        return self.path(f"boot-{nonce}/{member}-{NAMESPACE}-{nonce}.approval")

    def make_envelope(self, nonce=2, members=MEMBERS[:2], version=1):
        for member in members:
            self.client(*self.approve_words(member, nonce, version), "--unsafe-auto-confirm")
        self.client("generate-manifest-envelope", "--manifest-approvals-dir", f"boot-{nonce}",
                    "--manifest-path", f"boot-{nonce}/manifest")
        return self.path(f"boot-{nonce}/manifest_envelope")

    def boot(self, node, nonce=2):
        # Where attestation is skipped nobody opens the file behind PCR3.
        self.client("boot-standard", *node.words(), "--manifest-envelope-path",
                    f"boot-{nonce}/manifest_envelope", "--pivot-path", self.pivot,
                    "--pcr3-preimage-path", "is-not-there", "--unsafe-skip-attestation")
        assert node.phase() == "WaitingForQuorumShards"

    def share_words(self, member, node):
        return ["proxy-re-encrypt-share", "--secret-path", f"{member}.secret", "--share-path",
                f"{member}.share", "--attestation-doc-path", "doc", "--approval-path",
                f"{member}.approval", "--eph-wrapped-share-path", f"{member}.wrapped",
                "--manifest-envelope-path", "fetched", "--pcr3-preimage-path", "pcr3-preimage.txt",
                "--manifest-set-dir", "manifest-set", "--alias", member,
                "--unsafe-skip-attestation", "--unsafe-eph-path-override", node.file("ephemeral.key")]

    def fetch(self, node):
        self.client("get-attestation-doc", *node.words(), "--attestation-doc-path", "doc",
                    "--manifest-envelope-path", "fetched")

    def post(self, node, member):
        return self.client("post-share", *node.words(), "--approval-path", f"{member}.approval",
                           "--eph-wrapped-share-path", f"{member}.wrapped")

    def provision(self, node, members=MEMBERS[:2]):
        self.fetch(node)
        for member in members:
            self.client(*self.share_words(member, node), "--unsafe-auto-confirm")
            said = self.post(node, member)
        assert "The quorum key has been reconstructed." in said
        assert node.phase() == "QuorumKeyProvisioned"


class InFolder(Process):
    """A program that runs in a folder of its own."""

    def __init__(self, program, words, log, env, cwd):
        self.log = Path(log)
        with open(f"{log}.out", "wb") as out, open(f"{log}.err", "wb") as err:
            self.process = subprocess.Popen([str(program), *map(str, words)], cwd=cwd, env=env,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.pid = self.process.pid
