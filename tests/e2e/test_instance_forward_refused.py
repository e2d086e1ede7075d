"""TEE to TEE on the REST API: everything that must be refused, by the number of the hole it closes (renclave 9), and
that a refusal changes nothing."""
import copy
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import qos_model as qos
from instance_forwarding import (SETUP, ZEROS, Handover, ShortPair, attestation, export, export_refused, inject,
                                 measured, numbers, pass_on, setup_key, share, unsigned_document)
from machine import SHARED
from sim_documents import Forge, payload_of

MINUTE = 60
VECTORS = SHARED / "vectors" / "renclave"


def vector(name):

    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return json.loads(path.read_text())


class Pair:
    """An instance with the key and one that waits for it, under one root."""

    def __init__(self, new_instance):
        self.first, self.second = new_instance().start(), new_instance().start()
        self.handover = Handover(self.first)
        self.handover.give(self.first)
        self.envelope = self.handover.envelope()
        share(self.second, self.envelope)
        self.forge = Forge(self.first.sim)

    def export_refused(self, document, envelope=None):
        said = export_refused(self.first, envelope or self.envelope, document)
        assert self.first.phase() == "ApplicationReady"
        return said

    def inject_refused(self, key, status=400):
        said = self.second.refused(status, "POST", "/enclave/inject-key", key)
        assert self.second.phase() == "WaitingForForwardedKey"
        return said

    def still_works(self):
        inject(self.second, export(self.first, self.envelope, attestation(self.second)))
        assert self.handover.has_the_key(self.second)


@pytest.fixture
def pair(new_instance):
    return Pair(new_instance)


def changed(envelope, path, value):
    made = copy.deepcopy(envelope)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return made


# ---- export-key

def test_finding_07_evidence_that_anybody_can_write_is_refused(pair):
    attacker = qos.Pair()
    registers = measured(pair.first)
    now = int(time.time() * 1000)
    for public in (attacker.public, attacker.public[:65]):
        said = pair.export_refused(unsigned_document(now, pair.handover.hash(), public, registers))
        assert "Attestation document verification failed" in said
    vectors = vector("attestation_doc_original.json")
    for document in [v for k, v in vectors.items() if k.endswith("doc_hex")]:
        pair.export_refused(bytes.fromhex(document))
    genuine = attestation(pair.second)
    payload = payload_of(genuine)
    assert pair.export_refused(genuine.replace(payload["public_key"], attacker.public))
    for cut in (0, 1, len(genuine) // 2, len(genuine) - 1):
        pair.export_refused(genuine[:cut])
    pair.export_refused(genuine + b"\0")
    pair.still_works()


def test_finding_07_a_document_under_another_root_is_refused(pair, new_instance, folder):
    stranger = new_instance(sim=folder / "another-sim").start()
    other = Handover(stranger)
    share(stranger, other.envelope())
    theirs = attestation(stranger)
    pair.export_refused(theirs)
    pair.export_refused(theirs, other.envelope())
    genuine = attestation(pair.second)
    pair.export_refused(Forge(stranger.sim).as_own(genuine))
    said = stranger_refuses(new_instance, folder, pair.envelope)
    assert "aws_root_certificate" in said
    pair.still_works()


def stranger_refuses(new_instance, folder, envelope):
    """Same image and role, another root."""
    role = (folder / "sim" / "role.txt").read_text().strip()
    third = new_instance(sim=folder / "third-sim", role=role).start()
    said = third.refused(400, "POST", "/enclave/share-manifest", {"manifest_envelope": envelope})
    assert third.phase() == "WaitingForBootInstruction"
    return said


def test_finding_08_the_manifest_of_the_request_decides_nothing(pair, new_instance):
    """An attacker's own manifest, booted by an enclave of the same image: his key, his people, approved by all."""
    third = new_instance().start()
    attacker = Handover(third)
    envelope = attacker.envelope(approved_by=attacker.names)
    share(third, envelope)
    assert "DifferentQuorumKey" in pair.export_refused(attestation(third), envelope)
    borrowed = copy.deepcopy(attacker.manifest)
    borrowed["namespace"]["quorum_key"] = pair.handover.manifest["namespace"]["quorum_key"]
    stolen = attacker.envelope(borrowed, self_signed=False, approved_by=attacker.names)
    fourth = new_instance().start()
    share(fourth, stolen)  # it may wait for ever
    assert "DifferentManifestSet" in pair.export_refused(attestation(fourth), stolen)
    pair.still_works()


@pytest.mark.parametrize("path, value", [
    (("manifest", "namespace", "nonce"), 12346), (("manifest", "namespace", "name"), "another"),
    (("manifest", "enclave", "pcr0"), [9] * 48), (("manifest", "enclave", "pcr3"), [9] * 48),
    (("manifest", "enclave", "qos_commit"), "another"), (("manifest", "pivot", "hash"), [9] * 32),
    (("manifest", "pivot", "args"), ["arg1"]), (("manifest", "pivot", "restart"), "Always"),
    (("manifest", "manifest_set", "threshold"), 1), (("manifest", "share_set", "threshold"), 3),
])
def test_finding_08_a_changed_manifest_is_another_one_that_nobody_approved(pair, path, value):
    assert "NotEnoughApprovals" in pair.export_refused(attestation(pair.second), changed(pair.envelope, path, value))
    pair.still_works()


def test_an_approved_manifest_with_a_higher_nonce_gets_the_key_a_lower_one_does_not(pair, new_instance):
    handover = pair.handover
    for nonce, passes in ((12346, True), (12344, False)):
        third = new_instance().start()
        manifest = changed({"m": handover.manifest}, ("m", "namespace", "nonce"), nonce)["m"]
        envelope = handover.envelope(manifest, self_signed=False, approved_by=handover.names[:2])
        share(third, envelope)
        document = attestation(third)
        if passes:
            unapproved = handover.envelope(manifest)
            assert "NotEnoughApprovals" in pair.export_refused(document, unapproved)
            inject(third, export(pair.first, envelope, document))
        else:
            assert "LowNonce" in pair.export_refused(document, envelope)


def test_finding_15_registers_are_measured_and_compared(pair):
    genuine = attestation(pair.second)
    own = measured(pair.second)
    assert [payload_of(genuine)["pcrs"][i] for i in range(4)] == own
    for i in range(4):
        said = pair.export_refused(pair.forge.changed(genuine, registers={i: bytes([i + 1]) * 48}))
        assert f"DifferentPcr{i}" in said
    assert pair.export_refused(pair.forge.changed(genuine, registers={16: b"\1" * 48}))
    assert pair.export_refused(pair.forge.changed(genuine, public_key=qos.Pair().public))
    assert pair.export_refused(pair.forge.changed(genuine, public_key=None))
    assert pair.export_refused(pair.forge.changed(genuine, user_data=b"\0" * 32))
    pair.still_works()


def test_finding_15_a_manifest_without_registers_is_not_booted(new_instance):
    instance = new_instance().start()
    handover = Handover(instance)
    for i in range(4):
        for value in ([], [0] * 48, [1] * 48):
            envelope = handover.envelope(changed({"m": handover.manifest}, ("m", "enclave", f"pcr{i}"), value)["m"])
            said = instance.refused(400, "POST", "/enclave/share-manifest", {"manifest_envelope": envelope})
            assert f"pcr{i}" in said
    assert instance.phase() == "WaitingForBootInstruction"
    share(instance, handover.envelope())


@pytest.mark.parametrize("minutes", [-60 * 24 * 365, -60, -6, 6, 60, 60 * 24 * 365])
def test_finding_16_documents_of_another_time_are_refused(pair, minutes):
    """Signed by the TEE's own key under a certificate that is valid all that time."""
    genuine = attestation(pair.second)
    when = int((time.time() + minutes * MINUTE) * 1000)
    span = abs(minutes) * MINUTE + 600
    payload = payload_of(pair.forge.changed(genuine, valid=(-span, span)))
    payload["timestamp"] = when
    said = pair.export_refused(pair.forge.sign(payload))
    assert "Attestation document verification failed" in said
    payload["timestamp"] = int(time.time() * 1000)
    assert export(pair.first, pair.envelope, pair.forge.sign(payload))  # it was the time


def test_finding_16_a_document_serves_one_injection(pair):
    document = attestation(pair.second)
    first, another = (export(pair.first, pair.envelope, document) for _ in range(2))
    inject(pair.second, first)
    assert pair.second.refused(409, "POST", "/enclave/inject-key", another)
    after = attestation(pair.second)
    assert "PCR16" in pair.export_refused(after)  # it names the live key, to which nobody seals
    assert pair.second.phase() == "ApplicationReady"


def test_finding_16_what_was_sealed_to_a_dead_enclave_opens_nowhere(pair):
    key = export(pair.first, pair.envelope, attestation(pair.second))
    pair.second.kill()
    pair.second.start()
    assert pair.second.refused(409, "POST", "/enclave/inject-key", key)
    share(pair.second, pair.envelope)
    pair.inject_refused(key)
    pair.still_works()


def test_a_document_with_a_nonce_is_for_verifiers_not_for_exports(pair):
    assert "UnexpectedNonce" in pair.export_refused(attestation(pair.second, nonce=[1]))
    pair.still_works()


def test_malformed_exports_are_refused(pair):
    genuine = numbers(attestation(pair.second))
    path = "/enclave/export-key"
    for document in ("not an array", genuine + [256], genuine + [-1], genuine + ["x"], genuine + [1.5], {}, 7):
        assert pair.first.refused(422, "POST", path,
                                  {"manifest_envelope": pair.envelope, "attestation_doc": document})
    assert "must be an array of bytes" in pair.first.refused(400, "POST", path,
                                                             {"manifest_envelope": pair.envelope})
    assert "manifest envelope" in pair.first.refused(400, "POST", path, {"attestation_doc": genuine})
    pair.still_works()


# ---- inject-key

def test_finding_09_a_key_that_the_quorum_key_did_not_sign_is_refused(pair):
    setup = setup_key(pair.second)
    attacker = ShortPair()
    wrong = [pair.handover.sealed(setup, attacker.seed, attacker), pair.handover.sealed(setup, signer=attacker),
             {**pair.handover.sealed(setup), "signature": [0] * 64},
             {**pair.handover.sealed(setup), "signature": []},
             {**pair.handover.sealed(setup), "signature": [1] * 63}]
    for key in wrong:
        assert "InvalidEncryptedQuorumKeySignature" in pair.inject_refused(key)
    pair.still_works()


def test_finding_09_another_key_is_refused_though_the_quorum_key_signed_it(pair):
    setup = setup_key(pair.second)
    said = pair.inject_refused(pair.handover.sealed(setup, ShortPair().seed))
    assert "WrongQuorumKey" in said
    pair.inject_refused(pair.handover.sealed(setup, bytes(32)))
    pair.inject_refused(pair.handover.sealed(setup, b"short"))
    pair.inject_refused(pair.handover.sealed(setup, bytes(33)))
    pair.still_works()


def test_finding_09_the_vectors_substitution_is_refused(pair):
    attack = vector("key_forward_vectors.json")["substitution_attack"]
    said = pair.inject_refused({name: numbers(bytes.fromhex(attack[f"{name}_hex"]))
                                for name in ("encrypted_quorum_key", "signature")})
    assert "signature" in said
    pair.still_works()


def test_a_tampered_envelope_is_refused(pair):
    key = export(pair.first, pair.envelope, attestation(pair.second))
    box = key["encrypted_quorum_key"]
    for i in (0, 11, 12, 50, 77, 81, len(box) - 1):
        bent = box[:i] + [box[i] ^ 1] + box[i + 1:]
        pair.inject_refused({**key, "encrypted_quorum_key": bent})
    for part in (box[:-1], box + [0], []):
        pair.inject_refused({**key, "encrypted_quorum_key": part})
    inject(pair.second, key)


def test_a_key_sealed_to_another_enclave_is_refused(pair, new_instance):
    third = new_instance().start()
    share(third, pair.envelope)
    pair.inject_refused(export(pair.first, pair.envelope, attestation(third)))
    pair.still_works()


def test_malformed_injections_are_refused(pair):
    key = pair.handover.sealed(setup_key(pair.second))
    assert "Failed to parse encrypted quorum key" in pair.inject_refused({})
    for name in key:
        assert "Failed to parse encrypted quorum key" in pair.inject_refused({**key, name: None})
        for wrong in ("text", [256], [-1], ["x"], {}, [1.5]):
            said = pair.inject_refused({**key, name: wrong}, 422)
            assert name == "signature" or said.startswith("Failed to parse encrypted quorum key")
    inject(pair.second, key)


def test_of_many_injections_at_once_one_is_taken(pair):
    document = attestation(pair.second)
    keys = [export(pair.first, pair.envelope, document) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda key: pair.second.call("POST", "/enclave/inject-key", key)[0], keys))
    assert sorted(got) == [200] + [409] * 7
    taken = keys[got.index(200)]
    for key in keys:
        assert pair.second.call("POST", "/enclave/inject-key", key)[0] == (200 if key == taken else 409)
    assert pair.handover.has_the_key(pair.second)


def test_finding_10_an_injection_cannot_poison_an_enclave_that_has_its_key(pair):
    setup = setup_key(pair.second)
    pair.still_works()
    attacker = ShortPair()
    for key in (pair.handover.sealed(setup), pair.handover.sealed(setup, attacker.seed, attacker)):
        assert pair.second.refused(409, "POST", "/enclave/inject-key", key)
        assert pair.first.refused(409, "POST", "/enclave/inject-key", key)
    for instance in (pair.first, pair.second):
        assert instance.phase() == "ApplicationReady" and pair.handover.has_the_key(instance)


# ---- generate-attestation

def test_finding_14_only_what_is_so_is_attested(new_instance):
    instance = new_instance().start()
    path = "/enclave/generate-attestation"
    for body in ({"manifest_hash": ZEROS}, {"manifest_hash": [1] * 32}, {}):
        assert instance.refused(409, "POST", path, body)
    handover = Handover(instance)
    share(instance, handover.envelope())
    right = {"manifest_hash": numbers(handover.hash())}
    registers = {f"pcr{i}": numbers(value) for i, value in enumerate(measured(instance))}
    same = {payload_of(attestation(instance, **body))["user_data"]
            for body in ({"manifest_hash": ZEROS}, {"pcr0": []}, right, {**right, **registers},
                         {"manifest_hash": None, "pcr1": None}, {"pcr_values": [[1], [2], [3], [4]]})}
    assert same == {handover.hash()}
    for wrong in ([1] * 32, [0] * 31, [0] * 33, [], numbers(handover.hash())[:31]):
        assert "manifest_hash" in instance.refused(400, "POST", path, {"manifest_hash": wrong})
    for name in registers:
        for wrong in ([0] * 48, [1], registers[name][:-1]):
            assert name in instance.refused(400, "POST", path, {name: wrong})
    for wrong in ([256] * 32, [-1], ["x"], "text", 5):
        assert instance.refused(422, "POST", path, {"manifest_hash": wrong})
    assert instance.phase() == "WaitingForForwardedKey"


# ---- share-manifest

def test_finding_17_manifests_with_one_original_hash_are_two_here(new_instance):
    """Moved from one text to the next, the bytes concatenate to the same."""
    instance = new_instance().start()
    handover = Handover(instance)
    one, another = copy.deepcopy(handover.manifest), copy.deepcopy(handover.manifest)
    one["pivot"]["args"], another["pivot"]["args"] = ["ab", "c"], ["a", "bc"]
    share(instance, handover.envelope(one))
    told = instance.ok("GET", "/enclave/share-manifest")["manifest_hash"]
    assert told == handover.hash(one).hex() != handover.hash(another).hex()
    assert instance.refused(409, "POST", "/enclave/share-manifest", {"manifest_envelope": handover.envelope(another)})
    assert instance.ok("GET", "/enclave/share-manifest")["manifest_hash"] == told


def spoiled(handover):
    """(what, envelope, status) of manifests that must not be booted."""
    good, manifest = handover.envelope(), handover.manifest
    first = manifest["share_set"]["members"][0]

    def signed(*path, value):
        return handover.envelope(changed({"m": manifest}, ("m", *path), value)["m"])

    yield "nothing", None, 400
    yield "text", "manifest", 422
    yield "empty object", {}, 422
    yield "no signature", handover.envelope(self_signed=False), 400
    yield "zero signature", {**good, "quorum_key_signature": [0] * 64}, 400
    yield "empty signature", {**good, "quorum_key_signature": []}, 400
    yield "signature of another", {**good, "quorum_key_signature": numbers(ShortPair().sign(handover.hash()))}, 400
    yield "tampered", changed(good, ("manifest", "namespace", "name"), "another"), 400
    yield "one approval of two", handover.envelope(self_signed=False, approved_by=["member1"]), 400
    yield "signed, one approval of two", handover.envelope(approved_by=["member1"]), 400
    yield "one approval twice", handover.envelope(self_signed=False, approved_by=["member1", "member1"]), 400
    yield "approval of another manifest", {
        **handover.envelope(self_signed=False), "manifest_set_approvals": [
            handover.approval(n, changed({"m": manifest}, ("m", "namespace", "nonce"), 1)["m"])
            for n in ("member1", "member2")]}, 400
    yield "share approvals", {**good, "share_set_approvals": [handover.approval("member1")]}, 400
    for name in ("manifest_set", "share_set"):
        members = manifest[name]["members"]
        yield f"{name} k > n", signed(name, "threshold", value=4), 400
        yield f"{name} k = 0", signed(name, "threshold", value=0), 400
        yield f"{name} empty", signed(name, "members", value=[]), 400
        yield f"{name} same member twice", signed(name, "members", value=[*members, first]), 400
        yield f"{name} same key twice", signed(name, "members", value=[*members, {**first, "alias": "x"}]), 400
    yield "share set k = 1", signed("share_set", "threshold", value=1), 400
    yield "one member of a share set", signed("share_set", "members", value=[first]), 400
    yield "nonce of 33 bits", changed(good, ("manifest", "namespace", "nonce"), 1 << 32), 400
    yield "no point", changed(good, ("manifest", "namespace", "quorum_key"), [4] * 65), 400
    yield "quorum key of another", changed(good, ("manifest", "namespace", "quorum_key"),
                                           numbers(ShortPair().public)), 400
    yield "pivot hash of 31", changed(good, ("manifest", "pivot", "hash"), [1] * 31), 400
    yield "restart", changed(good, ("manifest", "pivot", "restart"), "Sometimes"), 400
    yield "root", signed("enclave", "aws_root_certificate", value=[]), 400


def test_finding_18_a_manifest_is_validated_and_taken_once(new_instance):
    instance = new_instance().start()
    handover = Handover(instance)
    for what, envelope, status in spoiled(handover):
        got, answer = instance.call("POST", "/enclave/share-manifest", {"manifest_envelope": envelope})
        assert got == status, (what, got, answer)
        assert answer["result"] == {"Error": {"message": answer["error"], "code": status}}, what
        assert answer["id"] == answer["request_id"], what
    assert instance.phase() == "WaitingForBootInstruction"
    assert instance.ok("GET", "/enclave/share-manifest")["manifest_shared"] is False
    share(instance, handover.envelope())
    other = Handover(instance)
    for path in ("share-manifest", "boot-key-forward"):
        assert instance.refused(409, "POST", f"/enclave/{path}", {"manifest_envelope": other.envelope()})
    assert instance.ok("GET", "/enclave/share-manifest")["manifest_hash"] == handover.hash().hex()
    inject(instance, handover.sealed(setup_key(instance)))
    assert instance.refused(409, "POST", "/enclave/share-manifest", {"manifest_envelope": other.envelope()})
    assert handover.has_the_key(instance)


def test_approvals_alone_are_enough_on_the_simulated_tee(new_instance):
    instance = new_instance().start()
    handover = Handover(instance, short=False)
    share(instance, handover.envelope(self_signed=False, approved_by=handover.names[1:]))


def test_the_commitment_to_another_domain_is_not_one_to_a_setup_key(pair):
    live = "qos-live-manifest-pcr-commitment-v1"
    genuine = attestation(pair.second)
    public = payload_of(genuine)["public_key"]
    registers = {16: qos.commitment_register(live, public, pair.handover.hash())}
    assert "PCR16" in pair.export_refused(pair.forge.changed(genuine, registers=registers))
    registers = {16: qos.commitment_register(SETUP, public, pair.handover.hash())}
    assert export(pair.first, pair.envelope, pair.forge.changed(genuine, registers=registers))


def test_three_under_one_root_and_one_under_another(pair, new_instance, folder):
    third = new_instance().start()
    pair.still_works()
    pass_on(pair.second, third, pair.envelope)
    stranger = new_instance(sim=folder / "another-sim").start()
    assert stranger.refused(400, "POST", "/enclave/share-manifest", {"manifest_envelope": pair.envelope})
    assert stranger.phase() == "WaitingForBootInstruction"
