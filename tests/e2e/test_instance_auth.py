"""Who may use the REST API, asked of the real qos_core with signatures of an independent implementation."""
import json
import os
import re
import stat
import subprocess

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import qos_model as qos
from instance import CORE, ApiKey, authorization
from instance_ceremony import Party
from machine import PATIENCE, ROOT

DATA = {"data": [1, 2, 3], "recipient_public": []}
APPLICATION = [
    ("POST", "/generate-seed", {"strength": 256}),
    ("POST", "/validate-seed", {"seed_phrase": "abandon"}),
    ("POST", "/derive-key", {"encrypted_seed_phrase": "00", "path": "m/0", "curve": "secp256k1"}),
    ("POST", "/derive-address", {"encrypted_seed_phrase": "00", "path": "m/0", "curve": "secp256k1"}),
    ("POST", "/enclave/encrypt-data", DATA),
    ("POST", "/enclave/decrypt-data", {"encrypted_data": [1]}),
    ("POST", "/enclave/sign-transaction", {"transaction_data": [1]}),
    ("POST", "/enclave/sign-message", {"message": [1]}),
    ("POST", "/enclave/store-data", {"key": "k", "data": [1]}),
    ("GET", "/enclave/get-data", None),
]
ADMINISTRATION = ["genesis-boot", "inject-shares", "share-manifest", "boot-key-forward", "export-key", "inject-key",
                  "reset"]


@pytest.fixture
def keys():
    return {"client": ApiKey(), "admin": ApiKey(long=True)}


def key_file(folder, name, *keys):
    path = folder / name
    path.write_text("".join(f"{key.hex}\n" for key in keys))
    return path


@pytest.fixture
def guarded(new_instance, folder, keys):
    return new_instance("--client-key", key_file(folder, "clients", keys["client"]),
                        "--admin-key", key_file(folder, "admins", keys["admin"])).start()


def test_info_names_the_enclave_and_its_phase(instance):
    info = instance.info()
    assert info["phase"] == "WaitingForBootInstruction" and info["simulated"] is True
    assert info["healthy"] is True and info["enclave_id"] == instance.id


def test_unknown_paths_and_methods_are_refused_in_one_shape(instance):
    assert "path" in instance.refused(404, "GET", "/enclave/nothing")
    assert "method" in instance.refused(405, "DELETE", "/enclave/info")
    # The enclave takes the id that the host gives; the host takes none from its clients.
    answered = instance.call("GET", "/enclave/nothing", request_id="mine")[1]["request_id"]
    assert (answered == "mine") != instance.http


def test_finding_13_nobody_without_a_key_uses_the_application(guarded, keys):
    for method, path, body in APPLICATION:
        assert "client key's signature" in guarded.refused(401, method, path, body)
        stranger = ApiKey()
        assert guarded.signed(stranger, method, path, body)[0] == 401
        assert guarded.signed(keys["admin"], method, path, body)[0] == 403
        status, answer = guarded.signed(keys["client"], method, path, body)
        assert status not in (401, 403), (path, answer)


def test_finding_13_nobody_without_the_admin_key_administers(guarded, keys):
    for name in ADMINISTRATION:
        path = f"/enclave/{name}"
        guarded.refused(401, "POST", path, {})
        body = None if name == "reset" else {}  # the host passes none of its bodies on
        assert guarded.signed(keys["client"], "POST", path, body)[0] == 403
    status, answer = guarded.signed(keys["admin"], "POST", "/enclave/reset")
    assert (status, answer["success"], answer["message"]) == (200, True, "Enclave state reset successfully")


@pytest.mark.parametrize("argument", ["client-key=", "admin-key=04", "admin-key=zz", "client-key=0x{}",
                                      "client-key= {}", "admin-key={}\n", "client-key={0}{0}"])
def test_finding_13_a_genesis_with_a_malformed_key_among_its_arguments_is_refused(instance, keys, argument):
    argument = argument.format(keys["client"].hex)
    request = Party().request(pivot_args=["--verbose", argument])
    assert "pivot args: 2" in instance.refused(400, "POST", "/enclave/genesis-boot", request)
    assert instance.phase() == "WaitingForBootInstruction"
    good = Party().request(pivot_args=["--verbose", f"client-key={keys['client'].hex}"])
    instance.ok("POST", "/enclave/genesis-boot", good)


def test_finding_13_a_request_is_good_once_and_for_one_life_of_one_enclave(guarded, new_instance, keys):
    header = authorization(keys["admin"], guarded.id, "POST", "/enclave/reset", reply_key="")
    other = new_instance("--admin-key", key_file(guarded.folder, "same", keys["admin"])).start()
    other.refused(401, "POST", "/enclave/reset", authorization=header)
    guarded.ok("POST", "/enclave/reset", authorization=header)
    guarded.refused(401, "POST", "/enclave/reset", authorization=header)
    before = guarded.id
    guarded.restart()
    assert guarded.id != before
    guarded.refused(401, "POST", "/enclave/reset", authorization=header)


def test_finding_13_what_is_signed_cannot_be_changed_on_the_way(guarded, keys):
    header = authorization(keys["client"], guarded.id, "POST", "/enclave/encrypt-data", "a=1", b"{}")
    for how in ({"query": "a=2"}, {"query": ""}, {"query": "a=1&b"}, {"query": "a=1", "raw": b"{} "}):
        raw = how.pop("raw", b"{}")
        guarded.refused(401, "POST", "/enclave/encrypt-data", raw=raw, authorization=header, **how)
    guarded.refused(401, "POST", "/enclave/decrypt-data", raw=b"{}", query="a=1", authorization=header)
    status, _ = guarded.call("POST", "/enclave/encrypt-data", raw=b"{}", query="a=1", authorization=header)
    assert status == 422  # it came through to what its body says


def test_without_keys_the_simulated_enclave_works_and_warns(instance):
    for method, path, body in APPLICATION:
        status, answer = instance.call(method, path, body)
        assert status not in (401, 403) and answer["warning"].startswith("no client key is configured"), answer
    assert "warning" not in instance.info()
    assert any("no client key" in w for w in instance.status()["warnings"])


def test_a_bearer_token_is_for_the_simulation_and_its_application(new_instance, folder):
    (folder / "token").write_text("a-token-of-some-length\n")
    one = new_instance("--bearer-token", folder / "token").start()
    one.refused(401, "POST", "/enclave/encrypt-data", DATA)
    one.refused(401, "POST", "/enclave/encrypt-data", DATA, authorization="Bearer another-token-of-it")
    one.refused(503, "POST", "/enclave/encrypt-data", DATA, authorization="Bearer a-token-of-some-length")
    one.refused(401, "POST", "/enclave/reset", authorization="Bearer a-token-of-some-length")


def test_bad_key_files_stop_the_start(new_instance, folder):
    for option, text, says in (("--client-key", "zz\n", "line 1"), ("--admin-key", "\n", "found none"),
                               ("--bearer-token", "short", "16 to 512")):
        (folder / "bad").write_text(text)
        one = new_instance(option, folder / "bad")
        done = subprocess.run([str(w) for w in ["qos_core", *one.command()]], capture_output=True, text=True,
                              executable=str(CORE), timeout=PATIENCE)
        assert done.returncode == 1 and says in done.stderr, done.stderr
        assert text.strip() == "" or text.strip() not in done.stderr.replace(says, "")


def test_finding_26_only_the_owner_of_the_enclave_can_reach_its_socket(instance):
    mode = os.stat(instance.socket).st_mode
    assert stat.S_ISSOCK(mode) and mode & (stat.S_IWGRP | stat.S_IWOTH) == 0
    if os.geteuid() != 0:
        pytest.skip("needs root to be another user")
    code = ("import os,socket,sys\nos.setgid(65534); os.setuid(65534)\ns=socket.socket(socket.AF_UNIX)\n"
            "try: s.connect(sys.argv[1])\nexcept PermissionError: sys.exit(7)\n")
    done = subprocess.run(["/usr/bin/python3", "-c", code, instance.socket], timeout=PATIENCE)
    assert done.returncode == 7


def test_finding_21_reset_is_refused_where_nobody_is_admin(instance):
    assert "--admin-key FILE" in instance.refused(403, "POST", "/enclave/reset")
    assert instance.phase() == "WaitingForBootInstruction"


def test_keys_of_both_lengths_sign(new_instance, folder):
    short, long = ApiKey(), ApiKey(long=True)
    one = new_instance("--client-key", key_file(folder, "clients", short, long)).start()
    for key in (short, long):
        assert one.signed(key, "POST", "/enclave/encrypt-data", DATA)[0] == 503
        assert one.signed(key, "POST", "/enclave/encrypt-data", DATA, reply=qos.Pair())[0] == 503


def blocks(language):
    """The code blocks of the page that tells how to sign."""
    page = (ROOT / "docs" / "instance-auth.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def test_the_documented_python_signs(guarded, keys):
    (code,) = blocks("python")
    there = {}
    exec(code, there)  # our own page
    header = there["authorization"](keys["client"].private, guarded.id, "POST", "/enclave/encrypt-data", b"{}", 7,
                                    qos.Pair().public.hex())
    assert guarded.call("POST", "/enclave/encrypt-data", raw=b"{}", authorization=header)[0] == 422
    assert guarded.call("POST", "/enclave/encrypt-data", raw=b"{}", authorization=header)[0] == 401


@pytest.mark.parametrize("long", [False, True])
def test_finding_13_a_host_can_make_up_no_answer(guarded, keys, long):
    (code,) = blocks("python")
    page = {}
    exec(code, page)  # our own page
    party = Party(long=long)
    genesis = guarded.signed(keys["admin"], "POST", "/enclave/genesis-boot", party.request())[1]
    party.reply = genesis
    done = guarded.signed(keys["admin"], "POST", "/enclave/inject-shares", party.injection((0, 1), "E"))
    assert done[0] == 200 and guarded.phase() == "ApplicationReady"
    quorum_key = bytes(genesis["quorum_public_key"])
    send = guarded.call_http if guarded.http else guarded.call_socket
    came = []
    reply_key = qos.Pair()
    for nonce, path, body, expected in (
            (11, "/generate-seed", b"{}", 200), (12, "/generate-seed", b"{}", 200), (13, "/generate-seed", b"[]", 422),
            (14, "/enclave/decrypt-data", b'{"encrypted_data":[1]}', 400)):
        asked = (guarded.id, "POST", path, body, nonce, reply_key.public.hex())
        header = page["authorization"](keys["client"].private, *asked)
        status, answer = send("POST", path, body, "", header, {}, "")
        answer = answer if isinstance(answer, bytes) else answer.encode()
        assert status == expected
        came.append((page["signed_text"](*asked), status, answer))
        alone = json.loads(page["check_answer"](quorum_key, *came[-1]))
        assert {**alone, "answer_signature": json.loads(answer)["answer_signature"]} == json.loads(answer)
    (text, status, answer), (_, _, second) = came[0], came[1]
    for false in ((text, status, second), (text, 201, answer), (came[1][0], status, answer),
                  (text, status, answer.replace(b"256", b"128", 1)), (text, status, b" " + answer)):
        with pytest.raises(InvalidSignature):
            page["check_answer"](quorum_key, *false)
    with pytest.raises(ValueError):
        page["check_answer"](quorum_key, text, status, b'{"seed_phrase":""}')


def test_the_documented_shell_signs(guarded, keys, folder):
    (code,) = blocks("sh")
    pem = folder / "client.pem"
    pem.write_bytes(keys["client"].private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL,
                                                         NoEncryption()))
    for nonce in range(1, 9):  # numbers with zeros in front too
        done = subprocess.run(["sh", "-c", code + 'authorization "$@"', "sh", pem, guarded.id, "POST",
                               "/enclave/encrypt-data", "{}", str(nonce)], capture_output=True, text=True, check=True)
        assert guarded.call("POST", "/enclave/encrypt-data", raw=b"{}", authorization=done.stdout)[0] == 422
