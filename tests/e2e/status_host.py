"""A host made of scripted answers that serves the very page that qos_host serves, and what it would say of an enclave."""
import http.server
import json
import threading
import time
import urllib.request

from machine import BIN, Process, answers, free_port, work_folder
from sim_documents import Forge

PHASES = ["WaitingForBootInstruction", "GenesisBooted", "WaitingForQuorumShards", "WaitingForForwardedKey",
          "QuorumKeyProvisioned", "ApplicationReady", "UnrecoverableError"]
STATUS = "/enclave/application-status"
MANIFEST_HASH = "5c" * 32
PCRS = {i: bytes([0xa0 + i]) * 48 for i in range(4)}


def served_page():
    """(headers, body) of / as qos_host gives it, with no enclave behind it."""
    folder = work_folder()
    port = free_port()
    host = Process(BIN / "qos_host", ["--host-ip", "127.0.0.1", "--host-port", port, "--usock",
                                      folder / "nobody.sock"], folder / "host")
    try:
        host.wait_ready(lambda: answers(port, "/qos/host-health"), "qos_host")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as reply:
            return dict(reply.headers), reply.read()
    finally:
        host.stop()


def json_answer(value, status=200):
    return status, "application/json", json.dumps(value).encode()


def good_status(**changed):
    return {
        "success": True, "phase": "ApplicationReady", "has_quorum_key": True, "data_count": 3,
        "metadata": {"name": "renclave-v2", "version": "1.0.0", "last_updated": 1, "operation_count": 9},
        "share_mode": "acknowledged", "threshold": 2, "members": ["member1", "member2", "member3"],
        "manifest_hash": MANIFEST_HASH, "namespace_name": "qos-namespace", "namespace_nonce": 12345,
        "shares_received": ["member1", "member3"], "manifest_threshold": 2,
        "manifest_members": ["member1", "member2", "member3"], "manifest_approved_by": ["member2"],
        "measurements": {f"pcr{i}": v.hex() for i, v in PCRS.items()}, "tee": "sim", "simulated": True,
        "warnings": ["no client key is configured"], **changed,
    }


METRICS = """# HELP quorate_requests_total HTTP requests answered, by route and status code.
quorate_requests_total{route="/generate-seed",code="200"} 1234
quorate_requests_total{route="/generate-seed",code="500"} 6
quorate_request_duration_seconds_bucket{route="/generate-seed",le="+Inf"} 1240
quorate_request_duration_seconds_sum{route="/generate-seed"} 2.480000
quorate_request_duration_seconds_count{route="/generate-seed"} 1240
quorate_errors_total{kind="timeout"} 2
quorate_enclave_up 1
quorate_phase{phase="ApplicationReady"} 1
quorate_http_connections 7
"""


class Documents:
    """Genuine documents of a simulated TEE's keys, made anew for each test run."""

    def __init__(self, sim):
        self.forge = Forge(sim)
        read = lambda name: (self.forge.sim / name).read_bytes()  # noqa: E731
        self.chain = [read("root.der"), read("intermediate.der")]
        self.leaf = read("leaf.der")

    def make(self, **fields):
        return self.forge.sign({
            "module_id": "i-sim-enc", "digest": "SHA384", "timestamp": int(time.time() * 1000),
            "pcrs": {**PCRS, **{i: bytes(48) for i in range(4, 16)}}, "certificate": self.leaf,
            "cabundle": self.chain, "public_key": b"\4" * 130, "user_data": bytes.fromhex(MANIFEST_HASH),
            "nonce": None, **fields})


class StatusHost:
    """answers: {path: (status, type, body), a function that gives one, or None: the connection is closed}."""

    def __init__(self, page, document=None, port=0, **status):
        headers, body = page
        self.page = headers, body
        self.answers = {
            "/health": (200, "text/plain", b""),
            "/info": json_answer({"version": "0.1.0", "service": "QEMU Host API Gateway", "enclave_id": "e-1",
                                  "capabilities": [], "network_status": "connected"}),
            "/enclave/info": json_answer({"enclave_id": "e-1", "healthy": True, "version": "0.1.0",
                                          "capabilities": [], "phase": "ApplicationReady", "tee": "sim",
                                          "simulated": True}),
            STATUS: json_answer(good_status(**status)),
            "/status/enclave-info": json_answer({"phase": "QuorumKeyProvisioned", "manifestEnvelope": None,
                                                 "ephemeralKey": None}),
            "/metrics": (200, "text/plain; version=0.0.4", METRICS.encode()),
            "/enclave/generate-attestation": json_answer({"result": None, "phase": "ApplicationReady"}),
            "/status/attestation": json_answer({"error": "enclave: no document"}, 409),
        }
        if document is not None:
            self.attest(document)
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                if self.path == "/":
                    kept = {k: v for k, v in headers.items() if k not in ("Date", "Connection", "Content-Length")}
                    return self.give(200, kept, body)
                answer = outer.answers.get(self.path, (404, "text/plain", b""))
                if callable(answer):
                    answer = answer()
                if answer is None:
                    self.close_connection = True
                    return None
                return self.give(answer[0], {"Content-Type": answer[1]}, answer[2])

            def give(self, status, fields, contents):
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(contents)))
                self.end_headers()
                self.wfile.write(contents)

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.handle_error = lambda *_: None  # a browser that goes away
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def says(self, **changed):
        self.answers[STATUS] = json_answer(good_status(**changed))

    def attest(self, document):
        self.answers["/enclave/generate-attestation"] = json_answer(
            {"result": {"GenerateAttestationResponse": {"attestation_doc": list(document)}},
             "phase": "ApplicationReady"})

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
