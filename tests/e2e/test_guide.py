"""The provisioning guide, run word by word: on our copy of its commands, and on the guide itself where it is."""
import json
import stat

import guide
import independent
import pytest

APPROVALS = ["Is this the correct namespace name: production-v1?",
             "Is this the correct pivot restart policy: RestartPolicy::Never?"]
NOT_YET = "The quorum key has *not* been reconstructed."
COMPLETE = "The quorum key has been reconstructed."


def source(name):
    if name == "guide" and not guide.GUIDE.exists():
        pytest.skip(f"{guide.GUIDE} is not there; the copy of its commands is run")
    return guide.GUIDE if name == "guide" else guide.COPY


@pytest.fixture(params=["copy", "guide"])
def reader(request):
    one = guide.Reader(source(request.param))
    yield one
    one.machine.remove()


def listed(folder):
    return {entry.name for entry in folder.iterdir()}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def setup_and_genesis(r):
    for section in ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1"):
        r.run_section(section)
    for member in ("member1", "member2", "member3"):
        assert mode(r.workdir / f"{member}-dir" / f"{member}.secret") == 0o600
    assert r.machine.phase() == "WaitingForBootInstruction"
    said = r.run_section("2.2")
    assert r.machine.phase() == "GenesisBooted"
    assert "SIMULATED" in said
    wanted = {"genesis_output", "genesis_attestation_doc", "quorum_key.pub", "genesis_dr_artifacts"}
    assert wanted <= listed(r.workdir / "genesis-dir")
    assert all(name in said for name in wanted)  # the guide's own ls


def shares_and_manifest(r):
    for number in (1, 2, 3):
        r.run_section(f"3.{number}")
        assert (r.workdir / f"member{number}-dir" / f"member{number}.share").stat().st_size == 130
    r.run_section("4.1")
    r.run_section("4.2")
    for number in (1, 2):
        said = r.run_section(f"4.{2 + number}")
        assert all(question in said for question in APPROVALS)
        assert (r.workdir / "manifest-dir" / f"member{number}-production-v1-1.approval").exists()
    r.run_section("4.5")
    envelope = json.loads((r.workdir / "manifest-dir" / "manifest_envelope").read_text())
    assert [a["member"]["alias"] for a in envelope["manifestSetApprovals"]] == ["member1", "member2"]


def provision(r):
    assert r.machine.phase() == "WaitingForQuorumShards"
    r.run_section("6.1")
    assert listed(r.workdir / "attestation-dir") == {"attestation_doc", "manifest_envelope"}
    said = r.run_section("6.2")
    assert f"Does this AWS IAM role belong to the intended organization: {guide.ROLE}?" in said
    assert NOT_YET in r.run_section("6.3")
    assert r.machine.phase() == "WaitingForQuorumShards"
    r.run_section("6.4")
    assert COMPLETE in r.run_section("6.5")
    assert {"member1.eph_wrapped.share", "member1.attestation.approval", "member2.eph_wrapped.share",
            "member2.attestation.approval"} <= listed(r.workdir / "shares-dir")


def check_running(r, version, message):
    said = r.run_section("7.1")
    info = json.loads(said[said.index("{\n"):])  # after curl's progress
    assert info["phase"] == "QuorumKeyProvisioned"
    assert info["pivot_running"] is True
    assert r.app.health() == {"status": "healthy", "app_version": version}
    public = independent.read_hex(r.workdir / "genesis-dir" / "quorum_key.pub")
    assert independent.verify_echo(public, r.app.echo(message), message)["message"] == message


def update(r):
    r.run_section("8.1")
    r.run_section("8.2")
    said = r.run_section("8.3")
    assert "Is this the correct namespace nonce: 2?" in said
    said = r.run_section("8.4")  # the approvals of nonce 1 still lie there
    assert "member1-production-v1-1.approval" in said
    envelope = json.loads((r.workdir / "manifest-dir" / "manifest_envelope").read_text())
    assert envelope["manifest"]["namespace"]["nonce"] == 2
    assert len(envelope["manifestSetApprovals"]) == 2
    r.run_section("8.5")
    r.run_section("8.6")


def recover(r):
    """Phase 9 needs a fresh enclave and a folder for the new quorum key, as its text leaves to the reader."""
    r.machine.restart()
    folder = r.workdir / r.dr_dir
    folder.mkdir()
    for name in ("member1.pub", "member2.pub", "member3.pub", "quorum_threshold"):
        (folder / name).write_bytes((r.workdir / "genesis-dir" / name).read_bytes())
    r.run_section("9")
    public = independent.read_hex(folder / "quorum_key.pub")
    seed = independent.open_dr(r.workdir / "dr-key.secret", folder / "dr_wrapped_quorum_key", public)
    recovered = r.workdir / "recovered.secret"
    recovered.write_text(seed.hex())
    code, said = r.shell(f"qos_client verify-genesis --namespace-dir {r.dr_dir} "
                         "--master-seed-path recovered.secret")
    assert code == 0 and "verify-genesis successful" in said, said


def test_the_guide_works_word_by_word(reader):
    setup_and_genesis(reader)
    shares_and_manifest(reader)
    reader.run_section("5.1")
    reader.run_section("5.2")
    provision(reader)
    check_running(reader, "1", "hello from the quorum")
    key = (reader.workdir / "genesis-dir" / "quorum_key.pub").read_text()
    update(reader)
    provision(reader)  # 8.7: "the exact same process as Phase 6"
    check_running(reader, "2", "grüße, Version 2")
    assert (reader.workdir / "genesis-dir" / "quorum_key.pub").read_text() == key
    recover(reader)


def test_the_copy_has_every_block_of_the_guide():
    assert guide.blocks_of(guide.COPY) == guide.blocks_of(source("guide"))


def test_every_section_of_the_guide_is_run():
    run = {"1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1", "4.2",
           "4.3", "4.4", "4.5", "5.1", "5.2", "6.1", "6.2", "6.3", "6.4", "6.5", "7.1", "8.1", "8.2",
           "8.3", "8.4", "8.5", "8.6", "9"}
    assert {section for section, _ in guide.blocks_of(guide.COPY)} == run


@pytest.fixture
def careless_reader():
    """Left the placeholders where the measurements belong."""
    one = guide.Reader(guide.COPY, pcrs=False)
    yield one
    one.machine.remove()


def test_placeholder_measurements_are_refused_where_attestation_is_verified(careless_reader):
    r = careless_reader
    for section in ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1"):
        r.run_section(section)
    genesis = next(text for section, text in r.blocks if section == "2.2")
    code, said = r.shell(r.replace("2.2", genesis))
    assert code != 0
    assert "PCR0" in said and "placeholder" in said
    assert not {"genesis_output", "quorum_key.pub"} & listed(r.workdir / "genesis-dir")
    assert r.machine.phase() == "WaitingForBootInstruction"  # no key was made for nothing
    code, said = r.shell(r.replace("2.2", genesis) + " --unsafe-skip-attestation")
    assert code == 0, said
    assert "Skipping attestation document verification" in said
