"""Instances for tests of qos_client's instance commands: the real programs, or fakes that can be told to lie."""
import atexit
import functools
import json
import os
import shutil
import subprocess

from fake_instance import FakeInstance, sim_folder
from machine import BIN, ROLE, Machine, work_folder


def against_fakes(test):
    """For tests that need an instance to lie, or to say what it has got."""
    test.against_fakes = True
    return test


def kinds_for(test):
    return ["fakes"] if hasattr(test, "against_fakes") else ["programs", "fakes"]


@functools.cache
def tee_of_all_tests():
    folder = work_folder()
    atexit.register(shutil.rmtree, folder)
    return folder / "sim", sim_folder(folder / "sim")


def known_tee(path):
    """A copy of one simulated TEE's PKI; its measurements."""
    folder, pcrs = tee_of_all_tests()
    shutil.copytree(folder, path)
    return pcrs


class RealInstance(Machine):
    def __init__(self, admins=(), clients=()):
        super().__init__()
        self.keys = {"admin": admins, "client": clients}

    def tee_words(self):
        words = super().tee_words()
        for role, publics in self.keys.items():
            if publics:
                path = self.folder / f"{role}.keys"
                path.write_text("".join(f"{public.hex()}\n" for public in publics))
                words += [f"--{role}-key", path]
        return words

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class Field:
    """A folder, one simulated TEE's PKI for all instances of a test, and the programs around them."""

    def __init__(self, known=True, real=False):
        self.real = real
        self.folder = work_folder()
        self.pcrs = known_tee(self.folder / "sim") if known else sim_folder(self.folder / "sim")
        self.root = self.folder / "sim" / "root.der"
        self.trust = ("--attestation-root-path", self.root)
        self.made = []

    def instance(self, **options):
        if self.real:
            made = RealInstance(**options)
            shutil.copytree(self.folder / "sim", made.sim, dirs_exist_ok=True)
            made.start()
        else:
            made = FakeInstance(self.folder / "sim", self.pcrs, **options)
        self.made.append(made)
        return made

    def remove(self):
        for one in self.made:
            one.remove()
        shutil.rmtree(self.folder)

    def path(self, name):
        return self.folder / name

    def run(self, program, *words, works=True, **options):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("QUORATE_")}
        done = subprocess.run([BIN / program, *map(str, words)], capture_output=True, text=True, cwd=self.folder,
                              timeout=120, check=False, env={**environment, **options.pop("env", {})}, **options)
        assert (done.returncode == 0) == works, done.stdout + done.stderr
        return done

    def client(self, command, *words, **options):
        return self.run("qos_client", "instance", command, *words, **options)

    def refused(self, said, command, *words, **options):
        done = self.client(command, *words, works=False, **options)
        assert said in done.stderr, done.stderr
        assert f"\n{done.stderr}".count("\nerror: ") == 1 and done.returncode == 1
        return done

    # ---- the steps of the guide

    def generate(self, n=3, k=2, *more, name="request"):
        self.run("genesis_key_generator", "--member-count", n, "--threshold", k, "--output", f"{name}.json", *more)
        return json.loads(self.path(f"{name}.json").read_text())

    def genesis_words(self, instance, name="request"):
        return ("--url", instance.url, "--request", f"{name}.json", "--out", "genesis.json", *self.trust)

    def genesis(self, instance, name="request"):
        self.client("genesis", *self.genesis_words(instance, name))
        return json.loads(self.path("genesis.json").read_text())

    def inject_words(self, instance, *members, name="request"):
        secrets = [word for m in members for word in ("--secret", f"{name}.member{m}.secret")]
        return ("--url", instance.url, "--response", "genesis.json", *secrets, *self.trust)

    def inject(self, instance, *members, name="request"):
        return self.client("inject", *self.inject_words(instance, *members, name=name))

    def release(self):
        """The measurements and the role as files, and their words."""
        self.path("release").mkdir()
        self.path("release/aws-x86_64.pcrs").write_text(
            "".join(f"{self.pcrs[i].hex()} PCR{i}\n" for i in range(3)))
        self.path("role").write_text(ROLE + "\n")
        return ("--qos-release-dir", "release", "--pcr3-preimage-path", "role")
