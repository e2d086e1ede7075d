"""The memory of a running TEE instance, searched in every phase for its key, its shares and their texts (renclave 9,
findings 3 and 28): what is needed lies in locked memory, the rest is nowhere."""

import pytest

from instance import ApiKey
from instance_ceremony import Party, assert_complete, live_document
from instance_forwarding import Handover, attestation, export, inject, setup_key, share
from test_memory import Memory, needs_to_read_memory

INJECT = "/enclave/inject-shares"


@pytest.fixture(autouse=True)
def readable():
    needs_to_read_memory()


def forms(name, secret):
    return {name: secret, f"{name}, backwards": secret[::-1], f"{name}, hex": secret.hex().encode(),
            f"{name}, numbers": ",".join(map(str, secret)).encode()}


def of(instance):
    return Memory(instance.core.process.pid)


def secrets_of(party):
    shares = {}
    for i in range(len(party.pairs)):
        shares.update(forms(f"share {i}", party.share(i)[1:]))
    return forms("seed", party.seed()), shares


def assert_empty(instance, key, shares):
    of(instance).assert_nowhere({**key, **shares})


@pytest.mark.parametrize("long", [False, True])
def test_where_members_decrypt_a_genesis_leaves_nothing_in_memory(new_instance, long):
    instance = new_instance("--require-member-decryption").start()
    party = Party(2, 3, long=long)
    party.genesis(instance)
    key, shares = secrets_of(party)
    assert_empty(instance, key, shares)
    assert party.inject(instance, (0,), "E")["success"] is False
    memory = of(instance)
    assert memory.places(party.share(0)[1:]), "the scan must see what is there"
    memory.assert_only_locked(shares)
    memory.assert_nowhere(key)
    assert instance.refused(400, "POST", INJECT, party.injection((1,), "A"))
    assert not of(instance).places(party.share(1)[1:]) and not of(instance).places(party.share(2)[1:])
    assert_complete(party, instance, party.inject(instance, (2,), "E"))
    memory = of(instance)
    memory.assert_only_locked(key)
    memory.assert_nowhere(shares)


def test_a_refused_injection_takes_what_was_held_out_of_memory(instance):
    party = Party(2, 3)
    party.genesis(instance)
    key, shares = secrets_of(party)
    memory = of(instance)
    assert all(memory.places(party.share(i)[1:]) for i in range(3)), "the scan must see what is there"
    memory.assert_only_locked(shares)
    assert instance.call("POST", INJECT, raw=b"{")[0] == 400
    assert_empty(instance, key, shares)


def test_a_refused_key_or_share_leaves_nothing_of_itself(instance):
    """A wrong share beside right ones: what was opened for the check goes with the refusal."""
    party = Party(3, 4)
    party.genesis(instance)
    key, shares = secrets_of(party)
    request = party.injection((0, 1, 2), "E")
    request["shares"][2]["decrypted_share"] = list(party.sealed(3))
    assert instance.refused(400, "POST", INJECT, request)
    assert_empty(instance, key, shares)
    assert instance.phase() == "GenesisBooted"


def test_an_instance_that_came_back_holds_nothing_but_what_its_members_bring(new_instance):
    instance = new_instance()
    instance.options += ["--state-dir", instance.folder / "state"]
    instance.start()
    party = Party(2, 3)
    party.genesis(instance)
    key, shares = secrets_of(party)
    instance.restart()
    assert_empty(instance, key, shares)
    setup = live_document(instance)["public_key"]
    assert_complete(party, instance, party.inject(instance, (0, 1), "E", setup=setup))
    memory = of(instance)
    memory.assert_only_locked(key)
    memory.assert_nowhere(shares)


@pytest.mark.parametrize("short", [False, True])
def test_a_forwarded_key_lies_in_locked_memory_of_both_sides_alone(new_instance, short):
    first, second = new_instance().start(), new_instance().start()
    handover = Handover(first, short=short)
    key = forms("seed", handover.quorum.seed)
    share(first, handover.envelope())
    of(first).assert_nowhere(key)
    inject(first, handover.sealed(setup_key(first)))
    share(second, handover.envelope())
    given = export(first, handover.envelope(), attestation(second))
    of(second).assert_nowhere(key)
    inject(second, given)
    for instance in (first, second):
        memory = of(instance)
        assert memory.places(handover.quorum.seed), "the scan must see what is there"
        memory.assert_only_locked(key)


def test_a_reset_leaves_nothing_in_memory(new_instance, folder):
    admin = ApiKey()
    (folder / "admin").write_text(admin.hex + "\n")
    instance = new_instance("--admin-key", folder / "admin").start()
    for people in ((), (0,), (0, 1)):
        party = Party(2, 3)
        instance.id = instance.info()["enclave_id"]
        status, party.reply = instance.signed(admin, "POST", "/enclave/genesis-boot", party.request())
        assert status == 200
        if people:
            assert instance.signed(admin, "POST", INJECT, party.injection(people, "E"))[0] == 200
        key, shares = secrets_of(party)
        assert of(instance).places(party.seed() if len(people) == 2 else party.share(0)[1:])
        assert instance.signed(admin, "POST", "/enclave/reset", {})[0] == 200
        assert_empty(instance, key, shares)
