"""Which programs play which role, and the fixtures of the scenarios (see README.md)."""
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import pytest  # noqa: E402
from machine import wait_until  # noqa: E402
from world import MIXTURES, World  # noqa: E402


def a_world(mixture):
    made = World(mixture)
    try:
        yield made
    finally:
        made.stop()
        wait_until(lambda: made.left_running() == [], "the end of every application")
        shutil.rmtree(made.folder)


@pytest.fixture(params=MIXTURES, ids=lambda m: m.name)
def world(request):
    yield from a_world(request.param)


@pytest.fixture
def first_world():
    """For what need not be repeated with every mixture."""
    yield from a_world(MIXTURES[0])
