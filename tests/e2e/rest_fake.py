"""An enclave of scripted answers for the REST API (renclave 1): what qos_host passes on, as the enclave sees it.

Answers by default are given by a table of its own; a test may put in a function of the decoded request."""
import json

from fake_enclave import FakeEnclave, canonical

ENCLAVE_ID = "6f0d2c3e-8a54-4c0e-9d67-2f1b7f3f9a10"


def frame(value):
    return json.dumps(canonical(value), separators=(",", ":")).encode()


def answer(status, value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return frame({"quorateApiResponse": {"status": status, "body": body.decode("utf-8", "surrogateescape")}})


def error(request, status, text):
    return answer(status, {"error": text, "code": status, "request_id": request["requestId"]})


class RestEnclave(FakeEnclave):
    """calls: every request that came, its body as bytes. api: request -> frame; None: self.table."""

    def __init__(self, path, api=None, phase="ApplicationReady", **options):
        self.calls = []
        self.api = api
        self.phase = phase
        super().__init__(path, {"other": self.reply}, **options)

    def info(self):
        return {"healthy": True, "version": "0.1.0", "enclave_id": ENCLAVE_ID, "phase": self.phase, "tee": "sim", "simulated": True,
                "capabilities": ["seed_generation"]}

    def table(self, request):
        if (request["method"], request["path"]) == ("GET", "/enclave/info"):
            return answer(200, self.info())
        return answer(200, {"echo": request["path"]})

    def reply(self, raw):
        if raw == b'"statusRequest"':
            return frame({"statusResponse": "QuorumKeyProvisioned"})
        request = json.loads(raw)["quorateApiRequest"]
        request["body"] = bytes.fromhex(request.get("body", ""))
        with self.lock:
            self.calls.append(request)
        return (self.api or self.table)(request)
