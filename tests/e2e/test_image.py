"""./image: two builds of the same commit, in other folders, times and users, give the same bytes."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest
from machine import BIN, ROOT

# Four compilations of the programs; the kernel itself takes longer still, and is given here.
pytestmark = [
    pytest.mark.skipif(not os.environ.get("QUORATE_FULL"), reason="long: set QUORATE_FULL=1"),
    pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the source is no git clone"),
]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The committed tree: what others would check out."""
    place = tmp_path_factory.mktemp("image") / "clone"
    subprocess.run(["git", "clone", "-q", ROOT, place], check=True)
    (place.parent / "kernel").write_bytes(b"a kernel " * 4000)
    return place


def image(clone, *words, ok=True):
    done = subprocess.run([clone / "image", "--cache", clone.parent / "cache", "--kernel", clone.parent / "kernel",
                           *words], text=True, capture_output=True, check=False, timeout=900)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_two_builds_give_the_same_bytes_and_the_result_is_whole(clone):
    out = clone.parent / "out"
    said = image(clone, "--out", out)
    assert "Reproducible: two builds gave the same bytes." in said and "DIFFERS" not in said
    assert {path.name for path in out.iterdir()} == {
        "enclave.eif", "aws-x86_64.pcrs", "measurements.json", "bzImage", "init", "base.cpio", "application.cpio",
        "built-with", "SHA256SUMS"}
    for line in (out / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    described = json.loads(subprocess.run([BIN / "qos_client", "eif", "describe", "--json", "--eif-path",
                                           out / "enclave.eif"], capture_output=True, check=True).stdout)
    assert described["Measurements"] == json.loads((out / "measurements.json").read_text())["Measurements"]
    commit = subprocess.run(["git", "-C", clone, "rev-parse", "HEAD"], text=True, capture_output=True,
                            check=True).stdout.strip()
    assert described["Metadata"]["ImageVersion"] == commit[:12]
    assert f"commit {commit}\n" in (out / "built-with").read_text()


def test_the_init_of_an_image_has_no_simulated_tee(clone):
    init = clone.parent / "out" / "init"
    assert b"QUORATE SIMULATED TEE" not in init.read_bytes()
    done = subprocess.run([init, "--tee", "sim", "--usock", "/nonexistent"], text=True, capture_output=True,
                          check=False, timeout=30)
    assert done.returncode != 0 and "was built without it" in done.stdout + done.stderr


def test_a_changed_tree_is_said_to_be_one(clone):
    with open(clone / "deploy/image/cmdline", "a", encoding="utf-8") as f:
        f.write("\n")
    dirty, victim = clone.parent / "dirty", clone.parent / "victim"
    dirty.mkdir()
    victim.write_text("as it was")
    (dirty / ".enclave.eif.new").symlink_to(victim)  # what a link in that folder names is not written
    said = image(clone, "--once", "--out", dirty)
    assert victim.read_text() == "as it was" and not (dirty / "enclave.eif").is_symlink()
    assert "nobody else can rebuild this image" in said
    assert "-dirty" in (dirty / "built-with").read_text()
