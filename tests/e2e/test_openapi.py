"""openapi.yaml against what is served: every route, every example, and generated bodies, valid and mutated. The
targets are qos_host before an enclave of scripted answers, and before the real one (QUORATE_API_TARGETS: one of
"fake", "real", or both with a comma)."""
import http.client
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from machine import BIN, Machine, Process, answers, free_port
from openapi_model import DOCUMENT, Document, mutated, smallest, torn, values
from rest_fake import RestEnclave, answer

DESCRIBED = Document()
OPERATIONS = {o.id: o for o in DESCRIBED.operations}
WITH_BODY = [o for o in DESCRIBED.operations if o.takes_body]
TARGETS = os.environ.get("QUORATE_API_TARGETS", "fake,real").split(",")
JSON = {"Content-Type": "application/json"}
GENERATED = settings(max_examples=300 if os.environ.get("QUORATE_FULL") else 15, deadline=None, derandomize=True,
                     database=None, suppress_health_check=list(HealthCheck))


def described_answer(request):
    """What openapi.yaml says to a request, as an enclave that does nothing else."""
    operation = next(o for o in DESCRIBED.operations if (o.method, o.path) == (request["method"], request["path"]))
    status = 200
    if operation.takes_body:
        try:
            body = json.loads(request["body"])
        except ValueError:
            body, status = None, 400
        if status == 200 and not Draft7Validator(operation.request_schema).is_valid(body):
            status = 422
        for example in operation.examples.values():
            if example["value"] == body and "x-status" in example:
                status = example["x-status"]
                status = status[0] if isinstance(status, list) else status
    elif operation.id == "reset":
        status = 401
    _, schema, example = operation.content(status)
    if example is None or status >= 400:
        example = smallest(schema)
    if status >= 400:
        example.update(error="refused", code=status, request_id=request["requestId"])
    return answer(status, example)


class Fake:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="quorate-test-"))
        self.enclave = RestEnclave(self.folder / "sock", described_answer)
        self.port = free_port()
        self.process = Process(BIN / "qos_host", ["--host-ip", "127.0.0.1", "--host-port", self.port, "--usock",
                                                  self.enclave.path], self.folder / "host")
        self.process.wait_ready(lambda: answers(self.port, "/qos/host-health"), "qos_host")

    def remove(self):
        self.process.stop()
        self.enclave.close()
        shutil.rmtree(self.folder)


class Target:
    """One connection to a host; asked again and again."""

    def __init__(self, name):
        self.name = name
        self.machine = Fake() if name == "fake" else Machine().start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.machine.port, timeout=30)

    def ask(self, method, target, body=None, headers=None):
        self.connection.request(method, target, body, headers or {})
        reply = self.connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()

    def phase(self):
        return json.loads(self.ask("GET", "/health")[2])["phase"]


@pytest.fixture(scope="module", params=TARGETS)
def target(request):
    made = Target(request.param)
    yield made
    made.connection.close()
    made.machine.remove()


def test_the_document_is_served_as_it_is(target):
    status, headers, body = target.ask("GET", "/openapi.yaml")
    assert (status, body) == (200, DOCUMENT.read_bytes())
    assert headers["content-type"] == "application/yaml"


def test_the_document_has_the_routes_of_the_original_and_two_questions():
    original = {("GET", "/health"), ("GET", "/info"), ("POST", "/generate-seed"), ("POST", "/validate-seed"),
                ("POST", "/derive-key"), ("POST", "/derive-address"), ("GET", "/network/status"),
                ("POST", "/network/test"), ("GET", "/enclave/info"), ("GET", "/enclave/application-status"),
                ("GET", "/enclave/get-data")}
    original |= {("POST", "/enclave/" + name) for name in (
        "genesis-boot", "inject-shares", "encrypt-data", "decrypt-data", "sign-transaction", "sign-message",
        "store-data", "reset", "boot-key-forward", "export-key", "inject-key", "generate-attestation",
        "share-manifest")}
    assert len(original) == 24
    ours = {("GET", "/openapi.yaml"), ("GET", "/enclave/share-manifest"), ("GET", "/enclave/generate-attestation")}
    assert {(o.method, o.path) for o in DESCRIBED.operations} == original | ours


def test_examples_are_of_their_schemas():
    for operation in DESCRIBED.operations:
        for status in operation.responses:
            _, schema, example = operation.content(status)
            Draft7Validator.check_schema(schema)
            if example is not None:
                Draft7Validator(schema).validate(example)
                assert status < 400 or example["code"] == status, operation.id
        for example in operation.examples.values():
            if "x-status" not in example:
                Draft7Validator(operation.request_schema).validate(example["value"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_route_is_served_as_described(target, name):
    operation = OPERATIONS[name]
    if not operation.takes_body:
        operation.check(*target.ask(operation.method, operation.target))
        return
    for example, value in operation.examples.items():
        status, headers, body = target.ask("POST", operation.target, json.dumps(value["value"]), JSON)
        operation.check(status, headers, body)
        expected = value.get("x-status", [])
        expected = expected if isinstance(expected, list) else [expected]
        assert not expected or status in expected, (name, example, status, body)


@pytest.mark.parametrize("name", OPERATIONS)
def test_other_methods_are_405_with_what_is_allowed(target, name):
    operation = OPERATIONS[name]
    allowed = {o.method for o in DESCRIBED.operations if o.path == operation.path}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - allowed:
        status, headers, body = target.ask(method, operation.target, headers={"Content-Length": "0"})
        assert (status, set(headers["allow"].split(","))) == (405, allowed)
        assert json.loads(body)["code"] == 405
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", [o.id for o in WITH_BODY])
def test_bodies_need_their_type_and_have_a_limit(target, name):
    operation = OPERATIONS[name]
    for kind in (None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json+x"):
        headers = {} if kind is None else {"Content-Type": kind}
        assert operation.check(*target.ask("POST", operation.target, b"{}", headers))["code"] == 415
    assert operation.check(*target.ask("POST", operation.target, b" " * ((2 << 20) + 1), JSON))["code"] == 413
    for body in (b"{", b"[1,", b"\xff\xfe", b"{}{}", b"'x'"):
        assert operation.check(*target.ask("POST", operation.target, body, JSON))["code"] in (400, 401, 403)


def refused_like_described(target, operation, body):
    """A refusal changes no phase; nothing is a fault of ours."""
    phase = target.phase()
    status, headers, text = target.ask("POST", operation.target, body, JSON)
    operation.check(status, headers, text)
    assert status < 500 or status == 503, text
    if status >= 400:
        assert target.phase() == phase


@pytest.mark.parametrize("name", [o.id for o in WITH_BODY])
def test_generated_bodies_are_answered_as_described(target, name):
    operation = OPERATIONS[name]
    schema = operation.request_schema
    as_text = st.one_of(values(schema), mutated(schema)).map(lambda v: json.dumps(v).encode())

    @GENERATED
    @given(st.one_of(as_text, torn(schema), st.binary(max_size=64)))
    def run(body):
        refused_like_described(target, operation, body)

    run()


def test_generated_paths_and_queries_are_answered_in_the_one_shape(target):
    words = st.text(st.characters(min_codepoint=33, max_codepoint=126, blacklist_characters="#?"), max_size=20)

    @GENERATED
    @given(words, words)
    def run(path, query):
        status, headers, body = target.ask("GET", f"/{path}?{query}")
        if path.startswith("qos/") or (path, status) == ("metrics", 200) or path == "":
            return
        assert status in (200, 404, 405), (path, body)
        if status >= 400:
            assert json.loads(body)["code"] == status
        status, _, body = target.ask("GET", f"/enclave/get-data?{query}")
        assert status in OPERATIONS["getData"].responses and (status < 500 or status == 503), body

    run()


@pytest.mark.parametrize("target_name", TARGETS)
def test_an_enclave_that_is_away_is_503_on_its_routes_only(target_name):
    made = Target(target_name)
    try:
        if target_name == "fake":
            made.machine.enclave.close()
        else:
            made.machine.core.stop()
        for operation in DESCRIBED.operations:
            body = b"{}" if operation.takes_body else None
            status, headers, text = made.ask(operation.method, operation.target, body, JSON if body else None)
            value = operation.check(status, headers, text)
            mine = operation.id in ("info", "networkStatus", "networkTest", "openapi")
            assert status == (200 if mine else 503), (operation.id, text)
            if status == 503:
                assert "Enclave communication failed: " in value["error"]
        info = json.loads(made.ask("GET", "/info")[2])
        assert (info["healthy"], info["enclave_id"], info["phase"]) == (False, "unavailable", None)
    finally:
        made.connection.close()
        made.machine.remove()


def test_the_largest_body_reaches_the_enclave(target):
    body = b'{"key": "k", "data": []' + b" " * ((2 << 20) - 24) + b"}"
    assert len(body) == 2 << 20
    status, headers, text = target.ask("POST", "/enclave/store-data", body, JSON)
    value = OPERATIONS["storeData"].check(status, headers, text)
    assert "Enclave communication failed" not in value.get("error", "")
