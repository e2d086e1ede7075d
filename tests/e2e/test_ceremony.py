"""Ceremonies beyond the guide's path: every pair of members, what is refused, and how the application is run."""
import itertools
import json
import os
import shutil
import signal
import stat
import subprocess

import independent
import pytest
from ceremony import Refused
from machine import BIN, VECTORS, alive, wait_until

PAIRS = list(itertools.combinations(("member1", "member2", "member3"), 2))


def refused(call, *texts):
    """call() must fail, and say each of texts."""
    with pytest.raises(Refused) as failure:
        call()
    for text in texts:
        assert text.lower() in str(failure.value).lower(), str(failure.value)
    return str(failure.value)


@pytest.mark.parametrize("pair", PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_every_pair_of_members_brings_back_the_same_key(shared_ceremony, pair):
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.provision(pair)
    assert c.machine.info()["pivot_running"] is True
    message = " and ".join(pair)
    independent.verify_echo(c.public(), c.app.echo(message), message)


def test_members_may_post_in_the_other_order(shared_ceremony):
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.provision(("member3", "member1"))
    assert c.machine.phase() == "QuorumKeyProvisioned"


def test_the_files_of_the_application_are_its_own(shared_ceremony):
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.provision()
    uid = 65433 if os.geteuid() == 0 else os.geteuid()
    for which, mode in (("quorum.key", 0o400), ("ephemeral.key", 0o400), ("pivot.bin", 0o500),
                        ("manifest", 0o444)):
        found = c.machine.file(which).stat()
        assert stat.S_IMODE(found.st_mode) == mode, which
        assert found.st_uid == (os.geteuid() if which == "manifest" else uid), which
    assert stat.S_IMODE(c.machine.state.stat().st_mode) == 0o700
    assert len(c.machine.file("quorum.key").read_text()) == 64


def test_a_stopped_enclave_leaves_no_file_behind(shared_ceremony):
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.provision()
    children = c.machine.children()
    assert len(children) == 1
    c.machine.stop()
    assert list(c.machine.state.iterdir()) == []
    assert not alive(children[0])


def test_five_members_with_a_threshold_of_four(new_ceremony):
    c = new_ceremony(members=5, threshold=4)
    c.born()
    pivot = c.app.make()
    c.approved(pivot)
    c.boot(pivot)
    c.provision(("member5", "member1", "member4", "member2"))
    independent.verify_echo(c.public(), c.app.echo("four of five"))


def test_environment_of_a_v2_manifest_reaches_the_application(new_ceremony):
    c = new_ceremony()
    c.born()
    seen = c.machine.folder / "seen"
    seen.touch()
    seen.chmod(0o666)
    c.app.before = f'echo "$GREETING|$HOME" >{seen}'
    pivot = c.app.make()
    path = c.generate_manifest(pivot, "--use-manifest-version", "2", patch=False)
    manifest = json.loads(path.read_text())
    manifest["pivot"]["env"] = {"GREETING": {"plain": {"value": "good morning"}}}
    path.write_text(json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    for member in c.members[:2]:
        c.approve(member, pivot, patch=False)
    c.envelope()
    c.boot(pivot)
    c.provision()
    c.app.wait_healthy()
    assert seen.read_text() == "good morning|\n"
    independent.verify_echo(c.public(), c.app.echo("v2"))


def test_output_of_the_application_is_shown_in_debug_mode_only(new_ceremony):
    c = new_ceremony()
    c.born()
    c.app.before = "echo said on stdout; echo said on stderr >&2"
    pivot = c.app.make()
    c.approved(pivot, "--debug-mode", "true")
    c.boot(pivot)
    c.provision()
    wait_until(lambda: "PIVOT[OUT]: said on stdout" in c.machine.core.said(), "its stdout")
    wait_until(lambda: "PIVOT[ERR]: said on stderr" in c.machine.core.said(), "its stderr")

    c.machine.restart()
    c.approved(pivot, nonce=2)
    c.boot(pivot, nonce=2)
    c.provision()
    c.app.wait_healthy()
    assert "said on" not in c.machine.core.said()


def test_application_that_ends_is_started_again_with_restart_always(new_ceremony):
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.approved(pivot, restart="always")
    c.boot(pivot)
    c.provision()
    first = c.app.health()
    before = c.machine.children()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: c.machine.children() not in ([], before), "another process")
    assert c.app.health() == first
    assert c.machine.info()["pivot_running"] is True


def test_application_that_ends_stays_away_with_restart_never(shared_ceremony):
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.provision()
    c.app.wait_healthy()
    os.kill(c.machine.children()[0], signal.SIGKILL)
    wait_until(lambda: not c.machine.info()["pivot_running"], "pivot_running to become false")
    assert c.machine.children() == []
    assert c.machine.phase() == "QuorumKeyProvisioned"


def test_simulated_enclave_is_refused_when_nobody_named_its_root(new_ceremony):
    c = new_ceremony()
    c.machine.start()
    c.write_release()
    c.keys()
    refused(lambda: c.genesis(root=None), "root")
    assert list(c.genesis_dir.iterdir()) == []


def test_root_of_another_simulated_enclave_is_refused(new_ceremony, new_machine):
    c = new_ceremony()
    other = new_machine()
    other.print_pcrs()
    c.machine.start()
    c.write_release()
    c.keys()
    refused(lambda: c.genesis(root=other.sim / "root.der"), "root")
    assert list(c.genesis_dir.iterdir()) == []


def test_root_that_does_not_say_simulated_is_refused(new_ceremony):
    c = new_ceremony()
    c.machine.start()
    c.write_release()
    c.keys()
    refused(lambda: c.genesis(root=VECTORS / "tee" / "plain_root.der"), "quorate-simulated")
    assert c.machine.phase() == "WaitingForBootInstruction"


def test_manifest_for_real_hardware_is_never_satisfied_by_a_simulated_enclave(shared_ceremony):
    c = shared_ceremony
    c.machine.restart()
    nonce = 7
    c.approved(c.pivot, nonce=nonce, root=None)
    refused(lambda: c.boot(c.pivot, nonce=nonce), "root")
    assert c.machine.phase() == "WaitingForBootInstruction"
    refused(lambda: c.boot(c.pivot, nonce=nonce, root=None), "root")


def changed_core(folder):
    """The same program with other bytes at its end: it runs as before and measures differently."""
    changed = folder / "qos_core_changed"
    shutil.copy(BIN / "qos_core", changed)
    with open(changed, "ab") as program:
        program.write(b"\0")
    return changed


def test_changed_enclave_program_is_refused_by_operator_and_members(new_ceremony):
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.approved(pivot)
    c.machine.core_program = changed_core(c.machine.folder)
    c.machine.restart()
    refused(lambda: c.boot(pivot), "DifferentPcr0")
    c.fetch_attestation()
    refused(lambda: c.reencrypt("member1"), "DifferentPcr0")
    assert not c.wrapped("member1").exists()


def test_enclave_under_another_role_is_refused(new_ceremony):
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.approved(pivot)
    c.machine.role = "arn:aws:iam::123456789012:role/somebody-else"
    c.machine.restart()
    refused(lambda: c.boot(pivot), "DifferentPcr3")


def test_changed_application_is_refused_and_the_right_one_boots_after_it(shared_ceremony):
    c = shared_ceremony
    c.machine.restart()
    other = c.app.make(version=2)
    said = refused(lambda: c.boot(other), "pivot")
    assert "InvalidPivotHash" in said
    assert c.machine.phase() == "WaitingForBootInstruction"
    c.boot(c.pivot)
    c.provision()
    assert c.machine.phase() == "QuorumKeyProvisioned"


def test_one_approval_is_not_enough_for_two(new_ceremony):
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.generate_manifest(pivot)
    c.approve("member1", pivot)
    refused(c.envelope, "approval")
    assert not c.envelope_path().exists()


def test_no_is_an_answer_and_so_is_silence(new_ceremony):
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.generate_manifest(pivot)
    for answers in ("y\nn\n", "y\ny\n", ""):
        refused(lambda given=answers: c.approve("member1", pivot, answers=given),
                "Exiting early without approving manifest")
    assert list(c.made.glob("*.approval")) == []


def test_second_genesis_in_the_same_folder_is_refused(new_ceremony):
    c = new_ceremony()
    c.born()
    key = c.quorum_key().read_bytes()
    refused(c.genesis, "already")
    assert c.quorum_key().read_bytes() == key
    assert c.machine.phase() == "WaitingForBootInstruction"


def test_disaster_recovery_key_gives_back_the_whole_key(new_ceremony):
    c = new_ceremony()
    secret, public = c.folder / "dr.secret", c.folder / "dr.pub"
    c.client("generate-file-key", "--master-seed-path", secret, "--pub-path", public)
    c.born("--dr-key-path", public)
    seed = independent.open_dr(secret, c.genesis_dir / "dr_wrapped_quorum_key", c.public())
    recovered = c.folder / "recovered.secret"
    recovered.write_text(seed.hex())
    said = c.client("verify-genesis", "--namespace-dir", c.genesis_dir, "--master-seed-path",
                    recovered)
    assert "verify-genesis successful" in said
    recovered.write_text(bytes(32).hex())
    refused(lambda: c.client("verify-genesis", "--namespace-dir", c.genesis_dir,
                             "--master-seed-path", recovered), "SecretDoesNotMatch")


def test_member_cannot_take_the_share_of_another(new_ceremony):
    c = new_ceremony()
    c.machine.start()
    c.write_release()
    c.keys()
    c.genesis()
    refused(lambda: c.client("after-genesis", "--secret-path", c.secret("member1"), "--share-path",
                             c.share("member2"), "--alias", "member2", "--namespace-dir",
                             c.genesis_dir, *c.pcr_words()), "member2")
    assert not c.share("member2").exists()


def test_share_for_an_earlier_boot_is_refused_and_the_right_one_still_counts(shared_ceremony):
    c = shared_ceremony
    c.machine.restart()
    c.boot(c.pivot)
    c.fetch_attestation()
    c.reencrypt("member1")
    c.machine.restart()
    c.boot(c.pivot)
    refused(lambda: c.post("member1"))
    assert c.machine.phase() == "WaitingForQuorumShards"
    c.provision()
    assert c.machine.phase() == "QuorumKeyProvisioned"


def test_a_killed_enclave_starts_again_without_the_application(new_ceremony):
    c = new_ceremony()
    c.born()
    pivot = c.app.make()
    c.approved(pivot)
    c.boot(pivot)
    c.provision()
    child = c.machine.children()[0]
    c.machine.core.process.kill()
    c.machine.core.process.wait()
    wait_until(lambda: not alive(child), "the application to end with it")
    c.machine.restart()
    assert c.machine.phase() == "WaitingForBootInstruction"  # it answers once it has cleaned up
    assert "leftover" in c.machine.core.err()
    assert list(c.machine.state.iterdir()) == []
    assert c.machine.children() == []


def test_without_a_device_or_a_choice_the_enclave_names_the_simulation(new_machine):
    if any(os.path.exists(device) for device in ("/dev/nsm", "/dev/sev-guest")):
        pytest.skip("this machine has a TEE device")
    machine = new_machine()
    for words, text in (([], "--tee sim"), (["--tee", "nitro", "--nsm-device", "/nowhere/nsm"], "/nowhere/nsm"),
                        (["--tee", "snp"], "/dev/sev-guest")):
        done = subprocess.run([BIN / "qos_core", *words, "--usock", machine.socket],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 1
        assert text in done.stderr
