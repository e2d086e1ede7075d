"""Three enclaves at once, each a booted image with its own security module, pass a quorum key along: the released
program but for its root (build option unsafe_test_root)."""
import independent
import pytest
from ceremony import Ceremony
from forwarding import Station
from qemu_machine import QemuMachine
from served import APPLICATION, BRIDGES, FORWARD_MEMORY, Bridge


@pytest.fixture
def first(trusting, pki):
    """An enclave that has its quorum key by shares."""
    c = Ceremony(machine=QemuMachine(trusting, pki, memory=FORWARD_MEMORY))
    try:
        c.born()
        c.pivot = APPLICATION
        c.approved(APPLICATION, "--bridge-config", BRIDGES)
        c.boot(APPLICATION)
        c.provision()
        yield Station(c, c.machine)
    finally:
        c.machine.remove()


def test_a_key_goes_along_a_chain_of_three_enclaves(first, new_machine, trusting):
    stations = [first]
    for _ in range(2):
        stations.append(Station(first.c, new_machine(trusting, memory=FORWARD_MEMORY).start()))
        stations[-1].take_from(stations[-2], 1)
    for number, station in enumerate(stations):
        message = f"from enclave {number}"
        independent.verify_echo(first.c.public(), Bridge(station.machine).ask(message), message)
        assert "UNSAFE TEST BUILD" in station.machine.console()
