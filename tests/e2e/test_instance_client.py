"""qos_client's instance commands, member_decryptor and share_injector: the guide's steps with one command each, and
what they refuse to believe: against the real programs, and against fakes whose calls can be looked at and which can be
told to lie."""
import hashlib
import json
import os
import re
import stat
import subprocess
import urllib.error
import urllib.request

import pytest

import instance_model as model
import qos_model as qos
from fake_instance import FakeInstance, Refusal, manifest_hash
from instances import Field, against_fakes, kinds_for
from machine import BIN, PATIENCE, ROOT, free_port

GENESIS, INJECT = "/enclave/genesis-boot", "/enclave/inject-shares"
ATTEST, EXPORT, INJECT_KEY = "/enclave/generate-attestation", "/enclave/export-key", "/enclave/inject-key"
RECONSTRUCTED = "The quorum key has been reconstructed"


def pytest_generate_tests(metafunc):
    if "field" in metafunc.fixturenames:
        metafunc.parametrize("field", kinds_for(metafunc.function), indirect=True)


@pytest.fixture
def field(request):
    made = Field(real=request.param == "programs")
    yield made
    made.remove()


def posted(instance, path):
    return [body for method, at, _, body in instance.calls if method == "POST" and at == path]


# ---- the guide's steps

@pytest.mark.parametrize("n, k, form", [(3, 2, "sec1-65"), (5, 3, "qos-130"), (7, 7, "sec1-65"), (10, 7, "sec1-65")])
def test_an_instance_gets_its_key_from_its_members(field, n, k, form):
    instance = field.instance()
    assert "Phase: WaitingForBootInstruction" in field.client("up", "--url", instance.url).stdout
    field.generate(n, k, "--key-format", form)
    response = field.genesis(instance)
    assert len(response["quorum_public_key"]) == int(form[-3:].strip("-"))
    done = field.inject(instance, *range(1, k))
    assert f"*not* been reconstructed: {k - 1} of {k} shares" in done.stdout
    done = field.inject(instance, n)
    assert f"{RECONSTRUCTED}.\n" in done.stdout and "warning: genesis" not in done.stderr
    said = field.client("status", "--url", instance.url).stdout
    for line in ("Phase: ApplicationReady", "Quorum key: yes", "Namespace: qos-namespace, nonce 12345",
                 f"Share set: {k} of {n}", f"Manifest hash: {manifest_hash(response['manifest_envelope']).hex()}"):
        assert line + "\n" in said
    assert f"{RECONSTRUCTED} already" in field.inject(instance, 1).stdout


def test_the_response_is_for_its_owner_alone_and_never_replaced(field):
    instance = field.instance()
    field.generate()
    field.genesis(instance)
    assert stat.S_IMODE(field.path("genesis.json").stat().st_mode) == 0o600
    before = field.path("genesis.json").read_bytes()
    field.refused("genesis.json: exists already", "genesis", *field.genesis_words(instance))
    assert field.path("genesis.json").read_bytes() == before
    field.client("genesis", *field.genesis_words(instance), "--force")  # answered like the first time
    assert json.loads(field.path("genesis.json").read_text())["quorum_public_key"] == \
        json.loads(before)["quorum_public_key"]


@against_fakes
def test_shares_leave_the_members_only_sealed_to_the_enclave(field):
    instance = field.instance()
    field.generate()
    field.genesis(instance)
    field.inject(instance, 1, 3)
    for share in json.loads(posted(instance, INJECT)[0])["shares"]:
        given = bytes(share["decrypted_share"])
        assert len(given) == 130 and given != instance.issued[share["member_alias"]]
        assert instance.setup.open(given) == instance.plain[share["member_alias"]]
        assert "approval" not in share
    secrets = [field.path(f"request.member{i}.secret").read_text() for i in (1, 2, 3)]
    for _, _, _, body in instance.calls:
        for hidden in [list(s) for s in instance.plain.values()] + [list(bytes.fromhex(s)) for s in secrets]:
            assert json.dumps(hidden, separators=(",", ":"))[1:-1].encode() not in body


@against_fakes
def test_members_approve_the_manifest_only_when_told_to(field):
    instance = field.instance()
    request = field.generate()
    response = field.genesis(instance)
    field.client("inject", *field.inject_words(instance, 2), "--approve")
    approval = json.loads(posted(instance, INJECT)[0])["shares"][0]["approval"]
    assert approval["member"] == request["share_members"][1]
    assert model.verify(bytes(request["share_members"][1]["pub_key"]), manifest_hash(response["manifest_envelope"]),
                        bytes(approval["signature"]))


@pytest.mark.parametrize("form", ["sec1-65", "qos-130"])
def test_members_approve_the_manifest_of_a_genesis_that_they_asked_for(field, form):
    instance = field.instance()
    request = field.generate(3, 2, "--key-format", form)
    response = field.genesis(instance)
    field.generate(3, 2, "--key-format", form, name="other")
    folder = field.path("approvals")
    folder.mkdir()
    words = ("--response", "genesis.json", "--manifest-approvals-dir", "approvals", *field.trust)
    field.refused("expected the secret of a member", "approve", *words, "--request", "request.json",
                  "--secret", "other.member1.secret")
    field.refused("GenesisOutputDoesNotMatchRequest", "approve", *words, "--request", "other.json",
                  "--secret", "request.member2.secret")
    assert not list(folder.iterdir())
    field.client("approve", *words, "--request", "request.json", "--secret", "request.member2.secret")
    (path,) = folder.iterdir()
    approval, member = json.loads(path.read_text()), request["manifest_members"][1]
    assert approval["member"] == {"alias": "member2", "pubKey": model.long_key(member["pub_key"]).hex()}
    model.verify(bytes(member["pub_key"]), manifest_hash(response["manifest_envelope"]),
                 bytes.fromhex(approval["signature"]))


def test_acknowledging_needs_no_secret_and_sends_what_came(field):
    instance = field.instance()
    field.generate()
    response = field.genesis(instance)
    words = ("--url", instance.url, "--response", "genesis.json")
    field.refused("expected members' secrets, or --acknowledge instead, found neither", "inject", *words)
    field.refused("found both", "inject", *words, "--acknowledge", "--secret", "request.member1.secret")
    assert RECONSTRUCTED in field.client("inject", *words, "--acknowledge").stdout
    if hasattr(instance, "calls"):
        sent = json.loads(posted(instance, INJECT)[0])["shares"]
        assert [s["decrypted_share"] for s in sent] == \
            [s["encrypted_quorum_key_share"] for s in response["encrypted_shares"][:2]]


def test_a_chain_gets_the_key_with_one_command_that_can_be_repeated(field):
    first, second, third = (field.instance() for _ in range(3))
    field.generate()
    field.genesis(first)
    field.inject(first, 1, 2)
    words = ("--from", first.url, "--to", second.url, "--to", third.url, "--response", "genesis.json", *field.trust)
    said = field.client("share-to", *words).stdout
    assert said == f"{second.url}: has got the quorum key\n{third.url}: has got the quorum key\n"
    said = field.client("share-to", *words).stdout
    assert said == f"{second.url}: has the quorum key already\n{third.url}: has the quorum key already\n"
    for one in (second, third):
        assert "Phase: ApplicationReady" in field.client("status", "--url", one.url).stdout
    if hasattr(first, "exports"):
        assert (first.exports, second.exports, third.exports) == (1, 1, 0)


@against_fakes
def test_a_step_that_broke_off_goes_on_where_it_stopped(field):
    first, second = field.instance(), field.instance()
    field.generate()
    field.genesis(first)
    first.alter[INJECT] = lambda _: None  # done, but the answer is lost
    field.refused(f"transport error: {first.url}{INJECT}", "inject", *field.inject_words(first, 1, 2))
    first.alter.clear()
    assert f"{RECONSTRUCTED} already" in field.inject(first, 1, 2).stdout
    words = ("--from", first.url, "--to", second.url, "--response", "genesis.json", *field.trust)
    for lost in ("/enclave/share-manifest", EXPORT, INJECT_KEY):
        second.alter[lost] = first.alter[EXPORT if lost == EXPORT else "-"] = lambda _: None
        field.refused("transport error", "share-to", *words)
        second.alter.clear()
        first.alter.clear()
    assert "has the quorum key already" in field.client("share-to", *words).stdout
    assert second.quorum.seed == first.quorum.seed


@against_fakes
def test_waiting_for_an_instance_ends_when_it_is_up_or_time_is(field):
    instance = field.instance()
    instance.healthy_after = 3
    assert "up\n" in field.client("up", "--url", instance.url).stdout
    instance.healthy_after = 10 ** 6
    done = field.refused("instance: not up after 1 s", "up", "--url", instance.url, "--wait", 1)
    assert "Enclave is not available (HTTP 503" in done.stderr
    field.refused("instance: not up after 0 s", "up", "--host-ip", "127.0.0.1", "--host-port", free_port(), "--wait", 0)


@against_fakes
def test_warnings_and_hostile_texts_of_an_instance_are_shown_tamed(field):
    instance = field.instance()
    instance.warnings = ["no client key: anybody may ask", "\x1b[2Jgone\u202e"]
    done = field.client("status", "--url", instance.url)
    assert "**WARNING:** no client key: anybody may ask\n" in done.stderr
    assert "\x1b" not in done.stderr and "\u202e" not in done.stderr
    instance.alter[GENESIS] = lambda _: (403, b'{"error":"\\u001b[31mno\\u0007","code":403,"request_id":null}')
    field.generate()
    done = field.refused("HTTP 403, request none", "genesis", *field.genesis_words(instance))
    assert "\x1b" not in done.stderr and "\x07" not in done.stderr


@pytest.mark.parametrize("words, said", [
    (("up",), "--url: expected the instance's URL"),
    (("up", "--url", "https://a:1"), "--url: expected http://HOST:PORT"),
    (("up", "--url", "http://"), "--url: expected"),
    (("up", "--url", "http://a?b"), "--url: expected only letters"),
    (("up", "--url", "http://u@a"), "--url: expected only letters"),
    (("up", "--url", "http://" + "a" * 600), "--url: too long"),
    (("up", "--host-ip", "a b", "--host-port", "1"), "--host-ip"),
    (("up", "--url", "http://a", "--wait", "99999"), "--wait: expected a number"),
    (("call", "--url", "http://a", "--path", "enclave"), "--path: expected one that begins with /"),
    (("call", "--url", "http://a", "--path", "/a b"), "--path: expected only letters"),
    (("call", "--url", "http://a", "--path", "/a", "--method", "PUT"), "--method: expected POST, or GET"),
    (("call", "--url", "http://a", "--path", "/a", "--method", "GET", "--body", "/dev/null"), "--method"),
    (("call", "--url", "http://a", "--path", "/a", "--key-format", "x"), "--key-format: expected qos-130 or sec1-65"),
    (("share-to", "--from", "ftp://a", "--to", "http://b", "--response", "x"), "--from: expected http"),
    (("share-to", "--from", "http://a", "--to", "b", "--response", "x"), "--to: expected http"),
])
def test_bad_words_are_refused_before_anything_is_sent(field, words, said):
    field.refused(said, *words)


# ---- genesis answers that lie

def member_of(answer, i):
    return answer["encrypted_shares"][i]


def change(path, value):
    """A function that puts a value, or what a function makes of the old one, at a path of an answer."""
    def alter(answer):
        place = answer
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value(place[path[-1]]) if callable(value) else value
        return answer
    return alter


def flip(array):
    return [array[0] ^ 1, *array[1:]]


def own_key(answer):
    """All that names the quorum key, consistently, of a key that the liar knows."""
    pair = model.RawPair()
    answer["quorum_public_key"] = answer["manifest_envelope"]["manifest"]["namespace"]["quorum_key"] = list(pair.shown)
    answer["test_message_signature"] = list(pair.sign(bytes(answer["test_message"])))
    del answer["manifest_hash"]
    answer["manifest_envelope"]["quorum_key_signature"] = list(pair.sign(manifest_hash(answer["manifest_envelope"])))
    return answer


def own_shares(answer):
    """The members' shares, consistently, of a key that the liar knows."""
    pair = model.RawPair()
    for entry, share in zip(answer["encrypted_shares"], model.split(pair.seed, 3, 2)):
        key = model.long_key(entry["share_set_member"]["pub_key"])
        entry.update(encrypted_quorum_key_share=list(qos.seal(key, share)), share_hash=list(model.share_hash(share)))
    return own_key(answer)


def swapped(array):
    return [array[1], array[0], *array[2:]]


MANIFEST = ("manifest_envelope", "manifest")
LIES = [
    ("another quorum key", change(["quorum_public_key"], list(model.RawPair().shown)),
     "quorum_public_key: expected the quorum key of the manifest"),
    ("a quorum key off the curve", change(["quorum_public_key", 64], lambda b: b ^ 1), "quorum_public_key"),
    ("a quorum key of the liar", own_key, "DifferentUserData"),
    ("shares of the liar", own_shares, "DifferentUserData"),
    ("another setup key", change(["ephemeral_key"], list(model.QosPair().public)), "expected the key in attestation_doc"),
    ("no setup key", change(["ephemeral_key"], []), "ephemeral_key"),
    ("another namespace", change([*MANIFEST, "namespace", "name"], "other"), "manifest_hash"),
    ("members in another order", change([*MANIFEST, "share_set", "members"], swapped), "manifest_hash"),
    ("a lower threshold", change([*MANIFEST, "share_set", "threshold"], 1), "manifest_envelope"),
    ("a member that is another's", change(["encrypted_shares", 1, "share_set_member", "pub_key"],
                                          list(model.RawPair().shown)), "encrypted_shares[1]: expected the share set's"),
    ("shares in another order", change(["encrypted_shares"], swapped), "encrypted_shares[0]: expected the share set's"),
    ("a share missing", change(["encrypted_shares"], lambda s: s[:2]), "expected one for each of 3 members, found 2"),
    ("a share more", change(["encrypted_shares"], lambda s: s + s[:1]), "expected one for each of 3 members, found 4"),
    ("a share in clear", change(["encrypted_shares", 0, "encrypted_quorum_key_share"], lambda s: s[:33]),
     "expected 130 bytes (a share encrypted to its member), found 33"),
    ("a truncated share", change(["encrypted_shares", 2, "encrypted_quorum_key_share"], lambda s: s[:-1]), "found 129"),
    ("another envelope", change(["encrypted_shares", 0, "encrypted_quorum_key_share"], flip), "DifferentUserData"),
    ("another hash", change(["encrypted_shares", 0, "share_hash"], flip), "DifferentUserData"),
    ("a short hash", change(["encrypted_shares", 0, "share_hash"], lambda h: h[:32]), "share_hash: expected 64 bytes"),
    ("a number beyond a byte", change(["quorum_public_key", 3], 256), "quorum_public_key"),
    ("a negative number", change(["encrypted_shares", 0, "share_hash", 0], -1), "share_hash"),
    ("a fraction", change(["encrypted_shares", 0, "share_hash", 0], 1.5), "share_hash"),
    ("text for bytes", change(["ephemeral_key"], "0405"), "ephemeral_key"),
    ("another test signature", change(["test_message_signature"], flip), "test_message_signature"),
    ("no document over the genesis", lambda a: {k: v for k, v in a.items() if k != "genesis_attestation_doc"},
     "genesis_attestation_doc: expected the enclave's document"),
    ("no document over the manifest", lambda a: {k: v for k, v in a.items() if k != "attestation_doc"},
     "attestation_doc: expected the enclave's document"),
    ("the documents exchanged", lambda a: {**a, "attestation_doc": a["genesis_attestation_doc"]}, "DifferentUserData"),
    ("a forged document", change(["genesis_attestation_doc", -1], lambda b: b ^ 1), "attestation document"),
    ("other measurements", change([*MANIFEST, "enclave", "pcr0"], [7] * 48), "manifest_hash"),
    ("no members", change([*MANIFEST, "share_set", "members"], []), "manifest_envelope"),
    ("a wrapped key that nobody asked for", lambda a: {**a, "dr_key_wrapped_quorum_key": [1]}, "dr_key"),
    ("nothing", lambda _: {}, "expected"),
    ("a list", lambda _: (200, b"[]"), "expected"),
    ("half an answer", lambda a: (200, json.dumps(a).encode()[:3000]), "answer"),
    ("no JSON", lambda _: (200, b"<html>"), "answer"),
    ("an empty answer", lambda _: (200, b""), "answer"),
    ("no answer", lambda _: None, "transport error"),
    ("a page of an error", lambda _: (502, b"<html>Bad Gateway"), "HTTP 502: \"<html>Bad Gateway\""),
    ("a redirection", lambda _: (302, b"{}"), "HTTP 302"),
    ("numbers without end", lambda _: (200, b'{"quorum_public_key":[' + b"1," * 300000 + b"1]}"), "answer"),
    ("depth without end", lambda _: (200, b"[" * 100000), "answer"),
]


@against_fakes
@pytest.mark.parametrize("lie, said", [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_an_answer_to_genesis_that_lies_leaves_no_file(field, lie, said):
    instance = field.instance()
    field.generate()
    instance.alter[GENESIS] = lie
    field.refused(said, "genesis", *field.genesis_words(instance))
    assert not field.path("genesis.json").exists()
    assert not [name for name in os.listdir(field.folder) if name.endswith(".tmp")]


@against_fakes
@pytest.mark.parametrize("key, value", [
    ("namespace_name", "other"), ("namespace_nonce", 7), ("manifest_threshold", 3), ("share_threshold", 3),
    ("pivot_hash", [9] * 32), ("pivot_args", ["other"]),
    ("share_members", [{"alias": f"m{i}", "pub_key": list(model.RawPair().shown)} for i in range(3)]),
    ("manifest_members", [{"alias": f"m{i}", "pub_key": list(model.RawPair().shown)} for i in range(3)]),
])
def test_a_true_genesis_of_another_request_is_refused(field, key, value):
    instance = field.instance()
    request = field.generate()
    other = field.instance()
    other.post_enclave_genesis_boot({**request, key: value})
    instance.alter[GENESIS] = lambda _: other.response
    field.refused("GenesisOutputDoesNotMatchRequest", "genesis", *field.genesis_words(instance))
    assert not field.path("genesis.json").exists()


@against_fakes
def test_an_earlier_genesis_of_the_same_members_is_refused(field, monkeypatch):
    """The host could give it out again, and its shares may be known."""
    instance = field.instance()
    field.generate()
    import fake_instance
    now = fake_instance.time.time
    monkeypatch.setattr(fake_instance.time, "time", lambda: now() - 3600)
    field.refused("expected one made for this request", "genesis", *field.genesis_words(instance))
    monkeypatch.undo()
    words = (*field.genesis_words(instance), "--earlier")
    mine = instance.response
    instance.wipe()
    instance.alter[GENESIS] = lambda _: mine  # and the enclave has another one by now
    field.refused("DifferentUserData", "genesis", *words)
    assert not field.path("genesis.json").exists()


@against_fakes
def test_after_a_lost_answer_the_genesis_that_the_instance_holds_is_taken(field, monkeypatch):
    instance = field.instance()
    field.generate()
    import fake_instance
    now = fake_instance.time.time
    instance.alter[GENESIS] = lambda _: None
    monkeypatch.setattr(fake_instance.time, "time", lambda: now() - 3600)
    field.refused("transport error", "genesis", *field.genesis_words(instance))
    monkeypatch.undo()
    instance.alter.clear()
    field.client("genesis", *field.genesis_words(instance), "--earlier")
    assert RECONSTRUCTED in field.inject(instance, 1, 2).stdout


@against_fakes
def test_an_instance_that_never_finishes_its_answer_is_given_up(field):
    if os.environ.get("QUORATE_FULL") != "1":
        pytest.skip("takes two minutes: QUORATE_FULL=1")
    instance = field.instance()
    instance.alter["/enclave/application-status"] = lambda _: (200, b"{}", 180)
    done = subprocess.run([BIN / "qos_client", "instance", "status", "--url", instance.url], capture_output=True,
                          text=True, timeout=150, check=False)
    assert done.returncode == 1 and "transport error" in done.stderr


def test_an_enclave_of_another_release_role_or_root_gets_nothing(field):
    instance = field.instance()
    field.generate()
    words, release = field.genesis_words(instance), field.release()
    field.refused("attestation root: the manifest names", "genesis", *words[:-2])
    field.refused("expected both", "genesis", *words, *release[:2])
    field.path("role").write_text("another")
    field.refused("Pcr3PreimageDoesNotMatchManifest", "genesis", *words, *release)
    field.path("role").write_text("arn:aws:iam::123456789012:role/quorate-test")
    field.path("release/aws-x86_64.pcrs").write_text("".join(f"{'ab' * 48} PCR{i}\n" for i in range(3)))
    field.refused("DifferentPcr0", "genesis", *words, *release)
    field.path("release/aws-x86_64.pcrs").write_text(
        "".join(f"{field.pcrs[i].hex()} PCR{i}\n" for i in range(3)))
    assert not field.path("genesis.json").exists()
    assert "is not checked" not in field.client("genesis", *words, *release).stderr


# ---- requests and members

def test_finding_23_no_genesis_with_a_threshold_of_one_or_more_than_255_members_is_asked_for(field):
    instance = field.instance()
    request = field.generate()
    for change_, said in (({"share_threshold": 1}, "share_members"), ({"share_threshold": 4}, "share_members"),
                          ({"manifest_threshold": 0}, "manifest_members"),
                          ({"share_members": [{"alias": f"m{i}", "pub_key": list(model.RawPair().shown)}
                                              for i in range(256)]}, "share_members")):
        field.path("request.json").write_text(json.dumps({**request, **change_}))
        field.refused(said, "genesis", *field.genesis_words(instance))
    if hasattr(instance, "calls"):
        assert posted(instance, GENESIS) == []


def test_finding_30_no_genesis_with_an_alias_or_a_key_twice_is_asked_for(field):
    instance = field.instance()
    request = field.generate()
    for key in ("alias", "pub_key"):
        for members in ("share_members", "manifest_members"):
            changed = json.loads(json.dumps(request))
            changed[members][1][key] = changed[members][0][key]
            field.path("request.json").write_text(json.dumps(changed))
            field.refused("DuplicateQuorumMember", "genesis", *field.genesis_words(instance))
    if hasattr(instance, "calls"):
        assert posted(instance, GENESIS) == []


def test_a_request_with_its_parameters_alone_is_understood(field):
    instance = field.instance()
    request = field.generate()
    alone = {"parameters": request["parameters"]}
    for m in alone["parameters"]["share_members"]:
        del m["alias"]
    field.path("request.json").write_text(json.dumps(alone))
    field.client("genesis", *field.genesis_words(instance))


def test_finding_24_any_quorum_of_members_recovers_the_key_from_their_files_alone(field):
    dr = model.RawPair()
    field.path("dr.pub").write_text(dr.shown.hex())
    instance = field.instance()
    field.generate(3, 2, "--dr-key", "dr.pub")
    response = field.genesis(instance)
    instance.remove()
    field.made.remove(instance)
    shares = {}
    for i in (1, 2, 3):
        done = field.run("member_decryptor", "--secret", f"request.member{i}.secret", "--response", "genesis.json",
                         "--alias", f"member{i}")
        shares[i] = bytes(json.loads(done.stdout))
        assert model.share_hash(shares[i]) == bytes(member_of(response, i - 1)["share_hash"])
    for a, b in ((1, 2), (1, 3), (2, 3)):
        seed = qos.combine([shares[a], shares[b]])
        assert model.RawPair(seed).shown == bytes(response["quorum_public_key"])
    assert dr.open(bytes(response["dr_key_wrapped_quorum_key"])) == seed


def decryptor(field, *more, member=1, alias=None, works=True):
    return field.run("member_decryptor", "--secret", f"request.member{member}.secret", "--response", "genesis.json",
                     "--alias", alias or f"member{member}", *more, works=works)


@against_fakes
def test_a_share_for_the_enclave_is_sealed_to_the_key_that_it_attests(field):
    instance = field.instance()
    field.generate()
    field.genesis(instance)
    for more in ((), ("--url", instance.url)):
        done = decryptor(field, "--to-setup-key", *more, *field.trust)
        assert instance.setup.open(bytes(json.loads(done.stdout))) == instance.plain["member1"]
    assert "expected the secret of member2, found another's" in decryptor(field, alias="member2", works=False).stderr
    assert "attestation root" in decryptor(field, "--to-setup-key", works=False).stderr
    other = model.QosPair()
    changed = json.loads(field.path("genesis.json").read_text())
    changed["ephemeral_key"] = list(other.public)
    field.path("genesis.json").write_text(json.dumps(changed))
    done = decryptor(field, "--to-setup-key", *field.trust, works=False)
    assert "expected the key in attestation_doc" in done.stderr and done.stdout == ""


def hidden_dr_key(field):
    """A genesis whose DR key the operator slipped in, and the response without a trace of it; the members' request."""
    dr = model.RawPair()
    instance = field.instance()
    request = field.generate()
    field.path("agreed.json").write_text(json.dumps(request))
    field.path("request.json").write_text(json.dumps({**request, "dr_key": list(dr.shown)}))
    answer = field.genesis(instance)
    assert len(dr.open(bytes(answer.pop("dr_key_wrapped_quorum_key")))) == 32  # the operator has the key
    field.path("genesis.json").write_text(json.dumps(answer))
    return instance


def test_a_dr_key_that_members_did_not_agree_to_is_found_though_its_trace_is_gone(field):
    instance = hidden_dr_key(field)
    agreed = ("--request", "agreed.json")
    field.refused("genesis: DifferentUserData", "inject", *field.inject_words(instance, 1, 2),
                  *agreed)
    for more in ((), ("--url", instance.url)):
        done = decryptor(field, "--to-setup-key", *more, *field.trust, *agreed, works=False)
        assert "DifferentUserData" in done.stderr and done.stdout == ""
    assert "Shares posted by" not in field.client("status", "--url", instance.url).stdout
    done = field.client("inject", *field.inject_words(instance, 1))
    assert "warning: genesis: DifferentUserData" in done.stderr and "somebody else has the quorum key" in done.stderr


def test_a_dr_key_that_members_agreed_to_is_no_obstacle(field):
    field.path("dr.pub").write_text(model.RawPair().shown.hex())
    instance = field.instance()
    field.generate(3, 2, "--dr-key", "dr.pub")
    field.genesis(instance)
    done = decryptor(field, "--to-setup-key", *field.trust, works=False)
    assert "a DR key has the WHOLE quorum key: expected --request" in done.stderr and done.stdout == ""
    done = decryptor(field, "--to-setup-key", *field.trust, "--request", "request.json")
    assert len(json.loads(done.stdout)) == 130
    done = field.inject(instance, 1)
    assert "warning: genesis: dr_key_wrapped_quorum_key: a DR key has the WHOLE quorum key" in done.stderr
    done = field.client("inject", *field.inject_words(instance, 2), "--request", "request.json")
    assert RECONSTRUCTED in done.stdout and "genesis: " not in done.stderr


@pytest.mark.parametrize("lie, said", [
    (change(["encrypted_shares", 0, "share_hash"], flip), "share_hash: expected the hash that the genesis names"),
    (change(["encrypted_shares", 0, "encrypted_quorum_key_share"], flip), "Failed to decrypt share"),
    (lambda a: change(["encrypted_shares", 0, "encrypted_quorum_key_share"],
                      list(qos.seal(model.long_key(member_of(a, 0)["share_set_member"]["pub_key"]), bytes(33))))(a),
     "InvalidShare"),
    (lambda a: change(["encrypted_shares", 0, "encrypted_quorum_key_share"],
                      list(qos.seal(model.long_key(member_of(a, 0)["share_set_member"]["pub_key"]), b"\2" * 33)))(a),
     "InvalidShare"),
])
def test_a_share_that_is_not_the_one_of_the_genesis_is_not_printed(field, lie, said):
    instance = field.instance()
    field.generate()
    field.genesis(instance)
    field.path("genesis.json").write_text(json.dumps(lie(json.loads(field.path("genesis.json").read_text()))))
    done = decryptor(field, works=False)
    assert said in done.stderr and done.stdout == ""


def test_share_injector_makes_the_request_that_the_guide_sends(field):
    instance = field.instance()
    field.generate()
    response = field.genesis(instance)
    text = field.path("genesis.json").read_text()
    for words, env in ((("--response", "genesis.json"), {}), ((), {"GENESIS_RESPONSE": text})):
        field.run("share_injector", *words, "--output", "inject.json", env=env)
        request = json.loads(field.path("inject.json").read_text())
        assert request == {
            "namespace_name": "qos-namespace", "namespace_nonce": 12345, "shares": [
                {"member_alias": s["share_set_member"]["alias"], "decrypted_share": s["encrypted_quorum_key_share"]}
                for s in response["encrypted_shares"]]}
    for env in ({}, {"GENESIS_RESPONSE": ""}, {"GENESIS_RESPONSE": "{}"}):
        done = field.run("share_injector", "--output", "other.json", env=env, works=False)
        assert "GENESIS_RESPONSE" in done.stderr and done.returncode == 1
    assert not field.path("other.json").exists()


def test_verification_tool_says_which_check_did_not_hold(field):
    instance = field.instance()
    field.generate()
    field.genesis(instance)
    field.generate(name="other")
    answer = json.loads(field.path("genesis.json").read_text())

    def verdict(*more, works=True):
        done = field.run("verification_tool", "--response", "genesis.json", "--output", "results.json", *more, works=works)
        return done.stdout.splitlines()[:4], json.loads(field.path("results.json").read_text())["genesis_verification"]

    lines, results = verdict("--request", "request.json", *field.trust)
    assert [line.rsplit(": ", 1)[1] for line in lines] == ["ok"] * 4 and results["overall_valid"] is True
    lines, results = verdict("--request", "other.json", *field.trust, works=False)
    assert "GenesisOutputDoesNotMatchRequest" in lines[1] and results["request_matches"] is False
    assert results["attestation_valid"] is True and results["overall_valid"] is False
    lines, results = verdict("--unsafe-skip-attestation")
    assert results["attestation_valid"] is None and results["request_matches"] is None
    assert "attestation root" in verdict(works=False)[0][2]
    field.path("genesis.json").write_text(json.dumps(own_shares(answer)))
    lines, results = verdict(*field.trust, works=False)
    assert "DifferentUserData" in lines[3] and results["answer_valid"] is True
    field.path("genesis.json").write_text("{}")
    lines, results = verdict(*field.trust, works=False)
    assert results["answer_valid"] is False and results["manifest_valid"] is None and len(results["errors"]) == 1


# ---- enclaves that are not what they say

@against_fakes
def test_no_share_is_given_to_an_enclave_that_does_not_attest_the_manifest(field):
    instance, other = field.instance(), field.instance()
    field.generate()
    field.genesis(instance)
    other.post_enclave_genesis_boot(field.generate(name="other"))
    elsewhere = Field(known=False)
    stranger = elsewhere.instance()
    stranger.envelope = instance.envelope
    lies = [(lambda _: other.post_enclave_generate_attestation(None), "DifferentUserData"),
            (lambda _: stranger.post_enclave_generate_attestation(None), "attestation document"),
            (change(["result", "GenerateAttestationResponse", "attestation_doc", -1], lambda b: b ^ 1), "attestation"),
            (lambda _: {"id": "x", "result": {}}, "expected result.GenerateAttestationResponse, found none"),
            (lambda _: {"id": "x", "result": {"Error": {"message": "no", "code": 500}}}, "found none"),
            (lambda _: (409, b'{"error":"There is no manifest","code":409,"request_id":"7"}'),
             "There is no manifest (HTTP 409, request 7)")]
    for lie, said in lies:
        instance.alter[ATTEST] = lie
        field.refused(said, "inject", *field.inject_words(instance, 1, 2))
    elsewhere.remove()
    assert posted(instance, INJECT) == []


@against_fakes
def test_no_share_is_given_for_another_manifest_of_the_same_key(field):
    """An enclave of the right kind may have booted a manifest that somebody else wrote for this quorum key."""
    instance = field.instance()
    field.generate()
    answer = field.genesis(instance)
    genuine = dict(instance.envelope)
    instance.envelope = json.loads(json.dumps(instance.envelope))
    instance.envelope["manifest"]["pivot"]["args"] = ["--give-me-the-key"]
    answer["manifest_envelope"] = instance.envelope
    del answer["manifest_hash"]
    field.path("genesis.json").write_text(json.dumps(answer))
    field.refused("quorum_key_signature", "inject", *field.inject_words(instance, 1, 2))
    own = model.RawPair()
    instance.envelope["quorum_key_signature"] = list(own.sign(manifest_hash(instance.envelope)))
    field.path("genesis.json").write_text(json.dumps(answer))
    field.refused("quorum_key_signature", "inject", *field.inject_words(instance, 1, 2))
    del instance.envelope["quorum_key_signature"]
    field.path("genesis.json").write_text(json.dumps(answer))
    field.refused("pivot_hash, pivot_args", "inject", *field.inject_words(instance, 1, 2), "--request", "request.json")
    assert posted(instance, INJECT) == [] and genuine["manifest"]["pivot"]["args"] == ["arg1", "arg2"]


def test_a_member_counts_once_and_strangers_secrets_are_refused(field):
    instance = field.instance()
    field.generate()
    field.genesis(instance)
    field.generate(name="other")
    field.refused("expected each member once", "inject", *field.inject_words(instance, 1, 1))
    field.refused("expected the secret of a member of this genesis", "inject",
                  *field.inject_words(instance, 1, name="other"))
    if hasattr(instance, "calls"):
        assert posted(instance, INJECT) == []


@against_fakes
def test_another_key_than_that_of_the_genesis_is_no_success(field):
    instance = field.instance()
    field.generate()
    field.genesis(instance)
    instance.alter[INJECT] = change(["reconstructed_quorum_key"], list(model.RawPair().shown))
    field.refused("expected the quorum key of the genesis, found another", "inject", *field.inject_words(instance, 1, 2))


@against_fakes
def test_a_host_that_keeps_the_shares_and_says_success_is_not_believed(field):
    instance = field.instance()
    field.generate()
    response = field.genesis(instance)
    instance.post_enclave_inject_shares = lambda _: {
        "reconstructed_quorum_key": response["quorum_public_key"], "success": True, "threshold": 2,
        "shares_received": 2, "share_mode": "member"}
    done = field.refused("attestation document", "inject", *field.inject_words(instance, 1, 2))
    assert RECONSTRUCTED not in done.stdout


@against_fakes
def test_no_key_is_exported_to_an_enclave_that_does_not_attest_the_manifest(field):
    first, second, other = (field.instance() for _ in range(3))
    field.generate()
    field.genesis(first)
    field.inject(first, 1, 2)
    other.post_enclave_genesis_boot(field.generate(name="other"))
    words = ("--from", first.url, "--to", second.url, "--response", "genesis.json", *field.trust)
    second.alter[ATTEST] = lambda _: other.post_enclave_generate_attestation(None)
    field.refused("DifferentUserData", "share-to", *words)
    assert posted(first, EXPORT) == []
    second.alter = {"/enclave/application-status": change(["phase"], "ApplicationReady")}
    field.refused("attestation document", "share-to", *words)
    second.alter = {"/enclave/share-manifest": lambda _: {"id": "x", "result": {"ShareManifestResponse":
                                                                             {"success": False}}}}
    field.refused("ShareManifestResponse: expected success", "share-to", *words)
    assert posted(first, EXPORT) == []
    second.alter = {}
    first.alter[EXPORT] = change(["result", "ExportKeyResponse", "signature"], flip)
    field.refused("InvalidEncryptedQuorumKeySignature", "share-to", *words)
    pair = model.RawPair()

    def own(answer):  # a key that the liar knows, signed by itself
        sealed = qos.seal(second.setup.public, pair.seed)
        answer["result"]["ExportKeyResponse"] = {"encrypted_quorum_key": list(sealed),
                                                 "signature": list(pair.sign(sealed))}
        return answer

    first.alter[EXPORT] = own
    field.refused("InvalidEncryptedQuorumKeySignature", "share-to", *words)
    assert posted(second, INJECT_KEY) == []


# ---- signed requests

def key_pair(field, name, raw=False):
    pair = model.RawPair() if raw else model.QosPair()
    field.path(name).write_text(pair.seed.hex())
    return pair


@pytest.mark.parametrize("raw", [False, True])
def test_requests_are_signed_by_the_admin_key_and_never_twice_with_a_nonce(field, raw):
    pair = key_pair(field, "admin", raw)
    first, second = (field.instance(admins=[pair.shown]) for _ in range(2))
    field.generate()
    field.refused("authorization: expected an admin key's signature, found none", "genesis", *field.genesis_words(first))
    signed = ("--admin-key", "admin", "--key-format", "sec1-65" if raw else "qos-130")
    if hasattr(first, "calls"):
        one = first.id
    else:
        one = field.client("up", "--url", first.url).stdout.split("Enclave id: ")[1].split()[0]
    field.client("genesis", *field.genesis_words(first), *signed, "--enclave-id", one)
    field.client("inject", *field.inject_words(first, 1, 2), *signed)
    field.client("share-to", "--from", first.url, "--to", second.url, "--response", "genesis.json", *field.trust,
                 *signed)
    if hasattr(first, "calls"):
        headers = [header for _, _, header, _ in first.calls if header]
        assert len(headers) >= 5 and len({h.split("nonce=")[1].split(",")[0] for h in headers}) == len(headers)
    key_pair(field, "admin", raw)
    field.refused("authorization: the key is none of those configured", "call", "--url", first.url, "--path", "/enclave/reset", "--method", "POST", *signed)
    assert "Quorum key: yes" in field.client("status", "--url", first.url).stdout


@against_fakes
@pytest.mark.parametrize("fixed", [False, True])
def test_a_sealed_answer_is_opened(field, fixed):
    pair = key_pair(field, "client")
    instance = field.instance(clients=[pair.shown])
    field.path("body.json").write_text('{"encrypted_data":[1,2,3]}')
    if fixed:
        reply = key_pair(field, "reply")
    words = ("--url", instance.url, "--path", "/enclave/decrypt-data", "--body", "body.json")
    done = field.client("call", *words, "--client-key", "client", *(("--reply-key", "reply") if fixed else ()))
    assert json.loads(done.stdout) == {"success": True, "decrypted_data": [3, 2, 1]}
    header = instance.calls[-1][2]
    if fixed:
        assert f"reply-key={reply.public.hex()}, " in header
    instance.alter["/enclave/decrypt-data"] = lambda _: (200, b'{"sealed":[1,2,3]}')
    field.refused("sealed answer", "call", *words, "--client-key", "client")


def test_a_client_s_data_comes_back_sealed_and_is_opened(field):
    pair = key_pair(field, "client")
    instance = field.instance(clients=[pair.shown])
    field.generate()
    field.genesis(instance)
    field.inject(instance, 1, 2)
    if not hasattr(instance, "calls"):  # fakes have no data
        field.path("body.json").write_text('{"data":[104,105],"recipient_public":[]}')
        words = ("--url", instance.url, "--body", "body.json", "--client-key", "client")
        sealed = json.loads(field.client("call", *words, "--path", "/enclave/encrypt-data").stdout)["encrypted_data"]
        field.path("body.json").write_text(json.dumps({"encrypted_data": sealed}))
        assert "sealed" not in field.client("call", *words, "--path", "/enclave/decrypt-data").stdout


def test_a_call_without_a_body_sends_an_empty_one(field):
    """So that its signature holds where a host passes no body on."""
    pair = key_pair(field, "admin")
    instance = field.instance(admins=[pair.shown])
    words = ("--url", instance.url, "--path", "/enclave/reset", "--method", "POST")
    field.refused("authorization: expected an admin key's signature, found none", "call", *words)
    assert json.loads(field.client("call", *words, "--admin-key", "admin").stdout)["success"] is True
    if hasattr(instance, "calls"):
        assert instance.calls[-1][3] == b""


class Between(FakeInstance):
    """A host before the real one: passes requests on, and answers of application routes after its lie."""

    def __init__(self, field, real):
        super().__init__(field.folder / "sim", field.pcrs)
        self.real, self.lie, self.came = real, lambda _, status, answer: (status, answer), []

    def answer(self, method, path, header, body):
        request = urllib.request.Request(self.real.url + path, body if method == "POST" else None, method=method,
                                         headers={"Content-Type": "application/json"})
        if header:
            request.add_header("Authorization", header)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                status, answer = reply.status, reply.read()
        except urllib.error.HTTPError as refused:
            status, answer = refused.code, refused.read()
        if path == "/enclave/info":
            self.id = json.loads(answer)["enclave_id"]
            return status, answer
        self.came.append((method, path, header, body, answer))
        return self.lie(self, status, answer)

    def signed_by(self, pair, status, body):
        """body, signed as the page says, over the request that is being answered."""
        method, path, header, sent, _ = self.came[-1]
        part = dict(re.findall(r"([a-z-]+)=([^,]*)", header))
        text = "\n".join(["quorate-api-v1", self.id, method, path, hashlib.sha256(sent).hexdigest(), part["nonce"],
                          part.get("reply-key", "")])
        signature = pair.sign("\n".join(["quorate-answer-v1", hashlib.sha256(text.encode()).hexdigest(), str(status),
                                         hashlib.sha256(body).hexdigest()]).encode())
        return body[:-1] + b',"answer_signature":"%s"}' % signature.hex().encode()


class Answering:
    """A real instance that has its key, and the host before it; the quorum key in a file, and in genesis.json."""

    def __init__(self, key_format):
        self.field = Field(real=True)
        client = key_pair(self.field, "client")
        real = self.field.instance(clients=[client.shown])
        self.field.generate(3, 2, "--key-format", key_format)
        self.quorum_key = bytes(self.field.genesis(real)["quorum_public_key"])
        self.field.path("quorum.pub").write_text(self.quorum_key.hex())
        self.field.inject(real, 1, 2)
        self.host = Between(self.field, real)
        self.field.made.append(self.host)
        self.encrypt = {"data": list(b"hidden"), "recipient_public": []}
        sealed = json.loads(self.call("/enclave/encrypt-data", self.encrypt, "--quorum-key", "quorum.pub").stdout)
        self.decrypt = {"encrypted_data": sealed["encrypted_data"]}

    def call(self, path, body, *words, key=("--client-key", "client"), lie=None, works=True):
        self.host.lie = lie or (lambda _, status, answer: (status, answer))
        self.field.path("body.json").write_text(json.dumps(body))
        return self.field.client("call", "--url", self.host.url, "--path", path, "--body", "body.json", *key, *words,
                                 works=works)


@pytest.fixture(scope="module", params=["sec1-65", "qos-130"])
def answering(request):
    made = Answering(request.param)
    yield made
    made.field.remove()


@pytest.mark.parametrize("words", [("--quorum-key", "quorum.pub"), ("--response", "genesis.json")])
def test_an_answer_of_the_quorum_key_is_printed_and_a_sealed_one_opened(answering, words):
    assert len(answering.quorum_key) in (65, 130)
    done = answering.call("/generate-seed", {"strength": 256}, *words)
    assert json.loads(done.stdout)["word_count"] == 24 and done.stderr == ""
    done = answering.call("/enclave/decrypt-data", answering.decrypt, *words)
    assert json.loads(done.stdout) == {"success": True, "decrypted_data": list(b"hidden")} and done.stderr == ""
    done = answering.call("/enclave/decrypt-data", {"encrypted_data": [1]}, *words, works=False)
    assert "(HTTP 400, request " in done.stderr and "answer_signature" not in done.stderr


def test_without_the_quorum_key_an_answer_is_called_the_host_s_word(answering):
    note = "note: the answer is the host's word"
    for key in (("--client-key", "client"), ()):
        done = answering.call("/generate-seed", {"strength": 256}, key=key, works=bool(key))
        assert done.stderr.count(note) == 1
    lie = b'{"seed_phrase":"of the host"}'
    done = answering.call("/generate-seed", {}, lie=lambda *_: (200, lie))
    assert done.stdout.encode() == lie + b"\n" and done.stderr.startswith(note) and done.stderr.count("\n") == 1


def unsigned(answer):
    body, signature = answer.split(b',"answer_signature":"')
    assert len(signature) == 130
    return body + b"}"


def signature_of(answer):
    return answer[-130:]


def to_the_reply_key(host, plain):
    reply_key = re.search("reply-key=([0-9a-f]+)", host.came[-1][2])[1]
    return json.dumps({"sealed": list(qos.seal(bytes.fromhex(reply_key), plain))}).encode()


def own_sealed(host, status, answer):
    return status, to_the_reply_key(host, b'{"success":true,"decrypted_data":[7]}')[:-1] + answer[-152:]


NONE, OTHER = "expected an answer_signature at its end, found none", "answer_signature: expected the quorum key's over"
LIES_ABOUT_ANSWERS = {
    "another status": (OTHER, lambda h, s, a: (201 if s == 200 else 200, a)),
    "a refusal": (OTHER, lambda h, s, a: (500, a)),
    "another byte": (OTHER, lambda h, s, a: (s, a[:20] + bytes([a[20] ^ 1]) + a[21:])),
    "a space more": (OTHER, lambda h, s, a: (s, b" " + a)),
    "a member more": (OTHER, lambda h, s, a: (s, b'{"ours":1,' + a[1:])),
    "no signature": (NONE, lambda h, s, a: (s, unsigned(a))),
    "something behind it": (NONE, lambda h, s, a: (s, a[:-1] + b',"ours":1}')),
    "half of it": (NONE, lambda h, s, a: (s, a[:len(a) // 2])),
    "nothing": (NONE, lambda h, s, a: (s, b"")),
    "a refusal of its own": (NONE, lambda h, s, a: (400, b'{"error":"of the host","code":400,"request_id":null}')),
    "a signature in upper case": ("expected lower-case hex", lambda h, s, a: (s, a[:-130] + signature_of(a).upper())),
    "a signature that is no hex": ("answer_signature: ", lambda h, s, a: (s, a[:-130] + b"g" + signature_of(a)[1:])),
    "a signature of zeros": ("answer_signature: ", lambda h, s, a: (s, a[:-130] + b"0" * 128 + b'"}')),
    "the signature of another request": (OTHER, lambda h, s, a: (s, a[:-130] + signature_of(h.came[0][4]))),
    "the answer to another request": (OTHER, lambda h, s, a: (s, h.came[0][4])),
    "the signature of another key": (OTHER, lambda h, s, a: (s, h.signed_by(qos.Pair(), s, unsigned(a)))),
    "sealed by the host": (OTHER, own_sealed),
    "sealed and signed by the host": (OTHER, lambda h, s, a: (s, h.signed_by(qos.Pair(), s, to_the_reply_key(
        h, b'{"success":true,"decrypted_data":[7]}')))),
    "sealed bytes that do not open": (OTHER, lambda h, s, a: (s, a.replace(b"[", b"[1,", 1))),
}


@pytest.mark.parametrize("name", LIES_ABOUT_ANSWERS)
def test_nothing_of_an_answer_is_printed_that_the_quorum_key_did_not_sign(answering, name):
    said, lie = LIES_ABOUT_ANSWERS[name]
    for path, body in (("/generate-seed", {}), ("/enclave/decrypt-data", answering.decrypt),
                       ("/enclave/decrypt-data", {"encrypted_data": [1]})):
        if name.startswith("sealed") and b"sealed" not in answer_to(answering, path, body):
            continue
        for words in (("--quorum-key", "quorum.pub"), ("--response", "genesis.json")):
            done = answering.call(path, body, *words, lie=lie, works=False)
            assert done.returncode == 1 and done.stdout == ""
            assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
            assert f"{path}: answer (HTTP " in done.stderr and said in done.stderr, done.stderr
            for part in ("of the host", "seed_phrase", "sealed", "request "):
                assert part not in done.stderr.replace("this request", "")


def answer_to(answering, path, body):
    answering.call(path, body, works=body != {"encrypted_data": [1]})
    return answering.host.came[-1][4]


def test_an_answer_to_an_unadmitted_or_unsigned_request_is_not_taken_for_one_of_the_enclave(answering):
    """A stranger's request gets no signed refusal; a route that is for everybody no signed answer."""
    key_pair(answering.field, "stranger")
    words = ("--quorum-key", "quorum.pub")
    done = answering.call("/generate-seed", {}, *words, key=("--client-key", "stranger"), works=False)
    assert f"answer (HTTP 401): {NONE}" in done.stderr
    answering.field.refused(f"answer (HTTP 200): {NONE}", "call", "--url", answering.host.url, "--path",
                            "/enclave/application-status", "--client-key", "client", *words)


@pytest.mark.parametrize("words, said", [
    (("--quorum-key", "quorum.pub"), "--quorum-key: expected --client-key or --admin-key too"),
    (("--response", "genesis.json"), "--response: expected --client-key or --admin-key too"),
    (("--client-key", "client", "--quorum-key", "client"), "--quorum-key: client: "),
    (("--client-key", "client", "--quorum-key", "nowhere"), "--quorum-key: nowhere: "),
    (("--client-key", "client", "--response", "request.json"), "request.json"),
])
def test_a_quorum_key_that_checks_nothing_is_refused_before_anything_is_sent(answering, words, said):
    before = len(answering.host.came)
    call = ("call", "--url", answering.host.url, "--path", "/generate-seed", "--method", "POST")
    answering.field.refused(said, *call, *words)
    both = answering.field.client(*call, "--quorum-key", "quorum.pub", "--response", "genesis.json", works=False)
    assert "quorum-key and response are mutually exclusive" in both.stdout
    for word in ("--quorum-key", "--response"):
        assert word[2:] in answering.field.client(*call, "--client-key", "client", word, works=False).stdout
    assert len(answering.host.came) == before


@against_fakes
def test_a_signature_for_a_named_enclave_is_good_at_no_other(field):
    """A host may answer with the id of another enclave that knows the same key."""
    pair = key_pair(field, "admin")
    here, elsewhere = (field.instance(admins=[pair.shown]) for _ in range(2))
    here.alter["/enclave/info"] = change(["enclave_id"], elsewhere.id)
    words = ("--url", here.url, "--path", "/enclave/reset", "--method", "POST", "--admin-key", "admin")

    def header_for(enclave):
        _, _, header, body = here.calls[-1]
        enclave.check_signature("POST", "/enclave/reset", header, body)

    field.refused("The signature does not hold", "call", *words)
    header_for(elsewhere)  # what is to be prevented
    assert json.loads(field.client("call", *words, "--enclave-id", here.id).stdout)["success"] is True
    with pytest.raises(Refusal):
        header_for(elsewhere)
    field.refused("--enclave-id: expected", "call", *words, "--enclave-id", "a\nb")


@against_fakes
def test_an_instance_without_an_id_gets_no_signature(field):
    pair = key_pair(field, "client")
    instance = field.instance(clients=[pair.shown])
    for lie in (change(["enclave_id"], "a\nb"), change(["enclave_id"], ""), change(["enclave_id"], "a" * 65),
                lambda _: {}, lambda _: (503, b"{}"), lambda _: (200, b"no")):
        instance.alter["/enclave/info"] = lie
        field.refused("/enclave/info", "call", "--url", instance.url, "--path", "/enclave/info", "--client-key", "client")
    assert [header for _, _, header, _ in instance.calls if header] == []


def test_a_full_disk_is_seen_before_there_is_a_key(field):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    instance = field.instance()
    field.generate()
    disk = field.path("disk")
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "tmpfs", disk], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this system lets nobody mount a disk: {done.stderr.strip()}")
    try:
        words = [w if w != "genesis.json" else "disk/genesis.json" for w in field.genesis_words(instance)]
        field.refused("No space left on device", "genesis", *words)
        assert os.listdir(disk) == []
    finally:
        subprocess.run(["umount", disk], check=True)
    if hasattr(instance, "calls"):
        assert posted(instance, GENESIS) == []


def test_the_programs_say_what_they_are(field):
    for program in ("genesis_key_generator", "member_decryptor", "share_injector", "verification_tool"):
        assert "--" in field.run(program, "--help").stdout
        assert "quorate: " in field.run(program, "--version").stdout
        assert (BIN / program).exists()


def test_the_page_on_instances_runs_as_printed(field):
    text = (ROOT / "docs" / "instances.md").read_text(encoding="utf-8")
    script = "".join(re.findall(r"(?ms)^```bash\n(.*?)^```", text))
    for port in (9000, 9001, 9002):
        assert f":{port}" in script
        script = script.replace(f"http://localhost:{port}", field.instance().url)
    done = subprocess.run(["bash", "-c", "set -e\n" + script], capture_output=True, text=True, cwd=field.folder,
                          timeout=120, check=False,
                          env={"PATH": f"{BIN}:/usr/bin:/bin", "SIM": str(field.root.parent), "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("Phase: ApplicationReady", "*not* been reconstructed: 1 of 2", f"{RECONSTRUCTED}.",
                 "has got the quorum key", "has the quorum key already"):
        assert said in done.stdout
