"""Which programs play which role, and the fixtures of the scenarios (see README.md)."""
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import pytest  # noqa: E402
from world import MIXTURES, World  # noqa: E402


@pytest.fixture(params=MIXTURES, ids=lambda m: m.name)
def world(request):
    made = World(request.param)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(made.folder)
