"""The commands that look, over real ceremonies: ceremony status, share check, attestation verify and show, doctor."""
import hashlib
import http.server
import json
import re
import shutil
import struct
import subprocess
import threading
import time

import pytest
import qos_model as model
from ceremony import YES, Ceremony, Refused
from machine import BIN, ROOT, Application, Machine, free_port

FOLDERS = ("genesis-dir", "member1-dir", "member2-dir", "member3-dir", "manifest-dir", "attestation-dir",
           "shares-dir", "qos-release-dir")


@pytest.fixture(scope="module")
def booted():
    """A ceremony whose enclave waits for shares; its tests change nothing that they do not undo."""
    ceremony = Ceremony()
    try:
        ceremony.born()
        ceremony.pivot = ceremony.app.make()
        ceremony.approved(ceremony.pivot)
        ceremony.boot(ceremony.pivot)
        ceremony.fetch_attestation()
        yield ceremony
    finally:
        ceremony.machine.remove()


def run(c, *words, root=""):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([BIN / "qos_client", *map(str, words)], input="", text=True, capture_output=True,
                          cwd=c.folder, env=c.environment(root), timeout=60)
    return done.returncode, done.stdout, done.stderr


def status_words(c, *more, host=True):
    return ["ceremony", "status", "--namespace-dir", c.genesis_dir, "--share-set-dir", c.set_dir,
            "--manifest-set-dir", c.set_dir, "--manifest-dir", c.made, *(c.host() if host else ()), *more]


def status(c, *more, host=True, root=""):
    code, out, err = run(c, *status_words(c, *more, host=host), "--json", root=root)
    assert code == 0, err
    return json.loads(out)


def doctor_words(c, *more, host=True):
    return ["doctor", *status_words(c, host=host)[2:], *c.pcr_words(), *more]


def doctor(c, *more, host=True, root=""):
    """(exit code, {id: level})"""
    code, out, _ = run(c, *doctor_words(c, *more, host=host), "--json", root=root)
    said = json.loads(out)
    levels = [f["level"] for f in said["findings"]]
    assert (said["errors"], said["warnings"]) == (levels.count("error"), levels.count("warning"))
    assert code == (1 if said["errors"] else 0)
    for finding in said["findings"]:
        assert finding["where"] and finding["what"]
    return code, {f["id"]: f["level"] for f in said["findings"]}


def verify_words(c, *more, document=None):
    return ["attestation", "verify", "--attestation-doc-path", document or c.attestation(), *more]


def checks(c, *more, document=None, root=""):
    """(exit code, {name: result})"""
    code, out, err = run(c, *verify_words(c, *more, document=document), "--json", root=root)
    said = json.loads(out)
    assert said["verified"] == (code == 0)
    results = {check["name"]: check["result"] for check in said["checks"]}
    assert len(results) == len(said["checks"])
    for name, result in results.items():
        assert (result == "ok") == (name not in err.rpartition("did not: ")[2].strip().split(", "))
    return code, results


def failed(results):
    return sorted(name for name, result in results.items() if result != "ok")


def snapshot(folder):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


# --- ceremony status ---------------------------------------------------------------------------------------------

class Operator:
    """Somebody who types what "ceremony status" says, in the folders of the guide, and nothing else."""

    def __init__(self, machine):
        self.machine = machine
        self.work = machine.folder / "work"
        for name in FOLDERS:
            (self.work / name).mkdir(parents=True)
        pcrs = machine.print_pcrs()
        self.put("qos-release-dir/aws-x86_64.pcrs", "".join(f"{pcrs[n]} {n}\n" for n in ("PCR0", "PCR1", "PCR2")))
        self.put("genesis-dir/pcr3-preimage.txt", machine.role + "\n")
        self.app = Application(machine)
        self.bring_application(1)
        self.typed = []

    def put(self, name, text):
        (self.work / name).write_text(text)

    def bring_application(self, version):
        shutil.copy(self.app.make(version), self.work / "your_app")
        digest = hashlib.sha256((self.work / "your_app").read_bytes()).hexdigest()
        self.put("manifest-dir/pivot-hash.txt", digest + "\n")

    def shell(self, line):
        return subprocess.run(["bash", "-c", line], cwd=self.work, input=YES, text=True, capture_output=True,
                              timeout=60, env={"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(self.work),
                                               "QUORATE_ATTESTATION_ROOT": str(self.machine.sim / "root.der")})

    def status(self):
        done = self.shell("qos_client ceremony status --namespace-dir genesis-dir --manifest-dir manifest-dir "
                          "--attestation-doc-path attestation-dir/attestation_doc "
                          f"--host-ip 127.0.0.1 --host-port {self.machine.port} --json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def prepare(self, command):
        """What the guide has people do by hand: the third key, and sets for the manifest."""
        if command.startswith("echo 2"):
            done = self.shell("qos_client generate-file-key --master-seed-path member3-dir/member3.secret "
                              "--pub-path genesis-dir/member3.pub")
            assert done.returncode == 0, done.stderr
        if " generate-manifest " in command:
            for name in ("share-set", "manifest-set"):
                folder = self.work / "manifest-dir" / name
                folder.mkdir(exist_ok=True)
                for path in [*(self.work / "genesis-dir").glob("member*.pub"),
                             self.work / "genesis-dir" / "quorum_threshold"]:
                    shutil.copy(path, folder)

    def obey(self):
        """Types everything that is next; the state before it."""
        state = self.status()
        for step in state["next"]:
            if step["command"] is None:
                assert step["what"] == "restart qos_core and qos_host"
                self.machine.restart()
                continue
            self.prepare(step["command"])
            done = self.shell(step["command"])
            assert done.returncode == 0, f"{step['command']}\n{done.stdout}{done.stderr}"
            self.typed.append(step["command"].split()[1])
        return state

    def finish(self):
        states = []
        while not states or states[-1]["next"]:
            states.append(self.obey())
            assert len(states) < 20
        return states


def test_status_leads_through_a_whole_ceremony_and_an_update(new_machine):
    operator = Operator(new_machine().start())
    states = operator.finish()
    assert operator.typed == [
        "generate-file-key", "generate-file-key", "2", "boot-genesis", *["after-genesis"] * 3,
        "generate-manifest", *["approve-manifest"] * 2, "generate-manifest-envelope", "boot-standard",
        "get-attestation-doc", "proxy-re-encrypt-share", "post-share", "proxy-re-encrypt-share", "post-share"]
    waited = [state["waitsFor"] for state in states]
    assert waited == ["keys of members"] * 2 + [
        "the threshold", "the genesis", "the members to take their shares, and a restart", "a manifest",
        "approvals of the newest manifest", "the envelope of the newest manifest", "a manifest to boot",
        "shares of members", "nothing: the application runs"]
    last = states[-1]
    assert last["enclave"]["phase"] == "QuorumKeyProvisioned" and last["enclave"]["applicationRunning"] is True
    assert last["enclave"]["attested"] is True and last["enclave"]["manifestIsNewest"] is True
    assert [row["posted"] for row in last["members"]] == [True, True, False]
    assert operator.app.health()
    # An update: the operator writes the next manifest; status does the rest.
    operator.bring_application(2)
    line = ("qos_client generate-manifest --nonce 2 --namespace production-v1 --restart-policy never --pivot-args '[]' "
            "--pivot-hash-path manifest-dir/pivot-hash.txt --manifest-path manifest-dir/manifest-v2 "
            "--qos-release-dir qos-release-dir --pcr3-preimage-path genesis-dir/pcr3-preimage.txt "
            "--manifest-set-dir manifest-dir/manifest-set --share-set-dir manifest-dir/share-set "
            "--patch-set-dir manifest-dir/manifest-set --quorum-key-path genesis-dir/quorum_key.pub")
    done = operator.shell(line)
    assert done.returncode == 0, done.stderr
    states = operator.finish()
    assert states[0]["waitsFor"] == "approvals of the newest manifest"
    assert {a["state"] for a in states[0]["approvals"]} == {"stale"}
    assert "a restart: it holds an older manifest than the approved one" in [s["waitsFor"] for s in states]
    assert states[-1]["enclave"]["manifest"]["nonce"] == 2 and states[-1]["next"] == []


def test_status_says_who_did_what(booted):
    state = status(booted, "--attestation-doc-path", booted.attestation())
    assert list(state) == ["time", "genesis", "manifest", "manifests", "approvals", "enclave", "fetchedDocument",
                           "members", "notes", "waitsFor", "next"]
    manifest = json.loads(booted.manifest_path().read_text())
    digest = model.manifest_hash(manifest).hex()
    assert state["manifest"]["hash"] == state["enclave"]["manifest"]["hash"] == digest
    assert (state["manifest"]["approved"], state["manifest"]["needed"], state["manifest"]["reached"]) == (2, 2, True)
    assert [(a["alias"], a["state"], a["manifestHash"]) for a in state["approvals"]] == [
        ("member1", "valid", digest), ("member2", "valid", digest)]
    enclave = state["enclave"]
    assert (enclave["phase"], enclave["sharesHeld"], enclave["sharesNeeded"]) == ("WaitingForQuorumShards", 0, 2)
    assert enclave["attested"] is True and enclave["simulated"] is True and enclave["documentAgeSeconds"] <= 5
    assert state["fetchedDocument"]["presentKey"] is True
    assert [(m["alias"], m["hasKey"], m["hasShare"], m["approval"], m["posted"]) for m in state["members"]] == [
        ("member1", True, True, "valid", False), ("member2", True, True, "valid", False),
        ("member3", True, True, None, False)]
    text = run(booted, *status_words(booted))[1]
    for said in ("WaitingForQuorumShards; shares 0 of 2", digest, "setup key", "attested", "SIMULATED",
                 "proxy-re-encrypt-share", "2 of 2, enough"):
        assert said in text


def test_status_changes_nothing(booted):
    before = snapshot(booted.folder), snapshot(booted.machine.state)
    status(booted, "--attestation-doc-path", booted.attestation())
    doctor(booted, "--members-dir", booted.folder)
    assert (snapshot(booted.folder), snapshot(booted.machine.state)) == before


def test_what_is_not_named_is_unknown(booted):
    code, out, _ = run(booted, "ceremony", "status", *booted.host(), "--json")
    state = json.loads(out)
    assert code == 0 and state["genesis"] is None and state["manifest"] is None
    assert {(m["hasKey"], m["hasShare"], m["posted"]) for m in state["members"]} == {(None, None, False)}
    code, out, _ = run(booted, "ceremony", "status", "--namespace-dir", booted.genesis_dir, "--json")
    state = json.loads(out)
    assert state["enclave"] is None and state["genesis"]["threshold"] == 2
    assert {(m["hasShare"], m["posted"]) for m in state["members"]} == {(True, None)}
    code, out, err = run(booted, "ceremony", "status")
    assert code == 1 and "--namespace-dir" in err
    assert run(booted, "ceremony", "status", "--host-ip", "127.0.0.1")[0] == 1  # and no port


def test_status_does_not_believe_an_enclave_that_another_root_attests(booted):
    state = status(booted, root=None)
    assert state["enclave"]["attested"] is False
    assert any("does not attest its manifest" in note for note in state["notes"])
    assert "NOT ATTESTED" in run(booted, *status_words(booted), root=None)[1]


def test_status_without_a_host_that_answers_still_shows_the_folders(booted):
    words = status_words(booted, "--host-ip", "127.0.0.1", "--host-port", free_port(), "--json", host=False)
    code, out, _ = run(booted, *words)
    state = json.loads(out)
    assert code == 0 and state["enclave"]["hostAnswers"] is False and state["enclave"]["phase"] is None
    assert state["waitsFor"] == "unknown: the host does not answer" and state["next"] == []
    assert state["genesis"]["shares"] == 3


def test_stale_and_foreign_approvals_are_told_apart(booted):
    stranger = model.Pair()
    manifest = json.loads(booted.manifest_path().read_text())
    own = json.loads(next(booted.made.glob("member1-*.approval")).read_text())
    stale = {"signature": stranger.sign(b"x" * 32).hex(), "member": own["member"]}
    foreign = {"signature": stranger.sign(model.manifest_hash(manifest)).hex(),
               "member": {"alias": "mal\u202elory\n", "pubKey": stranger.public.hex()}}
    added = {"zz-stale.approval": json.dumps(stale), "zz-foreign.approval": json.dumps(foreign),
             "zz-broken.approval": "{"}
    try:
        for name, text in added.items():
            (booted.made / name).write_text(text)
        state = status(booted)
        states = {a["path"].rpartition("/")[2]: a["state"] for a in state["approvals"]}
        assert {name: states[name] for name in added} == {
            "zz-stale.approval": "stale", "zz-foreign.approval": "foreign", "zz-broken.approval": "unreadable"}
        assert state["manifest"]["approved"] == 2
        text = run(booted, *status_words(booted))[1]
        assert "mal\\u{202e}lory\\u{a}" in text and "\u202e" not in text
        code, found = doctor(booted)
        assert code == 1 and found["bad-approval"] == "error"
        assert found["stale-approval"] == found["foreign-approval"] == "warning"
    finally:
        for name in added:
            (booted.made / name).unlink()


# --- share check -------------------------------------------------------------------------------------------------

def share_words(c, member, *more, share=None, secret=None, alias=None):
    return ["share", "check", "--namespace-dir", c.genesis_dir, "--alias", alias or member, "--share-path",
            share or c.share(member), "--secret-path", secret or c.secret(member), *more]


def test_a_stored_share_is_shown_to_open_and_to_be_the_right_one(booted):
    genesis = hashlib.sha256((booted.genesis_dir / "genesis_output").read_bytes()).hexdigest()
    for number, member in enumerate(booted.members, 1):
        code, out, err = run(booted, *share_words(booted, member), root=None)
        assert (code, err) == (0, "")
        assert out == (f"Yes: the share of {member} opens, and is share {number} of 3 of the genesis {genesis}. "
                       "2 of them bring the quorum key back.\n")
        seed = bytes.fromhex(booted.secret(member).read_text())
        plain = model.Pair(seed).open(booted.share(member).read_bytes())
        assert plain.hex() not in out and seed.hex() not in out


def test_a_share_that_is_not_the_right_one_is_refused(booted, tmp_path):
    member = model.Pair(bytes.fromhex(booted.secret("member1").read_text()))
    plain = member.open(booted.share("member1").read_bytes())

    def sealed(contents):
        path = tmp_path / f"{hashlib.sha256(contents).hexdigest()}.share"
        path.write_bytes(model.seal(member.public, contents))
        return path

    damaged = tmp_path / "damaged.share"
    damaged.write_bytes(booted.share("member1").read_bytes()[:-1])
    for words, text in (
        (share_words(booted, "member1", share=booted.share("member2")), "Failed to decrypt share"),
        (share_words(booted, "member1", share=damaged), "Failed to decrypt share"),
        (share_words(booted, "member1", secret=booted.secret("member2")), "member1"),
        (share_words(booted, "member1", alias="member2"), "member2"),
        (share_words(booted, "member1", share=sealed(b"\x02" + plain[1:])), "expected share number 1"),
        (share_words(booted, "member1", share=sealed(b"\x00" + plain[1:])), "above 0, found 0"),
        (share_words(booted, "member1", share=sealed(plain + b"\x00")), "expected 33 bytes, found 34"),
        (share_words(booted, "member1", share=sealed(b"\x01" + bytes(32))), "of another genesis, or damaged"),
        (share_words(booted, "member1", share=tmp_path / "none"), "none"),
        (share_words(booted, "member1", share="/dev/null"), "Failed to decrypt share"),
    ):
        code, out, err = run(booted, *words)
        assert (code, out) == (1, "") and text in err, (words, err)
        assert plain[1:].hex() not in err


def test_a_result_is_signed_over_genesis_alias_and_time(booted, tmp_path):
    result = tmp_path / "member2.result"
    code, out, _ = run(booted, *share_words(booted, "member2", "--result-path", result))
    assert code == 0 and f"Share check result written to: {result}" in out
    said = json.loads(result.read_text())
    assert list(said) == ["domain", "genesis", "alias", "time", "signature"]
    message = (b"quorate-share-check-v1" + bytes.fromhex(said["genesis"]) + struct.pack("<I", 7) + b"member2"
               + struct.pack("<Q", said["time"]))
    public = bytes.fromhex((booted.set_dir / "member2.pub").read_text())
    assert model.verify(public, message, bytes.fromhex(said["signature"]))
    # A failing check writes no result.
    result.unlink()
    assert run(booted, *share_words(booted, "member2", "--result-path", result,
                                    share=booted.share("member1")))[0] == 1
    assert not result.exists()


def test_a_drill_is_a_table_of_results_and_folders(booted, tmp_path):
    words = ["share", "check", "--namespace-dir", booted.genesis_dir, "--all", tmp_path]
    code, out, err = run(booted, *words)
    assert code == 1 and "0 passed, 0 failed, 3 missing; 2 are needed: NOT ENOUGH" in out and "drill" in err
    run(booted, *share_words(booted, "member1", "--result-path", tmp_path / "member1.result"))
    folder = tmp_path / "member3-dir"
    folder.mkdir()
    for path in (booted.secret("member3"), booted.share("member3")):
        shutil.copy(path, folder)
    code, out, _ = run(booted, *words)
    assert code == 0 and "2 passed, 0 failed, 1 missing; 2 are needed: the quorum key can be brought back" in out
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith("member")}
    assert rows["member1"][1] == "passed" and rows["member1"][-1] == "result"
    assert rows["member2"][1] == "missing" and rows["member3"][1] == "passed"
    # Somebody else's word, and a changed one, fail the drill.
    shutil.copy(tmp_path / "member1.result", tmp_path / "member2.result")
    code, out, err = run(booted, *words)
    assert code == 1 and "2 passed, 1 failed, 0 missing" in out
    said = json.loads((tmp_path / "member1.result").read_text())
    said["time"] -= 1
    (tmp_path / "member1.result").write_text(json.dumps(said))
    (tmp_path / "member2.result").unlink()
    assert "1 passed, 1 failed, 1 missing" in run(booted, *words)[1]


def test_share_check_says_what_it_needs(booted):
    base = ["share", "check", "--namespace-dir", booted.genesis_dir]
    code, _, err = run(booted, *base)
    assert code == 1 and "argument alias is required" in err
    code, out, _ = run(booted, *base, "--all", booted.folder, "--alias", "x")
    assert code == 1 and "mutually exclusive" in out
    code, _, err = run(booted, "share", "check", "--namespace-dir", booted.made, "--alias", "member1")
    assert code == 1 and "genesis_output" in err


# --- attestation verify, attestation show ------------------------------------------------------------------------

MANIFEST_CHECKS = {"approvals", "root.manifest", "manifest-hash", "pcr0.manifest", "pcr1.manifest", "pcr2.manifest",
                   "pcr3.manifest", "registers", "public-key"}
DOCUMENT_CHECKS = {"limits", "parse", "root", "certificates", "validity", "chain", "signature", "debug", "nonce"}


def test_every_check_of_a_booted_enclave_is_made_and_holds(booted):
    envelope = "--manifest-envelope-path", booted.envelope_path()
    code, results = checks(booted)
    assert code == 0 and set(results) == DOCUMENT_CHECKS
    code, results = checks(booted, *envelope, *booted.pcr_words())
    assert code == 0 and set(results) == DOCUMENT_CHECKS | MANIFEST_CHECKS | {
        "pcr16.commitment", "pcr0.release", "pcr1.release", "pcr2.release", "pcr3.role"}
    code, results = checks(booted, *envelope, "--live")
    assert (code, failed(results)) == (1, ["pcr17.commitment"])
    text = run(booted, *verify_words(booted))[1]
    assert "SIMULATED" in text and "9 of 9 checks" in text


def test_a_document_fails_exactly_the_checks_that_do_not_hold(booted, tmp_path):
    other = tmp_path / "release"
    other.mkdir()
    (other / "aws-x86_64.pcrs").write_text("".join(f"{'ab' * 48} PCR{i}\n" for i in range(3)))
    role = tmp_path / "role.txt"
    role.write_text("arn:aws:iam::1:role/other\n")
    document = booted.attestation().read_bytes()

    def changed(contents):
        path = tmp_path / hashlib.sha256(contents).hexdigest()
        path.write_bytes(contents)
        return path

    cases = [
        (("--qos-release-dir", other), None, ["pcr0.release", "pcr1.release", "pcr2.release"]),
        (("--pcr3-preimage-path", role), None, ["pcr3.role"]),
        (("--namespace-dir", booted.genesis_dir), None, ["genesis"]),
        (("--nonce", "00ff"), None, ["nonce"]),
        (("--at", "2000-01-01T00:00:00Z"), None, ["validity"]),
        (("--at", "32503680000"), None, ["validity"]),
        ((), changed(document[:-1] + bytes([document[-1] ^ 1])), ["signature"]),
    ]
    for words, path, names in cases:
        code, results = checks(booted, *words, document=path)
        assert (code, failed(results)) == (1, names), words
    code, results = checks(booted, root=None)  # AWS's root
    assert code == 1 and failed(results) == ["chain", "root"]
    for contents in (b"", b"\x00", document[:100], document + b"\x00"):
        code, results = checks(booted, document=changed(contents))
        assert code == 1 and {"parse", "signature"} <= set(failed(results))


def test_a_genesis_document_is_checked_at_its_own_time(booted):
    document = booted.genesis_dir / "genesis_attestation_doc"
    code, results = checks(booted, "--namespace-dir", booted.genesis_dir, *booted.pcr_words(), "--at", "document",
                           document=document)
    assert code == 0 and results["genesis"] == "ok"
    code, out, err = run(booted, *verify_words(booted, "--at", "yesterday"))
    assert code == 1 and out == "" and "--at: time: expected" in err


def test_a_live_document_commits_to_the_live_key(new_ceremony):
    c = new_ceremony().born()
    pivot = c.app.make()
    c.approved(pivot)
    c.boot(pivot)
    c.provision()
    c.fetch_attestation()
    envelope = "--manifest-envelope-path", c.made / "fetched_envelope"
    code, results = checks(c, *envelope, "--live")
    assert code == 0 and results["pcr17.commitment"] == "ok"
    code, results = checks(c, *envelope)
    assert (code, failed(results)) == (1, ["pcr16.commitment"])


def test_an_expired_document_names_the_times_and_the_option(booted):
    code, out, _ = run(booted, *verify_words(booted, "--at", "2100-01-01T00:00:00Z"))
    line = next(line for line in out.splitlines() if line.startswith("FAILED"))
    assert code == 1 and " at 2100-01-01T00:00:00Z" in line and "--at document" in line
    assert "--validation-time-override" not in out


def test_show_verifies_nothing_and_says_so(booted, tmp_path):
    words = ["attestation", "show", "--attestation-doc-path", booted.attestation()]
    code, out, _ = run(booted, *words, root=None)
    assert code == 0 and out.startswith("UNVERIFIED: ")
    assert "SIMULATED" in out and booted.machine.print_pcrs()["PCR0"] in out
    code, out, _ = run(booted, *words, "--json", root=None)
    said = json.loads(out)
    assert said["verified"] is False and said["document"]["nonce"] is None
    assert said["document"]["pcrs"]["3"] == booted.machine.print_pcrs()["PCR3"]
    assert len(said["document"]["publicKey"]) == 260
    forged = tmp_path / "forged"
    forged.write_bytes(booted.attestation().read_bytes()[:-1] + b"\x00")
    assert "UNVERIFIED" in run(booted, *words[:-1], forged)[1]
    forged.write_bytes(b"nonsense")
    code, out, err = run(booted, *words[:-1], forged)
    assert (code, out) == (1, "") and "COSE" in err


# --- doctor ------------------------------------------------------------------------------------------------------

SIMULATED = {"simulated-root": "warning", "simulated-manifest": "warning", "simulated-enclave": "warning"}


def test_a_healthy_rehearsal_has_warnings_only(booted):
    code, found = doctor(booted, "--attestation-doc-path", booted.attestation())
    assert (code, found) == (0, SIMULATED)
    code, out, _ = run(booted, *doctor_words(booted))
    assert code == 0 and "remedy: unset QUORATE_ATTESTATION_ROOT" in out and "errors: 0, warnings: 3" in out


def test_each_fault_is_found_with_its_remedy(new_ceremony, tmp_path):
    c = new_ceremony().born()
    pivot = c.app.make()
    c.approved(pivot)
    c.boot(pivot)
    c.fetch_attestation()
    release, output = c.release / "aws-x86_64.pcrs", c.genesis_dir / "genesis_output"
    quorum, manifest = c.quorum_key(), c.manifest_path()
    zero = json.loads(manifest.read_text())
    zero["enclave"]["pcr0"] = "00" * 48
    other_nonce = json.loads(manifest.read_text())
    other_nonce["pivot"]["args"] = ["x"]
    document = c.attestation()
    faults = [
        ({release: "<PCR0_VALUE> PCR0\n<PCR1_VALUE> PCR1\n<PCR2_VALUE> PCR2\n"}, {"placeholder-pcrs": "error"}),
        ({release: "".join(f"{'00' * 48} PCR{i}\n" for i in range(3))}, {"zero-pcrs": "error", "other-release": "error"}),
        ({c.role_file: "arn:aws:iam::YOUR_AWS_ACCOUNT_ID:role/x\n"}, {"placeholder-role": "error"}),
        ({c.role_file: "arn:aws:iam::1:role/other\n"}, {"other-role": "error", "genesis-document": "error"}),
        ({c.set_dir / "quorum_threshold": "1\n"}, {"threshold": "error"}),
        ({c.set_dir / "quorum_threshold": "9\n"}, {"threshold": "error"}),
        ({c.set_dir / "twin.pub": (c.set_dir / "member1.pub").read_text()}, {"duplicate-key": "error"}),
        ({c.set_dir / "quorum_key.pub": quorum.read_text()}, {"quorum-key-in-set": "error"}),
        ({c.set_dir / "member4.pub": model.Pair().public.hex()}, {"member-without-share": "error"}),
        ({c.set_dir / "member4.pub": "00"}, {"bad-key": "error"}),
        ({quorum: model.Pair().public.hex()}, {"quorum-key-file": "error"}),
        ({output: b"\x00"}, {"bad-genesis": "error"}),
        ({manifest: json.dumps(zero)}, {"zero-pcrs": "error"}),
        ({c.made / "manifest-x": json.dumps(other_nonce)}, {"rival-manifest": "error"}),
        ({c.made / "manifest-y": "{"}, {"bad-manifest": "error"}),
        ({document: b"garbage"}, {"bad-document": "error"}),
        ({document: document.read_bytes()[:-1] + b"\x00"}, {"bad-document": "error"}),
        ({c.folder / "x.secret": "00"}, {"secret-readable": "error"}),
    ]
    assert doctor(c, "--attestation-doc-path", document)[1] == SIMULATED
    code, found = doctor(c, "--attestation-doc-path", c.folder / "not-yet")
    assert (code, found) == (0, {**SIMULATED, "no-document": "note"})
    for files, expected in faults:
        before = {path: path.read_bytes() if path.exists() else None for path in files}
        for path, contents in files.items():
            path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
            path.chmod(0o644)
        more = ("--members-dir", c.folder) if "secret-readable" in expected else ()
        code, found = doctor(c, "--attestation-doc-path", document, *more)
        assert code == 1 and expected.items() <= found.items(), (files, found)
        for path, contents in before.items():
            path.unlink() if contents is None else path.write_bytes(contents)
    assert doctor(c, "--attestation-doc-path", document)[1] == SIMULATED


def test_a_recovery_key_and_readable_shares_are_warned_of(new_ceremony):
    c = new_ceremony()
    c.machine.start()
    c.write_release()
    c.keys()
    c.client("generate-file-key", "--master-seed-path", "dr.secret", "--pub-path", "dr.pub")
    c.genesis("--dr-key-path", "dr.pub")
    c.after_genesis("member1")
    c.share("member1").chmod(0o644)
    code, found = doctor(c, "--members-dir", c.folder)
    assert code == 0 and found["dr-key"] == found["share-readable"] == "warning"
    c.share("member1").chmod(0o600)
    assert "share-readable" not in doctor(c, "--members-dir", c.folder)[1]
    assert any("DISASTER RECOVERY KEY" in note for note in status(c)["notes"])
    (c.folder / "dr.secret").chmod(0o640)
    assert doctor(c, "--members-dir", c.folder)[1]["secret-readable"] == "error"


def test_a_manifest_of_another_root_than_the_trusted_one_is_an_error(booted):
    code, found = doctor(booted, root=None)
    assert code == 1 and found["other-root"] == "error" and found["not-attested"] == "error"
    assert "simulated-root" not in found
    code, found = doctor(booted, root=booted.role_file)  # no certificate
    assert code == 1 and found["bad-root"] == "error"


def test_who_does_not_answer_is_named(booted):
    nobody = "--host-ip", "127.0.0.1", "--host-port", free_port()
    code, found = doctor(booted, *nobody, host=False)
    assert code == 1 and found["host-unreachable"] == "error" and found["clock-unknown"] == "note"
    machine = Machine()
    try:
        machine.start()
        machine.core.stop()
        code, found = doctor(booted, "--host-ip", "127.0.0.1", "--host-port", machine.port, host=False)
        assert code == 1 and found["enclave-unreachable"] == "error"
    finally:
        machine.remove()


class LateHost(http.server.BaseHTTPRequestHandler):
    """A host whose clock is an hour behind, and whose enclave does not answer."""

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() - 3600)

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        good = self.path.endswith("host-health")
        self.send_response(200 if good else 500)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"Ok!")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def test_a_host_whose_clock_is_off_is_found(booted):
    server = http.server.HTTPServer(("127.0.0.1", 0), LateHost)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        words = ["doctor", "--host-ip", "127.0.0.1", "--host-port", server.server_address[1], "--json"]
        code, out, _ = run(booted, *words)
        found = {f["id"]: f for f in json.loads(out)["findings"]}
        assert code == 1 and found["clock-off"]["level"] == "error"
        assert "behind this machine's" in found["clock-off"]["what"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_memory_that_cannot_be_locked_is_found(booted):
    """Without the right to lock as much as one likes, which root has, the limit decides."""
    if b"__asan_init" in (BIN / "qos_client").read_bytes():
        pytest.skip("AddressSanitizer makes mlock succeed without doing anything")
    line = ["setpriv", "--bounding-set", "-ipc_lock", "--inh-caps", "-ipc_lock", "prlimit", "--memlock=65536:65536",
            BIN / "qos_client", "doctor", "--json"]
    done = subprocess.run(line, text=True, capture_output=True, env=booted.environment(None), timeout=60)
    if done.returncode != 0 and not done.stdout:
        pytest.skip(f"capabilities cannot be dropped here: {done.stderr.strip()}")
    found = {f["id"]: f for f in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1 and "64 KiB" in found["memory-lock"]["what"]
    assert found["memory-lock"]["remedy"].startswith("ulimit -l")


@pytest.mark.parametrize("typed, offered", [
    ("qos_client shar", "share"), ("qos_client share ", "check"), ("qos_client help attestation v", "verify"),
    ("qos_client share check --resu", "--result-path"),
    ("qos_client reshare wrap-share --prev", "--previous-dir"), ("qos_client doctor --members", "--members-dir"),
    ("qos_client attestation verify --at d", "document"), ("qos_client pivot-hash --out", "--output-path"),
])
def test_completion_knows_commands_of_two_words(typed, offered):
    script = (f'. "{ROOT}/deploy/completion/qos_client.bash"; IFS=" " read -ra COMP_WORDS <<<"$1"; '
              '[[ $1 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _qos_client; '
              'echo "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--noprofile", "-c", script, "bash", typed], text=True, capture_output=True,
                          env={"PATH": f"{BIN}:/usr/bin:/bin"}, timeout=60)
    assert done.stdout.split() == [offered], done.stderr


def test_commands_that_look_refuse_what_they_do_not_know(booted):
    with pytest.raises(Refused, match="did you mean attestation verify"):
        booted.client("attestation", "verfy")
    with pytest.raises(Refused, match="nowhere"):
        booted.client("attestation", "show", "--attestation-doc-path", "nowhere")
    code, found = doctor(booted, "--manifest-approvals-dir", booted.folder / "nowhere")
    assert code == 1 and found["unreadable"] == "error"


# --- the page ----------------------------------------------------------------------------------------------------

def test_the_page_about_these_tools_runs_as_printed(new_machine):
    operator = Operator(new_machine().start())
    operator.finish()
    text = (ROOT / "docs" / "operations-tools.md").read_text(encoding="utf-8")
    said = {}
    for block in re.findall(r"(?ms)^```bash\n(.*?)^```", text):
        done = operator.shell("set -e\n" + re.sub(r"\b3000\b", str(operator.machine.port), block))
        command = re.search(r"qos_client ([a-z]+(?: [a-z]+)?)", block)[1]
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        said[command] = said.get(command, "") + done.stdout
    assert set(said) == {"ceremony status", "share check", "attestation verify", "doctor"}
    for command, text in (("ceremony status", "nothing: the application runs"), ("share check", "Yes: the share of member1"),
                          ("share check", "2 passed, 0 failed, 1 missing"), ("attestation verify", "14 of 14 checks"),
                          ("doctor", "errors: 0")):
        assert text in said[command], said[command]


def test_every_finding_is_on_the_page():
    page = (ROOT / "docs" / "operations-tools.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text() for path in (ROOT / "src" / "client").rglob("doctor*.c"))
    ids = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)",', sources)) - set(re.findall(r'(?:value|given)\([^,]+, "([a-z-]+)"', sources))
    assert len(ids) > 30
    assert sorted(name for name in ids if f"`{name}`" not in page) == []
