"""genesis-boot of the REST API (renclave 2.3): what it gives out, what it refuses and in which words, and that asking
twice is answered twice; checked with an independent implementation."""

import copy
import hashlib
import json
import time

import pytest

import qos_model as qos
from instance import ApiKey
from instance_ceremony import SHARED, Party, RawPair, as_qos, document_of, hash_of, live_document, long_form

GENESIS = "/enclave/genesis-boot"
FRESH = "WaitingForBootInstruction"
# What one argument of a command may hold on Linux, where the guide puts manifest and attestation (spec 3.2).
ARGUMENT_MAX = 131072


def shared(name):
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    return json.loads((SHARED / f"{name}.json").read_text())


def verified(pair_public, message, signature):
    return qos.verify(long_form(pair_public), message, bytes(signature))


def test_finding_01_each_share_leaves_sealed_to_its_member(instance):
    party = Party(2, 3)
    reply = party.genesis(instance)
    shares = [party.share(i) for i in range(3)]
    for i, share in enumerate(shares):
        assert len(share) == 33 and share[0] == i + 1
        assert hashlib.sha512(share).digest() == bytes(reply["encrypted_shares"][i]["share_hash"])
        assert len(party.issued(i)) == 130 and share[1:] not in party.issued(i)
        with pytest.raises(Exception):
            party.pairs[(i + 1) % 3].open(party.issued(i))
    assert {party.seed(p) for p in ((0, 1), (0, 2), (1, 2))} == {party.seed()}
    assert RawPair(party.seed()).public == party.quorum_key


def test_the_reply_is_the_originals_and_says_what_was_booted(instance):
    party = Party(2, 3)
    reply = party.genesis(instance)
    assert reply["waiting_state"] == "GenesisBooted" == instance.phase()
    assert [s["share_set_member"] for s in reply["encrypted_shares"]] == party.members()
    manifest = reply["manifest_envelope"]["manifest"]
    assert manifest["namespace"] == {"nonce": 12345, "name": "qos-namespace",
                                     "quorum_key": reply["quorum_public_key"]}
    assert manifest["pivot"] == {"hash": list(range(1, 33)), "restart": "Never", "args": ["arg1", "arg2"]}
    assert manifest["manifest_set"] == {"threshold": 2, "members": party.members()} == manifest["share_set"]
    assert all(len(manifest["enclave"][f"pcr{i}"]) == 48 for i in range(4))
    assert manifest["enclave"]["qos_commit"].startswith("quorate-")
    assert manifest["enclave"]["aws_root_certificate"][0] == 0x30  # DER
    assert len(reply["ephemeral_key"]) == 130
    signature = reply["manifest_envelope"]["quorum_key_signature"]
    assert verified(party.quorum_key, hash_of(manifest), signature)
    assert bytes.fromhex(reply["manifest_hash"]) == hash_of(manifest)
    key = RawPair(party.seed())
    assert key.open(bytes(reply["test_message_ciphertext"])) == b"qos-test-message"
    assert verified(key.public, b"qos-test-message", reply["test_message_signature"])
    assert hashlib.sha512(key.seed.hex().encode()).digest() == bytes(reply["quorum_key_hash"])


def test_both_attestations_are_of_what_was_made_and_booted(instance):
    party = Party(2, 3)
    reply = party.genesis(instance)
    manifest = reply["manifest_envelope"]["manifest"]
    booted = document_of(reply["attestation_doc"])
    assert booted["user_data"] == hash_of(manifest) and booted["public_key"] == bytes(reply["ephemeral_key"])
    assert [list(booted["pcrs"][i]) for i in range(4)] == [manifest["enclave"][f"pcr{i}"] for i in range(4)]
    assert booted["pcrs"][16] == qos.commitment_register(
        "qos-setup-manifest-pcr-commitment-v1", bytes(reply["ephemeral_key"]), hash_of(manifest))
    assert live_document(instance)["public_key"] == booted["public_key"]

    born = document_of(reply["genesis_attestation_doc"])
    members = [{"alias": m["alias"], "pubKey": long_form(bytes(m["pub_key"])).hex()} for m in party.members()]
    output = {
        "set": {"members": members, "threshold": 2}, "dr_key": None, "dr_key_wrapped_quorum_key": None,
        "quorum_key": long_form(party.quorum_key).hex(),
        "member_outputs": [{"shareSetMember": m,
                            "encryptedQuorumKeyShare": bytes(s["encrypted_quorum_key_share"]).hex(),
                            "shareHash": bytes(s["share_hash"]).hex()}
                           for m, s in zip(members, reply["encrypted_shares"])],
        "recovery_permutations": [], "quorum_key_hash": bytes(reply["quorum_key_hash"]).hex(),
        **{name: bytes(reply[name]).hex() for name in
           ("test_message", "test_message_signature", "test_message_ciphertext")}}
    assert born["user_data"] == hashlib.sha256(qos.b_genesis_output(output)).digest()
    assert born["public_key"] is None


def test_finding_17_the_manifests_hash_is_that_of_quorumos_and_tells_apart_what_only_runs_together(instance):
    def concatenated(m):
        """The original's hash: no lengths."""
        parts = [m["namespace"]["nonce"].to_bytes(8, "little"), m["namespace"]["name"].encode(),
                 bytes(m["namespace"]["quorum_key"]), *[a.encode() for a in m["pivot"]["args"]]]
        return hashlib.sha256(b"".join(parts)).digest()

    reply = Party().genesis(instance)
    manifest = reply["manifest_envelope"]["manifest"]
    other = copy.deepcopy(manifest)
    other["pivot"]["args"] = ["arg1arg2"]
    assert concatenated(other) == concatenated(manifest)
    assert hash_of(other) != hash_of(manifest) == bytes.fromhex(reply["manifest_hash"])


def test_finding_27_members_with_long_keys_get_a_quorum_key_with_a_key_for_each_purpose(instance):
    party = Party(2, 3, long=True)
    reply = party.genesis(instance)
    assert len(party.quorum_key) == 130 and party.quorum_key[:65] != party.quorum_key[65:]
    assert qos.Pair(party.seed()).public == party.quorum_key
    assert [m["pub_key"] for m in party.members()] == [
        s["share_set_member"]["pub_key"] for s in reply["encrypted_shares"]]


def test_one_member_with_a_short_key_makes_the_quorum_key_short(instance):
    party = Party(2, pairs=[qos.Pair(), RawPair(), qos.Pair()])
    party.genesis(instance)
    assert RawPair(party.seed((0, 1))).public == party.quorum_key


def test_finding_24_the_recovery_copy_is_sealed_and_members_recover_the_key(instance):
    party, recovery = Party(), RawPair()
    reply = party.genesis(instance, dr_key=list(recovery.public))
    wrapped = bytes(reply["dr_key_wrapped_quorum_key"])
    seed = recovery.open(wrapped)
    assert seed == party.seed((1, 2)) and seed not in wrapped
    assert RawPair(seed).public == party.quorum_key


def test_no_recovery_key_no_recovery_copy(instance):
    assert "dr_key_wrapped_quorum_key" not in Party().genesis(instance)


def changed(**members):
    return lambda party: party.request(**members)


def without(name):
    def make(party):
        request = party.request()
        del request[name]
        return request
    return make


def twice(which, how):
    """Two members that have something in common."""
    def make(party):
        members = party.members()
        how(members)
        return party.request(**{which: members})
    return make


def same_alias(members):
    members[2]["alias"] = members[0]["alias"]


def same_key(members):
    members[2]["pub_key"] = members[0]["pub_key"]


REFUSED = {
    "no manifest members": (400, "At least one manifest member is required", changed(manifest_members=[])),
    "no share members": (400, "At least one share member is required", changed(share_members=[])),
    "neither": (400, "At least one manifest member is required", changed(manifest_members=[], share_members=[])),
    "manifest threshold 0": (400, "Invalid manifest threshold", changed(manifest_threshold=0)),
    "manifest threshold over n": (400, "Invalid manifest threshold", changed(manifest_threshold=4)),
    "share threshold 0": (400, "Invalid share threshold", changed(share_threshold=0)),
    "share threshold over n": (400, "Invalid share threshold", changed(share_threshold=4)),
    "both thresholds 0": (400, "Invalid manifest threshold", changed(manifest_threshold=0, share_threshold=0)),
    "share threshold 1": (400, "share set", changed(share_threshold=1)),
    "nonce beyond 32 bits": (400, "nonce", changed(namespace_nonce=2**32)),
    "pivot hash of 31 bytes": (422, "pivot_hash", changed(pivot_hash=[1] * 31)),
    "no pivot hash": (422, "pivot_hash", without("pivot_hash")),
    "no namespace": (422, "namespace_name", without("namespace_name")),
    "no nonce": (422, "namespace_nonce", without("namespace_nonce")),
    "no members": (422, "share_members", without("share_members")),
    "no threshold": (422, "share_threshold", without("share_threshold")),
    "a byte over 255": (422, "255", changed(pivot_hash=[256] * 32)),
    "a recovery key that is none": (400, "recovery", changed(dr_key=[4] * 65)),
    "a recovery key of 3 bytes": (400, "recovery", changed(dr_key=[1, 2, 3])),
    "a key off the curve": (400, "share_members[0]", changed(
        share_members=[{"alias": "a", "pub_key": [4] + [1] * 64}, {"alias": "b", "pub_key": [4] + [2] * 64}],
        share_threshold=2)),
    "alias twice among voters": (400, "alias", twice("manifest_members", same_alias)),
    "alias twice among holders": (400, "alias", twice("share_members", same_alias)),
    "key twice among voters": (400, "same", twice("manifest_members", same_key)),
    "key twice among holders": (400, "same", twice("share_members", same_key)),
}


def test_what_is_refused_says_why_and_changes_nothing(instance):
    for name, (status, text, make) in REFUSED.items():
        sentence = instance.refused(status, "POST", GENESIS, make(Party()))
        assert text in sentence, (name, sentence)
        assert instance.phase() == FRESH, name
    Party().genesis(instance)


def test_a_member_has_one_name(instance):
    """Somebody who reads the other of the two would approve another manifest than the one that is booted."""
    party = Party()
    request = party.request()
    request["share_members"] = [{**m, "member_alias": m["alias"]} for m in party.members()]
    mallory = copy.deepcopy(request)
    mallory["share_members"][2]["member_alias"] = "mallory"
    assert "one name" in instance.refused(400, "POST", "/enclave/genesis-boot", mallory)
    assert instance.phase() == "WaitingForBootInstruction"
    instance.ok("POST", "/enclave/genesis-boot", request)


def test_keys_among_the_pivots_arguments_are_ones_that_somebody_can_have(instance):
    """A malformed admin key would leave a genesis whose shares nobody may ever bring."""
    for argument in ("admin-key=", "admin-key=zz", "client-key=" + "04" * 65, "client-key=" + "ab" * 64):
        sentence = instance.refused(400, "POST", "/enclave/genesis-boot", Party().request(pivot_args=["x", argument]))
        assert "pivot args" in sentence and instance.phase() == "WaitingForBootInstruction", argument
    key, party = ApiKey(), Party()
    party.genesis(instance, pivot_args=["x", f"admin-key={key.hex}"])
    assert instance.signed(key, "POST", "/enclave/inject-shares", party.injection((0, 1)))[0] == 200
    assert instance.phase() == "ApplicationReady"


def test_finding_30_one_party_cannot_hold_two_places(instance):
    for case in ("alias twice among voters", "alias twice among holders", "key twice among voters",
                 "key twice among holders"):
        status, text, make = REFUSED[case]
        assert text in instance.refused(status, "POST", GENESIS, make(Party()))
    long = Party(2, 3, long=True)
    half = long.members()
    half[1]["pub_key"] = half[1]["pub_key"][:65] + half[0]["pub_key"][65:]
    assert "signing key" in instance.refused(400, "POST", GENESIS, long.request(share_members=half))
    assert instance.phase() == FRESH


def test_finding_23_neither_one_share_nor_more_than_255_make_a_quorum(instance):
    crowd = Party(2, 256)
    assert "255" in instance.refused(400, "POST", GENESIS, crowd.request())
    assert "2 <= threshold" in instance.refused(400, "POST", GENESIS, Party().request(share_threshold=1))
    assert instance.phase() == FRESH


def test_finding_23_255_members_are_served_quickly_and_any_of_them_rebuild(instance):
    crowd = Party(255, 255)
    began = time.monotonic()
    crowd.genesis(instance)
    born = time.monotonic() - began
    assert [crowd.share(i)[0] for i in (0, 127, 254)] == [1, 128, 255]
    request = crowd.injection(range(255), "E")
    began = time.monotonic()
    answer = instance.ok("POST", "/enclave/inject-shares", request)
    assert answer["success"] is True and answer["shares_received"] == 255
    assert born < 5 and time.monotonic() - began < 5


def test_flat_members_win_over_parameters(instance):
    party, other = Party(2, 3), Party(2, 5)
    request = party.request(parameters=other.request())
    reply = instance.ok("POST", GENESIS, request)
    assert reply["manifest_envelope"]["manifest"]["share_set"]["members"] == party.members()


def test_an_empty_flat_list_is_not_filled_from_parameters(instance):
    request = Party().request(share_members=[], parameters=Party(2, 5).request())
    assert "At least one share member" in instance.refused(400, "POST", GENESIS, request)


def test_the_documented_wrapped_form_is_read(instance):
    party = Party(2, 3)
    members = [{"member_alias": m["alias"], "pub_key": m["pub_key"]} for m in party.members()]
    reply = instance.ok("POST", GENESIS, {
        "type": "ACTIVITY_TYPE_GENESIS_BOOT_V2", "timestampMs": "1703123456789", "organizationId": "local",
        "parameters": {"namespace_name": "qos-namespace", "namespace_nonce": 12345,
                       "pivot": {"hash": list(range(1, 33)), "args": ["arg1", "arg2"]},
                       "manifest_members": members, "share_members": members, "threshold": 2}})
    party.reply = reply
    assert reply["manifest_envelope"]["manifest"]["share_set"] == {"threshold": 2, "members": party.members()}
    # The flat form asks for the same.
    assert instance.ok("POST", GENESIS, party.request()) == reply


def test_finding_19_a_second_genesis_makes_nothing_and_destroys_nothing(instance):
    party = Party()
    reply = party.genesis(instance)
    for other in (Party().request(), party.request(namespace_nonce=12346), party.request(pivot_args=["arg1arg2"]),
                  party.request(dr_key=list(RawPair().public)), party.request(manifest_threshold=1)):
        assert "genesis" in instance.refused(409, "POST", GENESIS, other)
    assert instance.ok("POST", GENESIS, party.request()) == reply
    assert party.inject(instance, (0,))["shares_received"] == 1
    assert instance.phase() == "WaitingForQuorumShards"
    again = instance.ok("POST", GENESIS, party.request())
    assert again == reply
    assert "genesis" in instance.refused(409, "POST", GENESIS, Party().request())
    assert party.inject(instance, (1,))["success"] is True
    assert instance.refused(409, "POST", GENESIS, party.request())
    assert instance.phase() == "ApplicationReady"


def pretty(value):
    """As jq prints it."""
    return len(json.dumps(value, indent=2))


@pytest.mark.parametrize("k, n, long", [(2, 3, False), (7, 7, False), (7, 10, False), (7, 10, True)])
def test_manifest_and_attestation_fit_one_argument_of_a_command(instance, k, n, long):
    reply = Party(k, n, long).genesis(instance)
    together = pretty(reply["manifest_envelope"]) + pretty(reply["attestation_doc"])
    print(f"{k} of {n}, keys of {130 if long else 65} bytes: {together} characters")
    assert together + 1024 < ARGUMENT_MAX
    assert len(reply["attestation_doc"]) <= 6000


@pytest.mark.parametrize("name", ["2of3", "3of5", "7of7", "7of10", "2of3_union_proposed"])
def test_the_requests_of_the_vectors_are_served(instance, name):
    request = shared(f"genesis_request_{name}")
    reply = instance.ok("POST", GENESIS, request)
    secrets = {m["alias"]: RawPair(bytes.fromhex(m["secret_scalar_hex"]))
               for m in shared("member_test_keys")["members"]}
    shares = []
    for given in reply["encrypted_shares"][:request["share_threshold"]]:
        shares.append(secrets[given["share_set_member"]["alias"]].open(bytes(given["encrypted_quorum_key_share"])))
    assert RawPair(qos.combine(shares)).public == bytes(reply["quorum_public_key"])


def test_the_request_in_the_originals_repository_is_served(instance):
    reply = instance.ok("POST", GENESIS, shared("repo_genesis_boot_request_7of10"))
    assert len(reply["encrypted_shares"]) == 10 and len(reply["quorum_public_key"]) == 65


def test_the_reply_has_all_members_of_the_vectors_reply(instance):
    expected = shared("genesis_response_2of3_real_encryption")
    reply = instance.ok("POST", GENESIS, shared("genesis_request_2of3"))

    def shape(value, like):
        for key in like:
            assert key in value, key
            if isinstance(like[key], dict):
                shape(value[key], like[key])
    shape(reply, expected)
    mine, theirs = reply["encrypted_shares"][0], expected["encrypted_shares"][0]
    assert {k: type(v) for k, v in mine.items()} == {k: type(v) for k, v in theirs.items()}
    assert len(mine["encrypted_quorum_key_share"]) == len(theirs["encrypted_quorum_key_share"])
    assert as_qos(reply["manifest_envelope"]["manifest"])["pivot"] == as_qos(
        expected["manifest_envelope"]["manifest"])["pivot"]
