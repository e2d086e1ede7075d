"""Skips all of it, with the reason, where QEMU, kernel or programs are not there; else makes the images that the tests
share. Every machine a test makes is ended and its folder removed."""
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import image  # noqa: E402
import pytest  # noqa: E402
from ceremony import Ceremony  # noqa: E402
from machine import work_folder  # noqa: E402
from pki import make_pki  # noqa: E402
from qemu_machine import QemuMachine, Tools  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _all_is_there():
    reason = Tools().missing() or image.missing()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def place(_all_is_there):
    made = work_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def pki(place):
    return make_pki(place / "pki")


@pytest.fixture(scope="session")
def released(place):
    """Kernel and program that are released, knowing no root but AWS's."""
    return image.Image(place / "released", {"/etc-release": b"released\n"})


@pytest.fixture(scope="session")
def trusting(place, pki):
    """The test program, which trusts the tests' root as its own: it can export a key to its like."""
    return image.Image(place / "trusting", {"/unsafe-test-root.der": (pki / "root.der").read_bytes()},
                       init=image.UNSAFE_INIT)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the machines that still run said."""
    report = (yield).get_result()
    if report.failed:
        for machine in QemuMachine.running:
            for name, text in machine.logs().items():
                report.sections.append((f"{name} of {machine.folder.name}", text[-2500:]))


def _end(made):
    for machine in made:
        machine.remove()


@pytest.fixture
def new_machine(released, pki):
    """A function that makes a machine, not yet started."""
    made = []

    def make(which=None, **options):
        made.append(QemuMachine(which or released, pki, **options))
        return made[-1]

    yield make
    _end(made)


@pytest.fixture(scope="module")
def ceremony(released, pki):
    """2 of 3 members, who have made their quorum key in an enclave that is gone; a fresh one has started."""
    made = Ceremony(machine=QemuMachine(released, pki))
    try:
        yield made.born()
    finally:
        made.machine.remove()
