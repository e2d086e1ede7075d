"""Files that are not what a command expects, for every option of every command that reads one: one error, nothing
written, and no waiting for ever. Only a FIFO that the user names is waited for, as a secret may come through one."""
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import qos_model as qos
from ceremony import YES
from machine import BIN
from snapshot import difference, snapshot

FILES = ("--secret-path", "--master-seed-path", "--pcr3-preimage-path", "--pivot-hash-path", "--quorum-key-path",
         "--manifest-path", "--pivot-path", "--manifest-envelope-path", "--share-path",
         "--attestation-doc-path", "--approval-path", "--eph-wrapped-share-path", "--file-path",
         "--dr-key-path", "--attestation-root-path", "--share", "--payload-path", "--signature-path", "--pub-path",
         "--plaintext-path", "--ciphertext-path")
FOLDERS = ("--share-set-dir", "--manifest-set-dir", "--patch-set-dir", "--qos-release-dir",
           "--namespace-dir", "--manifest-approvals-dir")
OUTPUTS = {
    "boot-genesis": ["--namespace-dir"], "after-genesis": ["--share-path"],
    "generate-manifest": ["--manifest-path"], "approve-manifest": ["--manifest-approvals-dir"],
    "generate-manifest-envelope": ["--manifest-envelope-path"],
    "proxy-re-encrypt-share": ["--approval-path", "--eph-wrapped-share-path"],
    "p256-sign": ["--signature-path"], "p256-asymmetric-encrypt": ["--ciphertext-path"],
    "p256-asymmetric-decrypt": ["--plaintext-path"],
}
WITHIN = {
    "--qos-release-dir": ["aws-x86_64.pcrs"],
    "--namespace-dir": ["genesis_output", "genesis_attestation_doc"],
    "--manifest-approvals-dir": [],
}
COMMANDS = ("boot-genesis", "after-genesis", "verify-genesis", "generate-manifest", "approve-manifest",
            "generate-manifest-envelope", "boot-standard", "proxy-re-encrypt-share", "post-share",
            "pivot-hash", "display manifest", "display manifest-envelope", "display genesis-output",
            "json-to-borsh manifest", "json-to-borsh manifest-envelope", "get-ephemeral-key-hex",
            "dangerous-dev-boot", "shamir-split", "shamir-reconstruct", "p256-sign", "p256-verify",
            "p256-asymmetric-encrypt", "p256-asymmetric-decrypt")


class Words:
    """The words of every command as a ceremony uses them, each of which would succeed."""

    def __init__(self, c):
        self.c, self.of = c, {}
        recovery = c.folder / "recovery.pub"
        recovery.write_text(qos.Pair().public.hex())
        seed = c.folder / "some.secret"
        seed.write_text(qos.Pair().seed.hex())
        c.machine.restart()
        c.boot(c.pivot)
        c.fetch_attestation()
        c.reencrypt("member1")
        new = c.folder / "new"
        new.mkdir()
        c.client = self.keep
        try:
            c.genesis("--dr-key-path", recovery, "--attestation-root-path", c.root)
            c.after_genesis("member1")
            c.generate_manifest(c.pivot)
            c.approve("member1", c.pivot)
            c.envelope()
            c.boot(c.pivot)
            c.reencrypt("member1")
            c.post("member1")
        finally:
            del c.client
        self.put("boot-genesis", "--namespace-dir", new)
        self.put("after-genesis", "--share-path", new / "share")
        self.of["verify-genesis"] = ["--namespace-dir", c.genesis_dir, "--master-seed-path", seed]
        self.of["pivot-hash"] = ["--pivot-path", c.pivot, "--output-path", new / "hash"]
        for kind, path in (("manifest", c.manifest_path()), ("manifest-envelope", c.envelope_path()),
                           ("genesis-output", c.genesis_dir / "genesis_output")):
            self.of[f"display {kind}"] = ["--file-path", path, "--display-type", kind]
            self.of[f"json-to-borsh {kind}"] = [*self.of[f"display {kind}"], "--output-path", new / "borsh"]
        self.own_files(c, new, seed)

    def own_files(self, c, new, seed):
        """The commands for files of the user's own; --force, so that each works again and again."""
        pair = qos.Pair(bytes.fromhex(seed.read_text()))
        made = {"own.pub": pair.public.hex().encode(), "own.sig": pair.sign(b"payload").hex().encode(),
                "own.box": qos.seal(pair.public, b"payload"), "own.text": b"payload",
                "a.share": b"\1" + bytes(32), "b.share": b"\2" + bytes(32)}
        for name, contents in made.items():
            (new / name).write_bytes(contents)
        payload = ["--payload-path", new / "own.text"]
        key = ["--master-seed-path", seed]
        public = ["--pub-path", new / "own.pub"]
        self.of["get-ephemeral-key-hex"] = ["--attestation-doc-path", c.attestation(), "--ephemeral-key-path",
                                            new / "eph.pub"]
        self.of["dangerous-dev-boot"] = [*c.host(), "--pivot-path", c.pivot, "--restart-policy", "never"]
        self.of["shamir-split"] = ["--secret-path", seed, "--total-shares", "3", "--threshold", "2", "--output-dir",
                                   new, "--force"]
        self.of["shamir-reconstruct"] = ["--share", new / "a.share", "--share", new / "b.share", "--output-path",
                                         new / "rebuilt", "--force"]
        self.of["p256-sign"] = [*payload, *key, "--signature-path", new / "new.sig"]
        self.of["p256-verify"] = [*payload, *public, "--signature-path", new / "own.sig"]
        self.of["p256-asymmetric-encrypt"] = ["--plaintext-path", new / "own.text", *public, "--ciphertext-path",
                                              new / "new.box", "--force"]
        self.of["p256-asymmetric-decrypt"] = ["--ciphertext-path", new / "own.box", *key, "--plaintext-path",
                                              new / "opened", "--force"]

    def keep(self, *words, **_):
        self.of[words[0]] = list(words[1:])

    def put(self, command, option, value):
        self.of[command][self.of[command].index(option) + 1] = value

    def inputs(self, command):
        outputs = OUTPUTS.get(command, [])
        return [w for w in dict.fromkeys(self.of[command]) if w in FILES + FOLDERS and w not in outputs]

    def value(self, command, option):
        return Path(self.of[command][self.of[command].index(option) + 1])

    def run(self, command, option=None, path=None, **more):
        words = list(self.of[command])
        if option:
            words[words.index(option) + 1] = path
        return subprocess.run([BIN / "qos_client", command.split()[0], *map(str, words)], input=YES,
                              text=True, capture_output=True, cwd=self.c.folder,
                              env=self.c.environment(), timeout=30, **more)


@pytest.fixture(scope="module")
def words(shared_ceremony):
    return Words(shared_ceremony)


def make_fifo(path, _):
    os.mkfifo(path)


def make_sparse(path, _):
    with open(path, "wb") as f:
        f.truncate(1 << 40)


def make_socket(path, _):
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path.name)
    finally:
        os.chdir(here)


def make_unreadable(path, original):
    shutil.copy(original, path)
    path.chmod(0)


HOSTILE = {
    "empty": lambda path, _: path.write_bytes(b""),
    "truncated": lambda path, original: path.write_bytes(original.read_bytes()[: original.stat().st_size // 2]),
    "binary": lambda path, _: path.write_bytes(bytes(range(256)) * 8),
    "huge and sparse": make_sparse,
    "a folder": lambda path, _: path.mkdir(),
    "a link to nothing": lambda path, _: path.symlink_to("nowhere"),
    "a link to itself": lambda path, _: path.symlink_to(path.name),
    "an endless device": lambda path, _: path.symlink_to("/dev/zero"),
    "a socket": make_socket,
    "unreadable": make_unreadable,
    "missing": lambda path, _: None,
}
# What some commands rightly take.
TAKEN = {("generate-manifest", "--pcr3-preimage-path", "truncated"), ("pivot-hash", "--pivot-path", "truncated"),
         ("pivot-hash", "--pivot-path", "empty"), ("pivot-hash", "--pivot-path", "binary"),
         ("shamir-split", "--secret-path", "truncated"), ("shamir-split", "--secret-path", "binary"),
         *(taken for kind in ("truncated", "empty", "binary") for taken in (
             ("p256-sign", "--payload-path", kind), ("p256-asymmetric-encrypt", "--plaintext-path", kind)))}


def refused(words, command, option, path, hostile_path=None):
    c = words.c
    phase = c.machine.phase()
    before = snapshot(c.folder, c.machine.state)
    done = words.run(command, option, path)
    assert done.returncode == 1, (command, option, done)
    errors = [line for line in (done.stdout + done.stderr).splitlines()
              if line.startswith(("error: ", "Invalid input: "))]
    assert len(errors) == 1, done
    if hostile_path:
        assert hostile_path.name in errors[0], errors[0]
    assert difference(before, snapshot(c.folder, c.machine.state)) == []
    assert c.machine.phase() == phase


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_named_file_is_refused_when_it_is(words, tmp_path, command, kind):
    if kind == "unreadable" and os.geteuid() == 0:
        pytest.skip("root reads every file")
    options = [o for o in words.inputs(command) if o in FILES]
    for option in options:
        if (command, option, kind) in TAKEN:
            continue
        hostile = tmp_path / f"hostile{option}"
        HOSTILE[kind](hostile, words.value(command, option))
        named = kind not in ("truncated", "binary", "empty")
        refused(words, command, option, hostile, hostile if named else None)


@pytest.mark.parametrize("kind", ["empty", "binary", "huge and sparse", "a link to nothing", "a socket",
                                  "missing", "an endless device"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_named_folder_is_refused_when_it_is(words, tmp_path, command, kind):
    for option in [o for o in words.inputs(command) if o in FOLDERS]:
        hostile = tmp_path / f"hostile{option}"
        HOSTILE[kind](hostile, words.value(command, option))
        refused(words, command, option, hostile, hostile)


@pytest.mark.parametrize("kind", ["a FIFO", *HOSTILE])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_in_a_named_folder_is_refused_when_it_is(words, tmp_path, command, kind):
    """Such files come from others: nothing but regular files is read there, and nothing is waited for."""
    if kind == "unreadable" and os.geteuid() == 0:
        pytest.skip("root reads every file")
    make = {**HOSTILE, "a FIFO": make_fifo}[kind]
    for option in [o for o in words.inputs(command) if o in FOLDERS]:
        original = words.value(command, option)
        for name in WITHIN.get(option, ["member2.pub", "quorum_threshold"]):
            # One member less is another set, and half of "2\n" is still 2.
            if (kind, name) in (("missing", "member2.pub"), ("truncated", "quorum_threshold")):
                continue
            if command == "verify-genesis" and name != "genesis_output":
                continue
            folder = tmp_path / f"{option}-{name}"
            shutil.copytree(original, folder)
            (folder / name).unlink()
            make(folder / name, original / name)
            named = kind not in ("truncated", "binary", "empty")
            refused(words, command, option, folder, folder / name if named else None)


@pytest.mark.parametrize("kind", ["a FIFO", *HOSTILE])
def test_among_approvals_a_file_is_skipped_when_it_is(words, tmp_path, kind):
    folder = tmp_path / "approvals"
    folder.mkdir()
    for approval in words.c.made.glob("*.approval"):
        shutil.copy(approval, folder)
    original = next(words.c.made.glob("*.approval"))
    {**HOSTILE, "a FIFO": make_fifo}[kind](folder / "hostile.approval", original)
    done = words.run("generate-manifest-envelope", "--manifest-approvals-dir", folder)
    assert done.returncode == 0, done
    assert kind in ("missing", "unreadable") or "skipped: " in done.stderr


def test_a_binding_beside_a_share_is_refused_when_it_is_no_file(words):
    c = words.c
    binding = c.wrapped("member1").with_name(c.wrapped("member1").name + ".binding")
    kept = binding.read_bytes()
    for kind in ("a FIFO", "empty", "truncated", "binary", "huge and sparse", "a folder", "a link to nothing",
                 "an endless device"):
        binding.rename(c.folder / "kept.binding")
        {**HOSTILE, "a FIFO": make_fifo}[kind](binding, c.folder / "kept.binding")
        try:
            refused(words, "post-share", None, None, binding)
        finally:
            if binding.is_dir():
                binding.rmdir()
            else:
                binding.unlink()
            (c.folder / "kept.binding").rename(binding)
    assert binding.read_bytes() == kept
    assert words.run("post-share").returncode == 0


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in (
    "boot-genesis", "boot-standard", "verify-genesis", "dangerous-dev-boot")])
def test_what_the_user_names_may_come_through_a_pipe(words, command):
    """Through /dev/fd/N, as the shell's <(...) gives it."""
    for option in [o for o in words.inputs(command) if o in FILES]:
        if (command, option) == ("post-share", "--eph-wrapped-share-path"):
            continue  # its binding is found by its name
        contents = words.value(command, option).read_bytes()
        assert len(contents) < 60_000
        read, write = os.pipe()
        os.write(write, contents)
        os.close(write)
        done = words.run(command, option, f"/dev/fd/{read}", pass_fds=[read])
        os.close(read)
        assert done.returncode == 0, done
        if command == "after-genesis":
            words.value(command, "--share-path").unlink()
