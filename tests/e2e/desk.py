"""Files a member has on the own desk before any enclave is asked, and qos_client run among them."""
import hashlib
import json
import os
import subprocess

import qos_model as model
from machine import BIN

PCRS = "".join(f"{value * 48} PCR{i}\n" for i, value in enumerate(("a1", "b2", "c3")))
PLACEHOLDERS = "<PCR0_VALUE> PCR0\n<PCR1_VALUE> PCR1\n<PCR2_VALUE> PCR2\n"
ROLE = "arn:aws:iam::123456789012:role/test"
AWS_ROOT_SHA256 = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
YES = "y\n" * 16
QUESTIONS_V1 = [
    "Is this the correct manifest schema version: v1? (y/n)",
    "Is this the correct namespace name: production/v1? (y/n)",
    "Is this the correct namespace nonce: 1? (y/n)",
    "Is this the correct pivot restart policy: RestartPolicy::Never? (y/n)",
    'Are these the correct pivot args:\n["--msg", "testing420"]?\n(y/n)',
    "Is this the correct pivot debug mode: false? (y/n)",
    'Is this the correct pivot bridge configuration:\n[Server { port: 3000, host: "0.0.0.0" }, '
    "Client { port: 443, host: None }]?\n(y/n)",
]
BRIDGES = '[{"type":"server","port":3000,"host":"0.0.0.0"},{"type":"client","port":443}]'


def environment():
    return {k: v for k, v in os.environ.items() if k != "QUORATE_ATTESTATION_ROOT"}


class Desk:
    """A folder with everything a member needs before any enclave is asked."""

    def __init__(self, folder):
        self.folder = folder
        self.members = {f"member{i}": model.Pair() for i in (1, 2, 3)}
        self.quorum = model.Pair()
        self.write("pcr3-preimage.txt", ROLE + "\n")
        self.write("release/aws-x86_64.pcrs", PCRS)
        self.write("app", "#!/bin/sh\n")
        self.write("pivot-hash.txt", hashlib.sha256(b"#!/bin/sh\n").hexdigest() + "\n")
        self.write("quorum_key.pub", self.quorum.public.hex())
        for alias, pair in self.members.items():
            self.write(f"{alias}.secret", pair.seed.hex())
            for folder in ("manifest-set", "share-set", "patch-set"):
                self.write(f"{folder}/{alias}.pub", pair.public.hex())
        for name in ("manifest-set", "share-set", "patch-set"):
            self.write(f"{name}/quorum_threshold", "2\n")
        self.path("approvals").mkdir()

    def path(self, name):
        return self.folder / name

    def write(self, name, text):
        self.path(name).parent.mkdir(exist_ok=True)
        self.path(name).write_text(text)

    def read_json(self, name):
        return json.loads(self.path(name).read_text())

    def run(self, *words, answers="", env=None, **more):
        return subprocess.run([BIN / "qos_client", *map(str, words)], input=answers, text=True,
                              capture_output=True, cwd=self.folder, env=env or environment(),
                              timeout=60, **more)

    def ok(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def refused(self, *words, text, **more):
        """Exit 1, one line "error: ..." on stderr with text in it."""
        done = self.run(*words, **more)
        assert done.returncode == 1, done.stdout + done.stderr
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, done.stderr
        assert text in errors[0]
        return done

    def parts(self, patch=True):
        words = ["--pivot-hash-path", "pivot-hash.txt", "--qos-release-dir", "release",
                 "--pcr3-preimage-path", "pcr3-preimage.txt", "--manifest-set-dir", "manifest-set",
                 "--share-set-dir", "share-set", "--quorum-key-path", "quorum_key.pub"]
        return words + (["--patch-set-dir", "patch-set"] if patch else [])

    def generate_words(self, *more, patch=True, nonce=1):
        return ["generate-manifest", "--nonce", nonce, "--namespace", "production/v1",
                "--restart-policy", "never", "--manifest-path", "manifest", "--pivot-args",
                "[--msg,testing420]", "--bridge-config", BRIDGES, *self.parts(patch), *more]

    def generate(self, *more, **how):
        self.ok(*self.generate_words(*more, **how))
        return self.read_json("manifest")

    def approve_words(self, member, *more, patch=True, secret=None):
        return ["approve-manifest", "--secret-path", secret or f"{member}.secret",
                "--manifest-path", "manifest", "--manifest-approvals-dir", "approvals",
                "--alias", member, *self.parts(patch), *more]

    def approval_name(self, member, nonce=1):
        return f"approvals/{member}-production-v1-{nonce}.approval"

    def approve(self, *members, patch=True):
        for member in members:
            self.ok(*self.approve_words(member, patch=patch), answers=YES)

    def envelope_words(self):
        return ["generate-manifest-envelope", "--manifest-approvals-dir", "approvals",
                "--manifest-path", "manifest"]


def talk(desk, words, answers):
    """Answers each question after it was read, as people do. [the questions], exit code, the rest of stdout."""
    process = subprocess.Popen([BIN / "qos_client", *map(str, words)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               cwd=desk.folder, env=environment())
    questions = []
    try:
        for answer in answers:
            question = process.stdout.readline()
            while question and "(y/n)" not in question and "Please answer" not in question:
                line = process.stdout.readline()
                assert line, question
                question += line
            questions.append(question.rstrip("\n"))
            process.stdin.write(answer + "\n")
            process.stdin.flush()
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    return questions, process.returncode, rest


def booted(desk):
    desk.generate()
    desk.approve("member1", "member2")
    desk.ok(*desk.envelope_words())
    return ["boot-standard", "--pivot-path", "app", "--manifest-envelope-path",
            "approvals/manifest_envelope", "--pcr3-preimage-path", "pcr3-preimage.txt"]
