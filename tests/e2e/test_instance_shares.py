"""inject-shares of the REST API (renclave 3.1): the three forms of a share, all that is checked before one is held, and
that asking again is answered again; checked with an independent implementation."""

import concurrent.futures
import hashlib
import itertools
import json
import os

import pytest

import qos_model as qos
from instance import ApiKey
from instance_ceremony import Party, RawPair, assert_complete, hash_of, state_file
from test_instance_genesis import shared
from test_memory import Memory, needs_to_read_memory

INJECT = "/enclave/inject-shares"
HELD = "acknowledgement (SIMULATED TEE only), plaintext or envelope"


@pytest.fixture
def party(instance):
    made = Party(2, 3)
    made.genesis(instance)
    return made


@pytest.mark.parametrize("form", "PEA")
@pytest.mark.parametrize("people", [(0, 1), (0, 2), (2, 1), (0, 1, 2)])
def test_any_k_shares_of_any_form_complete_the_key(instance, party, form, people):
    assert_complete(party, instance, party.inject(instance, people, form))


@pytest.mark.parametrize("form", "PEA")
def test_the_status_says_who_has_given_a_share(instance, party, form):
    assert instance.status()["shares_received"] == [] and instance.status()["share_mode"] == HELD
    party.inject(instance, (2,), form)
    assert instance.status()["shares_received"] == ["member3"]
    party.inject(instance, (0,), form)
    status = instance.status()
    assert status["shares_received"] == ["member1", "member3"] and status["has_quorum_key"] is True
    assert (status["threshold"], status["share_mode"]) == (2, "plaintext or envelope")
    assert status["manifest_hash"] == party.reply["manifest_hash"]


def test_forms_may_be_mixed_in_one_request(instance):
    party = Party(3, 3)
    party.genesis(instance)
    request = party.injection((0,), "P")
    request["shares"] += party.injection((1,), "E")["shares"] + party.injection((2,), "A")["shares"]
    assert_complete(party, instance, instance.ok("POST", INJECT, request))


@pytest.mark.parametrize("k, n, long", [(2, 2, False), (3, 5, False), (5, 5, False), (7, 7, False), (7, 10, False),
                                        (5, 10, True), (3, 5, True)])
def test_thresholds_of_the_guide(instance, k, n, long):
    party = Party(k, n, long)
    party.genesis(instance)
    few = party.inject(instance, range(k - 1))
    assert few["success"] is False and few["reconstructed_quorum_key"] == []
    assert (few["shares_received"], few["threshold"]) == (k - 1, k)
    assert instance.phase() == "WaitingForQuorumShards"
    assert_complete(party, instance, party.inject(instance, range(n - k, n), "E"))


def test_finding_05_threshold_and_namespace_are_checked(instance, party):
    for change, text in (({"namespace_name": "other"}, "namespace_name"), ({"namespace_name": ""}, "namespace_name"),
                         ({"namespace_nonce": 1}, "namespace_nonce"),
                         ({"namespace_nonce": 2**32 + 12345}, "namespace_nonce"),
                         ({"shares": []}, "At least one share is required")):
        assert text in instance.refused(400, "POST", INJECT, party.injection((0, 1), **change))
        assert instance.phase() == "GenesisBooted"
    answer = party.inject(instance, (0,))
    assert answer["success"] is False and answer["shares_received"] == 1
    assert_complete(party, instance, party.inject(instance, (1,)))


def share_of(party, i, **changed):
    return {"member_alias": party.names[i], "decrypted_share": list(party.share(i)), **changed}


def bad_requests(party):
    def with_(shares):
        return party.injection((), shares=shares)

    one, two = share_of(party, 0), share_of(party, 1)
    flipped, zero, long = bytearray(party.share(1)), bytearray(party.share(1)), bytearray(party.share(1)) + b"\0"
    flipped[7] ^= 1
    zero[0] = 0
    stranger = Party(2, 3)
    return {
        "the same share twice": with_([one, one]),
        "the same share three times": with_([one, one, one]),
        "a forged one under an alias that is none": with_([{**one, "member_alias": "nobody"}]),
        "an alias that is a beginning of one": with_([{**one, "member_alias": "member"}, two]),
        "x of zero": with_([one, share_of(party, 1, decrypted_share=list(zero))]),
        "x of another": with_([one, share_of(party, 1, decrypted_share=[3] + list(party.share(1))[1:])]),
        "one bit": with_([one, share_of(party, 1, decrypted_share=list(flipped))]),
        "aliases exchanged": with_([{**one, "member_alias": "member2"}, {**two, "member_alias": "member1"}]),
        "one byte less": with_([one, share_of(party, 1, decrypted_share=list(party.share(1))[:32])]),
        "one byte more": with_([one, share_of(party, 1, decrypted_share=list(long))]),
        "nothing in it": with_([one, share_of(party, 1, decrypted_share=[])]),
        "more shares than members": with_([one, two, share_of(party, 2), {**one, "member_alias": "member4"}]),
        "an envelope to somebody else": with_([one, share_of(
            party, 1, decrypted_share=list(qos.seal(stranger.pairs[0].public, party.share(1))))]),
        "an envelope around garbage": with_([one, share_of(
            party, 1, decrypted_share=list(qos.seal(bytes(party.reply["ephemeral_key"]), os.urandom(33))))]),
        "an envelope around too much": with_([one, share_of(
            party, 1, decrypted_share=list(qos.seal(bytes(party.reply["ephemeral_key"]), party.share(1) * 2)))]),
        "an envelope around nothing": with_([one, share_of(
            party, 1, decrypted_share=list(qos.seal(bytes(party.reply["ephemeral_key"]), b"")))]),
        "an issued envelope under another's alias": with_([
            {**one, "decrypted_share": list(party.issued(1))}, two]),
        "a cut envelope": with_([one, share_of(party, 1, decrypted_share=list(party.issued(1))[:-1])]),
    }


def test_finding_06_nothing_but_k_distinct_shares_of_this_genesis_sets_the_key(new_instance):
    instance = new_instance("--require-member-decryption").start()
    party = Party(2, 3)
    party.genesis(instance)
    requests = bad_requests(party)
    for name, request in requests.items():
        assert instance.refused(400, "POST", INJECT, request), name
        assert instance.phase() == "GenesisBooted", name
    assert party.inject(instance, (2,))["shares_received"] == 1
    for name, request in requests.items():
        assert instance.refused(400, "POST", INJECT, request), name
        assert instance.phase() == "WaitingForQuorumShards", name
    answer = party.inject(instance, (2,))
    assert answer["shares_received"] == 1 and answer["success"] is False, "a refused request held something"
    assert_complete(party, instance, party.inject(instance, (0,)))
    for name, request in requests.items():
        assert instance.refused(400, "POST", INJECT, request), name
        assert instance.phase() == "ApplicationReady", name


def test_a_refused_request_ends_the_acknowledgements(instance, party):
    assert party.reply["share_mode"] == HELD
    request = party.injection((0, 1))
    request["shares"][1]["decrypted_share"][5] ^= 1
    assert instance.refused(400, "POST", INJECT, request)
    sentence = instance.refused(400, "POST", INJECT, party.injection((0, 1), "A"))
    assert "open it" in sentence and "member1" in sentence
    answer = party.inject(instance, (0, 1), "E")
    assert_complete(party, instance, answer)
    assert answer["share_mode"] == "plaintext or envelope"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"shares":3}', b'{"namespace_name":"qos-namespace"}',
                                 b'{"namespace_name":"qos-namespace","namespace_nonce":12345,"shares":[]}'])
def test_what_is_no_request_ends_the_acknowledgements_too(instance, party, raw):
    assert "acknowledgement" in instance.status()["share_mode"]
    assert instance.call("POST", INJECT, raw=raw)[0] in (400, 422)
    assert "acknowledgement" not in instance.status()["share_mode"]
    assert instance.refused(400, "POST", INJECT, party.injection((0, 1), "A"))
    assert_complete(party, instance, party.inject(instance, (0, 1), "E"))


def test_a_stranger_cannot_end_the_acknowledgements(new_instance, folder):
    key = ApiKey()
    (folder / "admin").write_text(key.hex + "\n")
    instance = new_instance("--admin-key", folder / "admin").start()
    party = Party()
    status, party.reply = instance.signed(key, "POST", "/enclave/genesis-boot", party.request())
    assert status == 200
    for stranger in (lambda r: instance.call("POST", INJECT, r), lambda r: instance.signed(ApiKey(), "POST", INJECT, r)):
        assert stranger({})[0] == 401
    status, answer = instance.signed(key, "POST", INJECT, party.injection((0, 1), "A"))
    assert status == 200
    assert_complete(party, instance, answer)


def test_where_members_must_decrypt_there_are_no_acknowledgements(new_instance):
    instance = new_instance("--require-member-decryption").start()
    party = Party()
    assert party.genesis(instance)["share_mode"] == "plaintext or envelope"
    assert "open it" in instance.refused(400, "POST", INJECT, party.injection((0, 1), "A"))
    assert_complete(party, instance, party.inject(instance, (0, 1)))


def test_an_acknowledgement_is_worth_nothing_on_another_enclave(new_instance):
    first, second = new_instance().start(), new_instance().start()
    party, other = Party(), Party()
    party.genesis(first)
    other.pairs = party.pairs
    other.genesis(second)
    assert second.refused(400, "POST", INJECT, party.injection((0, 1), "A"))
    assert second.phase() == "GenesisBooted"


def test_finding_20_a_repeated_injection_is_answered_like_the_first(instance, party):
    for form in "AEP":
        request = party.injection((0, 1), form)
        first = instance.ok("POST", INJECT, request)
        assert_complete(party, instance, first)
        if form == "A":
            again = instance.ok("POST", INJECT, request)
            assert {**again, "share_mode": ""} == {**first, "share_mode": ""}
            break
    assert_complete(party, instance, party.inject(instance, (1, 2)))  # other right shares, in clear
    assert "taken before" in instance.refused(400, "POST", INJECT, party.injection((0, 1), "E"))
    assert instance.refused(409, "POST", "/enclave/genesis-boot", Party().request())
    assert instance.phase() == "ApplicationReady"


def test_finding_20_the_same_envelopes_are_answered_again(instance, party):
    first, second = party.injection((0,), "E"), party.injection((1,), "E")
    assert instance.ok("POST", INJECT, first) == instance.ok("POST", INJECT, first)
    done = instance.ok("POST", INJECT, second)
    assert_complete(party, instance, done)
    assert instance.ok("POST", INJECT, second) == done == instance.ok("POST", INJECT, first)


def test_injection_before_a_genesis_is_refused_without_effect(instance):
    party = Party()
    request = {"namespace_name": "qos-namespace", "namespace_nonce": 12345,
               "shares": [{"member_alias": "member1", "decrypted_share": [1] * 33}]}
    assert instance.refused(409, "POST", INJECT, request)
    assert instance.phase() == "WaitingForBootInstruction"
    party.genesis(instance)


def envelope_of(instance):
    """As QuorumOS's clients get it."""
    reply = qos.call_json(instance.socket, "manifestEnvelopeRequest")["manifestEnvelopeResponse"]
    return next(iter(reply.values()))


def test_finding_25_an_approval_must_be_the_members_own_over_this_manifest(instance, party):
    def approved(approval, i=0):
        request = party.injection((i,), "E")
        request["shares"][0]["approval"] = approval
        return request

    mine = party.approval(0)
    stranger = RawPair()
    bad = {
        "another member's": party.approval(1),
        "signed by another": {**mine, "signature": party.approval(1)["signature"]},
        "a stranger's": {"signature": list(stranger.sign(bytes.fromhex(party.reply["manifest_hash"]))),
                         "member": {"alias": "member1", "pub_key": list(stranger.public)}},
        "over something else": {**mine, "signature": list(party.pairs[0].sign(b"something else"))},
        "cut": {**mine, "signature": mine["signature"][:63]},
        "empty": {**mine, "signature": []},
    }
    for name, approval in bad.items():
        assert "approval" in instance.refused(400, "POST", INJECT, approved(approval)), name
        assert instance.phase() == "GenesisBooted", name
    assert instance.ok("POST", INJECT, approved(mine))["shares_received"] == 1
    recorded = envelope_of(instance)["shareSetApprovals"]
    assert [a["member"]["alias"] for a in recorded] == ["member1"]
    # One without an approval neither takes its place nor is an error.
    assert party.inject(instance, (0,), "E")["shares_received"] == 1
    assert envelope_of(instance)["shareSetApprovals"] == recorded
    assert_complete(party, instance, instance.ok("POST", INJECT, approved(party.approval(1), 1)))


def from_vectors(new_instance, shares=None):
    """An instance that has been restored from a state of the vectors' genesis, whose key and shares are public."""
    response = shared("genesis_response_2of3_real_encryption")
    secrets = [RawPair(bytes.fromhex(m["secret_scalar_hex"])) for m in shared("member_test_keys")["members"]]
    opened = [secrets[i].open(bytes(s["encrypted_quorum_key_share"]))
              for i, s in enumerate(response["encrypted_shares"])]
    quorum = RawPair(qos.combine(opened[:2]))
    assert quorum.public == bytes(response["quorum_public_key"])
    instance = new_instance("--require-member-decryption")
    state = instance.folder / "state"
    instance.options += ["--state-dir", state]
    measured = Party().genesis(new_instance().start())["manifest_envelope"]["manifest"]["enclave"]
    manifest = {**response["manifest_envelope"]["manifest"], "enclave": measured}
    hashes = [hashlib.sha512(s).digest() for s in shares or opened]
    state.mkdir(mode=0o700)
    put(state, state_file(manifest, quorum, hashes))
    instance.start()
    assert instance.phase() == "GenesisBooted", instance.log()
    return instance


def put(state, value):
    path = state / "instance.json"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(value, out)


def test_the_bad_injections_of_the_vectors_are_refused_and_the_good_one_taken(new_instance):
    instance = from_vectors(new_instance)
    cases = sorted(shared("inject_shares_negative")["cases"], key=lambda c: c["our_expected"], reverse=True)
    assert [int(c["our_expected"][:3]) for c in cases] == [422] + [400] * 11 + [200]
    for case in cases:
        raw = case["request_raw"].encode() if "request_raw" in case else json.dumps(case["request"]).encode()
        status, answer = instance.call("POST", INJECT, raw=raw)
        assert status == int(case["our_expected"][:3]), case["name"]
        if status == 200:
            assert answer["success"] is False and answer["shares_received"] == 1 and answer["threshold"] == 2
        else:
            assert instance.phase() == "GenesisBooted", case["name"]
    assert instance.phase() == "WaitingForQuorumShards"
    good = shared("inject_shares_2of3")
    answer = instance.ok("POST", INJECT, good["plaintext_request"])
    expected = good["success_response"]
    assert {name: answer[name] for name in expected} == expected
    assert instance.phase() == "ApplicationReady"


def test_finding_04_shares_that_make_another_key_are_refused(new_instance):
    other = RawPair()
    slope = os.urandom(32)

    def product(a, x):
        return qos._multiply(a, x)
    wrong = [bytes([x]) + bytes(s ^ product(a, x) for s, a in zip(other.seed, slope)) for x in (1, 2, 3)]
    assert qos.combine(wrong[:2]) == other.seed
    instance = from_vectors(new_instance, wrong)
    request = {"namespace_name": "qos-namespace", "namespace_nonce": 12345,
               "shares": [{"member_alias": f"member{s[0]}", "decrypted_share": list(s)} for s in wrong[:2]]}
    assert "quorum key" in instance.refused(400, "POST", INJECT, request)
    assert instance.phase() == "GenesisBooted"


def test_the_attacking_share_sets_of_the_vectors_set_no_key(new_instance):
    instance = from_vectors(new_instance)
    attacks = [a["shares_hex"] for a in shared("shamir_vectors")["attack_cases_against_original"] if "shares_hex" in a]
    assert len(attacks) == 4
    for shares in attacks:
        request = {"namespace_name": "qos-namespace", "namespace_nonce": 12345,
                   "shares": [{"member_alias": f"member{i + 1}", "decrypted_share": list(bytes.fromhex(s))}
                              for i, s in enumerate(shares)]}
        assert instance.refused(400, "POST", INJECT, request), shares
        assert instance.phase() == "GenesisBooted"


def test_shares_that_arrive_at_once_complete_the_key_once(instance):
    party = Party(7, 10)
    party.genesis(instance)
    requests = [party.injection((i,), form) for i, form in zip(range(10), itertools.cycle("PE"))]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda r: instance.call("POST", INJECT, r), requests))
    successes = [a for s, a in answers if s == 200 and a["success"]]
    assert successes and all(bytes(a["reconstructed_quorum_key"]) == party.quorum_key for a in successes)
    late = [a["error"] for s, a in answers if s != 200]
    assert all("taken before" in error for error in late)
    assert instance.phase() == "ApplicationReady" and instance.log().count("quorum key complete") == 1


def test_finding_28_memory_keeps_no_share_once_the_key_is_complete(instance):
    needs_to_read_memory()
    party = Party(2, 3)
    party.genesis(instance)
    shares = {f"share {i}": party.share(i)[1:] for i in range(3)}
    key = {"seed": party.seed(), "seed, little end first": party.seed()[::-1], "seed, hex": party.seed().hex().encode()}
    memory = Memory(instance.core.process.pid)
    assert memory.places(shares["share 0"]), "the scan must see what is there: the acknowledgements' shares"
    memory.assert_only_locked(shares)
    memory.assert_nowhere(key)
    assert party.inject(instance, (0,), "E")["success"] is False
    Memory(instance.core.process.pid).assert_only_locked(shares)
    assert_complete(party, instance, party.inject(instance, (1,), "E"))
    memory = Memory(instance.core.process.pid)
    assert memory.places(party.seed()), "the scan must see what is there"
    memory.assert_only_locked(key)
    memory.assert_nowhere(shares)


def test_finding_28_shares_in_clear_leave_no_copy_either(instance):
    needs_to_read_memory()
    party = Party(2, 3)
    party.genesis(instance)
    assert_complete(party, instance, party.inject(instance, (0, 1), "P"))
    memory = Memory(instance.core.process.pid)
    found = {}
    for i in range(2):
        share = party.share(i)
        numbers = ", ".join(map(str, share[1:])).encode()
        found.update({f"share {i}": share[1:], f"share {i}, numbers": numbers,
                      f"share {i}, numbers in hex": numbers.hex().encode()})
    memory.assert_nowhere(found)


def test_a_manifest_booted_here_is_what_quorumos_clients_see(instance, party):
    assert qos.manifest_hash(envelope_of(instance)["manifest"]) == hash_of(party.reply["manifest_envelope"]["manifest"])
    assert_complete(party, instance, party.inject(instance, (0, 1)))
    assert qos.call_json(instance.socket, "statusRequest")["statusResponse"] == "QuorumKeyProvisioned"
