"""What a TEE instance leaves on disk and what comes back from it (renclave 8.2 C18): with a state folder the manifest
and the hashes of its shares, without one nothing; a file that cannot be used is named and never replaced."""

import copy
import hashlib
import json
import os
import signal
import stat

import pytest

import qos_model as qos
from instance import ApiKey
from instance_ceremony import Party, RawPair, assert_complete, hash_of, live_document, long_form, state_file

GENESIS, INJECT = "/enclave/genesis-boot", "/enclave/inject-shares"


@pytest.fixture
def keeping(new_instance):
    """A function: an instance with a state folder; not started."""
    def make(*options, **how):
        made = new_instance(*options, **how)
        made.state = made.folder / "state"
        made.options += ["--state-dir", made.state]
        return made
    return make


def everything(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_holds_no_secret(party, contents):
    for path, data in contents.items():
        for i, pair in enumerate(party.pairs):
            share = party.share(i)
            for form in (share, share[1:], share.hex().encode(), share[1:].hex().encode(),
                         json.dumps(list(share[1:])).encode(), ",".join(map(str, share[1:])).encode()):
                assert form not in data, (path, i)
        seed = party.seed()
        for form in (seed, seed.hex().encode(), ",".join(map(str, seed)).encode()):
            assert form not in data, path


@pytest.mark.parametrize("form", "PEA")
def test_finding_02_without_a_state_folder_nothing_is_left(new_instance, form):
    instance = new_instance().start()
    party = Party()
    party.genesis(instance)
    assert_complete(party, instance, party.inject(instance, (0, 1), form))
    contents = everything(instance.folder)
    assert_holds_no_secret(party, contents)
    assert [p for p in contents if not p.startswith("log")] == []
    instance.restart()
    assert instance.phase() == "WaitingForBootInstruction"
    assert instance.refused(409, "POST", INJECT, party.injection((0, 1)))


def test_finding_02_the_state_folder_holds_one_private_file_without_a_share(keeping):
    instance = keeping().start()
    party = Party()
    party.genesis(instance)
    assert_complete(party, instance, party.inject(instance, (0, 1)))
    assert [p.name for p in instance.state.iterdir()] == ["instance.json"]
    assert stat.S_IMODE(instance.state.stat().st_mode) == 0o700
    assert stat.S_IMODE((instance.state / "instance.json").stat().st_mode) == 0o600
    assert_holds_no_secret(party, everything(instance.folder))


@pytest.mark.parametrize("form", "PE")
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_after_a_restart_the_members_bring_their_shares_again(keeping, form, end):
    instance = keeping().start()
    party = Party(2, 3)
    reply = party.genesis(instance)
    party.inject(instance, (0, 1))
    getattr(instance, end)()
    instance.start()
    assert instance.phase() == "GenesisBooted"
    setup = live_document(instance)
    assert setup["public_key"] != bytes(reply["ephemeral_key"]), "the setup key must be a fresh one"
    assert setup["user_data"].hex() == reply["manifest_hash"]
    # The old setup key is gone, acknowledgements too, and the file is of this genesis for ever.
    for stale in (party.injection((0, 1), "A"), party.injection((0, 1), "E")):
        assert instance.refused(400, "POST", INJECT, stale)
    assert "before" in instance.refused(409, "POST", GENESIS, party.request())
    assert instance.refused(409, "POST", GENESIS, Party().request())
    assert instance.phase() == "GenesisBooted"
    assert_complete(party, instance, party.inject(instance, (1, 2), form, setup=setup["public_key"]))


def test_wrong_shares_are_refused_after_a_restart_as_before(keeping):
    instance = keeping().start()
    party = Party()
    party.genesis(instance)
    instance.restart()
    request = party.injection((0, 1))
    request["shares"][1]["decrypted_share"][9] ^= 4
    assert instance.refused(400, "POST", INJECT, request)
    assert instance.phase() == "GenesisBooted"
    assert_complete(party, instance, party.inject(instance, (0, 1)))


def test_the_state_is_as_described(keeping):
    instance = keeping().start()
    party = Party(2, 3)
    reply = party.genesis(instance)
    found = json.loads((instance.state / "instance.json").read_text())
    hashes = [hashlib.sha512(party.share(i)).digest() for i in range(3)]
    expected = state_file(reply["manifest_envelope"]["manifest"], RawPair(party.seed()), hashes)
    hash_ = hash_of(reply["manifest_envelope"]["manifest"])
    key = long_form(party.quorum_key)
    message = b"quorate-instance-state-v1" + hash_ + b"".join(hashes)
    assert qos.verify(key, message, bytes.fromhex(found["signature"]))
    assert qos.verify(key, hash_, bytes(found["manifest_envelope"]["quorum_key_signature"]))
    found["signature"] = expected["signature"]
    found["manifest_envelope"]["quorum_key_signature"] = expected["manifest_envelope"]["quorum_key_signature"]
    assert found == expected


def change(*path, to):
    def act(state):
        at = state
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = to(at[path[-1]]) if callable(to) else to
    return act


MANIFEST = ("manifest_envelope", "manifest")
DAMAGED = {
    "nothing": lambda text: "",
    "half": lambda text: text[:len(text) // 2],
    "more behind it": lambda text: text + "x",
    "no JSON": lambda text: "\0" * 100,
    "too much": lambda text: " " * (2 << 20) + text,
    "another version": change("version", to="quorate-instance-state-v2"),
    "an unknown member": lambda text: text[:-1] + ',"more":1}',
    "a lower threshold": change(*MANIFEST, "share_set", "threshold", to=1),
    "another threshold": change(*MANIFEST, "share_set", "threshold", to=3),
    "another namespace": change(*MANIFEST, "namespace", "name", to="other"),
    "another nonce": change(*MANIFEST, "namespace", "nonce", to=1),
    "another pivot": change(*MANIFEST, "pivot", "args", to=[]),
    "another measurement": change(*MANIFEST, "enclave", "pcr0", to=[1] * 48),
    "another root": change(*MANIFEST, "enclave", "aws_root_certificate", to=[1] * 48),
    "another quorum key": change(*MANIFEST, "namespace", "quorum_key", to=list(RawPair().public)),
    "a member twice": change(*MANIFEST, "share_set", "members", to=lambda m: [m[0], m[0], m[2]]),
    "a member less": change(*MANIFEST, "share_set", "members", to=lambda m: m[:2]),
    "another share hash": change("share_hashes", to=lambda h: ["00" * 64] + h[1:]),
    "a share hash less": change("share_hashes", to=lambda h: h[:2]),
    "a short share hash": change("share_hashes", to=lambda h: [h[0][2:]] + h[1:]),
    "another signature": change("signature", to="11" * 64),
    "no signature of the manifest": lambda text: text.replace("quorum_key_signature", "quorum_key_signatura"),
}


def test_a_state_that_cannot_be_used_is_named_and_stays_as_it_is(keeping):
    instance = keeping().start()
    party = Party()
    party.genesis(instance)
    path = instance.state / "instance.json"
    good = path.read_text()
    for name, damage in DAMAGED.items():
        instance.stop()
        if name in ("nothing", "half", "more behind it", "no JSON", "too much", "an unknown member",
                    "no signature of the manifest"):
            text = damage(good)
        else:
            state = copy.deepcopy(json.loads(good))
            damage(state)
            text = json.dumps(state)
        assert text != good
        path.write_text(text)
        instance.start()
        assert instance.phase() == "WaitingForBootInstruction", name
        log = "".join(p.read_text() for p in instance.folder.glob(f"log{instance.starts}.core*"))
        assert log.count("stays as it is") == 1, (name, log)
        sentence = instance.refused(409, "POST", GENESIS, Party().request())
        assert "never replaced" in sentence and instance.phase() == "WaitingForBootInstruction", name
        assert path.read_text() == text, name
    instance.stop()
    path.write_text(good)
    instance.start()
    assert_complete(party, instance, party.inject(instance, (0, 1)))


def test_where_a_key_is_pinned_a_host_puts_no_other_state_in_its_place(keeping):
    """Same members, same measurements; but the key is the host's own, which signs all that a key has to sign."""
    instance = keeping().start()
    party = Party()
    reply = party.genesis(instance)
    instance.stop()
    path, pin = instance.state / "instance.json", instance.folder / "pin"
    good = path.read_text()
    pin.write_text(party.quorum_key.hex() + "\n")
    instance.options += ["--pinned-quorum-key", pin]
    forged, host = copy.deepcopy(reply["manifest_envelope"]["manifest"]), RawPair()
    forged["namespace"]["quorum_key"] = list(host.public)
    shares = [bytes([x]) + bytes(s ^ qos._multiply(0x55, x) for s in host.seed) for x in (1, 2, 3)]
    assert qos.combine(shares[:2]) == host.seed
    path.write_text(json.dumps(state_file(forged, host, [hashlib.sha512(s).digest() for s in shares])))
    instance.start()
    assert instance.phase() == "WaitingForBootInstruction" and "pinned" in instance.log()
    assert "pinned" in instance.refused(409, "POST", GENESIS, Party().request())
    instance.stop()
    path.write_text(good)
    instance.start()
    assert_complete(party, instance, party.inject(instance, (0, 1)))


def test_a_state_of_another_machine_is_not_booted(keeping, folder):
    first = keeping(sim=folder / "one").start()
    Party().genesis(first)
    first.stop()
    second = keeping(sim=folder / "two")
    second.state.mkdir(mode=0o700)
    target = second.state / "instance.json"
    target.write_bytes((first.state / "instance.json").read_bytes())
    target.chmod(0o600)
    second.start()
    assert second.phase() == "WaitingForBootInstruction"
    assert "aws_root_certificate" in second.log()


def test_a_link_a_folder_or_an_open_file_in_its_place_is_not_read(keeping):
    instance = keeping().start()
    party = Party()
    party.genesis(instance)
    path, aside = instance.state / "instance.json", instance.folder / "aside.json"

    def link():
        aside.write_bytes(path.read_bytes())
        aside.chmod(0o600)
        path.unlink()
        path.symlink_to(aside)

    def open_to_all():
        path.unlink()
        path.write_bytes(aside.read_bytes())
        path.chmod(0o644)

    def folder_():
        path.unlink()
        path.mkdir()

    def fifo():
        path.rmdir()
        os.mkfifo(path, 0o600)

    for act in (link, open_to_all, folder_, fifo):
        instance.stop()
        act()
        instance.start()
        assert instance.phase() == "WaitingForBootInstruction", act.__name__
        assert "never replaced" in instance.refused(409, "POST", GENESIS, Party().request())


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o707])
def test_a_state_folder_that_others_may_enter_is_refused(keeping, mode):
    instance = keeping()
    instance.state.mkdir()
    instance.state.chmod(mode)
    with pytest.raises(Exception):
        instance.start()
    assert "0700" in instance.log()


def test_a_genesis_whose_state_cannot_be_written_gives_nothing_out(keeping):
    if os.geteuid() == 0:
        pytest.skip("root writes anywhere")
    instance = keeping().start()
    instance.state.chmod(0o500)
    sentence = instance.refused(500, "POST", GENESIS, Party().request())
    assert "instance.json" in sentence and instance.phase() == "WaitingForBootInstruction"
    instance.state.chmod(0o700)
    Party().genesis(instance)


def test_a_lost_state_folder_refuses_a_genesis_before_the_registers_are_spent(keeping):
    instance = keeping().start()
    instance.state.rmdir()
    assert instance.refused(500, "POST", GENESIS, Party().request())
    assert instance.phase() == "WaitingForBootInstruction"
    instance.state.mkdir(mode=0o700)
    party = Party()
    party.genesis(instance)
    assert_complete(party, instance, party.inject(instance, (0, 1)))


def test_killed_at_any_moment_of_a_genesis_there_is_a_whole_state_or_none(keeping):
    for step in range(6):
        instance = keeping().start()
        party = Party()
        connection = qos.Connection(instance.socket)
        request = json.dumps({"quorateApiRequest": {
            "method": "POST", "path": GENESIS, "query": "", "authorization": "", "requestId": "",
            "body": json.dumps(party.request()).encode().hex()}}).encode()
        connection.socket.sendall(len(request).to_bytes(8, "little") + request)
        if step:
            deadline = step * 0.006
            connection.socket.settimeout(deadline)
            try:
                connection.socket.recv(1)
            except OSError:
                pass
        os.kill(instance.core.process.pid, signal.SIGKILL)
        instance.core.process.wait(20)
        whole = (instance.state / "instance.json").exists()
        instance.start()
        assert instance.phase() == ("GenesisBooted" if whole else "WaitingForBootInstruction")
        instance.stop()


def test_after_a_reset_nothing_comes_back(keeping):
    key = ApiKey()
    instance = keeping()
    path = instance.folder / "admin"
    path.write_text(key.hex + "\n")
    instance.options += ["--admin-key", path]
    instance.start()
    party = Party()
    assert instance.signed(key, "POST", GENESIS, party.request())[0] == 200
    assert list(instance.state.iterdir())
    assert instance.signed(key, "POST", "/enclave/reset")[0] == 200
    assert list(instance.state.iterdir()) == []
    instance.id = instance.info()["enclave_id"]
    status, reply = instance.signed(key, "POST", GENESIS, Party().request())
    assert status == 200 and reply["quorum_public_key"]
    assert [p.name for p in instance.state.iterdir()] == ["instance.json"]


@pytest.mark.parametrize("arguments", [["x" * 2093300], ["\x7f" * 2090000], [""] * 1024],
                         ids=["long", "long when escaped", "many"])
def test_a_genesis_whose_state_could_not_be_read_again_is_refused_or_comes_back(keeping, arguments):
    instance = keeping().start()
    party = Party()
    status, party.reply = instance.call("POST", GENESIS, party.request(pivot_args=arguments))
    if status == 200:
        instance.restart()
        assert instance.phase() == "GenesisBooted", instance.log()
        assert_complete(party, instance, party.inject(instance, (0, 1)))
    else:
        assert status == 413 and instance.phase() == "WaitingForBootInstruction", party.reply
        assert list(instance.state.iterdir()) == []
        party.genesis(instance)


def test_the_largest_set_comes_back_whole(keeping):
    instance = keeping().start()
    crowd = Party(2, 255, long=True)
    crowd.genesis(instance)
    instance.restart()
    assert instance.phase() == "GenesisBooted", instance.log()
    assert_complete(crowd, instance, crowd.inject(instance, (3, 254)))
