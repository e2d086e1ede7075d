"""Attestation documents that must not be believed, at every command that believes one: the error, that phase and
files are as before, and that the right document still works afterwards."""
import os
import subprocess

import pytest

from ceremony import Refused
from hostile_host import HostileHost, through
from machine import BIN
from sim_documents import HOUR, Forge, payload_of
from snapshot import difference, snapshot


@pytest.fixture(scope="module")
def booted(shared_ceremony):
    """Booted, with a genuine document, a forge with its TEE's keys, and one with another TEE's."""
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.fetch_attestation()
    c.genuine = c.attestation().read_bytes()
    c.forge = Forge(c.machine.sim)
    other = c.machine.folder / "other-sim"
    subprocess.run([BIN / "qos_core", "--tee", "sim", "--sim-dir", other, "--role", "x",
                    "--print-pcrs"], check=True, capture_output=True)
    c.other_forge = Forge(other)
    return c


def flip(document, at):
    return document[:at] + bytes([document[at] ^ 1]) + document[at + 1:]


ZEROS = {0: bytes(48), 1: bytes(48), 2: bytes(48)}
BAD = {
    "expired": (lambda c, d: c.forge.changed(d, valid=(-4 * HOUR, -HOUR)), "its certificates have expired"),
    "not yet valid": (lambda c, d: c.forge.changed(d, valid=(HOUR, 4 * HOUR)), "are not yet valid"),
    "from another root": (lambda c, d: c.other_forge.as_own(d),
                          "cabundle[0]: expected the trusted SIMULATED root, found another"),
    "wrong signature": (lambda c, d: flip(d, len(d) - 1), "signature: expected one by the key of its certificate"),
    "wrong key": (lambda c, d: c.forge.changed(d, certificate=payload_of(c.other_forge.as_own(d))[
        "certificate"]), "certificate chain"),
    "with another PCR0": (lambda c, d: c.forge.changed(d, registers={0: b"\x11" * 48}), "DifferentPcr0"),
    "with another PCR1": (lambda c, d: c.forge.changed(d, registers={1: b"\x11" * 48}), "DifferentPcr1"),
    "with another PCR2": (lambda c, d: c.forge.changed(d, registers={2: b"\x11" * 48}), "DifferentPcr2"),
    "with another PCR3": (lambda c, d: c.forge.changed(d, registers={3: b"\x11" * 48}), "DifferentPcr3"),
    "of an enclave in debug mode": (lambda c, d: c.forge.changed(d, registers=ZEROS),
                                    "(the enclave runs in debug mode)"),
    "of another manifest or genesis": (lambda c, d: c.forge.changed(d, user_data=os.urandom(32)),
                                       "DifferentUserData"),
    "without user data": (lambda c, d: c.forge.changed(d, user_data=None), "MissingUserData"),
    "made for somebody's nonce": (lambda c, d: c.forge.changed(d, nonce=b"nonce"), "UnexpectedNonce"),
    "truncated": (lambda c, d: d[:-1], "attestation document"),
    "empty": (lambda c, d: b"", "attestation document"),
    "with bytes after it": (lambda c, d: d + b"\0", "attestation document"),
    "oversized": (lambda c, d: d + bytes(1 << 20), "at most"),
}
BAD_SETUP = {
    "with another setup key": (lambda c, d: c.forge.changed(d, public_key=c.public()), "DifferentPcr "),
    "without a setup key": (lambda c, d: c.forge.changed(d, public_key=None), "MissingPubKey"),
    "that committed to nothing": (lambda c, d: c.forge.changed(d, registers={16: bytes(48)}),
                                  "(PCR16)"),
    **BAD,
}


def refused(c, call, text):
    """call is refused with text in its one error line; phase and all files are as before."""
    folders = c.folder, c.machine.state
    phase, before = c.machine.phase(), snapshot(*folders)
    with pytest.raises(Refused) as refusal:
        call()
    said = [line for line in str(refusal.value).splitlines() if "error: " in line]
    assert len(said) == 1 and text in said[0], str(refusal.value)
    assert difference(before, snapshot(*folders)) == []
    assert c.machine.phase() == phase


@pytest.mark.parametrize("name", BAD_SETUP)
def test_a_member_gives_no_share_on_a_document(booted, name):
    c = booted
    spoil, text = BAD_SETUP[name]
    c.attestation().write_bytes(spoil(c, c.genuine))
    try:
        refused(c, lambda: c.reencrypt("member1"), text)
    finally:
        c.attestation().write_bytes(c.genuine)
    c.reencrypt("member1")
    assert "*not*" in c.post("member1")


def with_document(change):
    """Replaces the document in a reply of the enclave."""
    def alter(reply):
        document = reply["bootStandardResponse"]["nsm_response"]["attestation"]["document"]
        reply["bootStandardResponse"]["nsm_response"]["attestation"]["document"] = change(
            bytes.fromhex(document)).hex()
        return reply
    return alter


@pytest.mark.parametrize("name", BAD_SETUP)
def test_the_operator_believes_no_boot_by_a_document(booted, name):
    c = booted
    spoil, text = BAD_SETUP[name]
    answer = {"bootStandardResponse": {"nsm_response": {"attestation": {"document": c.genuine.hex()}}}}
    with HostileHost(answer, with_document(lambda d: spoil(c, d))) as host, through(c, host.port):
        refused(c, lambda: c.boot(c.pivot), text)
    with HostileHost(answer) as host, through(c, host.port):
        c.boot(c.pivot)


@pytest.mark.parametrize("name", BAD)
def test_a_member_takes_no_share_from_a_genesis_by_a_document(booted, name):
    c = booted
    spoil, text = BAD[name]
    document, share = c.genesis_dir / "genesis_attestation_doc", c.share("member1")
    genuine, kept = document.read_bytes(), share.read_bytes()
    share.unlink()
    document.write_bytes(spoil(c, genuine))
    try:
        refused(c, lambda: c.after_genesis("member1"), text)
    finally:
        document.write_bytes(genuine)
    c.after_genesis("member1")
    assert share.read_bytes() == kept


def test_an_expired_genesis_is_taken_only_as_of_a_time_that_the_member_names(booted):
    c = booted
    document, share = c.genesis_dir / "genesis_attestation_doc", c.share("member2")
    genuine = document.read_bytes()
    kept = share.read_bytes()
    share.unlink()
    old = c.forge.changed(genuine, valid=(-4 * HOUR, -HOUR))
    made_at = payload_of(old)["timestamp"] // 1000
    document.write_bytes(old)
    try:
        refused(c, lambda: c.after_genesis("member2"), f"--validation-time-override {made_at}")
        refused(c, lambda: c.after_genesis("member2", "--validation-time-override", "1"), "not yet valid")
        refused(c, lambda: c.after_genesis("member2", "--validation-time-override", "yesterday"),
                "--validation-time-override")
        c.after_genesis("member2", "--validation-time-override", made_at)
    finally:
        document.write_bytes(genuine)
    assert share.read_bytes() == kept
