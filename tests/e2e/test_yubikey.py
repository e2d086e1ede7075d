"""YubiKey commands with the real libykpiv and ykcs11 before an emulated PIV application (piv_card.py)."""
import datetime
import json
import os
import subprocess

import independent
import piv_card
import pytest
import qos_model as model
from ceremony import YES, Ceremony
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from desk import Desk, environment
from machine import BIN
from piv_card import AES128, AES192, AES256, MANAGEMENT, SIGNATURE, TDES, Card
from typist import Typist

FIRMWARE = {"4.3.5": (4, 3, 5), "5.4.3": (5, 4, 3), "5.7.1": (5, 7, 1)}
PIN_WORDS = ["--current-pin-path", "pin"]
PROVISION = ["provision-yubikey", "--pub-path", "y.pub", "--yubikey", *PIN_WORDS]


class YubiDesk(Desk):
    """A member's desk with YubiKeys in its ports."""

    def __init__(self, folder, *cards):
        super().__init__(folder)
        self.cards = cards
        self.ports = piv_card.Machine(folder, *cards)
        self.write("pin", "123456\n")

    def environment(self):
        return {**environment(), **self.ports.environment()}

    def run(self, *words, **more):
        return super().run(*words, env=self.environment(), **more)

    def provision(self):
        self.ok(*PROVISION)
        return bytes.fromhex(self.path("y.pub").read_text())


@pytest.fixture
def new_desk(tmp_path):
    made = []

    def make(*cards):
        made.append(YubiDesk(tmp_path, *cards))
        return made[-1]

    yield make
    for desk in made:
        desk.ports.close()


@pytest.fixture
def card():
    return Card()


@pytest.fixture
def desk(new_desk, card):
    return new_desk(card)


def certificate(card, slot):
    return x509.load_der_x509_certificate(piv_card.parse(card.objects[piv_card.CERTIFICATE[slot]])[0x70])


def held(card):
    """The public key of what the slots hold: encryption, then signing."""
    return piv_card.point(card.slots[MANAGEMENT].private) + piv_card.point(card.slots[SIGNATURE].private)


@pytest.mark.parametrize("firmware", FIRMWARE.values(), ids=FIRMWARE)
def test_a_yubikey_is_provisioned(new_desk, firmware):
    card = Card(firmware)
    desk = new_desk(card)
    done = desk.ok(*PROVISION)
    assert done.stdout == "YubiKey encrypt+sign public key written to: y.pub\n"
    assert desk.path("y.pub").read_text() == held(card).hex()
    for slot in (SIGNATURE, MANAGEMENT):
        assert card.slots[slot].pin_policy == 3 and card.slots[slot].touch_policy == 2
        c = certificate(card, slot)
        assert c.subject == c.issuer and c.subject.rfc4514_string() == "CN=QuorumOS"
        assert c.not_valid_after - c.not_valid_before == datetime.timedelta(days=3650)
        c.public_key().verify(c.signature, c.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
        assert piv_card.point(card.slots[slot].private) == c.public_key().public_bytes(
            piv_card.Encoding.X962, piv_card.PublicFormat.UncompressedPoint)
    assert done.stderr.count("Tap your YubiKey") == card.touches == 2
    assert "the PIN is the factory's" in done.stderr and "management key is the factory's" in done.stderr


@pytest.mark.parametrize("firmware", FIRMWARE.values(), ids=FIRMWARE)
def test_a_seed_is_put_into_a_yubikey(new_desk, firmware):
    card = Card(firmware)
    desk = new_desk(card)
    desk.ok("advanced-provision-yubikey", "--master-seed-path", "member1.secret", *PIN_WORDS)
    assert held(card) == independent.public_of_seed(desk.members["member1"].seed)
    done = desk.ok("yubikey-public")
    assert done.stdout == desk.members["member1"].public.hex() + "\n" and done.stderr == ""


def test_a_yubikey_that_keeps_another_key_is_found_out(new_desk):
    desk = new_desk(Card(lies=["keeps another key"]))
    desk.refused("advanced-provision-yubikey", "--master-seed-path", "member1.secret", *PIN_WORDS,
                 text="WrongPublicKey")
    assert desk.cards[0].objects == {}


@pytest.mark.parametrize("lie, text", [("shows another key", "WrongPublicKey"),
                                       ("shows a point off the curve", "P-256"),
                                       ("does not know its key", "expected the YubiKey to know it"),
                                       ("talks nonsense", "management key's kind"),
                                       ("has a key of an unknown kind", "found algorithm 0x77"),
                                       ("sends a short witness", "expected one block"),
                                       ("signs something else", "WrongPublicKey")])
def test_a_yubikey_that_lies_is_found_out(new_desk, lie, text):
    desk = new_desk(Card(lies=[lie]))
    desk.refused(*PROVISION, text=text)
    assert desk.cards[0].objects == {} and not desk.path("y.pub").exists()


@pytest.mark.parametrize("slot", [SIGNATURE, MANAGEMENT])
def test_a_slot_that_holds_a_certificate_is_refused(desk, card, slot):
    card.objects[piv_card.CERTIFICATE[slot]] = piv_card.tlv(0x70, b"somebody's") + b"\x71\x01\x00\xfe\x00"
    before = dict(card.objects)
    desk.refused(*PROVISION, text=f"slot {slot:x}: expected it empty, found that it holds a certificate already")
    desk.refused("advanced-provision-yubikey", "--master-seed-path", "member1.secret", *PIN_WORDS,
                 text="holds a certificate already")
    assert card.objects == before and card.slots == {} and not desk.path("y.pub").exists()
    desk.ok(*PROVISION, "--force")
    assert desk.path("y.pub").read_text() == held(card).hex()


@pytest.mark.parametrize("slot", [SIGNATURE, MANAGEMENT])
def test_a_slot_that_holds_a_key_without_a_certificate_is_refused(desk, card, slot):
    """Another program's, which may have no other copy; firmware before 5.3 does not tell."""
    there = piv_card.Slot(ec.generate_private_key(ec.SECP256R1()), 2, 2, origin=1)
    card.slots[slot] = there
    desk.refused(*PROVISION, text=f"slot {slot:x}: expected it empty, found that it holds a key already")
    desk.refused("advanced-provision-yubikey", "--master-seed-path", "member1.secret", *PIN_WORDS,
                 text="holds a key already")
    assert card.slots == {slot: there} and card.objects == {} and not desk.path("y.pub").exists()
    desk.ok(*PROVISION, "--force")
    assert desk.path("y.pub").read_text() == held(card).hex()


def test_what_is_refused_changes_nothing(desk, card):
    desk.write("there.pub", "something")
    desk.refused("provision-yubikey", "--pub-path", "there.pub", *PIN_WORDS, text="there.pub: exists already")
    desk.write("wrong", "654321\n")
    desk.refused("provision-yubikey", "--pub-path", "y.pub", "--current-pin-path", "wrong",
                 text="found a wrong one; 2 tries are left")
    desk.refused("provision-yubikey", "--pub-path", "y.pub", "--current-pin-path", "wrong",
                 text="found a wrong one; 1 try is left")
    desk.write("short", "12345\n")
    desk.refused("provision-yubikey", "--pub-path", "y.pub", "--current-pin-path", "short",
                 text="expected from 6 to 8 bytes, found 5 (not tried)")
    assert card.tries[0x80] == 1
    desk.refused("provision-yubikey", "--pub-path", "y.pub", "--current-pin-path", "wrong",
                 text="found it locked")
    desk.refused(*PROVISION, text="found it locked")
    assert card.slots == {} and card.objects == {} and not desk.path("y.pub").exists()


@pytest.mark.parametrize("algorithm, size", [(TDES, 24), (AES128, 16), (AES192, 24), (AES256, 32)])
def test_a_management_key_of_ones_own(desk, card, algorithm, size):
    card.algorithm, card.management = algorithm, os.urandom(size)
    key = card.management.hex()
    desk.refused(*PROVISION, text="YubiKey: management key: ")
    desk.write("wrong", os.urandom(size).hex())
    desk.refused(*PROVISION, "--management-key-path", "wrong", text="expected the right one, found a wrong one")
    for text in ("\n", "0", "zz" * size, key + "0"):
        desk.write("bad", text)
        desk.refused(*PROVISION, "--management-key-path", "bad", text="bad: ")
    desk.write("short", key[:-2])
    desk.refused(*PROVISION, "--management-key-path", "short", text=f"expected {size} bytes")
    assert card.slots == {} and key not in desk.refused(*PROVISION, text="management key").stderr
    desk.write("right", key + "\n")
    desk.ok(*PROVISION, "--management-key-path", "right")
    assert desk.path("y.pub").read_text() == held(card).hex()


@pytest.mark.parametrize("firmware", FIRMWARE.values(), ids=FIRMWARE)
def test_a_yubikey_signs(new_desk, firmware):
    desk = new_desk(Card(firmware))
    public = desk.provision()
    before = desk.cards[0].touches
    done = desk.ok("yubikey-sign", "--payload", b"a message".hex(), *PIN_WORDS)
    tap, signature, rest = done.stdout.split("\n")
    assert tap == "Tap your YubiKey" and rest == ""
    independent.verify(public, b"a message", bytes.fromhex(signature))
    assert desk.cards[0].touches == before + 1
    assert "approves that manifest" in desk.ok("yubikey-sign", "--payload", "00" * 32, *PIN_WORDS).stderr
    desk.refused("yubikey-sign", "--payload", "0", *PIN_WORDS, text="--payload")


def test_the_pin_is_asked_for_on_the_terminal(desk):
    public = desk.provision()
    with Typist(desk, ["yubikey-sign", "--payload", "00"], env=desk.environment()) as t:
        t.asked("Enter your pin: ")
        t.type("123456\n")
        code, out, err = t.ended()
        assert code == 0 and "123456" not in t.shown + out + err
    independent.verify(public, b"\0", bytes.fromhex(out.split("\n")[1]))


def test_a_wrong_pin_costs_one_try(desk, card):
    desk.provision()
    desk.write("wrong", "654321\n")
    desk.refused("yubikey-sign", "--payload", "00", "--current-pin-path", "wrong", text="found a wrong one")
    assert card.tries[0x80] == 2


def test_a_signature_that_does_not_hold_is_not_printed(desk, card):
    desk.provision()
    card.lies.add("signs something else")
    done = desk.refused("yubikey-sign", "--payload", "00", *PIN_WORDS, text="FailedSignatureVerification")
    assert done.stdout == "Tap your YubiKey\n"


@pytest.mark.parametrize("contents", [b"", b"\x70\x03abc", b"\x70\x82\xff\xff", b"\x30\x80\x00\x00", b"\xff" * 3000])
def test_a_certificate_that_is_none_is_refused(new_desk, contents):
    """Firmware that tells no public keys: they come from certificates."""
    card = Card(FIRMWARE["4.3.5"])
    desk = new_desk(card)
    desk.provision()
    card.objects[piv_card.CERTIFICATE[MANAGEMENT]] = contents
    done = desk.refused("yubikey-public", text="id:03")
    assert done.stdout == ""


class YubiCeremony(Ceremony):
    """A ceremony in which member1 has a YubiKey."""

    def environment(self, root=""):
        return {**super().environment(root), **self.ports.environment()}

    def client(self, *words, **how):
        words = list(words)
        if self.secret("member1") in words:
            at = words.index(self.secret("member1"))
            words[at - 1:at + 1] = ["--yubikey", "--current-pin-path", self.folder / "pin"]
        return super().client(*words, **how)

    def keys(self):
        (self.folder / "pin").write_text("123456\n")
        super_client = super().client
        super_client("provision-yubikey", "--pub-path", self.set_dir / "member1.pub", "--current-pin-path",
                     self.folder / "pin")
        for member in self.members[1:]:
            super_client("generate-file-key", "--master-seed-path", self.secret(member), "--pub-path",
                         self.set_dir / f"{member}.pub")
        (self.set_dir / "quorum_threshold").write_text(f"{self.threshold}\n")


@pytest.mark.parametrize("firmware", FIRMWARE.values(), ids=FIRMWARE)
def test_a_ceremony_with_one_member_on_a_yubikey(new_machine, tmp_path, firmware):
    """The keys want PIN and touch before each use: the emulated card refuses anything in between."""
    c = YubiCeremony(machine=new_machine())
    card = Card(firmware)
    c.ports = piv_card.Machine(tmp_path, card)
    try:
        c.born()
        pivot = c.app.make()
        c.approved(pivot)
        public = bytes.fromhex((c.set_dir / "member1.pub").read_text())
        approval = json.loads(next(c.made.glob("member1-*.approval")).read_text())
        manifest = json.loads(c.manifest_path().read_text())
        independent.verify(public, model.manifest_hash(manifest), bytes.fromhex(approval["signature"]))
        c.boot(pivot)
        c.provision(["member1", "member2"])
        independent.verify_echo(c.public(), c.app.echo("one of us has a YubiKey"))
        assert card.tries[0x80] == 3
    finally:
        c.ports.close()


def test_the_pin_is_changed(desk, card):
    desk.write("new", "87654321\n")
    desk.write("wrong", "000000\n")
    desk.refused("yubikey-change-pin", "--new-pin-path", "new", "--current-pin-path", "wrong",
                 text="found a wrong one; 2 tries are left")
    desk.write("bad", "123\n")
    desk.refused("yubikey-change-pin", "--new-pin-path", "bad", *PIN_WORDS, text="new PIN: expected from 6 to 8")
    assert card.secret[0x80] == b"123456"
    assert desk.ok("yubikey-change-pin", "--new-pin-path", "new", *PIN_WORDS).stdout == "PIN changed\n"
    assert card.secret[0x80] == b"87654321" and card.tries[0x80] == 3
    done = desk.run("yubikey-change-pin", *PIN_WORDS)
    assert done.returncode == 1 and "argument new-pin-path is required" in done.stdout


@pytest.mark.parametrize("firmware", FIRMWARE.values(), ids=FIRMWARE)
def test_a_reset_takes_all_keys(new_desk, firmware):
    card = Card(firmware)
    desk = new_desk(card)
    desk.provision()
    desk.write("new", "87654321\n")
    desk.ok("yubikey-change-pin", "--new-pin-path", "new", *PIN_WORDS)
    assert desk.ok("yubikey-piv-reset").stdout.startswith("PIV application reset")
    assert card.resets == 1 and card.slots == {} and card.objects == {}
    assert card.secret[0x80] == piv_card.FACTORY_PIN
    desk.path("y.pub").unlink()
    desk.provision()


NEED_ONE = [["yubikey-public"], ["yubikey-piv-reset"], ["yubikey-sign", "--payload", "00", *PIN_WORDS], PROVISION,
            ["yubikey-change-pin", "--new-pin-path", "pin", *PIN_WORDS],
            ["advanced-provision-yubikey", "--master-seed-path", "member1.secret", *PIN_WORDS]]


@pytest.mark.parametrize("words", NEED_ONE, ids=[words[0] for words in NEED_ONE])
def test_without_a_yubikey_each_command_says_so(new_desk, words):
    desk = new_desk()
    desk.refused(*words, text="YubiKey: expected one, found none")
    desk.ports.close()
    os.unlink(desk.ports.path)  # nor does pcscd run
    desk.refused(*words, text="YubiKey: expected one, found none")


@pytest.mark.parametrize("words", NEED_ONE, ids=[words[0] for words in NEED_ONE])
def test_with_two_yubikeys_nothing_is_done(new_desk, words):
    cards = Card(), Card()
    desk = new_desk(*cards)
    desk.refused(*words, text="expected one, found 2")
    assert all(card.slots == {} and card.resets == 0 and card.tries[0x80] == 3 for card in cards)


def test_a_killed_provision_is_refused_and_then_forced(desk, card):
    """Killed when the first slot has its key and certificate: the second run says so, --force begins again."""
    real, seen = card.generate, []

    def stop(p1, slot, data):
        if slot == MANAGEMENT:
            seen[0].kill()
        return real(p1, slot, data)

    card.generate = stop
    words = [BIN / "qos_client", *PROVISION]
    seen.append(subprocess.Popen(words, cwd=desk.folder, env=desk.environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    assert seen[0].wait(timeout=60) < 0
    card.generate = real
    assert not desk.path("y.pub").exists()
    desk.refused(*PROVISION, text="slot 9c: expected it empty")
    desk.ok(*PROVISION, "--force")
    assert desk.path("y.pub").read_text() == held(card).hex()
