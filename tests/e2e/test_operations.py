"""docs/operations.md, chapter by chapter: the trouble is made, the texts are seen, the commands are typed as printed,
and what they are said to print is printed."""
import os
import subprocess

import pytest

import qos_model as qos
from machine import alive, answers, wait_until
from manual import Typist, chapter, chapters
from sim_documents import HOUR, Forge
from test_garbage_shares import Peer

PAGE = "operations.md"
BOOTED = "start\nboot manifest-dir your_app\nfetch\n"
PROVISIONED = BOOTED + "for m in member1 member2; do wrap $m manifest-dir/set && post $m; done\n"


@pytest.fixture(scope="module")
def prepared():
    """The guide's folders when its envelope is made, before anything is booted."""
    one = Typist()
    try:
        for title in chapters("guide.md")[1:5]:
            for _, commands in chapter("guide.md", title):
                one.bash(commands)
        one.bash("stop")
        one.bash(chapter(PAGE, "Words of this page")[0][1])
        one.keep()
        yield one
    finally:
        one.remove()


@pytest.fixture
def typist(prepared):
    """At the chapter that the test is named after (see at)."""
    prepared.restore()
    yield prepared
    assert prepared.blocks == [], "the page goes on"


def healthy(typist):
    wait_until(lambda: answers(typist.app_port, "/health"), "the application to answer")


def pid(typist, name):
    return int(typist.bash(f"echo ${name}"))


def spoiled_share(typist, member):
    """A share that opens with the member's key and is not the genesis's."""
    pair = qos.Pair(bytes.fromhex((typist.work / f"{member}-dir" / f"{member}.secret").read_text()))
    (typist.work / f"{member}-dir" / f"{member}.share").write_bytes(qos.seal(pair.public, b"\2" + bytes(32)))


def forged(typist, name, begin, end):
    """Lets the document be of a time that is wrong by hours, under genuine certificates of that time."""
    path = typist.work / name
    path.write_bytes(Forge(typist.work / "sim").changed(path.read_bytes(), valid=(begin * HOUR, end * HOUR)))


def test_a_member_lost_the_share(typist):
    typist.read(PAGE, "A member lost the share")
    typist.bash(BOOTED)
    share = typist.work / "member1-dir" / "member1.share"
    whole = share.read_bytes()
    share.unlink()
    typist.sees(typist.bash("wrap member1 manifest-dir/set", works=False))
    share.write_bytes(whole[:-1])
    typist.sees(typist.bash("wrap member1 manifest-dir/set", works=False))
    typist.sees(typist.types())
    assert share.read_bytes() == whole
    assert "*not*" in typist.bash("wrap member1 manifest-dir/set; post member1")


def test_a_member_lost_the_key(typist):
    typist.read(PAGE, "A member lost the key")
    typist.bash(BOOTED)
    (typist.work / "member1-dir" / "member1.secret").unlink()
    typist.sees(typist.bash("wrap member1 manifest-dir/set", works=False))
    typist.bash("stop")
    typist.sees(typist.types())
    typist.sees(typist.types())
    typist.sees(typist.types())
    typist.bash("stop\nstart\nboot next-dir your_app\nfetch\n")
    said = typist.bash("for m in member2 member3; do wrap $m deciding && post $m; done")
    assert "The quorum key has been reconstructed." in said


def test_too_many_members_lost_theirs_and_there_is_a_recovery_key(typist):
    typist.read(PAGE, "Too many members lost theirs and there is a recovery key")
    for name in ("member1-dir/member1.secret", "member3-dir/member3.share"):
        (typist.work / name).unlink()
    typist.sees(typist.types(works=False))
    typist.sees(typist.types())
    assert "The quorum key has *not* been" in typist.bash(BOOTED + "wrap member2 manifest-dir/set; post member2")


def test_too_many_members_lost_theirs_and_there_is_no_recovery_key(typist):
    typist.read(PAGE, "Too many members lost theirs and there is no recovery key")
    typist.bash(PROVISIONED)
    healthy(typist)
    for name in ("member1-dir/member1.secret", "member3-dir/member3.share", "genesis-dir/dr_wrapped_quorum_key"):
        (typist.work / name).unlink()
    recovery = chapter(PAGE, "Too many members lost theirs and there is a recovery key")
    typist.sees(typist.bash(recovery[0][1] + "ls genesis-dir/dr_wrapped_quorum_key\n", works=False))
    typist.sees(typist.types())
    typist.sees(typist.types())


def test_the_enclave_is_lost(typist):
    typist.read(PAGE, "The enclave is lost")
    typist.bash(PROVISIONED)
    healthy(typist)
    typist.bash("kill -9 $CORE; wait $CORE || true")
    typist.sees(typist.types(works=False))
    typist.types()
    typist.sees(typist.types(works=False))
    typist.sees(typist.types())


def test_the_host_is_lost(typist):
    typist.read(PAGE, "The host is lost")
    typist.bash(BOOTED)
    assert "*not*" in typist.bash("wrap member1 manifest-dir/set; post member1")
    typist.bash("kill -9 $HOST; wait $HOST || true")
    typist.sees(typist.types(works=False))
    assert alive(pid(typist, "CORE"))
    said = typist.types()
    assert "WaitingForQuorumShards" in said
    typist.sees(said + typist.types())


def test_a_clock_is_wrong(typist):
    typist.read(PAGE, "A clock is wrong")
    typist.bash(BOOTED)
    forged(typist, "attestation-dir/attestation_doc", 1, 4)
    typist.sees(typist.bash("wrap member1 manifest-dir/set", works=False))
    forged(typist, "attestation-dir/attestation_doc", -4, -1)
    typist.sees(typist.bash("wrap member1 manifest-dir/set", works=False))
    typist.sees(typist.types())
    typist.sees(typist.types())


def test_a_document_is_expired(typist):
    typist.read(PAGE, "A document is expired")
    forged(typist, "genesis-dir/genesis_attestation_doc", -4, -1)
    take = typist.blocks[1][1].rpartition("--validation-time-override")[0]
    typist.sees(typist.bash(take, works=False))
    typist.sees(typist.types())
    typist.bash(BOOTED)
    forged(typist, "attestation-dir/attestation_doc", -4, -1)
    typist.sees(typist.bash("wrap member1 manifest-dir/set", works=False))
    typist.sees(typist.types())
    assert "*not*" in typist.bash("post member1")


def test_a_wrong_share_was_posted(typist):
    typist.read(PAGE, "A wrong share was posted")
    typist.bash(BOOTED)
    spoiled_share(typist, "member2")
    typist.sees(typist.bash("for m in member1 member2; do wrap $m manifest-dir/set && post $m; done", works=False))
    typist.sees(typist.core_log())
    typist.sees(typist.types(works=False))
    typist.sees(typist.types())


def test_garbage_shares_were_posted(typist):
    typist.read(PAGE, "Garbage shares were posted")
    typist.bash(BOOTED)
    Peer(typist.host_port).garbage()
    typist.sees(typist.core_log())
    typist.sees(typist.types())


def test_an_update_went_wrong(typist):
    typist.read(PAGE, "An update went wrong")
    (typist.work / "broken_app").write_text("#!/bin/sh\nexit 1\n")
    words = "update-dir manifest-dir/set manifest-dir/set"
    typist.bash("manifest update-dir 2 broken_app manifest-dir/set manifest-dir/set\n"
              f"for m in member1 member2; do approve $m {words}; done\nenvelope update-dir\n")
    typist.bash(PROVISIONED.replace("boot manifest-dir your_app", "boot update-dir broken_app"))
    wait_until(lambda: "application: exited with status 1" in typist.core_log(), "its end")
    typist.sees(typist.types())
    typist.sees(typist.types())
    typist.sees(typist.types())
    typist.bash("stop\nstart")
    typist.sees(typist.bash("boot back-dir broken_app", works=False))
    typist.bash("boot back-dir your_app")


def test_a_secret_may_be_stolen(typist):
    typist.read(PAGE, "A secret may be stolen")
    typist.bash(PROVISIONED)
    typist.sees(typist.types())
    typist.sees(typist.types(works=False))


@pytest.fixture
def small_disk(typist):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    state = typist.run / "state"
    state.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=711", "tmpfs", state], check=False)
    if done.returncode != 0:
        pytest.skip("this system lets nobody mount a disk")
    yield state
    typist.bash("stop")
    subprocess.run(["umount", "-l", state], check=True)


def test_the_disk_of_the_enclave_is_full(typist, small_disk):
    typist.read(PAGE, "The disk of the enclave is full")
    typist.bash("start")
    filler = small_disk / "filler"
    fill = f"cat /dev/zero > {filler} || true\n"
    symptom = typist.blocks[0][1].strip()
    typist.bash(fill)
    typist.sees(typist.bash("boot manifest-dir your_app", works=False))
    typist.sees(typist.core_log())
    typist.types()
    assert not filler.exists()
    typist.sees(typist.types())
    typist.bash("stop\n" + BOOTED)
    typist.bash("for m in member1 member2; do wrap $m manifest-dir/set; done; post member1\n" + fill)
    assert symptom in typist.bash("post member2", works=False)
    assert "has been reconstructed" in typist.bash(f"rm {filler}; post member2")


def test_every_chapter_is_tested():
    tested = {name.removeprefix("test_").replace("_", " ") for name in globals() if name.startswith("test_")}
    assert [title for title in chapters(PAGE)[1:] if title.lower() not in tested] == []
