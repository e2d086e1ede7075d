"""Both API families on one enclave (renclave 8.3): keys and manifests that are born in one live in the other, by the real
qos_client or an independent model, and what belongs to one family does nothing to an enclave of the other."""

import copy
import hashlib
import json

import pytest

import qos_model as qos
from ceremony import Ceremony
from instance_ceremony import Party, as_qos, assert_complete, live_document
from instance_forwarding import (Handover, attestation, export, inject, manifest_hash, measured, numbers, setup_key,
                                 share)
from machine import Machine
from raw_enclave import APP_UID, SLEEPER
from raw_enclave import Ceremony as QosCeremony
from sim_documents import payload_of

GENESIS, INJECT = "/enclave/genesis-boot", "/enclave/inject-shares"


def qos_envelope(party, approved_by=(0, 1)):
    """The manifest of an instance's genesis as QuorumOS's clients have it, approved by members."""
    manifest = as_qos(party.reply["manifest_envelope"]["manifest"])
    return {"manifest": manifest, "shareSetApprovals": [],
            "manifestSetApprovals": [qos.approval(party.names[i], party.pairs[i], manifest) for i in approved_by]}


def api_envelope(c):
    """The other way round: a manifest of QuorumOS, version 1, with its approvals, as the REST API has it."""
    def octets(text):
        return list(bytes.fromhex(text))

    def members(found):
        return {"threshold": found["threshold"], "members": [member(m) for m in found["members"]]}

    def member(m):
        return {"alias": m["alias"], "pub_key": octets(m["pubKey"])}

    m, e = c.manifest, c.manifest["enclave"]
    return {"manifest": {
        "namespace": {"nonce": m["namespace"]["nonce"], "name": m["namespace"]["name"],
                      "quorum_key": octets(m["namespace"]["quorumKey"])},
        "enclave": {**{f"pcr{i}": octets(e[f"pcr{i}"]) for i in range(4)},
                    "aws_root_certificate": octets(e["awsRootCertificate"]), "qos_commit": e["qosCommit"]},
        "pivot": {"hash": octets(m["pivot"]["hash"]), "restart": m["pivot"]["restart"], "args": m["pivot"]["args"]},
        "manifest_set": members(m["manifestSet"]), "share_set": members(m["shareSet"])},
        "manifest_set_approvals": [{"signature": octets(a["signature"]), "member": member(a["member"])}
                                   for a in c.envelope()["manifestSetApprovals"]],
        "share_set_approvals": []}


class AsEnclave:
    """An instance's enclave, as the model of QuorumOS's ceremonies speaks to one."""

    def __init__(self, instance):
        self.socket = instance.socket

    def send(self, message):
        return qos.call_json(self.socket, message)


@pytest.fixture
def enclave(new_instance):
    """A function: one more enclave of the same machine, whose applications may run."""
    return lambda *options: new_instance("--app-user", str(APP_UID), *options).start()


@pytest.fixture
def machine():
    made = Machine()
    yield made
    made.remove()


def born_for(instance, pivot, **how):
    party = Party(2, 3, long=True)
    party.genesis(instance, pivot_hash=numbers(hashlib.sha256(pivot).digest()), pivot_args=[], **how)
    return party


def qos_ceremony(instance, pivot=SLEEPER):
    """A ceremony of QuorumOS whose manifest names this machine."""
    c = QosCeremony(pivot)
    registers = measured(instance)
    c.manifest["enclave"] = {**{f"pcr{i}": registers[i].hex() for i in range(4)}, "qosCommit": "commit",
                             "awsRootCertificate": (instance.sim / "root.der").read_bytes().hex()}
    return c


# ---- born on one, living on the other

def test_a_manifest_and_shares_born_on_the_rest_api_are_booted_and_posted_by_qos_client(machine, new_instance):
    c = Ceremony(machine=machine)
    pivot = c.app.make()
    instance = new_instance(sim=machine.sim, role=machine.role).start()
    party = born_for(instance, pivot.read_bytes())
    instance.stop()
    machine.start()
    c.write_release()
    c.envelope_path().write_text(json.dumps(qos_envelope(party)))
    (c.set_dir / "quorum_threshold").write_text("2\n")
    for i, name in enumerate(party.names):
        c.secret(name).write_text(party.pairs[i].seed.hex())
        (c.set_dir / f"{name}.pub").write_text(party.pairs[i].public.hex())
        c.share(name).write_bytes(party.issued(i))
    c.boot(pivot)
    assert machine.phase() == "WaitingForQuorumShards"
    c.provision(["member3", "member1"])
    assert machine.phase() == "QuorumKeyProvisioned"
    assert bytes.fromhex(machine.file("quorum.key").read_text()) == party.seed()
    assert c.app.health()


def test_a_key_born_on_the_rest_api_passes_to_quorumos_and_back(enclave):
    first, second, third = enclave(), enclave(), enclave()
    party = born_for(first, SLEEPER)
    assert_complete(party, first, party.inject(first, (0, 2), "E"))
    envelope = party.reply["manifest_envelope"]
    # From the instance to an enclave that QuorumOS's message has booted with the approved manifest.
    reply = qos.call_json(second.socket, {"bootKeyForwardRequest": {
        "manifest_envelope": qos_envelope(party), "pivot": SLEEPER.hex()}})
    document = bytes.fromhex(reply["bootKeyForwardResponse"]["nsm_response"]["attestation"]["document"])
    key = export(first, envelope, document)
    assert qos.call_json(second.socket, {"injectKeyRequest": {
        name: bytes(value).hex() for name, value in key.items()}}) == "injectKeyResponse"
    assert second.phase() == "QuorumKeyProvisioned"
    assert bytes.fromhex(second.files()["quorum.key"].read_text()) == party.seed()
    # From there to another instance, with QuorumOS's message of export.
    share(third, envelope)
    reply = qos.call_json(second.socket, {"exportKeyRequest": {
        "manifest_envelope": qos_envelope(party), "cose_sign1_attestation_doc": attestation(third).hex()}})
    inject(third, {name: list(bytes.fromhex(value)) for name, value in reply["exportKeyResponse"].items()})
    data = third.ok("POST", "/enclave/encrypt-data", {"data": [1, 2, 3], "recipient_public": []})["encrypted_data"]
    assert first.ok("POST", "/enclave/decrypt-data", {"encrypted_data": data})["decrypted_data"] == [1, 2, 3]


def test_a_key_born_on_quorumos_passes_to_an_instance_under_its_own_approved_manifest(enclave):
    born, first, second = enclave(), enclave(), enclave()
    c = qos_ceremony(first)
    members = [qos.member(n, c.pairs[n]) for n in c.names]
    reply = qos.call_json(born.socket, {"bootGenesisRequest": {"set": {"members": members, "threshold": 2}}})
    output = reply["bootGenesisResponse"]["genesis_output"]
    shares = [c.pairs[n].open(bytes.fromhex(o.get("encryptedQuorumKeyShare") or o["encrypted_quorum_key_share"]))
              for n, o in zip(c.names, output["member_outputs"])]
    c.shares, c.quorum = shares, qos.Pair(qos.combine(shares[:2]))
    c.manifest["namespace"]["quorumKey"] = c.quorum.public.hex()
    assert output["quorum_key"] == c.quorum.public.hex()
    c.provision(AsEnclave(first))
    assert first.phase() == "QuorumKeyProvisioned"
    envelope = api_envelope(c)
    assert manifest_hash(envelope["manifest"]) == qos.manifest_hash(c.manifest)
    share(second, envelope)
    reply = qos.call_json(first.socket, {"exportKeyRequest": {
        "manifest_envelope": c.envelope(), "cose_sign1_attestation_doc": attestation(second).hex()}})
    inject(second, {name: list(bytes.fromhex(value)) for name, value in reply["exportKeyResponse"].items()})
    signed = second.ok("POST", "/enclave/sign-message", {"message": [7]})
    assert bytes(signed["public_key"]) == c.quorum.public[65:]


# ---- what belongs to the other family does nothing

def resharing_words():
    return [{"quorateReshareShareRequest": {"share": "00", "binding": "00" * 64, "approval": {
        "signature": "00" * 64, "member": {"alias": "a", "pubKey": "04" * 130}}}},
        "quorateReshareAttestationRequest", "quorateReshareOutputRequest"]


def assert_routeless(instance, messages, phase):
    before = live_document(instance)
    for message in messages:
        reply = qos.call_json(instance.socket, message)
        assert "NoMatchingRoute" in json.dumps(reply) and instance.phase() == phase, (message, reply)
    after = live_document(instance)
    assert [before[n] for n in ("public_key", "user_data", "pcrs")] == [
        after[n] for n in ("public_key", "user_data", "pcrs")]


def messages_for(envelope, pairs, names, pivot, setup, the_share, document, sealed=None):
    """Every message of QuorumOS that changes something or gives something out, each of them right for this manifest."""
    manifest = envelope["manifest"]
    approval = qos.approval(names[0], pairs[0], manifest)
    box = qos.seal(setup, the_share)
    members = [qos.member(n, p) for n, p in zip(names, pairs)]
    return [
        {"bootStandardRequest": {"manifest_envelope": envelope, "pivot": pivot.hex()}},
        {"bootKeyForwardRequest": {"manifest_envelope": envelope, "pivot": pivot.hex()}},
        {"bootGenesisRequest": {"set": {"members": members, "threshold": 2}}},
        {"provisionRequest": {"share": box.hex(), "approval": approval}},
        {"quorateBoundProvisionRequest": {"share": box.hex(), "approval": approval, "binding": pairs[0].sign(
            qos.binding_message(manifest, setup, box)).hex()}},
        {"exportKeyRequest": {"manifest_envelope": envelope, "cose_sign1_attestation_doc": document.hex()}},
        {"injectKeyRequest": {name: bytes(value).hex() for name, value in sealed.items()} if sealed else
         {"encrypted_quorum_key": box.hex(), "signature": "00" * 64}},
        *resharing_words(),
    ]


@pytest.mark.parametrize("form", "PE")
def test_quorumos_clients_are_told_how_many_shares_an_instance_needs_and_has(instance, form):
    def told():
        state = qos.call_json(instance.socket, "quorateStateRequest")["quorateStateResponse"]
        return int(state["shares_held"]), int(state["shares_needed"])

    party = Party(2, 3)
    assert told() == (0, 0)
    party.genesis(instance)
    assert told() == (0, 2)
    party.inject(instance, (1,), form)
    assert told() == (1, 2)
    party.inject(instance, (0,), form)
    assert told() == (2, 2)


def test_messages_of_quorumos_do_nothing_to_an_instance_of_its_own_genesis(enclave):
    instance, other = enclave(), enclave()
    party = born_for(instance, SLEEPER)
    share(other, party.reply["manifest_envelope"])  # an enclave that may well have the key
    messages = messages_for(qos_envelope(party), party.pairs, party.names, SLEEPER,
                            bytes(party.reply["ephemeral_key"]), party.share(0), attestation(other))
    assert_routeless(instance, messages, "GenesisBooted")
    assert party.inject(instance, (1,), "E")["success"] is False
    assert_routeless(instance, messages, "WaitingForQuorumShards")
    assert instance.status()["shares_received"] == ["member2"]
    assert_complete(party, instance, party.inject(instance, (2,), "E"))
    for message in messages:
        reply = qos.call_json(instance.socket, message)
        assert "NoMatchingRoute" in json.dumps(reply) and instance.phase() == "ApplicationReady", (message, reply)
    assert not any(path.exists() for path in instance.files().values())


def test_messages_of_quorumos_do_nothing_to_an_instance_that_waits_for_a_key(enclave):
    instance, other = enclave(), enclave()
    handover = Handover(instance, short=False, pivot=SLEEPER)
    share(instance, handover.envelope())
    share(other, handover.envelope())
    manifest = as_qos(handover.manifest)
    pairs = [handover.pairs[n] for n in handover.names]
    envelope = {"manifest": manifest, "shareSetApprovals": [], "manifestSetApprovals": [
        qos.approval(n, p, manifest) for n, p in zip(handover.names[:2], pairs)]}
    messages = messages_for(envelope, pairs, handover.names, SLEEPER, setup_key(instance), b"\1" + bytes(32),
                            attestation(other), sealed=handover.sealed(setup_key(instance)))
    assert_routeless(instance, messages, "WaitingForForwardedKey")
    inject(instance, handover.sealed(setup_key(instance)))
    for message in messages:
        assert "NoMatchingRoute" in json.dumps(qos.call_json(instance.socket, message)), message
    assert handover.has_the_key(instance)
    assert not any(path.exists() for path in instance.files().values())


def rest_requests(c, setup, document):
    """Every request of the REST API that would make, take, give or use a key, right for the manifest of c."""
    envelope = api_envelope(c)
    sealed = c.sealed_key(setup)
    party = Party()
    return [
        (GENESIS, party.request()),
        (INJECT, {"namespace_name": "e2e", "namespace_nonce": 1, "shares": [
            {"member_alias": n, "decrypted_share": list(qos.seal(setup, s))} for n, s in zip(c.names, c.shares)]}),
        (INJECT, {"namespace_name": "e2e", "namespace_nonce": 1, "shares": [
            {"member_alias": n, "decrypted_share": list(s)} for n, s in zip(c.names, c.shares)]}),
        ("/enclave/share-manifest", {"manifest_envelope": envelope}),
        ("/enclave/boot-key-forward", {"manifest_envelope": envelope, "pivot": list(c.pivot)}),
        ("/enclave/export-key", {"manifest_envelope": envelope, "attestation_doc": list(document)}),
        ("/enclave/inject-key", {name: list(bytes.fromhex(value)) for name, value in sealed.items()}),
        ("/generate-seed", {"strength": 256}),
        ("/derive-key", {"encrypted_seed_phrase": "00", "path": "m/44'/60'/0'/0/0", "curve": "secp256k1"}),
        ("/enclave/encrypt-data", {"data": [1], "recipient_public": []}),
        ("/enclave/decrypt-data", {"encrypted_data": list(qos.seal(c.quorum.public, b"data"))}),
        ("/enclave/sign-message", {"message": [1]}),
        ("/enclave/sign-transaction", {"transaction_data": [1]}),
        ("/enclave/store-data", {"key": "a", "data": [1]}),
        ("/enclave/reset", {}),
    ]


def assert_refused_all(instance, requests, phase):
    for path, body in requests:
        status, answer = instance.call("POST", path, body)
        assert status in (403, 409, 503) and "error" in answer, (path, status, answer)
        assert instance.phase() == phase, path


@pytest.mark.parametrize("forward", [False, True])
def test_requests_of_the_rest_api_do_nothing_to_an_enclave_that_quorumos_booted(enclave, forward):
    instance, other = enclave(), enclave()
    c = qos_ceremony(instance)
    setup = c.boot_forward(AsEnclave(instance)) if forward else c.boot(AsEnclave(instance))
    phase = "WaitingForForwardedKey" if forward else "WaitingForQuorumShards"
    share(other, api_envelope(c))
    requests = rest_requests(c, setup, attestation(other))
    assert_refused_all(instance, requests, phase)
    assert payload_of(attestation(instance))["public_key"] == setup
    if forward:
        c.inject(AsEnclave(instance), setup)
    else:
        assert c.post(AsEnclave(instance), "bob", setup) == {"provisionResponse": {"reconstructed": False}}
        assert_refused_all(instance, requests, phase)
        assert c.post(AsEnclave(instance), "alice", setup) == {"provisionResponse": {"reconstructed": True}}
    assert_refused_all(instance, requests, "QuorumKeyProvisioned")
    assert bytes.fromhex(instance.files()["quorum.key"].read_text()) == c.quorum.seed
    assert instance.status()["has_quorum_key"] is True


def test_a_short_key_of_the_rest_api_is_refused_by_quorumos_boots(enclave):
    """An application would make another key of its seed."""
    instance, other = enclave(), enclave()
    party = Party(2, 3)
    party.genesis(instance, pivot_hash=numbers(hashlib.sha256(SLEEPER).digest()))
    manifest = as_qos(party.reply["manifest_envelope"]["manifest"])
    envelope = {"manifest": manifest, "shareSetApprovals": [], "manifestSetApprovals": []}
    for i in (0, 1):
        signature = party.pairs[i].sign(qos.manifest_hash(manifest)).hex()
        envelope["manifestSetApprovals"].append({"signature": signature, "member": copy.deepcopy(
            manifest["manifestSet"]["members"][i])})
    for name in ("bootStandardRequest", "bootKeyForwardRequest"):
        reply = qos.call_json(other.socket, {name: {"manifest_envelope": envelope, "pivot": SLEEPER.hex()}})
        assert "protocolErrorResponse" in reply and "one point twice" in other.log()
        assert other.phase() == "WaitingForBootInstruction"
