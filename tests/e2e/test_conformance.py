"""Facts of the original's behaviour that no other test shows (docs/compatibility.md): what commands say, what they
read although verification is skipped, what the enclave does with an application that ends."""
import hashlib
import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest
import qos_model as model
from ceremony import Refused
from desk import PCRS, YES
from machine import BIN, wait_until
from raw_enclave import CORE
from raw_enclave import Ceremony as Model
from test_client_share import WrapDesk

SKIP = "--unsafe-skip-attestation"
WARNING = "**WARNING:** Skipping attestation document verification.\n"


@pytest.fixture
def young(new_ceremony):
    """An enclave that waits, members with keys, no genesis yet."""
    c = new_ceremony()
    c.machine.start()
    c.write_release()
    c.keys()
    return c


def said_about_genesis(c):
    return [f"{item} written to: {c.genesis_dir}/{name}" for item, name in (
        ("Genesis DR Artifacts", "genesis_dr_artifacts"),
        ("COSE Sign1 Attestation Doc", "genesis_attestation_doc"),
        ("`GenesisOutput`", "genesis_output"), ("quorum_key.pub", "quorum_key.pub"))]


def test_a_genesis_writes_its_files_in_the_originals_order_and_words(young):
    c = young
    lines = [line for line in c.genesis().splitlines() if " written to: " in line]
    assert lines == said_about_genesis(c)
    assert sorted(p.name for p in c.genesis_dir.iterdir()) == [
        "genesis_attestation_doc", "genesis_dr_artifacts", "genesis_output", "quorum_key.pub"]
    artifacts = (c.genesis_dir / "genesis_dr_artifacts").read_text()
    assert [line.split(" ")[0] for line in artifacts.split("\n")] == [
        "quorum_key_hash", "test_message_ciphertext", "test_message_signature", "test_message"]
    assert re.fullmatch("[0-9a-f]{260}", c.quorum_key().read_text())
    mask = os.umask(0)
    os.umask(mask)
    for path in c.genesis_dir.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_genesis_without_verification_reads_measurements_but_no_role(young):
    c = young
    c.role_file.unlink()
    measurements = (c.release / "aws-x86_64.pcrs").read_text()
    (c.release / "aws-x86_64.pcrs").unlink()
    with pytest.raises(Refused, match="aws-x86_64.pcrs"):
        c.genesis(SKIP)
    assert c.machine.phase() == "WaitingForBootInstruction"
    (c.release / "aws-x86_64.pcrs").write_text(measurements)
    assert WARNING in c.genesis(SKIP)
    said = c.after_genesis("member1", SKIP)
    assert WARNING in said and f"Encrypted Quorum Share written to: {c.share('member1')}\n" in said
    (c.release / "aws-x86_64.pcrs").unlink()
    with pytest.raises(Refused, match="aws-x86_64.pcrs"):
        c.after_genesis("member2", SKIP)
    (c.release / "aws-x86_64.pcrs").write_text(measurements)
    (c.genesis_dir / "genesis_attestation_doc").write_bytes(b"\xff")
    with pytest.raises(Refused, match="attestation document"):
        c.after_genesis("member2", SKIP)


def test_a_share_is_the_enclaves_ciphertext_unchanged_and_only_for_its_member(young):
    c = young
    c.genesis()
    c.after_genesis("member2")
    share = c.share("member2").read_bytes()
    assert share in (c.genesis_dir / "genesis_output").read_bytes()
    pair = model.Pair(bytes.fromhex(c.secret("member2").read_text()))
    plain = pair.open(share)
    assert plain[0] == 2  # the second member's x
    with pytest.raises(Refused, match="Could not find a member output associated with the setup key"):
        c.client("after-genesis", "--secret-path", c.secret("member1"), "--share-path",
                 c.folder / "x", "--alias", "member3", "--namespace-dir", c.genesis_dir, *c.pcr_words())
    output = c.genesis_dir / "genesis_output"
    hash_ = hashlib.sha512(plain).digest()
    output.write_bytes(output.read_bytes().replace(hash_, bytes(64)))
    c.share("member2").unlink()
    with pytest.raises(Refused, match="own share: expected the hash the output names for it"):
        c.after_genesis("member2", SKIP)
    assert not c.share("member2").exists()


CHECKS = ["Quorum key hash is correct",
          "Quorum key signature over test message successfully verifies",
          "Quorum key signature over test message was deterministically reproduced",
          "Successfully decrypted test message ciphertext", "verify-genesis successful"]


def test_verify_genesis_says_each_check_and_names_what_does_not_hold(young):
    c = young
    dr = model.Pair()
    (c.folder / "dr.pub").write_text(dr.public.hex())
    said = c.genesis("--dr-key-path", c.folder / "dr.pub")
    assert f"DR Wrapped Quorum Key written to: {c.genesis_dir}/dr_wrapped_quorum_key\n" in said
    assert "DISASTER RECOVERY KEY" in said
    seed = dr.open((c.genesis_dir / "dr_wrapped_quorum_key").read_bytes()).hex()

    def verify(text):
        (c.folder / "recovered").write_text(text)
        return c.client("verify-genesis", "--namespace-dir", c.genesis_dir, "--master-seed-path",
                        c.folder / "recovered")

    assert [line for line in verify(seed).splitlines() if line in CHECKS] == CHECKS
    assert CHECKS[-1] in verify(seed + "\n")  # as editors leave it
    for text, error in ((model.Pair().seed.hex(), "SecretDoesNotMatch"), ("00", "ErrorReadingSeed"),
                        ("zz" * 32, "ErrorReadingSeed")):
        with pytest.raises(Refused, match=error) as refused:
            verify(text)
        assert CHECKS[0] not in str(refused.value)


def test_a_boot_without_verification_opens_no_role_and_says_nothing_more(young):
    c = young
    c.genesis()
    c.machine.restart()
    pivot = c.app.make()
    c.approved(pivot)
    words = ["boot-standard", *c.host(), "--manifest-envelope-path", c.envelope_path(),
             "--pcr3-preimage-path", "is-not-there", SKIP]
    with pytest.raises(Refused, match="FailedToReadPivot"):
        c.client(*words, "--pivot-path", "is-not-there")
    with pytest.raises(Refused, match=r"NoMatchingRoute\(WaitingForBootInstruction\)"):
        c.fetch_attestation()
    done = subprocess.run([BIN / "qos_client", *map(str, words), "--pivot-path", str(pivot)],
                          capture_output=True, text=True, env=c.environment(), timeout=60)
    assert (done.returncode, done.stdout) == (0, WARNING)
    assert c.machine.phase() == "WaitingForQuorumShards"


@pytest.fixture
def wrap_desk(tmp_path):
    return WrapDesk(tmp_path)


def test_the_role_is_read_before_a_share_although_verification_is_skipped(wrap_desk):
    wrap_desk.path("pcr3-preimage.txt").unlink()
    wrap_desk.refused(*wrap_desk.wrap_words("--unsafe-auto-confirm"), text="pcr3-preimage.txt")
    assert wrap_desk.made() == []
    wrap_desk.write("pcr3-preimage.txt", "another role\n")  # not compared, asked about
    done = wrap_desk.ok(*wrap_desk.wrap_words(), answers=YES)
    assert "intended organization: another role? (y/n)" in done.stdout


def test_hex_of_keys_may_be_in_capitals_with_a_prefix_and_space_around(wrap_desk):
    desk = wrap_desk
    m = desk.read_json("manifest")
    desk.write("odd.secret", " 0x" + desk.members["member1"].seed.hex().upper() + "\r\n")
    for folder in ("manifest-set", "share-set"):
        desk.write(f"{folder}/member1.pub", "\n0x" + desk.members["member1"].public.hex().upper() + "\n")
    desk.ok(*desk.approve_words("member1", "--unsafe-auto-confirm", secret="odd.secret"))
    approval = desk.read_json(desk.approval_name("member1"))
    assert approval == model.approval("member1", desk.members["member1"], m) | {
        "signature": approval["signature"]}
    assert model.verify(desk.members["member1"].public, model.manifest_hash(m),
                        bytes.fromhex(approval["signature"]))


def test_measurements_beyond_the_third_line_are_ignored(wrap_desk):
    wrap_desk.write("release/aws-x86_64.pcrs", PCRS + "d4" * 48 + " PCR3\n")
    enclave = wrap_desk.generate()["enclave"]
    assert [enclave[f"pcr{i}"] for i in range(3)] == ["a1" * 48, "b2" * 48, "c3" * 48]
    assert enclave["pcr3"] != "d4" * 48


TAKEN = {  # in which phase which request has a route (qos-behaviour 2.4)
    "WaitingForBootInstruction": {"manifestEnvelopeRequest", "bootGenesisRequest", "bootStandardRequest",
                                  "bootKeyForwardRequest"},
    "GenesisBooted": set(),
    "WaitingForQuorumShards": {"liveAttestationDocRequest", "manifestEnvelopeRequest", "provisionRequest"},
    "QuorumKeyProvisioned": {"liveAttestationDocRequest", "manifestEnvelopeRequest", "exportKeyRequest"},
    "WaitingForForwardedKey": {"liveAttestationDocRequest", "manifestEnvelopeRequest",
                               "injectKeyRequest"},
}


def every_request(c):
    """{name: message}: each is one the enclave can read."""
    boot = {"manifest_envelope": c.envelope(), "pivot": c.pivot.hex()}
    members = [model.member(n, c.pairs[n]) for n in c.names]
    keys = {"encrypted_quorum_key": "00", "signature": "00"}
    units = ("statusRequest", "versionRequest", "manifestEnvelopeRequest", "liveAttestationDocRequest")
    fields = {
        "bootGenesisRequest": {"set": {"members": members, "threshold": 2}},
        "bootStandardRequest": boot, "bootKeyForwardRequest": boot,
        "provisionRequest": {"share": "00", "approval": model.approval("alice", c.pairs["alice"], c.manifest)},
        "exportKeyRequest": {"manifest_envelope": c.envelope(), "cose_sign1_attestation_doc": "00"},
        "injectKeyRequest": keys, "proxyRequest": {"data": "00"}}
    return {**{name: name for name in units}, **{name: {name: f} for name, f in fields.items()}}


def reach(enclave, c, phase):
    requests = every_request(c)
    if phase == "GenesisBooted":
        enclave.send(requests["bootGenesisRequest"])
    elif phase == "WaitingForQuorumShards":
        c.boot(enclave)
    elif phase == "QuorumKeyProvisioned":
        c.provision(enclave)
    elif phase == "WaitingForForwardedKey":
        if "bootKeyForwardResponse" not in enclave.send(requests["bootKeyForwardRequest"]):
            pytest.skip("this build has no key forwarding yet")
    assert enclave.phase() == phase


@pytest.mark.parametrize("phase", TAKEN)
def test_each_request_that_a_phase_does_not_take_is_answered_with_the_phase(enclave, phase):
    enclave.start()
    c = Model(b"#!/bin/sh\nwhile :; do sleep 1; done\n")
    reach(enclave, c, phase)
    taken = TAKEN[phase] | {"statusRequest", "versionRequest"}
    refused = {name: m for name, m in every_request(c).items() if name not in taken}
    assert len(refused) + len(taken) == 11
    for name, message in refused.items():
        reply = enclave.send(message)
        assert (name, reply) == (name, {"protocolErrorResponse": {"NoMatchingRoute": phase}})
        assert enclave.phase() == phase
    for name in taken & {"liveAttestationDocRequest", "manifestEnvelopeRequest", "versionRequest"}:
        assert name.replace("Request", "Response") in enclave.send(name)


BORSH_GENESIS = b"\x05\0\0\0\0\x02\0\0\0\0"


def test_genesis_in_borsh_is_refused_by_name_and_costs_nothing(enclave):
    enclave.start()
    reply = model.call(enclave.socket, BORSH_GENESIS)
    assert reply == b'{"protocolErrorResponse":"LegacyGenesisNotSupported"}'
    assert enclave.phase() == "WaitingForBootInstruction"


@pytest.mark.parametrize("index", [b"\x03", b"\x0d", b"\x0f"])
def test_an_envelope_in_plain_borsh_is_undecodable_as_in_the_original(enclave, index):
    enclave.start()
    c = Model(b"#!/bin/sh\n")
    frame = index + model.b_manifest_v1(c.manifest) + model.b_list([], None) * 2 + model.b_bytes(c.pivot)
    reply = model.call(enclave.socket, frame)
    assert reply == b'{"protocolErrorResponse":"ProtocolMsgDeserialization"}'
    assert enclave.phase() == "WaitingForBootInstruction"


def test_requests_in_both_encodings_follow_each_other_on_one_connection(enclave):
    enclave.start()
    with model.Connection(enclave.socket) as c:
        assert c.call(b'"statusRequest"') == b'{"statusResponse":"WaitingForBootInstruction"}'
        assert c.call(b"\x01") == b"\x02\x01"
        assert c.call(b'{"statusRequest":null}') == b'{"statusResponse":"WaitingForBootInstruction"}'
        assert c.call(b"nonsense") == b'{"protocolErrorResponse":"ProtocolMsgDeserialization"}'
        assert c.call(b"\x01") == b"\x02\x01"


@pytest.mark.parametrize("end, told", [("exit 1", "exited with status 1"),
                                       ("kill -ABRT $$", f"ended by signal {int(signal.SIGABRT)}")])
def test_an_application_that_fails_under_never_is_told_and_the_enclave_goes_on(enclave, end, told):
    enclave.start()
    Model(f"#!/bin/sh\n{end}\n".encode()).provision(enclave)
    wait_until(lambda: told in enclave.log.read_text(), "the application's end")
    assert enclave.phase() == "QuorumKeyProvisioned"
    assert len(enclave.left()) == 4


def test_an_application_that_fails_under_always_comes_back(enclave):
    enclave.start()
    Model(b"#!/bin/sh\nkill -ABRT $$\n", restart="Always").provision(enclave)
    wait_until(lambda: enclave.log.read_text().count("application: started") >= 3, "its third start")
    assert "application: restarts in 50 ms" in enclave.log.read_text()
    assert enclave.phase() == "QuorumKeyProvisioned"


def test_processes_have_the_names_that_scripts_end_them_by(young):
    for process, name in ((young.machine.core, "qos_core"), (young.machine.host, "qos_host")):
        assert Path(f"/proc/{process.pid}/comm").read_text() == name + "\n"


def test_the_enclave_names_its_defaults_in_help_and_its_socket_at_start(enclave):
    text = subprocess.run([CORE, "--help"], capture_output=True, text=True, check=True).stdout
    for flag, path in (("quorum", "/qos.quorum.key"), ("pivot", "/qos.pivot.bin"),
                       ("ephemeral", "/qos.ephemeral.key"), ("manifest", "/qos.manifest")):
        assert re.search(rf"\t--{flag}-file <{flag}-file> +.* \[default: {path}\]\n", text)
    enclave.start()
    wait_until(lambda: f"listening on unix socket {enclave.socket}, tee sim (SIMULATED)"
               in enclave.log.read_text(), "its line")


@pytest.mark.parametrize("flag, text", [([], "VMADDR_NO_FLAGS"), (["--vsock-to-host", "false"], "VMADDR_NO_FLAGS"),
                                        (["--vsock-to-host", "true"], "VMADDR_FLAG_TO_HOST")])
def test_a_host_before_a_vsock_says_which_flags_it_uses(flag, text):
    words = ["--host-ip", "127.0.0.1", "--host-port", "0", "--cid", "16", "--port", "3", *flag]
    process = subprocess.Popen([BIN / "qos_host", *words], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        lines = [process.stdout.readline() for _ in range(3)]
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert lines[0] == f"Configuring vsock with {text}.\n"
    assert lines[1] == "StreamPool start address: vsock cid 16 port 3\n"
    assert lines[2].startswith("HostServer listening on 127.0.0.1:")
