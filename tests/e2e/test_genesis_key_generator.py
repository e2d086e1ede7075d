"""genesis_key_generator: what it writes, what it refuses, and that no secret is lost or shown, also when it is run
again, killed, or has no room left."""
import fcntl
import json
import os
import re
import shutil
import subprocess
import stat

import pytest

from instance_model import pair_of
from machine import BIN, ROOT, SHARED
from traced import needs_strace, sampled

GENERATOR = BIN / "genesis_key_generator"
MEMBERS = ("manifest_members", "share_members")


def generate(*words, works=True, **options):
    done = subprocess.run([GENERATOR, *map(str, words)], capture_output=True, text=True, timeout=60, **options)
    assert (done.returncode == 0) == works, done.stdout + done.stderr
    return done


def secrets_in(folder):
    """{seed: names} of all secret files of a folder."""
    found = {}
    for path in folder.glob("*.secret"):
        found.setdefault(bytes.fromhex(path.read_text()), []).append(path.name)
    return found


def openable(request, folder):
    """Which members of the request have their secret in the folder."""
    size = len(request["share_members"][0]["pub_key"])
    publics = {pair_of(seed, size).shown for seed in secrets_in(folder)}
    return [m["alias"] for m in request["share_members"] if bytes(m["pub_key"]) in publics]


def assert_private(folder):
    for path in folder.iterdir():
        if ".json" not in path.name:
            assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path


def aliases(n):
    return [f"member{i + 1}" for i in range(n)]


@pytest.mark.parametrize("n, k", [(3, 2), (5, 3), (7, 7), (10, 7)])
@pytest.mark.parametrize("size, form", [(65, "sec1-65"), (130, "qos-130")])
def test_every_member_of_the_request_has_a_secret_of_its_own(tmp_path, n, k, size, form):
    out = tmp_path / "request.json"
    done = generate("--member-count", n, "--threshold", k, "--output", out, "--key-format", form)
    request = json.loads(out.read_text())
    for members in MEMBERS:
        assert [m["alias"] for m in request[members]] == aliases(n)
    for m in request["share_members"]:
        path = tmp_path / f"request.{m['alias']}.secret"
        assert path.stat().st_mode & 0o7777 == 0o600
        assert pair_of(bytes.fromhex(path.read_text()), size).shown == bytes(m["pub_key"])
        assert f"Secret of {m['alias']} written to: {path}\n" in done.stdout
        assert path.read_text() not in out.read_text() + done.stdout + done.stderr
    assert request["manifest_threshold"] == request["share_threshold"] == k
    assert f"Genesis request written to: {out}\n" in done.stdout


def test_the_request_has_the_form_of_the_vectors(tmp_path):
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there")
    out = tmp_path / "request.json"
    generate("--member-count", 3, "--threshold", 2, "--output", out)
    request = json.loads(out.read_text())
    vectors = SHARED / "vectors" / "renclave"
    for name in ("genesis_request_2of3.json", "genesis_request_2of3_union_proposed.json"):
        expected = json.loads((vectors / name).read_text())

        def same(ours, theirs, at):
            if isinstance(theirs, dict):
                assert set(theirs) <= set(ours), at
                for key in theirs:
                    same(ours[key], theirs[key], f"{at}.{key}")
            elif isinstance(theirs, list) and at.endswith("_members"):
                assert len(ours) == len(theirs)
                for i, (mine, other) in enumerate(zip(ours, theirs)):
                    same(mine, other, f"{at}[{i}]")
            elif at.endswith("pub_key"):
                assert len(ours) == len(theirs) == 65 and ours[0] == 4
            elif not at.endswith("timestampMs"):
                assert ours == theirs, at

        same(request, expected, name)
    assert list(request) == sorted(request)
    assert request["parameters"]["share_members"][1]["pub_key"] == request["share_members"][1]["pub_key"]


def test_names_and_application_are_those_that_are_given(tmp_path):
    dr = pair_of(None, 65)
    (tmp_path / "dr.pub").write_text(dr.shown.hex())
    out = tmp_path / "request"
    generate("--member-count", 2, "--output", out, "--namespace", "ours", "--nonce", 4294967295, "--pivot-hash",
             "ab" * 32, "--pivot-arg", "one", "--pivot-arg", "two words", "--dr-key", tmp_path / "dr.pub",
             "--keys-dir", tmp_path / "keys")
    request = json.loads(out.read_text())
    for part in (request, request["parameters"]):
        assert (part["namespace_name"], part["namespace_nonce"]) == ("ours", 4294967295)
        assert bytes(part["dr_key"]) == dr.shown
    assert request["pivot_hash"] == request["parameters"]["pivot"]["hash"] == [0xab] * 32
    assert request["pivot_args"] == request["parameters"]["pivot"]["args"] == ["one", "two words"]
    assert request["share_threshold"] == 2
    assert sorted(os.listdir(tmp_path / "keys")) == ["member1.secret", "member2.secret"]
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_a_number_in_front_means_that_many_members_of_whom_all_are_needed(tmp_path):
    request = tmp_path / "genesis_request.json"
    generate("5", "--output", request)
    written = json.loads(request.read_text())
    assert (len(written["share_members"]), written["share_threshold"]) == (5, 5)
    assert "not an expected argument" in generate("--output", request, "5", works=False).stdout


@pytest.mark.parametrize("words, said", [
    (("--member-count", 3, "--threshold", 1), "--threshold: expected a number from 2 to 255, found 1"),
    (("--member-count", 3, "--threshold", 0), "--threshold: expected a number from 2 to 255, found 0"),
    (("--member-count", 3, "--threshold", 5), "Invalid share threshold: expected at most the 3 of --member-count"),
    (("--member-count", 256), "--member-count: expected a number from 2 to 255, found 256"),
    (("--member-count", 1), "--member-count: expected a number from 2 to 255, found 1"),
    (("--member-count", "+3x"), "--member-count: expected a number"),
    (("--nonce", 4294967296), "--nonce: expected a number from 0 to 4294967295"),
    (("--namespace", "a\x07b"), "--namespace"),
    (("--namespace", ""), "--namespace"),
    (("--pivot-hash", "ab" * 31), "--pivot-hash"),
    (("--key-format", "der"), "--key-format: expected sec1-65 or qos-130, found der"),
    (("--dr-key", "/dev/null"), "--dr-key"),
])
def test_finding_23_thresholds_that_would_make_a_share_the_secret_are_refused(tmp_path, words, said):
    """k = 1 makes every share the secret and share 256 is the secret: neither can even be asked for."""
    done = generate(*words, "--output", tmp_path / "request.json", works=False)
    assert said in done.stdout + done.stderr
    assert os.listdir(tmp_path) == []


def test_finding_30_no_two_members_of_a_request_have_an_alias_or_a_key_in_common(tmp_path):
    out = tmp_path / "request.json"
    generate("--member-count", 255, "--threshold", 128, "--output", out)
    members = json.loads(out.read_text())["share_members"]
    assert len({m["alias"] for m in members}) == len({bytes(m["pub_key"]) for m in members}) == 255
    assert openable(json.loads(out.read_text()), tmp_path) == aliases(255)


def test_a_second_run_keeps_the_secrets_of_the_first(tmp_path):
    out = tmp_path / "request.json"
    words = ("--member-count", 3, "--threshold", 2, "--output", out)
    generate(*words)
    first = json.loads(out.read_text())
    done = generate(*words)
    second = json.loads(out.read_text())
    assert first["share_members"] != second["share_members"]
    for request in (first, second):
        assert openable(request, tmp_path) == aliases(3)
    for alias in aliases(3):
        assert re.search(rf"{alias}\.secret: the earlier secret is kept as .*{alias}\.[0-9a-f]{{16}}\.secret", done.stderr)
    generate("--member-count", 2, "--output", out)
    assert not (tmp_path / "request.member3.secret").exists()
    assert openable(second, tmp_path) == aliases(3)
    assert_private(tmp_path)


@pytest.mark.parametrize("forced", [False, True])
def test_runs_at_once_lose_no_secret_of_each_other(tmp_path, forced):
    """Each keeps what lay there before it began; of none may the request remain without its secrets."""
    out = tmp_path / "request.json"
    words = [GENERATOR, "--member-count", "5", "--threshold", "2", "--output", out, *(["--force"] if forced else [])]
    runs = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(8)]
    for run in runs:
        said = run.communicate(timeout=60)[1]
        assert run.returncode == 0, said
    assert openable(json.loads(out.read_text()), tmp_path) == aliases(5)
    assert len(secrets_in(tmp_path)) == (5 if forced else 40)
    assert_private(tmp_path)


def test_a_run_waits_for_another_one_in_the_same_folder(tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    held = os.open(keys, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with subprocess.Popen([GENERATOR, "--output", tmp_path / "request.json", "--keys-dir", keys],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        assert "waiting for another program that has this folder locked" in run.stderr.readline()
        assert os.listdir(keys) == [] and not (tmp_path / "request.json").exists()
        os.close(held)
        assert run.wait(60) == 0
    assert len(os.listdir(keys)) == 2


def test_forced_the_earlier_secrets_are_gone(tmp_path):
    out = tmp_path / "request.json"
    generate("--output", out)
    first = json.loads(out.read_text())
    generate("--output", out, "--force")
    assert openable(first, tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("what", ["text", "link", "folder", "fifo"])
def test_what_is_no_secret_of_an_earlier_run_is_not_replaced(tmp_path, what):
    out, there = tmp_path / "request.json", tmp_path / "request.member2.secret"
    generate("--output", tmp_path / "request.json")
    there.unlink()
    aim = tmp_path / "aim"
    aim.write_text("ab" * 32)
    {"text": lambda: there.write_text("my notes"), "link": lambda: there.symlink_to(aim),
     "folder": there.mkdir, "fifo": lambda: os.mkfifo(there)}[what]()
    before = sorted((p.name, p.lstat().st_ino) for p in tmp_path.iterdir())
    done = generate("--output", out, works=False)
    assert f"{there}: expected nothing, or a member's secret of an earlier run" in done.stderr
    assert sorted((p.name, p.lstat().st_ino) for p in tmp_path.iterdir()) == before
    assert aim.read_text() == "ab" * 32


def test_without_room_nothing_is_written_and_nothing_is_lost(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        pytest.skip(f"this system lets nobody mount a disk: {done.stderr.strip()}")
    try:
        generate("--member-count", 3, "--output", disk / "request.json")
        before = {p.name: p.read_bytes() for p in disk.iterdir()}
        done = generate("--member-count", 255, "--output", disk / "request.json", works=False)
        assert "No space left on device" in done.stderr
        assert {p.name: p.read_bytes() for p in disk.iterdir()} == before
    finally:
        subprocess.run(["umount", disk], check=True)


CALLS = "openat,write,fsync,fchmod,renameat2,rename,link,linkat,unlink,close"


def test_killed_at_any_point_every_request_that_is_there_has_all_its_secrets(tmp_path):
    needs_strace()
    words = [str(GENERATOR), "--member-count", "3", "--threshold", "2", "--output"]
    out = tmp_path / "a" / "request.json"
    out.parent.mkdir()
    trace = tmp_path / "trace"
    subprocess.run(words + [str(out)], check=True, capture_output=True)
    subprocess.run(["strace", "-o", str(trace), "-e", f"trace={CALLS}", *words, str(out)], check=True,
                   capture_output=True)
    points = len([line for line in trace.read_text().splitlines() if "(" in line])
    assert points > 40
    for point in sampled(range(points // 3, points + 1), 5):
        shutil.rmtree(out.parent)
        out.parent.mkdir()
        subprocess.run(words + [str(out)], check=True, capture_output=True)
        first, mine = json.loads(out.read_text()), secrets_in(out.parent)
        subprocess.run(["strace", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e",
                        f"inject={CALLS}:signal=KILL:when={point}", *words, str(out)], capture_output=True, check=False)
        assert set(mine) <= set(secrets_in(out.parent)), point
        for request in (first, json.loads(out.read_text())):
            assert openable(request, out.parent) == aliases(3), point
        assert_private(out.parent)
        generate("--member-count", 3, "--threshold", 2, "--output", out)
        assert openable(json.loads(out.read_text()), out.parent) == aliases(3)
        assert openable(first, out.parent) == aliases(3)


def test_the_guide_s_command_does_as_it_says(tmp_path):
    """cargo run --bin genesis_key_generator -- ..., with the shim for whoever follows the guide."""
    environment = {"PATH": f"{ROOT / 'tools' / 'guide'}:{BIN}:/usr/bin:/bin"}
    command = "cargo run --bin genesis_key_generator -- --member-count 3 --threshold 2 --output request.json"
    for _ in range(2):
        subprocess.run(["bash", "-c", command], check=True, cwd=tmp_path, env=environment, capture_output=True)
    assert openable(json.loads((tmp_path / "request.json").read_text()), tmp_path) == aliases(3)
    for wrong in ("cargo build", "cargo run --bin rm -- request.json", "cargo run --bin ../../bin/rm -- request.json",
                  "cargo run --release --bin genesis_key_generator -- --help"):
        done = subprocess.run(["bash", "-c", wrong], cwd=tmp_path, env=environment, capture_output=True, text=True,
                              check=False)
        assert done.returncode != 0 and "only" in done.stderr
    assert (tmp_path / "request.json").exists()
