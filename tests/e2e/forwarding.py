"""Forwarding a quorum key between machines of one ceremony: enclaves of one simulated TEE (or another), the three
commands, and an application that is the same bytes on every machine."""
import shutil
from pathlib import Path

from ceremony import Ceremony
from machine import SIGNED_ECHO, Application, Machine


def portable_application(machine):
    """signed-echo, which looks beside itself for its key and for the port of its machine."""
    folder = machine.folder / "portable-app"
    folder.mkdir()
    folder.chmod(0o755)
    program = folder / "signed-echo"
    shutil.copy(SIGNED_ECHO / "signed-echo", program)
    program.chmod(0o755)
    script = folder / "your_app"
    script.write_text(f"#!/bin/sh\nhere=${{0%/*}}\nread -r port <\"$here/../app-port\"\n"
                      f"exec {program} --port \"$port\" --quorum-file \"$here/qos.quorum.key\"\n")
    script.chmod(0o755)
    return script


class Station:
    """A machine that takes part in a forward, and the commands as they are typed for it."""

    def __init__(self, ceremony, machine):
        self.c, self.machine = ceremony, machine
        self.app = Application(machine)
        (machine.folder / "app-port").write_text(f"{self.app.port}\n")
        made = ceremony.made / f"station{machine.port}"
        made.mkdir(exist_ok=True)
        self.document, self.key = made / "attestation_doc", made / "encrypted_quorum_key"

    def host(self):
        return "--host-ip", "127.0.0.1", "--host-port", self.machine.port

    def boot(self, nonce, *more, pivot=None, **how):
        return self.c.client("boot-key-fwd", *self.host(), "--manifest-envelope-path",
                             self.c.envelope_path(nonce), "--pivot-path", pivot or self.c.pivot,
                             "--attestation-doc-path", self.document, *more, **how)

    def export_to(self, other, nonce, *more, **how):
        """This enclave seals the key to the other one, which has booted the manifest of that nonce."""
        return self.c.client("export-key", *self.host(), "--manifest-envelope-path",
                             self.c.envelope_path(nonce), "--attestation-doc-path", other.document,
                             "--encrypted-quorum-key-path", other.key, *more, **how)

    def inject(self, *more, **how):
        return self.c.client("inject-key", *self.host(), "--encrypted-quorum-key-path", self.key,
                             *more, **how)

    def take_from(self, other, nonce):
        """The whole forward."""
        assert "COSE Sign1 Attestation Doc written to: " in self.boot(nonce)
        assert self.machine.phase() == "WaitingForForwardedKey"
        assert "Encrypted Quorum Key written to: " in other.export_to(self, nonce)
        assert "Successful key injection!" in self.inject()
        assert self.machine.phase() == "QuorumKeyProvisioned"

    def quorum_file(self):
        return self.machine.file("quorum.key").read_text()


class Relay(Ceremony):
    """A ceremony whose machine has its quorum key, by shares, under manifest 1."""

    def __init__(self):
        super().__init__()
        self.stations = []

    def start(self):
        self.born()
        self.pivot = portable_application(self.machine)
        self.approved(self.pivot)
        self.first = Station(self, self.machine)
        self.boot(self.pivot)
        self.provision()
        return self

    def station(self, same_tee=True, **options):
        machine = Machine(**options)
        if same_tee:
            machine.sim = self.machine.sim
        self.stations.append(machine)
        return Station(self, machine.start())

    def end_stations(self):
        while self.stations:
            self.stations.pop().remove()

    def manifest(self, nonce, *more, version=1, pivot=None):
        """An approved manifest with this nonce; version 2 has no patch set."""
        words = ["--use-manifest-version", "2"] if version == 2 else []
        for old in Path(self.made).glob("*.approval"):
            old.unlink()
        self.approved(pivot or self.pivot, *words, *more, nonce=nonce, patch=version == 1)
        return nonce
