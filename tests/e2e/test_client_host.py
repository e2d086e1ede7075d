"""What qos_client says to a host, and what it makes of the answers."""
import http.server
import json
import threading

import pytest
import qos_model as model
from desk import PCRS, PLACEHOLDERS, ROLE, Desk, booted, environment


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


UNDECODABLE = b'{"protocolErrorResponse":"ProtocolMsgDeserialization"}'


class FakeHost:
    """A host that answers from a list and keeps what it was sent."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, body))
                self.reply(outer.answers.pop(0))

            def do_GET(self):
                outer.requests.append((self.path, None))
                self.reply(outer.answers.pop(0))

            def reply(self, answer):
                status, body, headers = answer if isinstance(answer, tuple) else (200, answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.port = self.server.server_address[1]
        self.words = ["--host-ip", "127.0.0.1", "--host-port", self.port]

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def fake_host():
    made = []

    def make(*answers):
        made.append(FakeHost(*answers))
        return made[-1]

    yield make
    for host in made:
        host.close()


def test_json_is_tried_first_and_borsh_only_when_it_was_not_understood(desk, fake_host):
    host = fake_host(b'{"statusResponse":"WaitingForBootInstruction"}')
    done = desk.ok("enclave-status", *host.words)
    assert done.stdout == "Enclave phase: WaitingForBootInstruction\n"
    assert host.requests == [("/qos/message", b'"statusRequest"')]

    host = fake_host(UNDECODABLE, b"\x02\x03")
    assert "WaitingForQuorumShards" in desk.ok("enclave-status", *host.words).stdout
    assert [body for _, body in host.requests] == [b'"statusRequest"', b"\x01"]

    host = fake_host(b'{"protocolErrorResponse":{"NoMatchingRoute":"GenesisBooted"}}')
    desk.refused("enclave-status", *host.words, text="NoMatchingRoute(GenesisBooted)")
    assert len(host.requests) == 1


def test_version_of_the_enclave_is_shown_without_its_tricks(desk, fake_host):
    host = fake_host(b'{"versionResponse":{"version":"0.13.0\\u001b[2J","commit":"abc"}}')
    done = desk.ok("enclave-version", *host.words, "--endpoint-base-path", "a/b")
    assert done.stdout == "QOS version: 0.13.0\\u{1b}[2J\nGit commit:  abc\n"
    assert host.requests[0][0] == "/a/b/message"


def test_health_of_the_host(desk, fake_host):
    host = fake_host(b"Ok!")
    assert desk.ok("host-health", *host.words).stdout == "Ok!\n"
    assert host.requests == [("/qos/host-health", None)]


def test_errors_of_http_and_transport_are_told(desk, fake_host):
    host = fake_host((500, b'{"protocolErrorResponse":"EnclaveClient"}', {}))
    url = f"http://127.0.0.1:{host.port}/qos/message"
    desk.refused("enclave-status", *host.words,
                 text=f"error: http_post error: [url: {url}, status: 500, body: "
                      'Ok("{\\"protocolErrorResponse\\":\\"EnclaveClient\\"}")]')
    host = fake_host(b"<html>" + b"x" * 1000)
    done = desk.refused("enclave-status", *host.words, text="http_post error: deserialization error: ")
    assert done.stderr.endswith('; body prefix: "<html>' + "x" * 250 + '"\n')
    host = fake_host(bytes((128 << 20) + 1))
    desk.refused("enclave-status", *host.words, text="expected an answer of at most 134217728 bytes")
    desk.refused("enclave-status", "--host-ip", "127.0.0.1", "--host-port", "1",
                 text="transport error")
    for words in (["--host-ip", "a/b", "--host-port", "1"], ["--host-ip", "x", "--host-port", "0"],
                  ["--host-ip", "u@x", "--host-port", "1"],
                  ["--host-ip", "x", "--host-port", "1", "--endpoint-base-path", "q?x"]):
        desk.refused("enclave-status", *words, text="--")


def test_proxies_and_redirections_are_not_followed(desk, fake_host):
    host, elsewhere = fake_host(b'{"statusResponse":"GenesisBooted"}'), fake_host()
    proxy = f"http://127.0.0.1:{elsewhere.port}"
    env = {**environment(), "http_proxy": proxy, "HTTP_PROXY": proxy, "ALL_PROXY": proxy}
    desk.ok("enclave-status", *host.words, env=env)
    host = fake_host((302, b"", {"Location": proxy + "/qos/message"}))
    desk.refused("enclave-status", *host.words, text="status: 302")
    assert elsewhere.requests == []


def test_boot_sends_variant_23_and_falls_back_only_for_enclaves_that_cannot_read_it(desk, fake_host):
    words = booted(desk) + ["--unsafe-skip-attestation"]
    envelope = desk.path("approvals/manifest_envelope").read_bytes()
    host = fake_host(UNDECODABLE, b'{"protocolErrorResponse":"NotEnoughApprovals"}')
    desk.refused(*words, *host.words, text="NotEnoughApprovals")
    first, second = (body for _, body in host.requests)
    assert first == b"\x17" + model.b_bytes(envelope) + model.b_bytes(b"#!/bin/sh\n")
    m = desk.read_json("manifest")
    assert second.startswith(b"\x03" + model.b_manifest_v1(m))

    host = fake_host(b'{"protocolErrorResponse":"BadShareSetApprovals"}')
    desk.refused(*words, *host.words, text="BadShareSetApprovals")
    assert len(host.requests) == 1


def test_boot_asks_nobody_when_the_answer_would_be_no(desk, fake_host):
    host = fake_host()
    words = booted(desk) + host.words
    desk.write("app", "another program")
    desk.refused(*words, text="InvalidPivotHash")
    desk.write("app", "#!/bin/sh\n")
    desk.write("pcr3-preimage.txt", "arn:aws:iam::1:role/other")
    desk.refused(*words, text="Pcr3PreimageDoesNotMatchManifest")
    desk.write("pcr3-preimage.txt", ROLE)
    e = desk.read_json("approvals/manifest_envelope")
    e["manifestSetApprovals"].pop()
    desk.write("approvals/manifest_envelope", json.dumps(e))
    desk.refused(*words, text="NotEnoughApprovals")
    assert host.requests == []


def test_boot_without_an_envelope_says_so(desk):
    desk.refused("boot-standard", "--host-ip", "x", "--host-port", "1", "--pivot-path", "app",
                 "--pcr3-preimage-path", "none", "--unsafe-skip-attestation",
                 text="Missing `--manifest-envelope-path`")


def genesis_words(host):
    return ["boot-genesis", *host.words, "--namespace-dir", "namespace", "--share-set-dir",
            "share-set", "--pcr3-preimage-path", "pcr3-preimage.txt", "--qos-release-dir", "release"]


def test_genesis_asks_nobody_when_its_files_could_not_be_kept(desk, fake_host):
    host = fake_host()
    desk.refused(*genesis_words(host), text="namespace")  # no such folder
    for name in ("genesis_output", "genesis_attestation_doc", "genesis_dr_artifacts",
                 "quorum_key.pub"):
        desk.write(f"namespace/{name}", "precious")
        desk.refused(*genesis_words(host), text=f"namespace/{name}: exists already")
        desk.path(f"namespace/{name}").unlink()
    desk.write("namespace/dr_wrapped_quorum_key", "precious")
    done = desk.refused(*genesis_words(host), "--dr-key-path", "member1.secret",
                        text="dr_wrapped_quorum_key: exists already")
    desk.path("namespace/dr_wrapped_quorum_key").unlink()
    desk.refused(*genesis_words(host), "--dr-key-path", "member1.secret", text="FailedToReadDrKey")
    desk.write("release/aws-x86_64.pcrs", PLACEHOLDERS)
    desk.refused(*genesis_words(host), text="placeholder")
    desk.write("release/aws-x86_64.pcrs", PCRS)
    desk.write("share-set/quorum_threshold", "1\n")
    desk.refused(*genesis_words(host), text="share-set")
    assert host.requests == [] and done.stdout == ""
    assert list(desk.path("namespace").iterdir()) == []


def genesis_reply(request, **changes):
    """What an enclave that echoes the request would answer, with parts of it changed."""
    asked = json.loads(request)["bootGenesisRequest"]
    pair = model.Pair()
    output = {
        "set": asked["set"], "quorum_key": pair.public.hex(), "recovery_permutations": [],
        "member_outputs": [{"shareSetMember": m, "encryptedQuorumKeyShare": "00", "shareHash": "00" * 64}
                           for m in asked["set"]["members"]],
        "quorum_key_hash": "00" * 64, "test_message_ciphertext": "00",
        "test_message_signature": "00", "test_message": "00", **changes}
    return json.dumps({"bootGenesisResponse": {
        "nsm_response": {"attestation": {"document": "00"}}, "genesis_output": output}}).encode()


def test_genesis_reply_must_echo_the_request(desk, fake_host):
    desk.path("namespace").mkdir()
    probe = fake_host(b'{"protocolErrorResponse":"InvalidMsg"}')
    desk.refused(*genesis_words(probe), text="InvalidMsg")
    path, request = probe.requests[0]
    asked = json.loads(request)["bootGenesisRequest"]
    assert asked == {"set": {"threshold": "2", "members": [
        model.member(alias, pair) for alias, pair in sorted(desk.members.items())]}}
    fewer = {"threshold": "2", "members": asked["set"]["members"][:2]}
    for changes in ({"set": {**asked["set"], "threshold": "3"}}, {"set": fewer},
                    {"member_outputs": []}, {"dr_key": model.Pair().public.hex()},
                    {"dr_key_wrapped_quorum_key": "00"}):
        host = fake_host(genesis_reply(request, **changes))
        desk.refused(*genesis_words(host), text="GenesisOutputDoesNotMatchRequest")
    host = fake_host(genesis_reply(request))
    desk.refused(*genesis_words(host), text="attestation document")  # "00" is none
    assert list(desk.path("namespace").iterdir()) == []


def test_genesis_is_never_asked_in_borsh(desk, fake_host):
    desk.path("namespace").mkdir()
    host = fake_host(UNDECODABLE)
    desk.refused(*genesis_words(host), text="ProtocolMsgDeserialization")
    assert len(host.requests) == 1


def test_attestation_document_is_kept_as_it_came(desk, fake_host):
    booted(desk)
    envelope = desk.read_json("approvals/manifest_envelope")
    words = ["get-attestation-doc", "--attestation-doc-path", "doc", "--manifest-envelope-path", "env"]
    nsm = {"attestation": {"document": "c0ffee"}}
    host = fake_host(json.dumps({"liveAttestationDocResponse": {
        "nsm_response": nsm, "manifest_envelope": envelope}}).encode())
    done = desk.ok(*words, *host.words)
    assert done.stdout == ("COSE Sign1 Attestation Doc written to: doc\n"
                           "Manifest envelope written to: env\n")
    assert desk.path("doc").read_bytes() == b"\xc0\xff\xee"
    assert desk.path("env").read_text() == json.dumps(envelope, separators=(",", ":"))
    host = fake_host(json.dumps({"liveAttestationDocResponse": {"nsm_response": nsm}}).encode())
    desk.refused(*words, *host.words, text="ManifestEnvelope does not exist in enclave")
    host = fake_host(b'{"liveAttestationDocResponse":{"nsm_response":{"error":"InternalError"},'
                     b'"manifest_envelope":' + json.dumps(envelope).encode() + b"}}")
    desk.refused(*words, *host.words, text="InternalError")


def post_words(desk, host, binding="ab" * 64):
    m = desk.generate()
    approval = model.approval("member1", desk.members["member1"], m)
    desk.write("s.approval", json.dumps(approval))
    desk.path("s.share").write_bytes(b"wrapped")
    if binding:
        desk.write("s.share.binding", binding)
    else:
        desk.path("s.share.binding").unlink(missing_ok=True)
    return ["post-share", *host.words, "--approval-path", "s.approval", "--eph-wrapped-share-path",
            "s.share"]


def test_a_share_is_posted_with_its_binding(desk, fake_host):
    host = fake_host(b'{"provisionResponse":{"reconstructed":false}}')
    done = desk.ok(*post_words(desk, host))
    assert done.stdout == "The quorum key has *not* been reconstructed.\n"
    sent = json.loads(host.requests[0][1])["quorateBoundProvisionRequest"]
    assert sent["share"] == b"wrapped".hex() and sent["binding"] == "ab" * 64
    assert sent["approval"] == desk.read_json("s.approval")
    desk.refused(*post_words(desk, host, binding="ab"), text="s.share.binding")


def test_an_original_enclave_gets_the_original_message(desk, fake_host):
    host = fake_host(UNDECODABLE, b'{"provisionResponse":{"reconstructed":true}}')
    done = desk.ok(*post_words(desk, host))
    assert done.stdout == "The quorum key has been reconstructed.\n"
    assert [next(iter(json.loads(body))) for _, body in host.requests] == [
        "quorateBoundProvisionRequest", "provisionRequest"]
    host = fake_host(b'{"provisionResponse":{"reconstructed":true}}')
    desk.ok(*post_words(desk, host, binding=None))
    assert [next(iter(json.loads(body))) for _, body in host.requests] == ["provisionRequest"]
    host = fake_host(b'{"protocolErrorResponse":"CouldNotVerifyApproval"}')
    desk.refused(*post_words(desk, host), text="CouldNotVerifyApproval")
    assert len(host.requests) == 1
