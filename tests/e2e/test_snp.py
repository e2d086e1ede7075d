"""SEV-SNP evidence through the real client: what it shows, which policy admits it, and what it refuses."""
import json
import subprocess
from pathlib import Path

import pytest

from machine import BUILD

ROOT = Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT / "tests" / "vectors" / "snp"
CASES = json.loads((VECTORS / "cases.json").read_text(encoding="utf-8"))
AT = str(CASES["at"])


def client(*arguments):
    return subprocess.run([BUILD / "bin" / "qos_client", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          check=False)


def verify(name, *more, root="ark_milan"):
    trust = ["--attestation-root-path", VECTORS / (root + ".der"), "--unsafe-any-attestation-root"]
    return client("attestation", "verify", "--attestation-doc-path", VECTORS / (name + ".bin"), "--at", AT, "--nonce",
                  "6e6f6e6365", "--json", *trust, *more)


def failed(result):
    return [check["name"] for check in json.loads(result.stdout)["checks"] if check["result"] != "ok"]


def policy(tmp_path, **rules):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(rules), encoding="utf-8")
    return path


def test_good_evidence_holds_and_shows_its_platform():
    for name, root in (("good_milan_v2", "ark_milan"), ("good_genoa_v3", "ark_genoa"), ("good_vlek_turin_v5", "ark_turin")):
        result = verify(name, root=root)
        assert result.returncode == 0, result.stdout + result.stderr
        said = json.loads(result.stdout)
        assert said["verified"] and failed(result) == []
        platform = said["document"]["platform"]
        assert platform["product"].lower() == root[4:] and platform["vmpl"] == 0
        assert platform["tcb"]["snp"] == 22 and platform["tcb"]["microcode"] == 213
        assert said["document"]["timestamp"] is None and said["document"]["ageSeconds"] is None
        assert said["document"]["pcrs"]["0"] == CASES["measurement"]


@pytest.mark.parametrize("name, check", [("debug", "platform"), ("migration", "platform"), ("chip_other", "platform"),
                                         ("tcb_lower", "platform"), ("signature_flipped", "signature"),
                                         ("vcek_expired", "validity"), ("bound_key", "binding"),
                                         ("ark_lookalike", "root"), ("vcek_by_other_key", "chain")])
def test_a_defect_is_refused_by_the_check_that_looks_for_it(name, check):
    result = verify(name)
    assert result.returncode == 1 and check in failed(result)


def test_debug_is_refused_also_when_debug_is_allowed():
    assert verify("debug", "--unsafe-allow-debug").returncode == 1


def test_a_policy_admits_and_refuses(tmp_path):
    tcb = dict(product="Milan", bootloader=4, tee=0, snp=22, microcode=213, fmc=0)
    good = policy(tmp_path, providers=["snp"], measurements=[{"image": CASES["measurement"]}], minimumTcb=[tcb])
    assert verify("good_milan_v3", "--policy-path", good).returncode == 0
    for rules in (dict(providers=["nitro"]), dict(measurements=[{"image": "00" * 48}]),
                  dict(minimumTcb=[dict(tcb, microcode=214)]), dict(minimumTcb=[dict(tcb, product="Genoa")]),
                  dict(hostData=["11" * 32]), dict(vmpl=1)):
        result = verify("good_milan_v3", "--policy-path", policy(tmp_path, **rules))
        assert result.returncode == 1 and failed(result) == ["policy"], rules
    assert failed(verify("good_vmpl_1")) == ["policy"]
    assert verify("good_vmpl_1", "--policy-path", policy(tmp_path, vmpl=1)).returncode == 0


def test_a_policy_file_that_leaves_doubt_is_named(tmp_path):
    path = policy(tmp_path, providers=[])
    result = verify("good_milan_v3", "--policy-path", path)
    assert result.returncode == 1 and str(path) in result.stderr and "providers" in result.stderr


def test_without_a_named_root_only_amds_own_is_trusted():
    result = client("attestation", "verify", "--attestation-doc-path", VECTORS / "good_milan_v3.bin", "--at", AT, "--nonce",
                    "6e6f6e6365", "--json")
    assert result.returncode == 1 and "root" in failed(result) and "chain" in failed(result)


def test_evidence_without_a_time_cannot_be_checked_at_its_own():
    result = client("attestation", "verify", "--attestation-doc-path", VECTORS / "good_milan_v3.bin", "--at", "document")
    assert result.returncode == 1 and "says when it was made" in result.stderr


def test_show_believes_nothing():
    result = client("attestation", "show", "--attestation-doc-path", VECTORS / "debug.bin")
    assert result.returncode == 0
    assert "UNVERIFIED" in result.stdout and "ON: allowed by the policy" in result.stdout and "Milan" in result.stdout
