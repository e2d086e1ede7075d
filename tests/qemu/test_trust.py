"""What members refuse to take for the enclave they approved, though QEMU boots it and a host forwards every byte: the
client's own verifier, with nothing replaced but the root."""
import pytest
from ceremony import Ceremony, Refused
from forwarding import Station
from image import Image
from pki import make_pki
from served import APPLICATION, FORWARD_MEMORY
from sim_documents import Forge

ROOT_OPTION = "--attestation-root-path"


def refused(call, text):
    with pytest.raises(Refused) as refusal:
        call()
    assert text in str(refusal.value), str(refusal.value)


@pytest.fixture
def new_ceremony(new_machine):
    """2 of 3 members with their keys before a started machine, whose measurements are those of an image."""
    def make(machine, image):
        made = Ceremony(machine=machine.start())
        approved = {name: value for value, name in map(str.split, image.pcrs.read_text().splitlines())}
        made.write_release(approved)
        made.keys()
        return made
    return make


def nothing_was_born(c):
    assert not any(c.genesis_dir.iterdir()), list(c.genesis_dir.iterdir())


def test_an_unsigned_document_is_refused(new_ceremony, new_machine, released):
    c = new_ceremony(new_machine(signs=False), released)
    refused(c.genesis, "protected header: expected {1: -35} (ES384) alone")
    nothing_was_born(c)


def test_a_document_of_another_module_is_refused(new_ceremony, new_machine, released, place):
    c = new_ceremony(new_machine(), released)
    c.root = make_pki(place / "another") / "root.der"
    refused(c.genesis, "found another")
    nothing_was_born(c)


def test_without_a_named_root_only_the_real_one_is_trusted(new_ceremony, new_machine, released):
    c = new_ceremony(new_machine(), released)
    refused(lambda: c.genesis(root=None), "found another")
    nothing_was_born(c)


def test_a_root_that_does_not_say_it_is_simulated_is_not_taken(new_ceremony, new_machine, released, place):
    c = new_ceremony(new_machine(), released)
    unmarked = make_pki(place / "unmarked", marked=False) / "root.der"
    refused(lambda: c.genesis(ROOT_OPTION, unmarked, root=None), "root")
    nothing_was_born(c)


def test_a_changed_image_is_refused_at_birth(new_ceremony, new_machine, released, place):
    changed = Image(place / "changed", {"/etc-release": b"Released\n"})
    c = new_ceremony(new_machine(changed), released)
    refused(c.genesis, "DifferentPcr0")
    nothing_was_born(c)


def test_a_changed_image_gets_no_share(ceremony, new_machine, trusting):
    """The test image is a changed image to members who approved the released one."""
    ceremony.approved(APPLICATION)
    first = ceremony.machine
    ceremony.machine = new_machine(trusting).start()
    try:
        refused(lambda: ceremony.boot(APPLICATION), "DifferentPcr0")
        ceremony.fetch_attestation()
        refused(lambda: ceremony.reencrypt("member1"), "DifferentPcr0")
        assert not ceremony.wrapped("member1").exists()
    finally:
        ceremony.machine = first


def zeros(ceremony, pki):
    document = ceremony.attestation().read_bytes()
    return Forge(pki).changed(document, registers={index: bytes(48) for index in (0, 1, 2)})


def test_an_enclave_in_debug_mode_only_where_the_operator_says_so(ceremony, pki):
    ceremony.boot(APPLICATION)
    ceremony.fetch_attestation()
    ceremony.attestation().write_bytes(zeros(ceremony, pki))
    words = ("attestation", "verify", "--attestation-doc-path", ceremony.attestation(), ROOT_OPTION, pki / "root.der")
    refused(lambda: ceremony.client(*words), "debug mode")
    assert "DEBUG MODE, accepted as asked" in ceremony.client(*words, "--unsafe-allow-debug")
    refused(lambda: ceremony.reencrypt("member1"), "debug mode")
    refused(lambda: ceremony.reencrypt("member1", "--unsafe-allow-debug"), "DifferentPcr0")
    assert not ceremony.wrapped("member1").exists()


def test_a_released_enclave_exports_to_no_module_but_a_real_one(ceremony, new_machine, released):
    ceremony.pivot = APPLICATION
    ceremony.fetch_attestation()
    ceremony.provision()
    old = Station(ceremony, ceremony.machine)
    new = Station(ceremony, new_machine(released, memory=FORWARD_MEMORY).start())
    new.boot(1)
    refused(lambda: old.export_to(new, 1), "enclave: QosAttestError")
    assert not new.key.exists()
    assert ceremony.machine.phase() == "QuorumKeyProvisioned"


