"""The guide to TEE instances, run word by word: on our copy of its commands, and on the guide itself where it is."""
import json
import os
import stat
import subprocess
import urllib.request

import instance_guide
import pytest
from machine import ROOT

SINGLE = "Single TEE Instance Setup"
FIRST = "Scenario 1: TEE1 → TEE2 Key Sharing"
CHAIN = "Scenario 2: TEE1 → TEE2 → TEE3 Chain"
MANAGE = "Container Management"
TROUBLE = "Common Issues"


def source(name):
    if name == "guide" and not instance_guide.GUIDE.exists():
        pytest.skip(f"{instance_guide.GUIDE} is not there; the copy of its commands is run")
    return instance_guide.GUIDE if name == "guide" else instance_guide.COPY


@pytest.fixture(params=["copy", "guide"])
def reader(request):
    one = instance_guide.Reader(source(request.param))
    yield one
    one.remove()


def get(reader, tee, path):
    with urllib.request.urlopen(f"http://localhost:{reader.port(tee)}{path}", timeout=10) as answer:
        return json.load(answer)


def phase(reader, tee):
    status = get(reader, tee, "/enclave/application-status")
    assert get(reader, tee, "/health")["phase"] == status["phase"] == get(reader, tee, "/info")["phase"]
    return status["phase"]


def last_json(said):
    return json.loads(said[said.index("{"):])


def check_seed(said):
    seed = last_json(said)
    assert (seed["strength"], seed["word_count"]) == (256, 24)
    assert bytes.fromhex(seed["seed_phrase"]) and bytes.fromhex(seed["entropy"])
    return seed


def validates(reader, tee, seed):
    body = json.dumps({"seed_phrase": seed["seed_phrase"], "encrypted_entropy": seed["entropy"]}).encode()
    request = urllib.request.Request(f"http://localhost:{reader.port(tee)}/validate-seed", body,
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = json.load(answer)
    return said["valid"] and said["entropy_match"] and said["word_count"] == 24


def single(r):
    r.run(SINGLE, "Step 1: Container Startup")
    assert "renclave-v2-tee1" in r.run(SINGLE, "Step 2: Health Check")
    assert phase(r, 1) == "WaitingForBootInstruction"
    r.run(SINGLE, "Step 3: Genesis Boot")
    genesis = json.loads(r.variable("GENESIS_RESPONSE"))
    assert len(genesis["encrypted_shares"]) == 3
    assert phase(r, 1) == genesis["waiting_state"] == "GenesisBooted"
    injected = last_json(r.run(SINGLE, "Step 4: Share Injection"))
    assert injected["success"] and injected["reconstructed_quorum_key"] == genesis["quorum_public_key"]
    assert phase(r, 1) == "ApplicationReady"
    return check_seed(r.run(SINGLE, "Step 5: Seed Generation Test"))


def share(r, scenario, steps, tee):
    r.run(scenario, steps[0])
    r.run("Step 2: Health Check")  # whoever starts a container waits for it
    assert phase(r, tee) == "WaitingForBootInstruction"
    shared = last_json(r.run(scenario, steps[1]))
    assert shared["result"]["ShareManifestResponse"]["success"] is True
    assert phase(r, tee) == "WaitingForForwardedKey"
    r.run(scenario, steps[2])
    r.run(scenario, steps[3])
    injected = last_json(r.run(scenario, steps[4]))
    assert injected["result"]["InjectKeyResponse"]["success"] is True
    assert phase(r, tee) == "ApplicationReady"
    return check_seed(r.run(scenario, steps[5]))


def thresholds(r):
    for heading, n, k in (("2-out-of-3 Threshold", 3, 2), ("7-out-of-7 Threshold (Maximum Security)", 7, 7),
                          ("3-out-of-5 Threshold (Enterprise)", 5, 3)):
        r.run("Threshold Configurations", heading)
        path = r.tmp / f"genesis_request_{k}of{n}.json"
        request = json.loads(path.read_text())
        assert len(request["share_members"]) == len(request["manifest_members"]) == n
        assert request["share_threshold"] == request["manifest_threshold"] == k
        secrets = list(r.tmp.glob(f"genesis_request_{k}of{n}*secret*"))
        assert len(secrets) == n
        assert all(stat.S_IMODE(secret.stat().st_mode) == 0o600 for secret in secrets)


def troubleshooting(r):
    key = json.loads(r.run(TROUBLE, "Genesis Boot Failures"))
    assert len(key) in (65, 130)
    assert int(r.run(TROUBLE, "Share Injection Failures")) == 130
    said = r.run(TROUBLE, "TEE-to-TEE Communication Failures")
    assert '"manifest_shared":true' in said.replace(" ", "")
    assert "GenerateAttestationResponse" in said
    logs = r.run("Troubleshooting", "Debug Logging")
    assert "SIMULATED" in logs and "ApplicationReady" not in logs.splitlines()[0]


def containers(r):
    r.run(MANAGE, "Health Monitoring")
    r.run(MANAGE, "Cleanup")
    r.run(MANAGE, "Starting Containers")
    r.run("Step 2: Health Check")
    assert {phase(r, tee) for tee in (1, 2, 3)} == {"WaitingForBootInstruction"}  # nothing was left behind
    assert r.run(MANAGE, "Health Monitoring").count("WaitingForBootInstruction") == 3
    r.run(MANAGE, "Cleanup")


def test_the_guide_to_instances_works_word_by_word(reader):
    first = single(reader)
    share(reader, FIRST, ("Step 1: Start Both Containers", "Step 3: Share Manifest to TEE2",
                          "Step 4: Generate TEE2 Attestation", "Step 5: Export Key from TEE1 to TEE2",
                          "Step 6: Inject Key into TEE2", "Step 7: Test TEE2 Seed Generation"), 2)
    share(reader, CHAIN, ("Step 1: Start TEE3", "Step 2: Share Manifest from TEE2 to TEE3",
                          "Step 3: Generate TEE3 Attestation", "Step 4: Export Key from TEE2 to TEE3",
                          "Step 5: Inject Key into TEE3", "Step 6: Test TEE3 Seed Generation"), 3)
    assert all(validates(reader, tee, first) for tee in (1, 2, 3))
    thresholds(reader)
    troubleshooting(reader)
    containers(reader)


def test_the_copy_has_every_block_of_the_guide_to_instances():
    assert instance_guide.blocks_of(instance_guide.COPY) == instance_guide.blocks_of(source("guide"))


NOT_RUN = {"Common Issues / Container Startup Failures": "docker's own state and /dev/kvm",
           "Container Networking": "docker's own networks"}


def test_every_block_is_run_or_named_with_its_reason():
    text = open(__file__, encoding="utf-8").read()
    for where, _ in instance_guide.blocks_of(instance_guide.COPY):
        heading = where.split(" / ")[-1]
        known = heading in text or any(where.endswith(reason) for reason in NOT_RUN)
        assert known or heading.startswith("Step 2: Complete TEE1") or heading in SCRIPTS, where


SCRIPTS = {"Single Instance Test": "test_complete_tee_flow.sh", "Multi-Instance Test": "test_tee_to_tee_key_sharing.sh",
           "Chain Test": "test_tee_chain.sh", "Threshold Test": "test_threshold_configurations.sh"}


@pytest.mark.parametrize("heading", SCRIPTS)
def test_the_guides_test_scripts_pass(heading):
    one = instance_guide.Reader(instance_guide.COPY)
    try:
        said = one.run("Testing Procedures", heading)
        assert said.splitlines()[-1].endswith(" 0 failed"), said
    finally:
        one.remove()


@pytest.mark.parametrize("script, code, said", [
    ("check one true", 0, "1 passed, 0 failed"),
    ("check one true; check two false; check three true", 1, "2 passed, 1 failed"),
    (":", 1, "0 passed, 0 failed"),
    ("check one true; echo $no_such_variable; check two true", 127, "ended early"),
    ("check one true; instance_start first; check two true", 1, "first did not start"),
    ("check one true; kill -TERM $$; check two true", 130, "ended early"),
    ("check one true; check two body .x; check three answers 200 .x", 1, "1 passed, 2 failed"),
])
def test_the_guides_test_scripts_cannot_pass_without_having_passed(tmp_path, script, code, said):
    (tmp_path / "bin").mkdir()
    for name in ("qos_core", "qos_host"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / "bin" / name).chmod(0o755)
    done = subprocess.run(["bash", "-c", f"source {ROOT}/tests/e2e/instances.bash\n" + script.replace("; ", "\n")],
                          env={**os.environ, "QUORATE_BUILD": str(tmp_path)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == code and said in done.stdout, done.stdout + done.stderr
