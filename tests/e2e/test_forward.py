"""Key forwarding with the three commands through hosts: chains of three enclaves, applications that answer with the
same key, and everything that must keep the key where it is (qos-behaviour 1.6, 2.8, 2.9)."""
import json
import re
import shutil
import subprocess

import pytest

import ceremony
import independent
import qos_model as qos
from ceremony import Refused
from forwarding import Relay
from hostile_host import HostileHost, forward
from machine import BIN, ROOT
from sim_documents import HOUR, Forge
from snapshot import difference, snapshot

SKIP = "--unsafe-skip-attestation"


@pytest.fixture(scope="module")
def relay():
    r = Relay()
    try:
        r.start()
        yield r
    finally:
        r.end_stations()
        r.machine.remove()


@pytest.fixture
def station(relay):
    """A function that makes another machine of the ceremony; they end with the test."""
    yield relay.station
    relay.end_stations()


def refused(call, text, *machines):
    """One error line with this text; phases and files of these machines are as before."""
    folders = [m.state for m in machines]
    phases, before = [m.phase() for m in machines], snapshot(*folders)
    with pytest.raises(Refused) as refusal:
        call()
    said = [line for line in str(refusal.value).splitlines() if "error: " in line]
    assert len(said) == 1 and text in said[0], str(refusal.value)
    assert [m.phase() for m in machines] == phases
    assert difference(before, snapshot(*folders)) == []


def answers_with_the_quorum_key(relay, station):
    message = "from the chain"
    independent.verify_echo(relay.public(), station.app.echo(message), message)


def test_a_chain_of_three_enclaves_ends_in_an_application_with_the_key(relay, station):
    second, third = station(), station()
    second.take_from(relay.first, 1)
    third.take_from(second, relay.manifest(2))
    assert relay.first.quorum_file() == second.quorum_file() == third.quorum_file()
    assert relay.first.machine.phase() == "QuorumKeyProvisioned"
    for one in (relay.first, second, third):
        answers_with_the_quorum_key(relay, one)
    assert third.machine.info()["manifestEnvelope"]["manifest"]["namespace"]["nonce"] == 2


def test_the_commands_of_the_page_run_as_printed(relay, station):
    new = station()
    page = (ROOT / "docs" / "key-forwarding.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"(?ms)^```bash\n(.*?)^```", page)
    block = block.replace("3000", str(relay.machine.port)).replace("3001", str(new.machine.port))
    folder = relay.folder / "as-printed"
    (folder / "manifest-dir").mkdir(parents=True)
    shutil.copy(relay.envelope_path(1), folder / "manifest-dir" / "manifest_envelope")
    shutil.copy(relay.pivot, folder / "your_app")
    done = subprocess.run(["bash", "-ec", block], cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=60,
                          env={**relay.environment(), "PATH": f"{BIN}:/usr/bin:/bin"})
    assert done.returncode == 0 and done.stdout.endswith("Successful key injection!\n"), done.stdout
    assert new.quorum_file() == relay.first.quorum_file()


def test_a_chain_through_manifests_of_version_2(relay, station):
    second, third = station(), station()
    nonce = relay.manifest(3, version=2)
    second.take_from(relay.first, nonce)
    third.take_from(second, nonce)
    assert third.quorum_file() == relay.first.quorum_file()
    answers_with_the_quorum_key(relay, third)
    last = station()
    refused(lambda: last.boot(1) and third.export_to(last, 1, SKIP), "LowNonce { expected: 3, actual: 1 }",
            third.machine)


def test_an_enclave_of_a_newer_image_gets_the_key_when_its_manifest_names_it(relay, station):
    other = relay.machine.folder / "qos_core"
    shutil.copy(BIN / "qos_core", other)
    with open(other, "ab") as f:
        f.write(b"another version")
    new = station(core=other)
    refused(lambda: new.boot(1), "DifferentPcr0")
    assert new.machine.phase() == "WaitingForForwardedKey"  # the enclave does not judge itself, others do
    assert not new.document.exists()
    new.machine.restart()
    new.boot(1, SKIP)
    refused(lambda: relay.first.export_to(new, 1), "DifferentPcr0", relay.machine, new.machine)
    refused(lambda: relay.first.export_to(new, 1, SKIP), "DifferentPcr0", relay.machine, new.machine)
    assert not new.key.exists()
    new.machine.restart()
    relay.write_release(new.machine.print_pcrs())
    try:
        nonce = relay.manifest(4)
    finally:
        relay.write_release()
    new.take_from(relay.first, nonce)
    assert new.quorum_file() == relay.first.quorum_file()


def test_an_enclave_of_another_role_gets_no_key(relay, station):
    other_role = "arn:aws:iam::999999999999:role/another"
    new = station(role=other_role)
    ours = relay.role_file.read_text()
    relay.role_file.write_text(other_role + "\n")
    try:
        nonce = relay.manifest(5)
    finally:
        relay.role_file.write_text(ours)
    new.boot(nonce)
    refused(lambda: new.boot(nonce, "--pcr3-preimage-path", relay.role_file), "Pcr3PreimageDoesNotMatchManifest")
    refused(lambda: relay.first.export_to(new, nonce, "--pcr3-preimage-path", relay.role_file),
            "Pcr3PreimageDoesNotMatchManifest", relay.machine)
    refused(lambda: relay.first.export_to(new, nonce), "DifferentPcr3 {", relay.machine, new.machine)


def test_an_enclave_of_another_tee_gets_no_key(relay, station):
    new = station(same_tee=False)
    refused(lambda: new.boot(1), "found another")
    assert not new.document.exists()
    new.machine.restart()
    new.boot(1, SKIP)
    refused(lambda: relay.first.export_to(new, 1), "found another", relay.machine)
    refused(lambda: relay.first.export_to(new, 1, SKIP), "QosAttestError", relay.machine, new.machine)
    assert not new.key.exists()


@pytest.fixture(scope="module")
def another_space(relay):
    """Nonces of approved manifests that differ in what must not: {what: nonce}."""
    made, own = {}, (ceremony.NAMESPACE, relay.set_dir, relay.genesis_dir)
    ceremony.NAMESPACE = "another/namespace"
    made["DifferentNamespaceName"] = relay.manifest(11)
    ceremony.NAMESPACE = own[0]
    relay.set_dir = relay.folder / "other-members"
    shutil.copytree(own[1], relay.set_dir)
    (relay.set_dir / "member3.pub").unlink()
    made["DifferentManifestSet"] = relay.manifest(12)
    relay.set_dir, relay.genesis_dir = own[1], relay.folder / "other-genesis"
    relay.genesis_dir.mkdir()
    (relay.genesis_dir / "quorum_key.pub").write_text(qos.Pair().public.hex())
    made["DifferentQuorumKey"] = relay.manifest(13)
    relay.genesis_dir = own[2]
    return made


@pytest.mark.parametrize("error", ["DifferentNamespaceName", "DifferentManifestSet", "DifferentQuorumKey"])
def test_no_key_for_another_space_set_or_key(relay, station, another_space, error):
    new = station()
    nonce = another_space[error]
    new.boot(nonce)
    refused(lambda: relay.first.export_to(new, nonce), error, relay.machine, new.machine)
    refused(lambda: relay.first.export_to(new, nonce, SKIP), f"enclave: {error}", relay.machine, new.machine)
    assert not new.key.exists()


def test_no_key_for_another_manifest_of_the_same_nonce(relay, station):
    new = station()
    kept = relay.envelope_path(1).read_bytes()
    try:
        relay.manifest(1, "--debug-mode", "true")
        new.boot(1)
        refused(lambda: relay.first.export_to(new, 1), "would refuse: DifferentManifest", relay.machine)
        refused(lambda: relay.first.export_to(new, 1, SKIP), "enclave: DifferentManifest", relay.machine)
    finally:
        relay.envelope_path(1).write_bytes(kept)


DOCUMENTS = {
    "expired": (lambda f, d: f.changed(d, valid=(-4 * HOUR, -HOUR)), "expired"),
    "tampered": (lambda f, d: d[:-1] + bytes([d[-1] ^ 1]), "signature"),
    "with another key": (lambda f, d: f.changed(d, public_key=qos.Pair().public), "DifferentPcr "),
    "truncated": (lambda f, d: d[:-1], ""),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_export_on_a_document(relay, station, name):
    new = station()
    new.boot(1)
    genuine = new.document.read_bytes()
    spoil, text = DOCUMENTS[name]
    new.document.write_bytes(spoil(Forge(relay.machine.sim), genuine))
    refused(lambda: relay.first.export_to(new, 1), text, relay.machine, new.machine)
    if name != "truncated":  # the client parses it even when it believes it
        refused(lambda: relay.first.export_to(new, 1, SKIP), "QosAttestError", relay.machine)
    new.document.write_bytes(genuine)
    relay.first.export_to(new, 1)
    new.inject()


def test_a_document_of_an_earlier_boot_yields_a_key_that_no_later_boot_can_open(relay, station):
    new = station()
    new.boot(1)
    earlier = new.document.read_bytes()
    new.machine.restart()
    new.boot(1)
    assert new.document.read_bytes() != earlier
    new.document.write_bytes(earlier)
    relay.first.export_to(new, 1)
    refused(new.inject, "UnexpectedProtocolMsgResponse: enclave: P256Error", new.machine)
    new.machine.restart()
    new.take_from(relay.first, 1)


@pytest.mark.parametrize("field", ["encrypted_quorum_key", "signature"])
def test_a_tampered_key_is_found_by_the_client_and_by_the_enclave(relay, station, field):
    new = station()
    new.boot(1)
    relay.first.export_to(new, 1)
    genuine = new.key.read_text()
    spoiled = json.loads(genuine)
    assert list(spoiled) == ["encrypted_quorum_key", "signature"] and " " not in genuine
    spoiled[field] = f"{int(spoiled[field][:2], 16) ^ 1:02x}{spoiled[field][2:]}"
    new.key.write_text(json.dumps(spoiled))
    refused(new.inject, "InvalidEncryptedQuorumKeySignature", new.machine)
    refused(lambda: new.inject("--manifest-envelope-path", relay.envelope_path(1), SKIP),
            "InvalidEncryptedQuorumKeySignature", new.machine)
    refused(lambda: new.inject(SKIP), "enclave: InvalidEncryptedQuorumKeySignature", new.machine)
    new.key.write_text(genuine[:-1])
    refused(new.inject, str(new.key), new.machine)
    new.key.write_text(genuine)
    new.inject("--manifest-envelope-path", relay.envelope_path(1))


def test_exports_and_injections_can_be_repeated_without_harm(relay, station):
    new, other = station(), station()
    new.boot(1)
    relay.first.export_to(new, 1)
    first = new.key.read_bytes()
    assert "an earlier file was replaced" in relay.first.export_to(new, 1)
    assert new.key.read_bytes() != first
    new.inject()
    refused(new.inject, "NoMatchingRoute(QuorumKeyProvisioned)", new.machine)
    refused(lambda: new.inject(SKIP), "NoMatchingRoute(QuorumKeyProvisioned)", new.machine)
    other.key.write_bytes(new.key.read_bytes())
    other.boot(1)
    refused(other.inject, "P256Error", other.machine)  # sealed to somebody else
    answers_with_the_quorum_key(relay, new)


def test_the_commands_say_what_the_enclave_waits_for(relay, station):
    new = station()
    new.boot(1)
    waiting = station()
    refused(lambda: waiting.export_to(new, 1), "expected an enclave in phase QuorumKeyProvisioned")
    refused(lambda: new.export_to(new, 1), "NoMatchingRoute(WaitingForForwardedKey)", new.machine)
    waiting.key.write_text(json.dumps({"encrypted_quorum_key": "00", "signature": "00"}))
    refused(waiting.inject, "expected an enclave in phase WaitingForForwardedKey")
    refused(lambda: new.boot(1), "NoMatchingRoute", new.machine)


def test_ceremony_status_asks_for_no_shares_of_a_forwarded_key(relay, station):
    new = station()
    new.boot(1)
    manifests = relay.folder / "status"
    manifests.mkdir()
    shutil.copy(relay.manifest_path(1), manifests / "manifest")
    shutil.copy(relay.envelope_path(1), manifests / "manifest_envelope")
    words = ("ceremony", "status", *new.host(), "--manifest-dir", manifests)
    said = relay.client(*words)
    assert "the quorum key from another enclave" in said and "shares 0" not in said
    relay.first.export_to(new, 1)
    new.inject()
    said = relay.client(*words)
    assert "QuorumKeyProvisioned" in said and "shares" not in said, said


def test_a_boot_is_checked_before_the_enclave_is_asked(relay, station):
    new = station()
    refused(lambda: new.boot(1, pivot=relay.role_file), "InvalidPivotHash", new.machine)
    refused(lambda: new.boot(1, "--pcr3-preimage-path", relay.set_dir / "member1.pub"),
            "Pcr3PreimageDoesNotMatchManifest", new.machine)
    refused(lambda: new.boot(1, root=None), "attestation root: the manifest names", new.machine)
    assert new.machine.phase() == "WaitingForBootInstruction"
    new.take_from(relay.first, 1)


def test_an_application_too_large_for_this_way_is_named(relay, station):
    new = station()
    large = relay.folder / "large"
    large.write_bytes(bytes(33 << 20))
    nonce = relay.manifest(21, pivot=large)
    refused(lambda: new.boot(nonce, pivot=large), "an application of 34603008 bytes, where fewer than 33554432 fit",
            new.machine)


def test_both_errors_of_two_encodings_are_told(relay, station):
    new = station()
    new.boot(1)
    with pytest.raises(Refused) as refusal:
        new.boot(1)
    assert "as Borsh: enclave: ProtocolMsgDeserialization; as JSON: enclave: NoMatchingRoute" in str(refusal.value)


# ---- hosts that lie

def lying(port, kind, change):
    """Answers as the host there does, with another payload in replies of this kind."""
    def alter(reply):
        if isinstance(reply, dict) and kind in reply:
            reply[kind] = change(reply[kind])
        return reply
    return HostileHost(forward(port), alter)


def at(station, host):
    station.host = lambda: ("--host-ip", "127.0.0.1", "--host-port", host.port)


def test_a_lying_host_cannot_pass_off_another_boot(relay, station):
    new, other = station(), station()
    other.boot(1)
    stolen = Forge(relay.machine.sim).changed(other.document.read_bytes(), public_key=qos.Pair().public)
    with lying(new.machine.port, "bootKeyForwardResponse",
               lambda _: {"nsm_response": {"attestation": {"document": stolen.hex()}}}) as host:
        at(new, host)
        refused(lambda: new.boot(1), "DifferentPcr ")
    assert not new.document.exists()


def test_a_lying_host_cannot_pass_off_another_enclave_with_the_key(relay, station):
    new, other = station(), station()
    new.boot(1)
    other.boot(1)
    genuine = relay.first.host
    waiting = json.loads(forward(other.machine.port)(b'"liveAttestationDocRequest"'))
    try:
        with lying(relay.machine.port, "liveAttestationDocResponse",
                   lambda _: waiting["liveAttestationDocResponse"]) as host:
            at(relay.first, host)
            refused(lambda: relay.first.export_to(new, 1), "DifferentPcr ", relay.machine)
        with lying(relay.machine.port, "exportKeyResponse",
                   lambda key: {**key, "signature": "11" * 64}) as host:
            at(relay.first, host)
            refused(lambda: relay.first.export_to(new, 1), "InvalidEncryptedQuorumKeySignature")
            refused(lambda: relay.first.export_to(new, 1, SKIP), "InvalidEncryptedQuorumKeySignature")
        with lying(relay.machine.port, "exportKeyResponse",
                   lambda key: {**key, "encrypted_quorum_key": "11"}) as host:
            at(relay.first, host)
            refused(lambda: relay.first.export_to(new, 1), "expected an envelope of 129 bytes")
    finally:
        relay.first.host = genuine
    assert not new.key.exists()


def test_a_lying_host_cannot_pass_off_another_target(relay, station):
    new = station()
    new.boot(1)
    relay.first.export_to(new, 1)
    old = json.loads(forward(new.machine.port)(b'"liveAttestationDocRequest"'))["liveAttestationDocResponse"]
    document = bytes.fromhex(old["nsm_response"]["attestation"]["document"])
    aged = Forge(relay.machine.sim).changed(document, valid=(-4 * HOUR, HOUR)).hex()
    genuine = new.host
    with lying(new.machine.port, "liveAttestationDocResponse",
               lambda reply: {**reply, "nsm_response": {"attestation": {"document": aged}}}) as host:
        at(new, host)
        refused(new.inject, "expected one made for this request", new.machine)
    new.host = genuine
    new.inject()


def test_skipping_is_loud_in_each_command(relay, station):
    new = station()
    warning = "**WARNING:** Skipping attestation document verification."
    assert warning in new.boot(1, SKIP)
    assert warning in relay.first.export_to(new, 1, SKIP)
    assert warning in new.inject(SKIP)


def test_a_host_that_goes_away_half_way_leaves_what_can_be_tried_again(relay, station):
    new = station()
    new.boot(1)
    genuine = relay.first.host
    with HostileHost(forward(relay.machine.port),
                     lambda reply: None if "exportKeyResponse" in reply else reply) as host:
        at(relay.first, host)
        refused(lambda: relay.first.export_to(new, 1), "transport error", relay.machine)
    relay.first.host = genuine
    assert not new.key.exists()
    relay.first.export_to(new, 1)
    new.machine.core.process.kill()
    new.machine.core.process.wait()
    refused(new.inject, "http_post error")
    new.machine.restart()
    new.take_from(relay.first, 1)
