"""The guide's Scenario 1 and 2 with a genesis of our own: the manifest goes from TEE1's answer to the others untouched,
TEE1 stops, and the key lives on (renclave 3.2; findings 8 and 20)."""
import hashlib

import pytest

from instance_forwarding import (ShortPair, attestation, export, export_refused, inject, manifest_hash, numbers,
                                 pass_on, result, share)
from sim_documents import payload_of


def genesis_request(members, threshold):
    people = [{"alias": f"member{i + 1}", "pub_key": numbers(ShortPair().public)} for i in range(members)]
    return {"namespace_name": "qos-namespace", "namespace_nonce": 12345, "manifest_members": people,
            "manifest_threshold": threshold, "share_members": people, "share_threshold": threshold,
            "pivot_hash": numbers(hashlib.sha256(b"").digest()), "pivot_args": ["arg1", "arg2"], "dr_key": None}


def by_the_guide(instance, members=3, threshold=2):
    """Steps 3 and 4 of the single instance; gives the genesis's answer."""
    born = instance.ok("POST", "/enclave/genesis-boot", genesis_request(members, threshold))
    shares = [{"member_alias": s["share_set_member"]["alias"], "decrypted_share": s["encrypted_quorum_key_share"]}
              for s in born["encrypted_shares"][:threshold]]
    answer = instance.ok("POST", "/enclave/inject-shares", {
        "namespace_name": "qos-namespace", "namespace_nonce": 12345, "shares": shares})
    assert answer["success"] is True and answer["reconstructed_quorum_key"] == born["quorum_public_key"]
    assert instance.phase() == "ApplicationReady"
    return born


@pytest.mark.parametrize("members, threshold", [(3, 2), (5, 3), (7, 7)])
def test_scenario_one_and_two(new_instance, members, threshold):
    one, two, three = (new_instance().start() for _ in range(3))
    envelope = by_the_guide(one, members, threshold)["manifest_envelope"]
    pass_on(one, two, envelope)
    one.stop()
    pass_on(two, three, envelope)
    for instance in (two, three):
        told = instance.ok("GET", "/enclave/share-manifest")
        assert told == {"manifest_shared": True, "phase": "ApplicationReady",
                        "manifest_hash": manifest_hash(envelope["manifest"]).hex()}


def test_finding_20_wrong_calls_leave_ready_instances_ready(new_instance):
    one, two = new_instance().start(), new_instance().start()
    envelope = by_the_guide(one)["manifest_envelope"]
    pass_on(one, two, envelope)
    key = export(one, envelope, attestation(one_waiting(new_instance, envelope)))
    for instance in (one, two):
        assert instance.refused(409, "POST", "/enclave/share-manifest", {"manifest_envelope": envelope})
        assert instance.refused(409, "POST", "/enclave/boot-key-forward", {"manifest_envelope": envelope})
        assert instance.refused(409, "POST", "/enclave/inject-key", key)
        assert instance.refused(409, "POST", "/enclave/genesis-boot", genesis_request(3, 2))
        assert instance.phase() == "ApplicationReady"
    pass_on(two, new_instance().start(), envelope)


def one_waiting(new_instance, envelope):
    instance = new_instance().start()
    share(instance, envelope)
    return instance


def test_a_genesis_instance_attests_its_setup_key_and_then_its_live_key(new_instance):
    one = new_instance().start()
    born = one.ok("POST", "/enclave/genesis-boot", genesis_request(3, 2))
    assert one.phase() == "GenesisBooted"
    before = payload_of(attestation(one))
    assert before["public_key"] == bytes(born["ephemeral_key"])
    assert before["user_data"] == manifest_hash(born["manifest_envelope"]["manifest"])
    by_shares = [{"member_alias": s["share_set_member"]["alias"], "decrypted_share": s["encrypted_quorum_key_share"]}
                 for s in born["encrypted_shares"][:2]]
    one.ok("POST", "/enclave/inject-shares", {"namespace_name": "qos-namespace", "namespace_nonce": 12345,
                                             "shares": by_shares})
    assert payload_of(attestation(one))["public_key"] != before["public_key"]
    document = result(one.ok("GET", "/enclave/generate-attestation"), "GenerateAttestationResponse")
    assert export_refused(one, born["manifest_envelope"], bytes(document["attestation_doc"]))


def test_an_instance_that_waits_for_shares_takes_no_forwarded_key(new_instance):
    one, two = new_instance().start(), new_instance().start()
    envelope = by_the_guide(one)["manifest_envelope"]
    two.ok("POST", "/enclave/genesis-boot", genesis_request(3, 2))
    waiting = one_waiting(new_instance, envelope)
    key = export(one, envelope, attestation(waiting))
    assert two.refused(409, "POST", "/enclave/inject-key", key)
    assert two.phase() == "GenesisBooted"
    inject(waiting, key)
