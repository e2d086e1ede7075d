"""The real enclave on a recorded SEV-SNP machine: whole ceremony, every document verified by the real client.

The recorded machine is a library that answers qos_core's calls to /dev/sev-guest, with the keys of the test PKI. Only the
root is another than on hardware, so the client is told to take any.
"""
import json

import pytest

from ceremony import Ceremony, Refused
from machine import BIN, BUILD, VECTORS, Machine

RECORDED = BUILD / "tests" / "unit" / "tee" / "librecorded_sev_guest.so"
ROOT = VECTORS / "snp" / "ark_milan.der"
IMAGE = json.loads((VECTORS / "snp" / "cases.json").read_text(encoding="utf-8"))["measurement"]
WITH_ROOT = {"boot-genesis", "after-genesis", "generate-manifest", "approve-manifest", "boot-standard",
             "proxy-re-encrypt-share", "attestation"}

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason=f"{RECORDED} is not built (a build with sanitizers)")


class RecordedMachine(Machine):
    def __init__(self):
        super().__init__()
        core = self.folder / "qos_core"
        core.write_text(f"#!/bin/sh\nRECORDED_ROLE={self.role} LD_PRELOAD={RECORDED} exec {BIN / 'qos_core'} \"$@\"\n")
        core.chmod(0o755)
        self.core_program = core

    def tee_words(self):
        return ["--tee", "snp", "--role", self.role]


class RecordedCeremony(Ceremony):
    def __init__(self):
        super().__init__(machine=RecordedMachine())
        self.root = ROOT

    def client(self, *words, **more):
        if words[0] in WITH_ROOT and words[1] != "show":
            words += ("--unsafe-any-attestation-root",)
        return super().client(*words, **more)


@pytest.fixture
def ceremony():
    made = RecordedCeremony()
    yield made
    made.machine.remove()


def born(ceremony):
    """As Ceremony.born, but nobody can see that the answer of an SEV-SNP genesis is fresh."""
    ceremony.machine.start()
    ceremony.write_release()
    ceremony.keys()
    ceremony.genesis("--unsafe-skip-attestation")
    for member in ceremony.members:
        ceremony.after_genesis(member)
    ceremony.machine.restart()


def test_a_ceremony_on_sev_snp_verifies_and_commits_to_its_manifest(ceremony):
    assert ceremony.machine.print_pcrs()["PCR0"] == IMAGE
    born(ceremony)
    pivot = ceremony.app.make()
    ceremony.approved(pivot)
    ceremony.boot(pivot)
    ceremony.fetch_attestation()
    checks = ["attestation", "verify", "--attestation-doc-path", ceremony.attestation(), "--manifest-envelope-path",
              ceremony.envelope_path(), *ceremony.pcr_words(), "--json"]
    said = ceremony.client(*checks)  # with warnings before it
    said = json.loads(said[said.index("{\n"):said.rindex("}") + 1])
    assert said["verified"], said
    assert {"platform", "binding", "policy", "pcr16.commitment", "pcr3.manifest"} <= {c["name"] for c in said["checks"]}
    with pytest.raises(Refused, match="pcr17.commitment"):
        ceremony.client(*checks, "--live")
    ceremony.provision()
    assert ceremony.app.echo("hello")
    ceremony.fetch_attestation()
    ceremony.client(*checks, "--live")


def test_genesis_is_refused_where_nothing_shows_that_it_is_fresh(ceremony):
    ceremony.machine.start()
    ceremony.write_release()
    ceremony.keys()
    with pytest.raises(Refused, match="SEV-SNP, which has no time"):
        ceremony.genesis()
    assert not ceremony.quorum_key().exists()


def test_another_image_is_refused_before_a_share_leaves_the_member(ceremony):
    born(ceremony)
    pivot = ceremony.app.make()
    ceremony.write_release({"PCR0": "ab" * 48, "PCR1": "ab" * 48, "PCR2": ceremony.machine.print_pcrs()["PCR2"]})
    ceremony.approved(pivot)
    with pytest.raises(Refused, match="DifferentPcr0"):
        ceremony.boot(pivot)
    ceremony.fetch_attestation()
    with pytest.raises(Refused, match="DifferentPcr0"):
        ceremony.reencrypt(ceremony.members[0])
    assert not ceremony.wrapped(ceremony.members[0]).exists()


def test_a_role_that_is_not_the_host_datas_is_refused(ceremony):
    ceremony.machine.role = "another"
    with pytest.raises(AssertionError, match="host data"):
        ceremony.machine.start()
