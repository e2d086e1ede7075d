"""What the end-to-end tests share: the programs must be there, and every machine a test makes is ended."""
import shutil

import machine
import pytest
from ceremony import Ceremony
from instance import Instance
from raw_enclave import Enclave


def pytest_configure():
    for program in ("qos_core", "qos_host", "qos_client", "qos_bridge"):
        if not (machine.BIN / program).exists():
            raise pytest.UsageError(f"{machine.BIN / program} is not there; run ./check --build")


def _ended(made):
    for one in made:
        one.remove()


@pytest.fixture
def new_machine():
    """A function that makes a machine; all are stopped and their folders removed after the test."""
    made = []

    def make(**options):
        made.append(machine.Machine(**options))
        return made[-1]

    yield make
    _ended(made)


@pytest.fixture
def folder():
    made = machine.work_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def enclave(folder):
    """An enclave alone, not yet started."""
    e = Enclave(folder)
    yield e
    if e.process and e.process.poll() is None:
        e.process.kill()
        e.process.wait()


@pytest.fixture
def new_ceremony(new_machine):
    def make(members=3, threshold=2, **options):
        return Ceremony(members, threshold, new_machine(**options))

    return make


@pytest.fixture(scope="module")
def shared_ceremony():
    """A 2-of-3 quorum key with an approved manifest for its application, made once for a module."""
    ceremony = Ceremony()
    try:
        ceremony.born()
        ceremony.pivot = ceremony.app.make()
        ceremony.approved(ceremony.pivot)
        yield ceremony
    finally:
        ceremony.machine.remove()


@pytest.fixture
def new_instance(folder):
    """A function that makes a TEE instance, not yet started; all share one simulated root and end with the test."""
    made = []

    def make(*options, **how):
        how.setdefault("sim", folder / "sim")
        made.append(Instance(folder / f"instance{len(made) + 1}", *options, **how))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def instance(new_instance):
    """One TEE instance, running."""
    return new_instance().start()
