"""The scenarios of the original's own integration tests (qos-behaviour 8.1), with any mixture of programs."""
import contextlib
import json
import socket

import cbor2
import original
import pytest
import qos_model as qos
from machine import free_port, wait_until
from world import MEMBERS, NAMESPACE, ROLE, STANDINS

WARNING = "**WARNING:** Skipping attestation document verification."


def make_genesis(world):
    """Keys of three members and of recovery, and a genesis; what boot-genesis said."""
    world.make_release()
    for member in (*MEMBERS, "dr"):
        world.write(f"keys/{member}/note", "")
        world.client("generate-file-key", "--master-seed-path", f"keys/{member}/secret",
                     "--pub-path", f"keys/{member}/{member}.pub")
    for member in MEMBERS:
        world.write(f"genesis-set/{member}.pub",
                    world.path(f"keys/{member}/{member}.pub").read_text())
    world.write("genesis-set/quorum_threshold", "2\n")
    world.path("namespace").mkdir()
    node = world.node().start()
    said = world.client("boot-genesis", *node.words(), "--namespace-dir", "namespace",
                        "--share-set-dir", "genesis-set", "--pcr3-preimage-path", "pcr3-preimage.txt",
                        "--qos-release-dir", "release", "--dr-key-path", "keys/dr/dr.pub",
                        "--unsafe-skip-attestation")
    assert node.get("enclave-health") == (200, b"GenesisBooted")
    return said


def recovered_seed(world):
    dr = qos.Pair(bytes.fromhex(world.path("keys/dr/secret").read_text()))
    return dr.open(world.path("namespace/dr_wrapped_quorum_key").read_bytes())


def verify_genesis(world):
    world.write("recovered", recovered_seed(world).hex())
    said = world.client("verify-genesis", "--namespace-dir", "namespace", "--master-seed-path",
                        "recovered")
    assert "verify-genesis successful" in said


def test_genesis_and_what_members_make_of_it(world):
    said = make_genesis(world)
    assert WARNING in said
    for item in ("Genesis DR Artifacts", "COSE Sign1 Attestation Doc", "`GenesisOutput`",
                 "quorum_key.pub", "DR Wrapped Quorum Key"):
        assert f"{item} written to: " in said
    artifacts = world.path("namespace/genesis_dr_artifacts").read_text()
    assert [line.split(" ")[0] for line in artifacts.split("\n")] == [
        "quorum_key_hash", "test_message_ciphertext", "test_message_signature", "test_message"]
    assert len(cbor2.loads(world.path("namespace/genesis_attestation_doc").read_bytes())) == 4
    shares = [member_takes_share(world, member) for member in MEMBERS]
    public = world.path("namespace/quorum_key.pub").read_text()
    for pair in ((0, 1), (1, 2), (2, 0)):
        seed = qos.combine([shares[i] for i in pair])
        assert qos.Pair(seed).public.hex() == public
    assert recovered_seed(world) == seed
    verify_genesis(world)


def member_takes_share(world, member):
    said = world.client("after-genesis", "--secret-path", f"keys/{member}/secret", "--share-path",
                        f"keys/{member}/share", "--alias", member, "--namespace-dir", "namespace",
                        "--qos-release-dir", "release", "--pcr3-preimage-path",
                        "pcr3-preimage.txt", "--unsafe-skip-attestation")
    assert "Encrypted Quorum Share written to: " in said
    pair = qos.Pair(bytes.fromhex(world.path(f"keys/{member}/secret").read_text()))
    return pair.open(world.path(f"keys/{member}/share").read_bytes())


def approval_exchanges():
    """One hesitation, one "yes", else "y"."""
    yield "Is this the correct manifest schema version: v1? (y/n)", "maybe"
    yield 'Please answer with either "yes" (y) or "no" (n)', "y"
    yield f"Is this the correct namespace name: {NAMESPACE}? (y/n)", "y"
    yield "Is this the correct namespace nonce: 2? (y/n)", "yes"
    yield "Is this the correct pivot restart policy: RestartPolicy::Never? (y/n)", "y"
    yield 'Are these the correct pivot args:\n["--msg", "testing420"]?\n(y/n)', "y"
    yield "Is this the correct pivot debug mode: false? (y/n)", "y"
    yield "Is this the correct pivot bridge configuration:\n[]?\n(y/n)", "y"


def share_exchanges():
    yield WARNING, None
    yield f"Is this the correct namespace name: {NAMESPACE}? (y/n)", "y"
    yield "Is this the correct namespace nonce: 2? (y/n)", "y"
    yield f"Does this AWS IAM role belong to the intended organization: {ROLE}? (y/n)", "y"
    approvers = "\n".join(f"\talias: {m}" for m in MEMBERS)
    yield f"The following manifest set members approved:\n{approvers}\nIs this ok? (y/n)", "y"


def test_standard_boot_with_every_question_answered(world):
    world.make_release()
    pairs = world.make_members()
    manifest = world.generate_manifest()
    assert manifest["namespace"] == {"name": NAMESPACE, "nonce": 2,
                                     "quorumKey": world.quorum.public.hex()}
    assert manifest["pivot"]["args"] == ["--msg", "testing420"]
    for member in MEMBERS:
        rest = world.talk(world.approve_words(member), approval_exchanges())
        assert rest.startswith("Manifest Approval written to: ")
        approval = json.loads(world.approval(member).read_text())
        assert approval["member"] == qos.member(member, pairs[member])
        signature = original.Pair(pairs[member].seed).sign(qos.manifest_hash(manifest))
        assert approval["signature"] == signature.hex()
    world.client("generate-manifest-envelope", "--manifest-approvals-dir", "boot-2",
                 "--manifest-path", "boot-2/manifest")
    envelope = json.loads(world.path("boot-2/manifest_envelope").read_text())
    assert len(envelope["manifestSetApprovals"]) == 3 and envelope["shareSetApprovals"] == []
    node = world.node().start()
    world.boot(node)
    world.fetch(node)
    assert json.loads(world.path("fetched").read_text()) == envelope
    for member, text in ((MEMBERS[0], "The quorum key has *not* been reconstructed."),
                         (MEMBERS[1], "The quorum key has been reconstructed.")):
        rest = world.talk(world.share_words(member, node), share_exchanges())
        assert rest.startswith("Share Set Approval written to: ")
        assert text in world.post(node, member)
    info = node.info()
    assert info["phase"] == "QuorumKeyProvisioned"
    assert info["manifestEnvelope"]["manifest"] == manifest
    live = qos.Pair(bytes.fromhex(node.file("ephemeral.key").read_text()))
    assert info["ephemeralKey"] == live.public.hex()
    assert node.file("quorum.key").read_text() == world.quorum.seed.hex()
    node.wait_for_application("testing420")


def test_version_2_is_stored_and_hashed_alike(world):
    pcrs = world.make_release()
    pairs = world.make_members()
    manifest = world.generate_manifest(version=2)
    assert world.path("boot-2/manifest").read_bytes() == qos.canonical(manifest)
    stored = world.make_envelope(version=2).read_bytes()
    envelope = json.loads(stored)
    assert stored == qos.canonical(envelope)
    for approval in envelope["manifestSetApprovals"]:
        pair = pairs[approval["member"]["alias"]]
        assert qos.verify(pair.public, qos.manifest_hash(manifest),
                          bytes.fromhex(approval["signature"]))
    node = world.node(mock_pcrs=pcrs).start()
    world.boot(node)
    world.provision(node)
    told = json.loads(world.path("fetched").read_text())
    assert qos.canonical(told["manifest"]) == qos.canonical(manifest)
    kept = json.loads(node.file("manifest").read_text())
    assert [a["member"]["alias"] for a in kept["shareSetApprovals"]] == list(MEMBERS[:2])
    node.wait_for_application("testing420")


@pytest.mark.parametrize("first", ["usual", "other"])
def test_files_of_a_genesis_are_read_by_another_client(first_world, first):
    usual, other = both_clients(first_world, first)
    with usual():
        make_genesis(first_world)
        shares = [member_takes_share(first_world, MEMBERS[0])]
    with other():
        shares.append(member_takes_share(first_world, MEMBERS[1]))
        verify_genesis(first_world)
    assert qos.combine(shares) == recovered_seed(first_world)


@pytest.mark.parametrize("first", ["usual", "other"])
def test_members_with_different_clients_complete_one_key(first_world, first):
    world = first_world
    usual, other = both_clients(world, first)
    world.make_release()
    world.make_members()
    with usual():
        world.generate_manifest()
    with other():
        world.client(*world.approve_words(MEMBERS[0]), "--unsafe-auto-confirm")
    with usual():
        world.make_envelope(members=MEMBERS[1:2])
    node = world.node().start()
    with other():
        world.boot(node)
        world.fetch(node)
    for member, client in ((MEMBERS[2], usual), (MEMBERS[0], other)):
        with client():
            world.client(*world.share_words(member, node), "--unsafe-auto-confirm")
            said = world.post(node, member)
    assert "The quorum key has been reconstructed." in said
    node.wait_for_application("testing420")


def both_clients(world, first):
    """Two contexts: the client of this world and another one, in the order asked for."""
    clients = [contextlib.nullcontext, world.another_client]
    return clients if first == "usual" else clients[::-1]


def test_development_boot(world):
    world.need_commands("dangerous-dev-boot")
    node = world.node().start()
    said = world.client("dangerous-dev-boot", *node.words(), "--pivot-path", world.pivot,
                        "--restart-policy", "never", "--pivot-args", "[--msg,vapers-only]",
                        "--unsafe-eph-path-override", node.file("ephemeral.key"))
    assert "Enclave is provisioned!" in said
    assert node.phase() == "QuorumKeyProvisioned"
    node.wait_for_application("vapers-only")


def forward(world, old, new):
    """Boots and provisions the old enclave, boots the new one, carries the key over; what export-key said."""
    world.make_members()
    world.generate_manifest(nonce=2, restart="always", args="[--wait]")
    world.make_envelope(nonce=2)
    world.boot(old.start(), nonce=2)
    world.provision(old)
    world.generate_manifest(nonce=3, restart="always", args="[--wait]")
    world.make_envelope(nonce=3)
    new.start()
    envelope = ["--manifest-envelope-path", "boot-3/manifest_envelope"]
    world.client("boot-key-fwd", *new.words(), *envelope, "--pivot-path", world.pivot,
                 "--attestation-doc-path", "new.doc")
    assert new.phase() == "WaitingForForwardedKey"
    world.client("export-key", *old.words(), *envelope, "--attestation-doc-path", "new.doc",
                 "--encrypted-quorum-key-path", "encrypted_quorum_key")
    keys = json.loads(world.path("encrypted_quorum_key").read_text())
    assert qos.verify(world.quorum.public, bytes.fromhex(keys["encrypted_quorum_key"]),
                      bytes.fromhex(keys["signature"]))
    said = world.client("inject-key", *new.words(), "--encrypted-quorum-key-path",
                        "encrypted_quorum_key")
    assert "Successful key injection!" in said
    assert new.phase() == "QuorumKeyProvisioned"
    assert new.file("quorum.key").read_text() == world.quorum.seed.hex()


def test_a_key_is_forwarded_from_one_enclave_to_another(world):
    world.need_forwarding()
    world.trust_mock()
    pcrs = world.make_release()
    forward(world, world.node("old", pcrs), world.node("new", pcrs))


@pytest.mark.parametrize("first", ["usual", "other"])
def test_a_key_is_forwarded_between_enclaves_of_different_programs(first_world, first):
    world = first_world
    world.need_forwarding()
    world.trust_mock()
    pcrs = world.make_release()
    cores = [world.programs["core"], STANDINS / "qos_core"]
    old, new = cores if first == "usual" else cores[::-1]
    forward(world, world.node("old", pcrs, old), world.node("new", pcrs, new))


def test_a_key_is_forwarded_under_a_mock_pki_like_the_originals(first_world):
    """The original's mock PKI is compiled in, so ours has to take it; nothing in it says SIMULATED."""
    world = first_world
    world.need_forwarding()
    original.mock_pki(world.sim)
    pcrs = world.make_release()
    with world.another_client():  # one that verifies no documents
        forward(world, world.node("old", pcrs), world.node("new", pcrs, STANDINS / "qos_core"))


def test_information_of_a_host_without_and_with_an_enclave(world):
    node = world.node().start_host("--socket-timeout", "50")
    assert node.get("enclave-info")[0] == 500
    node.folder.joinpath("files").mkdir()
    node.file("pivot.bin").write_text("of another run")
    words = ["--mock", "--usock", node.socket, "--quorum-file", node.file("quorum.key"),
             "--pivot-file", node.file("pivot.bin"), "--ephemeral-file", "eph_path",
             "--manifest-file", node.file("manifest")]
    world.start("core", "late", words, node.folder)
    wait_until(lambda: node.get("enclave-info")[0] == 200, "the enclave")
    body = b'{"phase":"WaitingForBootInstruction","manifestEnvelope":null,"ephemeralKey":null}'
    assert node.get("enclave-info") == (200, body)
    assert node.get("enclave-health") == (503, b"WaitingForBootInstruction")
    assert node.get("host-health") == (200, b"Ok!")


def test_version_and_status_in_the_encoding_of_the_request(world):
    node = world.node().start()
    version = json.loads(node.message(b'"versionRequest"'))["versionResponse"]
    assert version["version"] == "0.13.0" and version["commit"]
    assert node.message(b"\x15") == b"\x16" + qos.b_text(version["version"]) + qos.b_text(version["commit"])
    assert json.loads(node.message(b'"statusRequest"')) == {"statusResponse": "WaitingForBootInstruction"}
    assert node.message(b"\x01") == b"\x02\x01"
    undecodable = {"protocolErrorResponse": "ProtocolMsgDeserialization"}
    assert json.loads(node.message(b"\xff")) == undecodable
    said = world.client("enclave-version", *node.words())
    assert said == f"QOS version: {version['version']}\nGit commit:  {version['commit']}\n"
    assert world.client("enclave-status", *node.words()) == "Enclave phase: WaitingForBootInstruction\n"


@pytest.fixture
def echo_port():
    return free_port()


def test_the_application_is_reached_through_the_bridge(world, echo_port):
    world.need_bridge()
    world.make_release()
    world.make_members()
    entry = f'[{{"type":"server","port":{echo_port},"host":"127.0.0.1"}}]'
    world.generate_manifest(restart="always", args=f"[--echo,{echo_port}]", bridges=entry)
    world.make_envelope()
    node = world.node().start()
    world.boot(node)
    outside = free_port()
    world.start("bridge", "ingress", ["--control-url", f"http://127.0.0.1:{node.port}/qos", "--usock",
                                      node.socket, "--host-port-override", outside], node.folder)
    world.provision(node)
    assert wait_until(lambda: echoed(outside, b"Hello, application"), "an echo through the bridge")
    assert echoed(outside, b"x" * 100000)


@pytest.fixture
def another_port():
    return free_port()


def test_connections_through_the_enclaves_side_are_kept_apart(world, echo_port, another_port):
    """Three at once over two bridges, interleaved, straight to the enclave's sockets."""
    world.need_bridge()
    world.make_release()
    world.make_members()
    entries = [{"type": "server", "port": p, "host": "127.0.0.1"} for p in (echo_port, another_port)]
    world.generate_manifest(restart="always", args=f"[--echo,{echo_port},{another_port}]",
                            bridges=json.dumps(entries))
    world.make_envelope()
    node = world.node().start()
    world.boot(node)
    world.provision(node)
    paths = [f"{node.socket}.{p}.appsock" for p in (echo_port, another_port, echo_port)]
    for path in paths[:2]:
        wait_until(lambda: said_back(path), f"an echo through {path}")
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(connected(path)) for path in paths]
        for turn in range(3):
            for i, peer in enumerate(peers):
                peer.sendall(f"turn {turn} of {i}\n".encode())
            for i, peer in reversed(list(enumerate(peers))):
                assert line_of(peer) == f"turn {turn} of {i}\n".encode()


def connected(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(20)
    peer.connect(path)
    return peer


def line_of(peer):
    line = b""
    while not line.endswith(b"\n") and (piece := peer.recv(1)):
        line += piece
    return line


def said_back(path):
    try:
        with connected(path) as peer:
            peer.sendall(b"there?\n")
            return line_of(peer) == b"there?\n"
    except OSError:
        return False


def echoed(port, data):
    """Whether all of it comes back after our half of the connection is closed."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            back = b""
            while piece := s.recv(65536):
                back += piece
            return back == data
    except OSError:
        return False
