"""In which encoding each command asks, and when it asks again: JSON first, Borsh only after ProtocolMsgDeserialization,
and the first real error is the one that is told (qos-wire 4.3)."""
import json

import pytest
import qos_model as model
from desk import Desk, booted
from test_client_forms import envelope_borsh
from test_client_host import UNDECODABLE, FakeHost

DOCUMENT = b"\xc0\xff\xee"


@pytest.fixture
def fake_host():
    made = []

    def make(*answers):
        made.append(FakeHost(*answers))
        return made[-1]

    yield make
    for host in made:
        host.close()


class Asking(Desk):
    """The words of the commands that ask, and the answer in Borsh that each takes."""

    def __init__(self, folder):
        super().__init__(folder)
        booted(self)
        self.envelope = self.read_json("approvals/manifest_envelope")
        self.approval = model.approval("member1", self.members["member1"], self.envelope["manifest"])
        self.write("s.approval", json.dumps(self.approval))
        self.path("s.share").write_bytes(b"wrapped")

    def words(self, command):
        return [command, *{
            "get-attestation-doc": ["--attestation-doc-path", "doc", "--manifest-envelope-path", "env"],
            "post-share": ["--approval-path", "s.approval", "--eph-wrapped-share-path", "s.share"],
        }.get(command, [])]

    def provision(self):
        return b"\x07" + model.b_bytes(b"wrapped") + model.b_hex(self.approval["signature"]) + model.b_member(
            self.approval["member"])

    def booted_reply(self):
        return b"\x0c\x05" + model.b_bytes(DOCUMENT) + b"\1" + envelope_borsh(self.envelope)


# command: (name in JSON, request in Borsh, answer in Borsh, what is printed then)
COMMANDS = {
    "enclave-status": ("statusRequest", lambda d: b"\x01", lambda d: b"\x02\x04", "QuorumKeyProvisioned"),
    "enclave-version": ("versionRequest", lambda d: b"\x15",
                        lambda d: b"\x16" + model.b_text("0.6.1") + model.b_text("abc"), "QOS version: 0.6.1"),
    "get-attestation-doc": ("liveAttestationDocRequest", lambda d: b"\x0b", Asking.booted_reply,
                            "COSE Sign1 Attestation Doc written to: doc"),
    "post-share": ("provisionRequest", Asking.provision, lambda d: b"\x08\x01",
                   "The quorum key has been reconstructed."),
}


@pytest.fixture
def desk(tmp_path):
    return Asking(tmp_path)


def name_of(body):
    value = json.loads(body)
    return value if isinstance(value, str) else next(iter(value))


@pytest.mark.parametrize("command", COMMANDS)
def test_borsh_is_asked_once_after_json_was_not_understood(desk, fake_host, command):
    name, request, answer, said = COMMANDS[command]
    host = fake_host(UNDECODABLE, answer(desk))
    assert said in desk.ok(*desk.words(command), *host.words).stdout
    bodies = [body for _, body in host.requests]
    assert name_of(bodies[0]) == name and bodies[1:] == [request(desk)]
    if command == "get-attestation-doc":
        assert desk.path("doc").read_bytes() == DOCUMENT and desk.read_json("env") == desk.envelope


@pytest.mark.parametrize("command", COMMANDS)
def test_the_answer_may_have_another_encoding_than_the_question(desk, fake_host, command):
    name, _, answer, said = COMMANDS[command]
    host = fake_host(answer(desk))
    assert said in desk.ok(*desk.words(command), *host.words).stdout
    assert [name_of(body) for _, body in host.requests] == [name]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_other_error_is_a_reason_to_ask_again(desk, fake_host, command):
    for error, text in ((b'{"protocolErrorResponse":"InvalidMsg"}', "InvalidMsg"),
                        (b'{"protocolErrorResponse":{"NoMatchingRoute":"UnrecoverableError"}}',
                         "NoMatchingRoute(UnrecoverableError)"),
                        (b"\x00\x20trailing", "deserialization error"), (b"", "deserialization error"),
                        ((500, b"broken", {}), "status: 500"), (b'"injectKeyResponse"', "Unexpected response")):
        host = fake_host(error)
        done = desk.refused(*desk.words(command), *host.words, text=text)
        assert len(host.requests) == 1 and done.stdout == ""
        assert not desk.path("doc").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_not_asked_for_ever_and_the_second_error_names_the_first(desk, fake_host, command):
    host = fake_host(UNDECODABLE, UNDECODABLE)
    desk.refused(*desk.words(command), *host.words, text="ProtocolMsgDeserialization")
    assert len(host.requests) == 2
    host = fake_host(UNDECODABLE, (502, b"gone", {}))
    desk.refused(*desk.words(command), *host.words,
                 text="after ProtocolMsgDeserialization as the answer to JSON: http_post error")


def test_a_bound_share_falls_back_to_the_plain_one_and_then_to_borsh(desk, fake_host):
    desk.write("s.share.binding", "ab" * 64)
    host = fake_host(UNDECODABLE, UNDECODABLE, b"\x08\x00")
    assert "has *not* been" in desk.ok(*desk.words("post-share"), *host.words).stdout
    bodies = [body for _, body in host.requests]
    assert [name_of(body) for body in bodies[:2]] == ["quorateBoundProvisionRequest", "provisionRequest"]
    assert bodies[2:] == [desk.provision()]


def test_a_boot_tells_the_first_real_error(desk, fake_host):
    words = ["boot-standard", "--pivot-path", "app", "--manifest-envelope-path", "approvals/manifest_envelope",
             "--pcr3-preimage-path", "nowhere", "--unsafe-skip-attestation"]
    for answers, text, asked in (
            ([b'{"protocolErrorResponse":"FailedToPutPivot"}'], "enclave: FailedToPutPivot", [23]),
            ([(500, b"x", {})], "status: 500", [23]),
            ([UNDECODABLE, b'{"protocolErrorResponse":"NotEnoughApprovals"}'], "NotEnoughApprovals", [23, 3]),
            ([UNDECODABLE, (500, b"x", {})], "after ProtocolMsgDeserialization as the answer to the newer form", [23, 3]),
            ([UNDECODABLE, UNDECODABLE], "ProtocolMsgDeserialization", [23, 3])):
        host = fake_host(*answers)
        desk.refused(*words, *host.words, text=text)
        assert [body[0] for _, body in host.requests] == asked
