"""TEE to TEE on the REST API: the guide's two scenarios, what is repeated, what is asked with GET, and that a key
really is where it is said to be (renclave 1.3, 2.2, 3.2, 3.4)."""
import hashlib
import json
import uuid

import pytest

import qos_model as qos
from instance import ApiKey
from instance_forwarding import (SETUP, ZEROS, Handover, attestation, export, inject, measured, numbers, pass_on,
                                 result, setup_key, share)
from sim_documents import payload_of

ONE_ARGUMENT = 131072  # bytes that Linux takes as one argument: the guide passes manifest and document in one


@pytest.fixture
def two(new_instance):
    return new_instance().start(), new_instance().start()


@pytest.mark.parametrize("short", [True, False], ids=["65-byte keys", "130-byte keys"])
def test_a_key_passes_from_instance_to_instance(two, short):
    first, second = two
    handover = Handover(first, short)
    handover.give(first)
    assert second.phase() == "WaitingForBootInstruction"
    pass_on(first, second, handover.envelope())
    assert first.phase() == second.phase() == "ApplicationReady"
    assert handover.has_the_key(first) and handover.has_the_key(second)


def test_a_chain_of_three_goes_on_when_the_first_has_stopped(new_instance):
    first, second, third = (new_instance().start() for _ in range(3))
    handover = Handover(first)
    handover.give(first)
    pass_on(first, second, handover.envelope())
    first.stop()
    pass_on(second, third, handover.envelope())
    assert handover.has_the_key(second) and handover.has_the_key(third)
    second.stop()
    assert third.phase() == "ApplicationReady"


def test_answers_have_the_originals_shape_and_the_requests_id(two):
    first, second = two
    handover = Handover(first)
    handover.give(first)
    asked = "7c1c1f6e-9f2e-4f9c-8a3b-000000000001"
    status, answer = second.call("POST", "/enclave/share-manifest", {"manifest_envelope": handover.envelope()},
                                 request_id=asked)
    assert status == 200
    assert uuid.UUID(answer["id"]).version == 4
    assert second.http or answer["id"] == asked  # the host gives each request an id of its own
    assert answer == {"id": answer["id"], "result": {"ShareManifestResponse": {"success": True}}}
    document = attestation(second)
    given = export(first, handover.envelope(), document)
    assert list(given) == ["encrypted_quorum_key", "signature"]
    assert len(given["encrypted_quorum_key"]) == 32 + 97 and len(given["signature"]) == 64


def test_an_export_changes_nothing_and_is_sealed_anew_each_time(two):
    first, second = two
    handover = Handover(first)
    handover.give(first)
    share(second, handover.envelope())
    document = attestation(second)
    one, another = (export(first, handover.envelope(), document) for _ in range(2))
    assert one["encrypted_quorum_key"] != another["encrypted_quorum_key"]
    assert first.phase() == "ApplicationReady"
    inject(second, another)


def test_what_is_repeated_is_answered_like_the_first_time(two):
    first, second = two
    handover = Handover(first)
    handover.give(first)
    share(second, handover.envelope())
    document = attestation(second)
    share(second, handover.envelope())
    share(second, handover.envelope(self_signed=False))  # the same manifest, whatever stands around it
    assert payload_of(attestation(second))["public_key"] == payload_of(document)["public_key"]
    key = export(first, handover.envelope(), document)
    inject(second, key)
    inject(second, key)
    assert second.refused(409, "POST", "/enclave/share-manifest", {"manifest_envelope": handover.envelope()})


def test_the_document_fits_into_one_argument_with_the_manifest(two):
    first, second = two
    handover = Handover(first)
    handover.give(first)
    share(second, handover.envelope())
    document = attestation(second)
    assert len(document) <= 6000
    as_the_guide_prints = (json.dumps(handover.envelope(), indent=2) +
                           json.dumps(numbers(document), indent=2))
    assert len(as_the_guide_prints) < ONE_ARGUMENT


def test_a_document_says_setup_key_then_live_key_and_nonce(two):
    first, second = two
    handover = Handover(first)
    handover.give(first)
    share(second, handover.envelope())
    before = payload_of(attestation(second))
    assert before["user_data"] == handover.hash() and before["nonce"] is None
    assert before["pcrs"][16] == qos.commitment_register(SETUP, before["public_key"], handover.hash())
    asked = payload_of(attestation(second, nonce=[1, 2, 3]))
    assert asked["nonce"] == b"\1\2\3"
    inject(second, export(first, handover.envelope(), attestation(second)))
    after = payload_of(attestation(second))
    assert after["public_key"] != before["public_key"]
    assert after["pcrs"][17] == qos.commitment_register("qos-live-manifest-pcr-commitment-v1",
                                                        after["public_key"], handover.hash())
    assert second.refused(400, "POST", "/enclave/generate-attestation", {"nonce": [7] * 513})


def test_boot_key_forward_boots_and_attests_in_one(two):
    first, second = two
    handover = Handover(first)
    handover.give(first)
    body = {"manifest_envelope": handover.envelope(), "pivot": numbers(b"another application")}
    assert "InvalidPivotHash" in second.refused(400, "POST", "/enclave/boot-key-forward", body)
    assert second.phase() == "WaitingForBootInstruction"
    body["pivot"] = numbers(handover.pivot)
    documents = []
    for pivot in (body["pivot"], [], None):  # the second and third are repetitions
        answer = second.ok("POST", "/enclave/boot-key-forward", {**body, "pivot": pivot})
        response = result(answer, "BootKeyForwardResponse")["nsm_response"]
        documents.append(bytes(response["Attestation"]["document"]))
    assert len({payload_of(d)["public_key"] for d in documents}) == 1
    inject(second, export(first, handover.envelope(), documents[0]))
    assert handover.has_the_key(second)


def test_gets_tell_what_is_there(two):
    first, second = two
    handover = Handover(first)
    assert second.ok("GET", "/enclave/share-manifest") == {
        "manifest_shared": False, "manifest_hash": None, "phase": "WaitingForBootInstruction"}
    assert second.ok("GET", "/enclave/generate-attestation") == {
        "result": None, "phase": "WaitingForBootInstruction"}
    share(second, handover.envelope())
    assert second.ok("GET", "/enclave/share-manifest") == {
        "manifest_shared": True, "manifest_hash": handover.hash().hex(), "phase": "WaitingForForwardedKey"}
    document = result(second.ok("GET", "/enclave/generate-attestation"), "GenerateAttestationResponse")
    assert payload_of(bytes(document["attestation_doc"]))["user_data"] == handover.hash()


def test_phases_decide_what_is_taken(two):
    first, second = two
    handover = Handover(first)
    export_body = {"manifest_envelope": handover.envelope(), "attestation_doc": [1]}
    key = handover.sealed(qos.Pair().public)
    assert second.refused(409, "POST", "/enclave/generate-attestation", {"manifest_hash": ZEROS})
    assert second.refused(409, "POST", "/enclave/inject-key", key)
    assert "not provisioned" in second.refused(503, "POST", "/enclave/export-key", export_body)
    share(second, handover.envelope())
    assert "not provisioned" in second.refused(503, "POST", "/enclave/export-key", export_body)
    handover.give(first)
    for path in ("share-manifest", "boot-key-forward"):
        assert first.refused(409, "POST", f"/enclave/{path}", {"manifest_envelope": handover.envelope()})
    assert first.phase() == "ApplicationReady" and second.phase() == "WaitingForForwardedKey"


def test_nothing_is_left_in_files(two):
    first, second = two
    handover = Handover(first)
    handover.give(first)
    pass_on(first, second, handover.envelope())
    for instance in two:
        assert not any(path.exists() for path in instance.files().values())
        said = instance.log()
        assert handover.quorum.seed.hex() not in said and str(numbers(handover.quorum.seed)) not in said


def test_a_reset_instance_takes_a_manifest_anew_and_nothing_of_before(new_instance, folder):
    first, admin = new_instance().start(), ApiKey()
    (folder / "admin").write_text(admin.hex + "\n")
    second = new_instance("--admin-key", folder / "admin").start()
    handover, other = Handover(first), Handover(first)
    handover.give(first)

    def asked(path, body=None):
        return second.signed(admin, "POST", f"/enclave/{path}", body)[0]

    body = {"manifest_envelope": handover.envelope()}
    assert second.refused(401, "POST", "/enclave/share-manifest", body)
    assert asked("share-manifest", body) == 200
    key = export(first, handover.envelope(), attestation(second))
    assert second.refused(401, "POST", "/enclave/inject-key", key)
    assert asked("reset") == 200
    second.id = second.info()["enclave_id"]
    assert second.phase() == "WaitingForBootInstruction"
    assert second.ok("GET", "/enclave/share-manifest")["manifest_shared"] is False
    assert asked("share-manifest", {"manifest_envelope": other.envelope()}) == 200
    assert asked("inject-key", key) == 400
    assert asked("inject-key", other.sealed(setup_key(second))) == 200
    assert second.phase() == "ApplicationReady"


def test_a_pinned_quorum_key_is_the_only_one_taken(new_instance, folder):
    first = new_instance().start()
    handover, other = Handover(first), Handover(first)
    pin = folder / "pin"
    pin.write_text(handover.quorum.public.hex() + "\n")
    pinned = new_instance("--pinned-quorum-key", pin).start()
    refused = pinned.refused(400, "POST", "/enclave/share-manifest",
                             {"manifest_envelope": other.envelope(approved_by=other.names)})
    assert "pinned" in refused
    share(pinned, handover.envelope())


@pytest.mark.parametrize("text", ["", "04", "zz" * 65, "04" * 65])
def test_a_pin_that_is_no_key_is_refused_at_start(new_instance, folder, text):
    pin = folder / "pin"
    pin.write_text(text)
    instance = new_instance("--pinned-quorum-key", pin)
    with pytest.raises(AssertionError):
        instance.start()
    assert "pin" in instance.log()


def test_the_manifests_hash_is_quorumos_own(two):
    """Form and figures of the vectors' manifest, hashed by the enclave and by the model."""
    first, second = two
    handover = Handover(first, pivot=b"")
    assert hashlib.sha256(b"").digest() == bytes(handover.manifest["pivot"]["hash"])
    share(second, handover.envelope())
    assert setup_key(second) and measured(second) == [bytes(handover.manifest["enclave"][f"pcr{i}"])
                                                      for i in range(4)]
    assert second.ok("GET", "/enclave/share-manifest")["manifest_hash"] == handover.hash().hex()
