"""A TEE instance under test: the real qos_core with the simulated TEE, spoken to by the REST API, either straight on
the enclave's socket (as qos_host would pass a request on) or over HTTP through qos_host; requests are signed and
sealed answers opened with python3-cryptography and nothing of ours.

QUORATE_INSTANCE_HTTP=1 sends everything over HTTP, so that the same tests prove both ways."""

import hashlib
import http.client
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

import qos_model as qos
from machine import BIN, PATIENCE, Process, answers, free_port, wait_until

BY_HTTP = os.environ.get("QUORATE_INSTANCE_HTTP", "") == "1"
CORE = BIN / "qos_core"


class ApiKey:
    """A key that signs requests: 65 bytes as the original's API has keys, or 130 (long)."""

    def __init__(self, long=False):
        self.pair = qos.Pair() if long else None
        self.private = self.pair._sign if long else ec.generate_private_key(qos.CURVE)
        self.public = self.pair.public if long else qos._point(self.private.public_key())
        self.nonce = 0

    @property
    def hex(self):
        return self.public.hex()

    def sign(self, message):
        r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def next_nonce(self):
        self.nonce += 1
        return self.nonce


def signed_text(enclave_id, method, path, query, body, nonce, reply_key=""):
    target = f"{path}?{query}" if query else path
    return "\n".join(["quorate-api-v1", enclave_id, method, target, hashlib.sha256(body).hexdigest(),
                      str(nonce), reply_key]).encode()


def authorization(key, enclave_id, method, path, query="", body=b"", nonce=None, reply_key=""):
    """The header's value for one request; reply_key: hex of a public key, empty for none."""
    nonce = key.next_nonce() if nonce is None else nonce
    signature = key.sign(signed_text(enclave_id, method, path, query, body, nonce, reply_key))
    words = [f"key={key.hex}", f"nonce={nonce}"]
    if reply_key:
        words.append(f"reply-key={reply_key}")
    words.append(f"signature={signature.hex()}")
    return "Quorate " + ", ".join(words)


class Instance:
    """folder: its own; sim: the simulated TEE's folder, one for all that are to trust one root; options: further ones
    of qos_core. With http (or QUORATE_INSTANCE_HTTP=1) a qos_host runs before it and call() goes through that."""

    def __init__(self, folder, *options, sim=None, http=None, host_options=(), role=None):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.sim = sim or folder / "sim"
        self.http = BY_HTTP if http is None else http
        self.socket = str(folder / "sock")
        self.options, self.host_options, self.role = list(options), list(host_options), role
        self.port = free_port() if self.http else None
        self.core = self.host = None
        self.starts = 0
        self.id = None

    def files(self):
        published = self.folder / "published"
        return {name: published / f"qos.{name}" for name in
                ("quorum.key", "ephemeral.key", "pivot.bin", "manifest")}

    def command(self):
        words = ["--tee", "sim", "--sim-dir", self.sim, "--usock", self.socket, "--allow-unlocked-memory"]
        for option, name in (("quorum", "quorum.key"), ("ephemeral", "ephemeral.key"), ("pivot", "pivot.bin"),
                             ("manifest", "manifest")):
            words += [f"--{option}-file", self.files()[name]]
        if self.role:
            words += ["--role", self.role]
        return words + self.options

    def start(self):
        self.starts += 1
        log = self.folder / f"log{self.starts}"
        self.core = Process(CORE, self.command(), f"{log}.core")
        self.core.wait_ready(self.listens, "qos_core to listen")
        if self.http:
            self.host = Process(BIN / "qos_host", [
                "--host-ip", "127.0.0.1", "--host-port", self.port, "--usock", self.socket,
                *self.host_options], f"{log}.host")
            self.host.wait_ready(lambda: answers(self.port, "/qos/host-health"), "qos_host to answer")
        self.id = self.info()["enclave_id"]
        return self

    def listens(self):
        try:
            return qos.call_json(self.socket, "statusRequest") is not None
        except OSError:
            return False

    def stop(self):
        for process in (self.host, self.core):
            if process:
                process.stop()

    def kill(self):
        self.core.process.kill()
        self.core.process.wait(PATIENCE)
        if self.host:
            self.host.stop()

    def restart(self):
        self.stop()
        return self.start()

    def log(self):
        """Everything that its programs ever said."""
        return "".join(p.read_text(errors="replace") for p in sorted(self.folder.glob("log*.*")))

    # Requests

    def call(self, method, path, body=None, query="", authorization="", headers=None, request_id="", raw=None):
        """(status, decoded JSON) of one request; body: anything JSON can say, raw: bytes as they are."""
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        send = self.call_http if self.http else self.call_socket
        status, text = send(method, path, data, query, authorization, headers or {}, request_id)
        return status, json.loads(text) if text else None

    def call_socket(self, method, path, data, query, authorization_, headers, request_id):
        assert not headers, "headers exist over HTTP only"
        reply = qos.call_json(self.socket, {"quorateApiRequest": {
            "method": method, "path": path, "query": query, "authorization": authorization_,
            "requestId": request_id, "body": data.hex()}})
        assert "quorateApiResponse" in reply, reply
        answer = reply["quorateApiResponse"]
        return int(answer["status"]), answer["body"]

    def call_http(self, method, path, data, query, authorization_, headers, request_id):
        sent = dict(headers)
        if data:
            sent.setdefault("Content-Type", "application/json")
        if authorization_:
            sent["Authorization"] = authorization_
        if request_id:
            sent["X-Request-Id"] = request_id
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, f"{path}?{query}" if query else path, body=data, headers=sent)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def signed(self, key, method, path, body=None, query="", reply=None, raw=None, **how):
        """The same, signed by this ApiKey. reply: a qos_model.Pair to which plaintext is sealed; the answer is then
        opened with it."""
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        header = authorization(key, self.id, method, path, query, data,
                               reply_key=reply.public.hex() if reply else "", **how)
        status, answer = self.call(method, path, query=query, authorization=header, raw=data)
        if reply and isinstance(answer, dict) and "sealed" in answer:
            answer = json.loads(reply.open(bytes(answer["sealed"])))
        return status, answer

    def ok(self, method, path, body=None, **how):
        """The answer of a request that must succeed."""
        status, answer = self.call(method, path, body, **how)
        assert status == 200, (path, status, answer)
        return answer

    def refused(self, expected, method, path, body=None, **how):
        """The sentence of a request that must be refused with this status, in the one shape of errors."""
        status, answer = self.call(method, path, body, **how)
        assert status == expected, (path, status, answer)
        assert answer["code"] == expected and isinstance(answer["error"], str) and answer["request_id"], answer
        return answer["error"]

    def info(self):
        return self.ok("GET", "/enclave/info")

    def status(self):
        return self.ok("GET", "/enclave/application-status")

    def phase(self):
        return self.info()["phase"]

    def wait_phase(self, phase):
        wait_until(lambda: self.phase() == phase, f"phase {phase}")
