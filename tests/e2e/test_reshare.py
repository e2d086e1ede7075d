"""Resharing through the real programs: what members and operators get, checked with the independent model."""
import json

import pytest

import qos_model as qos
from ceremony import Refused
from machine import request
from resharing import Resharing, approval_message, binding_message, handover_message, output_hash, plan_hash
from sim_documents import payload_of


@pytest.fixture(scope="module")
def born():
    """A 2-of-3 quorum key; its genesis is never changed."""
    from ceremony import Ceremony
    ceremony = Ceremony()
    try:
        ceremony.born()
        yield ceremony
    finally:
        ceremony.machine.remove()


def seed_of(shares):
    return qos.combine(shares)


def test_two_of_three_become_three_of_five_of_the_same_key(new_ceremony):
    c = new_ceremony()
    c.born()
    r = Resharing(c)
    r.booted()
    assert c.machine.phase() == "WaitingForQuorumShards"
    said = r.given()
    assert "*not* been made" in said[0] and "have been made" in said[1]
    assert c.machine.phase() == "GenesisBooted"
    r.fetch()
    for member in r.members:
        assert "epoch 1" in r.take(member)
    assert r.public() == c.public()
    # The model opens them: any three of the new, and still any two of the old, make the same key.
    assert qos.Pair(seed_of(r.opened(r.members[1:4]))).public == c.public()
    assert qos.Pair(seed_of(r.opened(c.members[:2], r.old))).public == c.public()
    mixed = r.opened(r.members[:2]) + r.opened(c.members[2:], r.old)
    assert qos.Pair(seed_of(mixed)).public != c.public()
    # No key file, no application, no secret on the way out.
    assert not c.machine.state.exists() or list(c.machine.state.iterdir()) == []
    assert c.machine.children() == []
    # A standard boot with the new share set.
    c.machine.restart()
    pivot = c.app.make()
    old_set, old_members = c.set_dir, c.members
    c.generate_manifest(pivot, "--share-set-dir", r.set_dir) if False else None
    words = c.set_words
    c.set_words = lambda patch=True: [str(r.set_dir) if w == old_set and before == "--share-set-dir"
                                      else w for before, w in zip([None, *words(patch)], words(patch))]
    c.approved(pivot)
    c.boot(pivot)
    c.members = r.members
    c.share = r.share
    c.threshold = 3
    c.set_words = words
    c.fetch_attestation()
    for member in r.members[:3]:
        c.client("proxy-re-encrypt-share", "--share-path", r.share(member), "--secret-path",
                 c.secret(member), "--attestation-doc-path", c.attestation(), "--eph-wrapped-share-path",
                 c.wrapped(member), "--approval-path", c.share_approval(member),
                 "--manifest-envelope-path", c.made / "fetched_envelope", "--pcr3-preimage-path",
                 c.role_file, "--manifest-set-dir", old_set, "--alias", member)
    assert "has been reconstructed" in [c.post(m) for m in r.members[:3]][-1]
    c.app.wait_healthy()
    assert bytes.fromhex(c.app.echo("after resharing")["public_key_hex"]) == c.public()
