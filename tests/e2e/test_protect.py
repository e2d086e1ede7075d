"""Secrets at rest under a passphrase: what lies on the disk, who can open it, and how it is asked for."""
import json
import os
import re
import signal
import stat
import subprocess
import time

import protected_model
import pytest
import qos_model as model
from desk import YES, Desk, environment
from machine import BIN
from typist import Typist

PASSPHRASE = "correct horse battery"
SALT, NONCE = bytes(range(16)), bytes(range(24))


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    desk.write("passphrase", PASSPHRASE + "\n")
    return desk


def protect(desk, member, passphrase=PASSPHRASE):
    """The member's secret as an independent implementation protects it, at the least cost."""
    seed = desk.members[member].seed.hex().encode()
    file = protected_model.protect(seed, passphrase.encode(), SALT, NONCE)
    desk.write(f"{member}.secret", file.decode())
    return file.decode()


GENERATE = ["generate-file-key", "--master-seed-path", "k.secret", "--pub-path", "k.pub", "--protect"]


def test_a_protected_seed_opens_with_an_independent_implementation(desk):
    done = desk.ok(*GENERATE, "--passphrase-path", "passphrase")
    assert done.stdout == ("Protected Master Seed written to: k.secret\n"
                           "File Key Public written to: k.pub\n")
    assert done.stderr == ""
    file = desk.path("k.secret").read_bytes()
    assert re.fullmatch(rb"quorate-protected-v1 argon2id m=262144 t=3 p=1 salt=[0-9a-f]{32} "
                        rb"nonce=[0-9a-f]{48} box=[0-9a-f]{160}\n", file)
    assert stat.S_IMODE(desk.path("k.secret").stat().st_mode) == 0o600
    seed = protected_model.opened(file, PASSPHRASE.encode())
    assert model.Pair(bytes.fromhex(seed.decode())).public.hex() == desk.path("k.pub").read_text()


def test_every_command_that_reads_a_secret_reads_a_protected_one(new_ceremony):
    """A ceremony of members who all protect their seeds, and the recovered quorum key protected too."""
    c = new_ceremony()
    words = ["--passphrase-path", c.folder / "passphrase"]
    (c.folder / "passphrase").write_text(PASSPHRASE)
    dr = model.Pair()
    (c.folder / "dr.pub").write_text(dr.public.hex())
    c.machine.start()
    c.write_release()
    for member in c.members:
        c.client("generate-file-key", "--master-seed-path", c.secret(member), "--pub-path",
                 c.set_dir / f"{member}.pub", "--protect", *words)
    (c.set_dir / "quorum_threshold").write_text("2\n")
    c.genesis("--dr-key-path", c.folder / "dr.pub")
    c.machine.restart()
    pivot = c.app.make()
    c.generate_manifest(pivot)
    for member in c.members[:2]:
        c.after_genesis(member, *words)
        c.approve(member, pivot, *words)
    c.envelope()
    c.boot(pivot)
    c.fetch_attestation()
    for member in c.members[:2]:
        c.reencrypt(member, *words)
    assert "has *not* been" in c.post("member1")
    assert "The quorum key has been reconstructed." in c.post("member2")
    seed = dr.open((c.genesis_dir / "dr_wrapped_quorum_key").read_bytes())
    (c.folder / "quorum.secret").write_bytes(
        protected_model.protect(seed.hex().encode(), PASSPHRASE.encode(), SALT, NONCE))
    said = c.client("verify-genesis", "--namespace-dir", c.genesis_dir, "--master-seed-path",
                    c.folder / "quorum.secret", *words)
    assert "verify-genesis successful" in said


def test_a_wrong_passphrase_is_one_error_and_changes_nothing(desk):
    protect(desk, "member1")
    desk.generate()
    desk.write("wrong", "correct horse batterz\n")
    done = desk.refused(*desk.approve_words("member1", "--passphrase-path", "wrong"), answers=YES,
                        text="member1.secret: wrong passphrase, or the file was changed")
    assert done.stdout == "" and done.stderr.count("\n") == 1 and "batter" not in done.stderr
    assert list(desk.path("approvals").iterdir()) == []
    desk.ok(*desk.approve_words("member1", "--passphrase-path", "passphrase"), answers=YES)


def test_a_passphrase_may_come_through_a_descriptor_with_the_secret(desk):
    file = protect(desk, "member1")
    desk.generate()
    (secret, to_secret), (phrase, to_phrase) = os.pipe(), os.pipe()
    os.write(to_secret, file.encode())
    os.write(to_phrase, PASSPHRASE.encode())
    os.close(to_secret)
    os.close(to_phrase)
    desk.ok(*desk.approve_words("member1", "--passphrase-path", f"/dev/fd/{phrase}",
                                secret=f"/dev/fd/{secret}"), answers=YES, pass_fds=[secret, phrase])
    os.close(secret)
    os.close(phrase)
    assert desk.path(desk.approval_name("member1")).exists()


def test_without_a_terminal_the_option_is_named(desk):
    protect(desk, "member1")
    desk.generate()
    desk.refused(*desk.approve_words("member1"), answers=YES, start_new_session=True,
                 text="--passphrase-path")
    desk.refused(*GENERATE, start_new_session=True, text="--passphrase-path")
    assert not desk.path("k.secret").exists() and not desk.path("k.pub").exists()


def test_the_terminal_asks_without_echo_while_answers_come_from_a_pipe(desk):
    protect(desk, "member1")
    desk.generate()
    with Typist(desk, desk.approve_words("member1"), YES) as t:
        t.asked("Passphrase of member1.secret: ")
        t.type(PASSPHRASE + "\n")
        code, out, err = t.ended()
        assert code == 0, err
        assert t.shown.strip() == "" and PASSPHRASE not in out + err
        assert t.echoes()
    assert desk.path(desk.approval_name("member1")).exists()


def test_a_new_passphrase_is_asked_for_twice_and_must_be_the_same(desk):
    with Typist(desk, GENERATE) as t:
        t.asked("New passphrase for k.secret: ")
        t.type(PASSPHRASE + "\n")
        t.asked("The same again for k.secret: ")
        t.type(PASSPHRASE + "x\n")
        code, out, err = t.ended()
        assert code == 1 and out == "" and err == (
            "error: passphrase: expected the same one twice, found two\n")
        assert t.echoes()
    assert not desk.path("k.secret").exists() and not desk.path("k.pub").exists()
    with Typist(desk, GENERATE) as t:
        for question in ("New passphrase for k.secret: ", "The same again for k.secret: "):
            t.asked(question)
            t.type(PASSPHRASE + "\n")
        assert t.ended()[0] == 0
    protected_model.opened(desk.path("k.secret").read_bytes(), PASSPHRASE.encode())


@pytest.mark.parametrize("typed, text", [
    ("\n", "found an empty line"), ("\x04", "found an empty line"), ("short\n", "at least 12 bytes"),
    ("x" * 1025 + "\n", "at most 1024 bytes")])
def test_what_is_no_passphrase_is_refused(desk, typed, text):
    with Typist(desk, GENERATE) as t:
        t.asked("New passphrase for k.secret: ")
        t.type(typed)
        if typed == "short\n":
            t.asked("The same again for k.secret: ")
            t.type(typed)
        code, _, err = t.ended()
        assert code == 1 and text in err
        assert t.echoes()
    assert not desk.path("k.secret").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(desk, number):
    with Typist(desk, GENERATE) as t:
        t.asked("New passphrase for k.secret: ")
        if number == signal.SIGINT:
            t.type("half\x03")
        else:
            t.process.send_signal(number)
        assert t.ended()[0] == -number
        assert t.echoes()
    assert list(desk.folder.glob("*k.*")) == []


def test_it_asks_again_when_it_goes_on_after_a_signal(desk):
    with Typist(desk, GENERATE) as t:
        t.asked("New passphrase for k.secret: ")
        t.process.send_signal(signal.SIGTSTP)  # which does not stop the first process of a session
        t.until("New passphrase for k.secret: ")
        assert not t.echoes()
        t.process.send_signal(signal.SIGTERM)
        assert t.ended()[0] == -signal.SIGTERM
        assert t.echoes()


@pytest.mark.parametrize("before, after", [
    ("m=65536", "m=4294967295"), ("m=65536", "m=1048577"), ("t=3", "t=4294967295"), ("p=1", "p=64")])
def test_a_hostile_file_cannot_use_up_the_machine(desk, before, after):
    desk.write("member1.secret", protect(desk, "member1").replace(f" {before} ", f" {after} "))
    desk.generate()
    start = time.monotonic()
    desk.refused(*desk.approve_words("member1", "--passphrase-path", "passphrase"), text="member1.secret")
    assert time.monotonic() - start < 5


def test_too_little_memory_is_said(desk):
    file = protected_model.protect(b"5a" * 32, PASSPHRASE.encode(), SALT, NONCE)
    desk.write("member1.secret", file.decode().replace("m=65536", "m=1048576"))
    desk.generate()
    words = desk.approve_words("member1", "--passphrase-path", "passphrase")
    limited = ["prlimit", f"--as={600 << 20}", str(BIN / "qos_client")]
    if subprocess.run([*limited, "--version"], capture_output=True).returncode != 0:
        pytest.skip("a sanitized program needs more room for itself")
    done = subprocess.run([*limited, *map(str, words)], capture_output=True, text=True,
                          cwd=desk.folder, env=environment())
    assert done.returncode == 1 and "expected 1024 MiB of free memory" in done.stderr


def test_plain_secrets_are_read_and_written_as_before(desk):
    desk.ok("generate-file-key", "--master-seed-path", "k.secret", "--pub-path", "k.pub")
    assert re.fullmatch("[0-9a-f]{64}", desk.path("k.secret").read_text())
    m = desk.generate()
    done = desk.ok(*desk.approve_words("member1", "--passphrase-path", "passphrase"), answers=YES)
    assert "--passphrase-path: not needed, member1.secret is not protected" in done.stderr
    approval = json.loads(desk.path(desk.approval_name("member1")).read_text())
    assert model.verify(desk.members["member1"].public, model.manifest_hash(m),
                        bytes.fromhex(approval["signature"]))


def test_a_passphrase_file_alone_protects_nothing(desk):
    done = desk.run(*GENERATE[:-1], "--passphrase-path", "passphrase")
    assert done.returncode == 1 and done.stdout.startswith("Invalid input: ")
    assert not desk.path("k.secret").exists()


def test_what_is_there_is_refused_before_anybody_types(desk):
    desk.write("k.pub", "something")
    desk.refused(*GENERATE, start_new_session=True, text="k.pub: exists already")
