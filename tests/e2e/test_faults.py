"""Faults: the enclave killed at every system call that leaves a trace, disks that are full, read-only, gone or
broken, memory and randomness that fail. What the file system holds is whole, nothing secret stays behind, and
the ceremony can be finished (design "State changes in one place"). All points with QUORATE_FULL=1."""
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import stat
import subprocess

import pytest

import qos_model as qos
from machine import PATIENCE, work_folder
from snapshot import difference, snapshot
from raw_enclave import SLEEPER, Ceremony
from traced import TracedEnclave, needs_strace, sampled

MODES = {"quorum": 0o400, "ephemeral": 0o400, "pivot": 0o500, "manifest": 0o444}
KEYS = ("quorum", "ephemeral")
TEMPORARY = re.compile(r"\..*\.[0-9a-f]{12}\.tmp")
DEAD = (OSError, AssertionError, json.JSONDecodeError)


def ended(enclave):
    if enclave.process and enclave.process.poll() is None:
        enclave.process.kill()
        enclave.process.wait()


@contextlib.contextmanager
def new_enclave(*options):
    folder = work_folder()
    enclave = TracedEnclave(folder, *options)
    try:
        yield enclave
    finally:
        ended(enclave)
        shutil.rmtree(folder)


@pytest.fixture
def enclave():
    with new_enclave() as one:
        yield one


def all_files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def secrets_of(ceremony):
    return [ceremony.quorum.seed, *ceremony.shares]


def assert_no_secret(folder, secrets):
    for path in all_files(folder):
        content = path.read_bytes()
        for secret in secrets:
            assert secret not in content, path
            assert secret.hex().encode() not in content.lower(), path


def keys_found(enclave):
    """Seeds in files of the folder where the keys are published, under whatever name."""
    texts = [enclave.files["quorum"].parent / name for name in enclave.left()]
    found = [path.read_text() for path in texts if path.stat().st_size == 64]
    return [bytes.fromhex(text) for text in found if re.fullmatch("[0-9a-f]{64}", text)]


def assert_whole(enclave, ceremony):
    """Every published file that is there is complete and closed to others, or was just being wiped."""
    for name, path in enclave.files.items():
        if not path.exists():
            continue
        content, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
        if name in KEYS:
            wiped = content == bytes(64)
            assert wiped or re.fullmatch(b"[0-9a-f]{64}", content), name
            assert mode in (MODES[name], 0o600), oct(mode)
        else:
            assert mode == MODES[name], oct(mode)
        if name == "quorum" and not content.startswith(b"\0"):
            assert content == ceremony.quorum.seed.hex().encode()
        if name == "pivot":
            assert content == ceremony.pivot
        if name == "manifest":
            envelope = json.loads(content)
            assert envelope["manifest"]["namespace"]["name"] == ceremony.manifest["namespace"]["name"]
            assert len(envelope["shareSetApprovals"]) <= 2


def assert_temporaries_are_closed(enclave):
    for name in enclave.left():
        if TEMPORARY.fullmatch(name):
            mode = (enclave.files["quorum"].parent / name).stat().st_mode
            assert stat.S_IMODE(mode) in (0o200, *MODES.values(), 0o600)


def starts_clean(enclave, secrets):
    """A new start wipes and names what was left."""
    left = enclave.left()
    enclave.log.write_text("")
    enclave.untraced().start()
    assert enclave.left() == []
    log = enclave.log.read_text()
    assert [name for name in left if name not in log] == []
    assert enclave.phase() == "WaitingForBootInstruction"
    assert_no_secret(enclave.folder, secrets)


def stops_clean(enclave, secrets):
    assert enclave.end() == 0
    assert enclave.left() == []
    assert_no_secret(enclave.folder, secrets)


def runs_its_application(enclave):
    return enclave.send("quorateStateRequest")["quorateStateResponse"]["pivot_running"]


def genesis(enclave, pairs):
    members = [qos.member(f"m{i}", pair) for i, pair in enumerate(pairs)]
    return enclave.send({"bootGenesisRequest": {"set": {"members": members, "threshold": 2}}})


def born(enclave, pairs):
    reply = genesis(enclave, pairs)
    assert "bootGenesisResponse" in reply, reply
    assert enclave.phase() == "GenesisBooted"
    assert enclave.left() == []


def points_of(run):
    """The places to kill a run at; run(enclave) drives it from start to SIGTERM."""
    with new_enclave() as enclave:
        run(enclave.record())
        return enclave.points()


def killed(enclave, run):
    """Runs until the enclave was killed; false when it lived to its end."""
    with contextlib.suppress(*DEAD):
        run(enclave)
    ended_by = enclave.process.wait(PATIENCE)
    assert ended_by in (0, -signal.SIGKILL)
    return ended_by != 0


def sim_leftovers(enclave):
    return [path.name for path in (enclave.folder / "sim").iterdir() if TEMPORARY.fullmatch(path.name)]


def test_genesis_survives_a_kill_at_every_trace():
    needs_strace()
    pairs = [qos.Pair() for _ in range(3)]

    def run(enclave):
        born(enclave.start(), pairs)
        assert enclave.end() == 0

    points = points_of(run)
    assert {"renameat2", "fsync", "sendmsg", "openat"} <= {call for call, _ in points}
    for call, number in sampled(points, 4):
        with new_enclave() as enclave:
            assert killed(enclave.kill_at(call, number), run), (call, number)
            starts_clean(enclave, [])
            assert sim_leftovers(enclave) == []
            born(enclave, pairs)
            stops_clean(enclave, [])


def boot_and_provision(ceremony):
    def run(enclave):
        ceremony.provision(enclave.start())
        assert len(enclave.left()) == 4
        assert enclave.end() == 0
        assert enclave.left() == []

    return run


def test_boot_and_provision_survive_a_kill_at_every_trace():
    needs_strace()
    ceremony = Ceremony(SLEEPER)
    run = boot_and_provision(ceremony)
    points = points_of(run)
    assert len(points) > 60
    for call, number in sampled(points, 3):
        with new_enclave() as enclave:
            assert killed(enclave.kill_at(call, number), run), (call, number)
            assert_whole(enclave, ceremony)
            assert_temporaries_are_closed(enclave)
            secrets = secrets_of(ceremony) + keys_found(enclave)
            starts_clean(enclave, secrets)
            ceremony.provision(enclave)
            assert runs_its_application(enclave)
            assert_whole(enclave, ceremony)
            stops_clean(enclave, secrets + keys_found(enclave))


def test_a_forward_survives_a_kill_at_every_trace():
    needs_strace()
    ceremony = Ceremony(SLEEPER)

    def run(enclave):
        ceremony.forward(enclave.start())
        assert len(enclave.left()) == 4
        assert enclave.end() == 0
        assert enclave.left() == []

    for call, number in sampled(points_of(run), 5):
        with new_enclave() as enclave:
            assert killed(enclave.kill_at(call, number), run), (call, number)
            assert_whole(enclave, ceremony)
            assert_temporaries_are_closed(enclave)
            secrets = secrets_of(ceremony) + keys_found(enclave)
            starts_clean(enclave, secrets)
            ceremony.forward(enclave)
            assert runs_its_application(enclave)
            assert_whole(enclave, ceremony)
            stops_clean(enclave, secrets + keys_found(enclave))


def test_a_start_that_wipes_leftovers_survives_a_kill_at_every_trace():
    needs_strace()
    ceremony = Ceremony(SLEEPER)

    def leave(enclave):
        ceremony.provision(enclave.untraced().start())
        enclave.end(signal.SIGKILL)
        temporary = enclave.files["ephemeral"].with_name(".qos.ephemeral.key.0123456789ab.tmp")
        temporary.write_text(qos.Pair().seed.hex())

    def run(enclave):
        enclave.start()
        assert enclave.end() == 0

    with new_enclave() as enclave:
        leave(enclave)
        run(enclave.record())
        points = enclave.points()
    assert {"pwrite64", "unlink"} <= {call for call, _ in points}
    for call, number in sampled(points, 3):
        with new_enclave() as enclave:
            leave(enclave)
            secrets = secrets_of(ceremony) + keys_found(enclave)
            assert killed(enclave.kill_at(call, number), run), (call, number)
            starts_clean(enclave, secrets)
            ceremony.provision(enclave)
            stops_clean(enclave, secrets)


class ForwardSteps:
    """A boot for the key of another enclave, and that key."""

    def __init__(self, ceremony, enclave):
        self.ceremony, self.enclave, self.setup = ceremony, enclave, None
        self.all = [self.boot, self.inject]

    def boot(self):
        self.setup = self.ceremony.boot_forward(self.enclave)

    def inject(self):
        self.ceremony.inject(self.enclave, self.setup)


class Steps:
    """A boot and two shares, each a request that is asked again after a refusal."""

    def __init__(self, ceremony, enclave):
        self.ceremony, self.enclave, self.setup = ceremony, enclave, None
        self.all = [self.boot, self.first_share, self.last_share]

    def boot(self):
        self.setup = self.ceremony.boot(self.enclave)

    def first_share(self):
        reply = self.ceremony.post(self.enclave, "alice", self.setup)
        assert reply == {"provisionResponse": {"reconstructed": False}}

    def last_share(self):
        reply = self.ceremony.post(self.enclave, "carol", self.setup)
        assert reply == {"provisionResponse": {"reconstructed": True}}


def finished(enclave, ceremony):
    assert enclave.phase() == "QuorumKeyProvisioned"
    assert runs_its_application(enclave)
    # What could not be removed when it was replaced goes at the end, or at the next start.
    left = [name for name in enclave.left() if not TEMPORARY.fullmatch(name)]
    assert left == sorted(path.name for path in enclave.files.values())
    assert_whole(enclave, ceremony)
    assert enclave.files["quorum"].read_text() == ceremony.quorum.seed.hex()


def with_a_failing_call(enclave, ceremony, steps_of):
    """Refused requests change nothing and succeed when asked again. Gives what became of the run."""
    enclave.start(must_live=False)
    if enclave.process.poll() is not None:
        assert enclave.process.returncode == 1
        last = enclave.log.read_text().splitlines()[-1]
        assert re.fullmatch(r"qos_core: .+: .+", last), last
        return "did not start"
    steps, refused = steps_of(ceremony, enclave), "succeeded"
    published = enclave.files["quorum"].parent
    for step in steps.all:
        before, phase = snapshot(published), enclave.phase()
        try:
            step()
            continue
        except AssertionError:
            refused = "refused and then succeeded"
        if enclave.phase() == "UnrecoverableError":
            assert step == steps.boot
            assert enclave.left() == []
            return "needs a restart"
        assert enclave.phase() == phase
        assert difference(before, snapshot(published)) == []
        step()
    finished(enclave, ceremony)
    return refused


def fails_at_each(points, ceremony, steps_of=Steps):
    """{what became of a run: the points it failed at}, each run brought to its end."""
    became = {}
    for call, number in points:
        with new_enclave() as enclave:
            what = with_a_failing_call(enclave.fail_at(call, number), ceremony, steps_of)
            became.setdefault(what, []).append((call, number))
            if enclave.process.poll() is None:
                stops_clean(enclave, secrets_of(ceremony))
            starts_clean(enclave, secrets_of(ceremony))
            ceremony.provision(enclave)
            finished(enclave, ceremony)
    print(became)
    return became


def test_every_failing_call_of_boot_and_provision_is_refused_whole_and_can_be_tried_again():
    needs_strace()
    ceremony = Ceremony(SLEEPER)
    with new_enclave() as enclave:
        ceremony.provision(enclave.record().start())
        enclave.end(signal.SIGKILL)
        points = [(call, number) for call, number in enclave.points() if call != "sendmsg"]
    became = fails_at_each(sampled(points, 3), ceremony)
    assert {"did not start", "refused and then succeeded"} <= became.keys()


def test_every_failing_call_of_a_forward_is_refused_whole_and_can_be_tried_again():
    needs_strace()
    ceremony = Ceremony(SLEEPER)
    with new_enclave() as enclave:
        ceremony.boot_forward(enclave.record().start())
        booted = set(enclave.points())
        enclave.end(signal.SIGKILL)
    with new_enclave() as enclave:
        ceremony.forward(enclave.record().start())
        enclave.end(signal.SIGKILL)
        points = [point for point in enclave.points() if point[0] != "sendmsg"]
    injection = [point for point in points if point not in booted]
    assert {"renameat2", "fsync"} <= {call for call, _ in injection}
    became = fails_at_each(sampled(injection, 3), ceremony, ForwardSteps)
    assert "refused and then succeeded" in became
    assert "did not start" not in became


def test_memory_and_randomness_that_fail_once_are_refused_whole_and_can_be_tried_again():
    needs_strace()
    ceremony = Ceremony(SLEEPER)
    calls, points = ("mmap", "brk", "getrandom"), []
    for requests in (lambda enclave: None, ceremony.provision):
        with new_enclave() as enclave:
            requests(enclave.record(calls).start())
            enclave.end(signal.SIGKILL)
            points.append(enclave.points())
    after_start = [point for point in points[1] if point not in points[0]]
    assert len(after_start) > 20
    became = fails_at_each(sampled(after_start, 5), ceremony)
    assert "refused and then succeeded" in became
    assert "did not start" not in became


def test_randomness_that_stays_away_refuses_genesis_and_boot(enclave):
    needs_strace()
    ceremony = Ceremony(SLEEPER)
    enclave.start()
    enclave.end()
    enclave.record(("getrandom",)).start()
    started = len(enclave.points())
    enclave.end()
    enclave.inject("getrandom", f"error=EIO:when={started + 1}+").start()
    assert genesis(enclave, [qos.Pair(), qos.Pair()]) == {"protocolErrorResponse": "IOError"}
    with pytest.raises(AssertionError):
        ceremony.boot(enclave)
    assert enclave.phase() == "WaitingForBootInstruction"
    assert "random bytes: getrandom failed" in enclave.log.read_text()
    assert enclave.left() == []


def test_secrets_that_can_no_longer_be_locked_are_refused(enclave):
    needs_strace()
    ceremony = Ceremony(SLEEPER)
    enclave.locked_only = True
    enclave.start(must_live=False)
    if enclave.process.poll() is not None:
        pytest.skip("this user may not lock enough memory")
    enclave.end()
    enclave.record(("mlock",)).start()
    started = len(enclave.points())
    enclave.end()
    enclave.inject("mlock", f"error=ENOMEM:when={started + 1}+").start()
    assert genesis(enclave, [qos.Pair(), qos.Pair()]) == {"protocolErrorResponse": "IOError"}
    assert_io_error(lambda: ceremony.boot(enclave))
    assert "cannot be locked" in enclave.log.read_text()
    assert enclave.phase() == "WaitingForBootInstruction"
    assert enclave.left() == []


def on_a_small_disk(enclave, size):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = enclave.files["quorum"].parent
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", disk],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this system lets nobody mount a disk: {done.stderr.strip()}")
    return disk


@contextlib.contextmanager
def unmounted(disk):
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def refusal(act, *words):
    with pytest.raises(AssertionError) as caught:
        act(*words)
    return str(caught.value)


def assert_io_error(step):
    """IOError, in JSON or in Borsh as boots are answered."""
    said = refusal(step)
    assert "IOError" in said or r"b'\x00\x03'" in said, said


@pytest.mark.parametrize("steps_of", [Steps, ForwardSteps])
def test_a_full_disk_refuses_boot_and_share_until_there_is_room(enclave, steps_of):
    ceremony = Ceremony(SLEEPER)
    disk = on_a_small_disk(enclave, "64k")
    with unmounted(disk):
        steps = steps_of(ceremony, enclave.start())
        filler = disk / "filler"
        for step in steps.all:
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as f:
                while True:
                    f.write(bytes(512))
            before, phase = snapshot(disk), enclave.phase()
            assert_io_error(step)
            assert enclave.log.read_text().count("No space left on device") == steps.all.index(step) + 1
            assert enclave.phase() == phase
            assert difference(before, snapshot(disk)) == []
            filler.unlink()
            step()
        finished(enclave, ceremony)
        ended(enclave)


def test_a_limit_of_file_sizes_refuses_like_a_full_disk(enclave):
    ceremony = Ceremony(SLEEPER + b"#" * 4096)
    steps = Steps(ceremony, enclave.start())
    for step in steps.all:
        before, phase = snapshot(enclave.files["quorum"].parent), enclave.phase()
        soft, hard = resource.prlimit(enclave.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(enclave.process.pid, resource.RLIMIT_FSIZE, (32, hard))
        assert_io_error(step)
        resource.prlimit(enclave.process.pid, resource.RLIMIT_FSIZE, (soft, hard))
        assert enclave.phase() == phase
        assert difference(before, snapshot(enclave.files["quorum"].parent)) == []
        step()
    finished(enclave, ceremony)


def test_a_folder_that_became_read_only_refuses_until_it_is_writable_again(enclave):
    ceremony = Ceremony(SLEEPER)
    disk = on_a_small_disk(enclave, "1m")
    with unmounted(disk):
        steps = Steps(ceremony, enclave.start())
        for step in steps.all:
            before, phase = snapshot(disk), enclave.phase()
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            assert_io_error(step)
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
            assert enclave.phase() == phase
            assert difference(before, snapshot(disk)) == []
            step()
        finished(enclave, ceremony)
        assert "Read-only file system" in enclave.log.read_text()
        ended(enclave)


def test_a_folder_that_went_away_refuses_until_it_is_back(enclave):
    ceremony = Ceremony(SLEEPER)
    steps = Steps(ceremony, enclave.start())
    published = enclave.files["quorum"].parent
    away = published.with_name("away")
    for step in steps.all:
        phase = enclave.phase()
        published.rename(away)
        assert_io_error(step)
        assert not published.exists()
        away.rename(published)
        assert enclave.phase() == phase
        step()
    finished(enclave, ceremony)


def test_something_else_under_a_published_name_refuses_and_stays(enclave):
    ceremony = Ceremony(SLEEPER)
    enclave.start()
    enclave.files["pivot"].write_text("not ours")
    assert r"b'\x00\x0f'" in refusal(ceremony.boot, enclave)  # CannotModifyPostPivotStatic
    assert "qos.pivot.bin: exists already and is not replaced" in enclave.log.read_text()
    assert enclave.left() == ["qos.pivot.bin"]
    assert enclave.files["pivot"].read_text() == "not ours"
    assert enclave.phase() == "WaitingForBootInstruction"
    enclave.files["pivot"].unlink()
    ceremony.provision(enclave)
    finished(enclave, ceremony)


def test_a_start_that_cannot_clear_a_leftover_says_so_and_touches_nothing_else(enclave):
    enclave.files["quorum"].mkdir(parents=True)
    enclave.start(must_live=False)
    assert enclave.process.wait(PATIENCE) == 1
    last = enclave.log.read_text().splitlines()[-1]
    assert last == (f"qos_core: {enclave.files['quorum']}: a leftover of an earlier run that cannot be removed")
    enclave.files["quorum"].rmdir()
    Ceremony(SLEEPER).provision(enclave.start())
