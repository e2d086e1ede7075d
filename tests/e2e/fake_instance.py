"""A small instance in Python, true to renclave 1 to 3 where qos_client looks: real envelopes, shares, signatures and
attestation documents of a simulated TEE's folder. Tests let it lie by altering what it answers."""
import hashlib
import http.server
import json
import socket
import struct
import subprocess
import threading
import time
import uuid

import instance_model as model
import qos_model as qos
from machine import BIN, ROLE
from sim_documents import Forge

SETUP = "qos-setup-manifest-pcr-commitment-v1"
LIVE = "qos-live-manifest-pcr-commitment-v1"
SEALED_PATHS = ("/enclave/decrypt-data", "/enclave/get-data")


class Refusal(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


def sim_folder(path):
    """The PKI and the measurements of a simulated TEE: (folder, {index: bytes})."""
    done = subprocess.run([BIN / "qos_core", "--tee", "sim", "--sim-dir", path, "--role", ROLE, "--print-pcrs"],
                          check=True, capture_output=True, text=True)
    pcrs = {int(name[3:]): bytes.fromhex(value) for value, name in map(str.split, done.stdout.splitlines())}
    return pcrs


def qos_set(rest):
    return {"threshold": rest["threshold"],
            "members": [{"alias": m["alias"], "pubKey": model.long_key(m["pub_key"]).hex()} for m in rest["members"]]}


def qos_manifest(rest):
    """The manifest (version 1) that a REST manifest stands for."""
    n, p, e = rest["namespace"], rest["pivot"], rest["enclave"]
    hexed = {name: bytes(e[key]).hex() for name, key in (
        ("pcr0", "pcr0"), ("pcr1", "pcr1"), ("pcr2", "pcr2"), ("pcr3", "pcr3"),
        ("awsRootCertificate", "aws_root_certificate"))}
    return {"namespace": {"name": n["name"], "nonce": n["nonce"], "quorumKey": model.long_key(n["quorum_key"]).hex()},
            "pivot": {"hash": bytes(p["hash"]).hex(), "restart": p["restart"], "bridgeConfig": [], "debugMode": False,
                      "args": p["args"]},
            "manifestSet": qos_set(rest["manifest_set"]), "shareSet": qos_set(rest["share_set"]),
            "enclave": {**hexed, "qosCommit": e["qos_commit"]}, "patchSet": {"threshold": 0, "members": []}}


def manifest_hash(envelope):
    return qos.manifest_hash(qos_manifest(envelope["manifest"]))


class FakeEnclave:
    """What the enclave behind the routes does; alter, {path: function(answer) -> answer}, is for lies."""

    def __init__(self, sim, pcrs, admins=(), clients=()):
        self.forge, self.pcrs = Forge(sim), pcrs
        self.admins, self.clients = list(admins), list(clients)
        self.id = str(uuid.uuid4())
        self.nonces, self.calls, self.alter = set(), [], {}
        self.healthy_after = 0
        self.wipe()

    def wipe(self):
        self.phase = "WaitingForBootInstruction"
        self.envelope = self.quorum = self.request = self.response = None
        self.setup, self.live, self.shares, self.exports = model.QosPair(), model.QosPair(), {}, 0
        self.share_mode, self.hashes, self.warnings = "member-decryption", [], []

    # ---- attestation

    def signed(self, registers, key, user_data):
        sim = self.forge.sim
        return self.forge.sign({
            "module_id": "fake", "digest": "SHA384", "timestamp": int(time.time() * 1000), "pcrs": registers,
            "certificate": (sim / "leaf.der").read_bytes(),
            "cabundle": [(sim / name).read_bytes() for name in ("root.der", "intermediate.der")],
            "public_key": key, "user_data": user_data, "nonce": None})

    def registers(self):
        return {**{i: bytes(48) for i in range(32)}, **self.pcrs}

    def document(self):
        hash_ = manifest_hash(self.envelope)
        live = self.quorum is not None and self.phase == "ApplicationReady"
        key = (self.live if live else self.setup).public
        registers = self.registers()
        registers[16] = qos.commitment_register(SETUP, self.setup.public, hash_)
        if live:
            registers[17] = qos.commitment_register(LIVE, key, hash_)
        return self.signed(registers, key, hash_)

    def genesis_document(self, request, response):
        """Of the genesis, before there was a manifest: over its output as QuorumOS has it."""
        members = qos_set({"threshold": request["share_threshold"], "members": request["share_members"]})
        output = {"set": members, "quorum_key": self.quorum.public.hex(), "recovery_permutations": [],
                  "member_outputs": [
                      {"shareSetMember": m, "encryptedQuorumKeyShare": bytes(e["encrypted_quorum_key_share"]).hex(),
                       "shareHash": bytes(e["share_hash"]).hex()}
                      for m, e in zip(members["members"], response["encrypted_shares"])]}
        if request.get("dr_key"):
            output["dr_key"] = model.long_key(request["dr_key"]).hex()
            output["dr_key_wrapped_quorum_key"] = bytes(response["dr_key_wrapped_quorum_key"]).hex()
        for name in ("quorum_key_hash", "test_message_ciphertext", "test_message_signature", "test_message"):
            output[name] = bytes(response[name]).hex()
        return self.signed(self.registers(), None, hashlib.sha256(qos.b_genesis_output(output)).digest())

    # ---- routes

    def get_health(self):
        if self.healthy_after > 0:
            self.healthy_after -= 1
            raise Refusal(503, "Enclave is not available")
        return {"status": "healthy", "phase": self.phase}

    def get_enclave_info(self):
        return {"healthy": True, "version": "0.1.0", "enclave_id": self.id, "capabilities": [], "phase": self.phase,
                "tee": "sim", "simulated": True}

    def get_enclave_application_status(self):
        answer = {"success": True, "phase": self.phase, "has_quorum_key": self.phase == "ApplicationReady",
                  "data_count": 0, "share_mode": self.share_mode, "tee": "sim", "simulated": True,
                  "threshold": 0, "manifest_threshold": 0, "members": [], "manifest_members": [],
                  "shares_received": list(self.shares), "manifest_approved_by": [], "warnings": self.warnings,
                  "measurements": {f"pcr{i}": self.pcrs[i].hex() for i in range(4)}, "metadata": {
                      "name": "quorate", "version": "0.1.0", "last_updated": 0, "operation_count": 0}}
        if self.envelope:
            manifest = self.envelope["manifest"]
            answer.update(threshold=manifest["share_set"]["threshold"],
                          members=[m["alias"] for m in manifest["share_set"]["members"]],
                          namespace_name=manifest["namespace"]["name"], namespace_nonce=manifest["namespace"]["nonce"],
                          manifest_hash=manifest_hash(self.envelope).hex())
        return answer

    @staticmethod
    def flat(request):
        if "share_members" in request:
            return request
        p = request["parameters"]
        members = {name: [{"alias": m["member_alias"], "pub_key": m["pub_key"]} for m in p[name]]
                   for name in ("share_members", "manifest_members")}
        return {**p, **members, "share_threshold": p["threshold"], "manifest_threshold": p["threshold"],
                "pivot_hash": p["pivot"]["hash"], "pivot_args": p["pivot"]["args"]}

    def post_enclave_genesis_boot(self, request):
        if self.request == request:
            return self.response
        if self.phase != "WaitingForBootInstruction":
            raise Refusal(409, f"Genesis boot is not possible in phase {self.phase}")
        asked, request = request, self.flat(request)
        members = request["share_members"]
        raw = all(len(m["pub_key"]) == 65 for m in members)
        self.quorum = model.RawPair() if raw else model.QosPair()
        shares = model.split(self.quorum.seed, len(members), request["share_threshold"])
        enclave = {f"pcr{i}": list(self.pcrs[i]) for i in range(4)}
        enclave.update(aws_root_certificate=list((self.forge.sim / "root.der").read_bytes()), qos_commit="test")
        self.envelope = {"manifest": {
            "namespace": {"nonce": request["namespace_nonce"], "name": request["namespace_name"],
                          "quorum_key": list(self.quorum.shown)},
            "enclave": enclave,
            "pivot": {"hash": request["pivot_hash"], "restart": "Never", "args": request["pivot_args"]},
            "manifest_set": {"threshold": request["manifest_threshold"], "members": request["manifest_members"]},
            "share_set": {"threshold": request["share_threshold"], "members": members},
        }, "manifest_set_approvals": [], "share_set_approvals": []}
        self.envelope["quorum_key_signature"] = list(self.quorum.sign(manifest_hash(self.envelope)))
        self.request, self.phase = asked, "GenesisBooted"
        self.hashes = [model.share_hash(s) for s in shares]
        self.issued = {m["alias"]: qos.seal(model.long_key(m["pub_key"]), s) for m, s in zip(members, shares)}
        self.plain = {m["alias"]: s for m, s in zip(members, shares)}
        self.response = {
            "quorum_public_key": list(self.quorum.shown), "ephemeral_key": list(self.setup.public),
            "manifest_envelope": self.envelope, "waiting_state": "GenesisBooted",
            "encrypted_shares": [
                {"share_set_member": m, "encrypted_quorum_key_share": list(self.issued[m["alias"]]),
                 "share_hash": list(model.share_hash(s))} for m, s in zip(members, shares)],
            "attestation_doc": list(self.document()), "share_mode": self.share_mode,
            "manifest_hash": manifest_hash(self.envelope).hex(), "test_message": list(b"qos-test-message"),
            "test_message_ciphertext": list(qos.seal(self.quorum.public, b"qos-test-message")),
            "test_message_signature": list(self.quorum.sign(b"qos-test-message")),
            "quorum_key_hash": list(hashlib.sha512(self.quorum.seed.hex().encode()).digest())}
        if request.get("dr_key"):
            sealed = qos.seal(model.long_key(request["dr_key"]), self.quorum.seed)
            self.response["dr_key_wrapped_quorum_key"] = list(sealed)
        self.response["genesis_attestation_doc"] = list(self.genesis_document(request, self.response))
        return self.response

    def opened(self, posted):
        alias, given = posted["member_alias"], bytes(posted["decrypted_share"])
        if len(given) == 33:
            return given
        if given == self.issued.get(alias):
            self.share_mode = "acknowledgement"
            return self.plain[alias]
        return self.setup.open(given)

    def post_enclave_inject_shares(self, request):
        if self.phase not in ("GenesisBooted", "WaitingForQuorumShards", "ApplicationReady"):
            raise Refusal(409, f"Share injection is not possible in phase {self.phase}")
        manifest = self.envelope["manifest"]
        if (request["namespace_name"], request["namespace_nonce"]) != (
                manifest["namespace"]["name"], manifest["namespace"]["nonce"]):
            raise Refusal(400, "Another namespace")
        names = [m["alias"] for m in manifest["share_set"]["members"]]
        got = {}
        for posted in request["shares"]:
            share = self.opened(posted)
            index = names.index(posted["member_alias"])
            if share[0] != index + 1 or model.share_hash(share) != self.hashes[index]:
                raise Refusal(400, f"share of {posted['member_alias']}: another hash")
            got[posted["member_alias"]] = share
        self.shares.update(got)
        k = manifest["share_set"]["threshold"]
        if len(self.shares) < k:
            self.phase = "WaitingForQuorumShards"
            return {"reconstructed_quorum_key": [], "success": False, "shares_received": len(self.shares),
                    "threshold": k, "share_mode": self.share_mode}
        seed = qos.combine(list(self.shares.values())[:k])
        assert seed == self.quorum.seed
        self.phase = "ApplicationReady"
        return {"reconstructed_quorum_key": list(self.quorum.shown), "success": True, "threshold": k,
                "shares_received": len(self.shares), "share_mode": self.share_mode}

    @staticmethod
    def tee(name, value):
        return {"id": str(uuid.uuid4()), "result": {name: value}}

    def post_enclave_share_manifest(self, request):
        given = request["manifest_envelope"]
        if self.phase == "WaitingForForwardedKey" and manifest_hash(given) == manifest_hash(self.envelope):
            return self.tee("ShareManifestResponse", {"success": True})
        if self.phase != "WaitingForBootInstruction":
            raise Refusal(409, f"A manifest cannot be shared in phase {self.phase}")
        self.envelope, self.phase = given, "WaitingForForwardedKey"
        return self.tee("ShareManifestResponse", {"success": True})

    def get_enclave_share_manifest(self):
        return {"manifest_shared": self.envelope is not None, "phase": self.phase,
                "manifest_hash": manifest_hash(self.envelope).hex() if self.envelope else None}

    def post_enclave_generate_attestation(self, _):
        if self.envelope is None:
            raise Refusal(409, "There is no manifest")
        return self.tee("GenerateAttestationResponse", {"attestation_doc": list(self.document())})

    def post_enclave_export_key(self, request):
        from sim_documents import payload_of
        if self.phase != "ApplicationReady":
            raise Refusal(409, f"There is no key to export in phase {self.phase}")
        claims = payload_of(bytes(request["attestation_doc"]))
        if claims["user_data"] != manifest_hash(self.envelope):
            raise Refusal(403, "Attestation document verification failed")
        self.exports += 1
        sealed = qos.seal(claims["public_key"], self.quorum.seed)
        return self.tee("ExportKeyResponse", {"encrypted_quorum_key": list(sealed),
                                              "signature": list(self.quorum.sign(sealed))})

    def post_enclave_inject_key(self, request):
        if self.phase != "WaitingForForwardedKey":
            raise Refusal(409, f"A key cannot be injected in phase {self.phase}")
        shown = bytes(self.envelope["manifest"]["namespace"]["quorum_key"])
        sealed = bytes(request["encrypted_quorum_key"])
        if not model.verify(shown, sealed, bytes(request["signature"])):
            raise Refusal(403, "Signature verification failed")
        self.quorum = model.pair_of(self.setup.open(sealed), len(shown))
        assert self.quorum.shown == shown
        self.phase = "ApplicationReady"
        return self.tee("InjectKeyResponse", {"success": True})

    def post_enclave_reset(self, _):
        self.wipe()
        return {"success": True, "message": "Enclave state reset successfully"}

    def post_enclave_decrypt_data(self, request):
        return {"success": True, "decrypted_data": request["encrypted_data"][::-1]}

    # ---- who asks

    def check_signature(self, method, path, header, body):
        """The reply key of a signed request, None when it has none."""
        scheme, _, rest = header.partition(" ")
        assert scheme == "Quorate", header
        fields = dict(part.split("=", 1) for part in rest.split(", "))
        text = "\n".join(["quorate-api-v1", self.id, method, path, hashlib.sha256(body).hexdigest(), fields["nonce"],
                          fields.get("reply-key", "")])
        shown = bytes.fromhex(fields["key"])
        if shown not in self.admins + self.clients or fields["nonce"] in self.nonces:
            raise Refusal(401, "authorization: the key is none of those configured")
        if not model.verify(shown, text.encode(), bytes.fromhex(fields["signature"])):
            raise Refusal(401, "The signature does not hold")
        self.nonces.add(fields["nonce"])
        reply = fields.get("reply-key")
        return bytes.fromhex(reply) if reply else None

    def answer(self, method, path, header, body):
        self.calls.append((method, path, header, body))
        handler = getattr(self, f"{method.lower()}_{path.partition('?')[0].strip('/').replace('/', '_').replace('-', '_')}",
                          None)
        reply_key = None
        try:
            if handler is None:
                raise Refusal(404, "There is no such route")
            if header:
                reply_key = self.check_signature(method, path, header, body)
            elif method == "POST" and self.admins:
                raise Refusal(401, "authorization: expected an admin key's signature, found none")
            value = handler(json.loads(body or b"null")) if method == "POST" else handler()
            status = 200
        except Refusal as refusal:
            status, value = refusal.status, {"error": refusal.message, "code": refusal.status,
                                             "request_id": str(uuid.uuid4())}
        if path in self.alter:
            value = self.alter[path](json.loads(json.dumps(value)))
            if value is None or isinstance(value, tuple):
                return value
        text = json.dumps(value, separators=(",", ":")).encode()
        if status == 200 and path in SEALED_PATHS and header:
            text = json.dumps({"sealed": list(qos.seal(model.long_key(reply_key), text))}).encode()
        return status, text


class FakeInstance(FakeEnclave):
    """The enclave behind HTTP, on a port of its own. An answer of None closes the connection without one; one of
    (status, bytes) is sent as it is; (status, bytes, seconds) takes that long."""

    def __init__(self, sim, pcrs, **options):
        super().__init__(sim, pcrs, **options)
        outer = self
        self.lock = threading.Lock()
        self.release = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with outer.lock:
                    answer = outer.answer(self.command, self.path, self.headers.get("Authorization"), body)
                if answer is None:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    return
                if len(answer) == 3:
                    outer.release.wait(answer[2])
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            do_GET = do_POST = reply

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def remove(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
