"""What QEMU boots is what was built: the sign of life, the measurements, the whole ceremony, and its end
(qos-behaviour 2, 5; nitro 1.2, 3.4)."""
import hashlib
import json
import shutil

import independent
import qos_model as qos
from ceremony import Ceremony
from image import Image, Released
from machine import ROLE, wait_until
from served import APPLICATION, BRIDGES, Bridge
from sim_documents import payload_of

SETUP, LIVE = "qos-setup-manifest-pcr-commitment-v1", "qos-live-manifest-pcr-commitment-v1"


def sha384(data):
    return hashlib.sha384(data).digest()


def extended(data):
    return sha384(bytes(48) + data)


def sections(eif):
    """[(type, data)] of an image, read by what the format says (nitro 1.1)."""
    whole = eif.read_bytes()
    count = int.from_bytes(whole[26:28], "big")
    found = []
    for i in range(count):
        at = int.from_bytes(whole[28 + 8 * i:36 + 8 * i], "big")
        size = int.from_bytes(whole[at + 4:at + 12], "big")
        found.append((int.from_bytes(whole[at:at + 2], "big"), whole[at + 12:at + 12 + size]))
    return found


def measured(eif):
    """{register: value} by hashlib."""
    of = {kind: [data for k, data in sections(eif) if k == kind] for kind in (1, 2, 3)}
    base, first, rest = of[1][0] + of[2][0], of[3][0], b"".join(of[3][1:])
    return {0: extended(sha384(base + first + rest)), 1: extended(sha384(base + first)),
            2: extended(sha384(rest))}


def test_an_image_gives_its_sign_of_life_and_waits_for_instructions(new_machine):
    machine = new_machine().start()
    assert machine.heartbeat == b"\xb7"
    assert machine.phase() == "WaitingForBootInstruction"
    assert "QuorumOS Booted" in machine.console() and "tee nitro" in machine.console()
    assert "SIMULATED" not in machine.console()


def test_the_released_image_boots_as_it_is_and_members_take_it_for_what_its_folder_says(new_machine):
    c = Ceremony(machine=new_machine(Released, parent=False).start())
    for index, value in measured(Released.eif).items():
        assert c.machine.print_pcrs()[f"PCR{index}"] == value.hex()
    c.keys()
    c.release = Released.pcrs.parent
    c.genesis()
    assert c.quorum_key().exists()


def test_what_the_security_module_measured_is_what_the_image_says(ceremony, released):
    registers = payload_of((ceremony.genesis_dir / "genesis_attestation_doc").read_bytes())["pcrs"]
    said = ceremony.machine.print_pcrs()
    for index, value in measured(released.eif).items():
        assert registers[index] == value == bytes.fromhex(said[f"PCR{index}"])
    assert registers[3] == extended(ROLE.encode())
    assert registers[4] == extended(b"i-0123456789abcdef0")
    assert sorted(registers) == list(range(16))  # the others were neither extended nor locked yet


def test_a_ceremony_ends_in_an_application_that_signs_with_the_quorum_key(ceremony):
    ceremony.approved(APPLICATION, "--bridge-config", BRIDGES)
    ceremony.boot(APPLICATION)
    assert ceremony.machine.phase() == "WaitingForQuorumShards"
    ceremony.provision()
    assert ceremony.machine.phase() == "QuorumKeyProvisioned"
    message = "asked from outside of the enclave"
    answer = Bridge(ceremony.machine).ask(message)
    independent.verify_echo(ceremony.public(), answer, message)


def test_manifest_and_keys_are_in_registers_that_nobody_can_change(ceremony):
    said = payload_of(ceremony.attestation().read_bytes())
    registers, manifest = said["pcrs"], json.loads(ceremony.manifest_path().read_text())
    assert said["user_data"] == qos.manifest_hash(manifest)
    assert registers[16] == qos.commitment_register(SETUP, said["public_key"], said["user_data"])
    ceremony.fetch_attestation()  # it has its quorum key by now, and tells of its other key
    live = payload_of(ceremony.attestation().read_bytes())
    assert live["public_key"] != said["public_key"] and live["pcrs"] == registers
    assert registers[17] == qos.commitment_register(LIVE, live["public_key"], said["user_data"])
    # The module puts only locked registers into a document.
    assert sorted(registers) == list(range(32))
    assert all(registers[index] == bytes(48) for index in range(18, 32))


def test_a_restart_loses_everything(ceremony):
    ceremony.machine.restart()
    assert ceremony.machine.phase() == "WaitingForBootInstruction"
    assert ceremony.machine.info()["manifestEnvelope"] is None
    before = payload_of(ceremony.attestation().read_bytes())["public_key"]
    ceremony.boot(APPLICATION)
    ceremony.provision()
    assert payload_of(ceremony.attestation().read_bytes())["public_key"] != before
    assert ceremony.machine.phase() == "QuorumKeyProvisioned"




def test_without_a_parent_that_answers_it_serves_all_the_same(new_machine):
    machine = new_machine(parent=False).start()
    assert machine.phase() == "WaitingForBootInstruction"
    wait_until(lambda: "warning" in machine.console(), "the word that nobody answered")


def test_a_command_line_that_cannot_be_understood_ends_the_machine_with_the_reason(new_machine, place):
    wrong = Image(place / "wrong-line", {"/etc-release": b"released\n"}, cmdline="quorate.parent_cid=two")
    machine = new_machine(wrong).start_guest()
    machine.wait_console("quorate.parent_cid: expected a number")
    machine.wait_console("switching off")


def test_the_machine_ends_with_an_application_that_is_not_to_be_restarted(ceremony):
    ceremony.machine.restart()
    short = ceremony.folder / "short"
    shutil.copy(APPLICATION, short)
    with open(short, "r+b") as f:
        f.write(b"not a program")
    ceremony.approved(short, nonce=2)
    ceremony.boot(short, nonce=2)
    ceremony.provision()
    ceremony.machine.wait_end()
    assert "is not to be restarted" in ceremony.machine.console()
