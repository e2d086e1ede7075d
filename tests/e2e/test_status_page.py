"""The status page in headless Chromium, before a real enclave and before hosts that say whatever a test wants."""
import base64
import hashlib
import json
import os
import random
import re
import socket
import subprocess
import threading
import time
import unicodedata
import urllib.error
import urllib.request

import pytest

import browser as chromium
import qos_model as qos
from instance_ceremony import Party, hash_of
from machine import BIN, ROOT, SHARED, VECTORS, Machine, request
from raw_enclave import SLEEPER, Ceremony
from status_host import MANIFEST_HASH, PCRS, PHASES, STATUS, Documents, StatusHost, good_status, json_answer, served_page

SOURCE = ROOT / "src" / "host" / "status.html"
needs_chromium = pytest.mark.skipif(chromium.ABSENT is not None, reason=str(chromium.ABSENT))

HOSTILE = {
    "script": "<script>window.pwned=1</script>", "image": "<img src=x onerror='window.pwned=1'>",
    "attribute": "\" onmouseover=\"window.pwned=1", "entity": "&lt;b&gt;", "template": "${window.pwned=1}",
    "bidirectional": "a\u202egnp.b", "isolate": "a\u2066b\u2069", "control": "a\x1b[2J\x07b",
    "newline": "a\nb", "NUL": "a\0b", "zero width": "a\u200bb", "invisible letter": "a\u3164b",
    "tag": "a\U000e0041b", "line separator": "a\u2028b", "wide space": "a\u3000b", "many marks": "a" + "\u0301" * 40,
    "lone surrogate": "a\ud800b", "very long": "x" * 50_000, "prototype": "__proto__", "empty": "",
}


@pytest.fixture(scope="module")
def page_served():
    return served_page()


@pytest.fixture(scope="module")
def documents():
    machine = Machine()
    machine.print_pcrs()
    yield Documents(machine.sim)
    machine.remove()


@pytest.fixture(scope="module")
def browser():
    b = chromium.Browser()
    yield b
    b.close()


@pytest.fixture
def tab(browser):
    made = []

    def make(**options):
        made.append(browser.page(**options))
        return made[-1]

    yield make
    for page in made:
        page.close()


@pytest.fixture
def host(page_served, documents):
    h = StatusHost(page_served, documents.make())
    yield h
    h.close()


def another_round(page):
    """Lets the page ask once more, now, and waits until it has shown the answers."""
    page.wait("!running")
    page.js("window.before = rounds; round(); 0")
    page.wait("rounds > window.before && !running")


def js_bytes(data):
    return f"Uint8Array.from(atob('{base64.b64encode(data).decode()}'), (c) => c.charCodeAt(0))"


def checks(page, document, **expected):
    """{name: result} of the page's own checks."""
    found = page.js(f"checkEvidence({js_bytes(document)}, {json.dumps(expected)}).then((r) => r.checks)")
    return {c["name"]: c["result"] for c in found}


def rows(page, table):
    return page.js(f"Array.from(document.getElementById('{table}').rows, (r) => Array.from(r.cells, (c) => c.textContent))")


# The page and its headers


def test_the_page_is_served_as_it_is_written_with_a_policy_of_its_own_hashes(page_served):
    headers, body = page_served
    assert body == SOURCE.read_bytes()
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        parts = re.findall(f"<{tag}>(.*?)</{tag}>", body.decode(), re.DOTALL)
        assert len(parts) == (2 if tag == "script" else 1)
        assert policy[directive].split() == [
            f"'sha256-{base64.b64encode(hashlib.sha256(p.encode()).digest()).decode()}'" for p in parts]
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'" and policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(policy) and "http" not in str(policy)
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY" and "Cache-Control" in headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_page_loads_nothing_and_has_no_inline_handlers():
    text = SOURCE.read_text()
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text)
    assert not re.search(r"<[^>]*\sstyle\s*=", text)
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", text) == ["data:,", "#main"]
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "http://", "https://"):
        assert word not in text.replace("http://HOST:PORT", ""), word


def test_the_pages_routes_answer_what_they_should(new_machine):
    machine = new_machine().start()
    assert request(machine.port, "HEAD", "/")[0] == 200
    assert request(machine.port, "POST", "/", b"")[0] == 405
    assert request(machine.port, "GET", "/?x=1")[0] == 200
    for path in ("/status", "/status/", "/status/nothing"):
        status, body = request(machine.port, "GET", path)
        assert status == 404 and json.loads(body)["code"] == 404
    assert json.loads(request(machine.port, "GET", "/status/enclave-info")[1]) == machine.info()
    status, body = request(machine.port, "GET", "/status/attestation")
    assert status == 409 and "once it has a manifest" in json.loads(body)["error"]
    machine.core.stop()
    status, body = request(machine.port, "GET", "/status/attestation")
    assert status == 503 and json.loads(body)["error"]


# A real enclave


@needs_chromium
def test_a_ceremony_is_shown_as_it_goes_on(new_ceremony, tab):
    c = new_ceremony().born()
    pivot = c.app.make()
    c.approved(pivot)
    page = tab().open(f"http://127.0.0.1:{c.machine.port}/")
    assert page.text("#phase") == "WaitingForBootInstruction"
    assert page.text("#verdict") == "No document."
    c.boot(pivot)
    another_round(page)
    assert page.text("#phase") == "WaitingForQuorumShards"
    found = {r[0]: r[1] for r in rows(page, "checks")}
    assert set(found.values()) <= {"holds", "not checked"} and len(found) == 9, rows(page, "checks")
    for name in ("Form", "Signature of the document", "Chain of certificates", "Manifest hash", "Measurements"):
        assert found[name] == "holds"
    assert page.js("!document.getElementById('simulated').hidden")
    info = c.machine.info()
    manifest = info["manifestEnvelope"]["manifest"]
    assert qos.manifest_hash(manifest).hex() in page.text("#identity")
    approved = [a["member"]["alias"] for a in info["manifestEnvelope"]["manifestSetApprovals"]]
    assert [r[0] for r in rows(page, "manifest-set") if r[2] == "yes, signature holds"] == sorted(approved)
    assert page.text("#root-hash") == hashlib.sha256(c.root.read_bytes()).hexdigest()
    assert "quorate-simulated" in page.text("#root-says")
    # The download is the very document that was checked.
    got = page.js("fetch.call(null, '/status/attestation').then(() => Array.from(evidence.bytes))")
    file = c.folder / "from-the-page"
    file.write_bytes(bytes(got))
    assert page.js("document.getElementById('download').href").startswith("blob:")
    assert page.js("document.getElementById('download').download") == "attestation.cose"
    c.client("attestation", "verify", "--attestation-doc-path", file)
    c.fetch_attestation()
    c.reencrypt(c.members[0])
    c.post(c.members[0])
    another_round(page)
    assert [r[2] for r in rows(page, "share-set")] == ["yes, signature holds", "no", "no"]
    assert page.text("#share-set-sum") == "2 of 3 must post a share. 1 has posted."
    c.reencrypt(c.members[2])
    c.post(c.members[2])
    another_round(page)
    assert page.text("#phase") == "QuorumKeyProvisioned"
    assert page.wrong() == []
    c.machine.core.stop()
    another_round(page)
    assert "enclave is not reachable" in page.text("#trouble")
    assert page.wrong() == []


def hold(page):
    """All checks of the page's document hold."""
    found = {r[0]: r[1] for r in rows(page, "checks")}
    return len(found) == 9 and set(found.values()) == {"holds"}


@needs_chromium
def test_an_instance_is_shown_as_it_goes_on_and_the_key_on_its_way(new_instance, tab):
    """Every phase of the REST API, as the enclave itself comes by it."""
    first, second = new_instance(http=True).start(), new_instance(http=True).start()
    page, other = (tab().open(f"http://127.0.0.1:{one.port}/") for one in (first, second))
    assert page.text("#phase") == other.text("#phase") == "WaitingForBootInstruction"
    party = Party(2, 3)
    party.genesis(first)
    another_round(page)
    assert page.text("#phase") == "GenesisBooted" and hold(page)
    said = page.text("#identity")
    assert hash_of(party.reply["manifest_envelope"]["manifest"]).hex() in said and "computed here" in said
    assert f"\n{party.quorum_key.hex()}\n" in said.replace("\t", "\n")
    assert [r[2] for r in rows(page, "measurements")] == ["the same"] * 4
    for people, phase, posted in (([0], "WaitingForQuorumShards", ["yes", "no", "no"]),
                                  ([2], "ApplicationReady", ["yes", "no", "yes"])):
        party.inject(first, people)
        another_round(page)
        assert page.text("#phase") == phase and hold(page)
        assert [r[2] for r in rows(page, "share-set")] == posted
    assert "seeds, data and signatures" in page.text("#identity")
    second.ok("POST", "/enclave/share-manifest", {"manifest_envelope": party.reply["manifest_envelope"]})
    another_round(other)
    assert other.text("#phase") == "WaitingForForwardedKey" and hold(other)
    document = second.ok("POST", "/enclave/generate-attestation", {})["result"]["GenerateAttestationResponse"]
    key = first.ok("POST", "/enclave/export-key", {"manifest_envelope": party.reply["manifest_envelope"],
                                                   "attestation_doc": document["attestation_doc"]})
    second.ok("POST", "/enclave/inject-key", key["result"]["ExportKeyResponse"])
    first.ok("POST", "/enclave/store-data", {"key": "k", "data": [1]})
    for one in (page, other):
        another_round(one)
        assert one.text("#phase") == "ApplicationReady" and hold(one)
        assert party.quorum_key.hex() in one.text("#identity")
        assert one.wrong() == []
    assert "Stored entries\n1" in page.text("#identity").replace("\t", "\n")
    assert ["/enclave/store-data", "1", "0"] in [r[:3] for r in rows(page, "traffic")]


# Evidence


@needs_chromium
def test_the_pages_checks_agree_with_the_enclaves_own_verifier_on_its_vectors(host, tab):
    page = tab().open(host.url)
    # What the page cannot know (which root is trusted), and what it tells that a verifier leaves to its caller.
    elsewhere = {"trusted_root_is_another", "lookalike_root", "good_debug"}
    compared = 0
    for case in json.loads((VECTORS / "tee" / "cases.json").read_text()):
        file = VECTORS / "tee" / f"{case['name']}.cose"
        if case["name"] in elsewhere or not file.exists():
            continue
        found = checks(page, file.read_bytes(), now=case["at"] * 1000)
        found.pop("Age of the document", None)
        held = "fails" not in found.values()
        assert held == (case["verdict"] == "accept"), (case["name"], case["verdict"], found)
        compared += 1
    assert compared > 100


@needs_chromium
def test_real_documents_of_aws_are_read_and_their_signatures_hold(host, tab):
    folder = SHARED / "vectors" / "nitro-docs"
    if not folder.exists():
        pytest.skip("no folder of real documents beside this repository")
    page = tab().open(host.url)
    root = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
    for file in sorted(folder.glob("20*.cose")):
        found = page.js(f"checkEvidence({js_bytes(file.read_bytes())}, {{now: 0}})"
                        ".then((r) => [r.rootHash, r.simulated, r.checks.map((c) => [c.name, c.result])])")
        results = dict(found[2])
        assert found[:2] == [root, False], file
        assert results["Signature of the document"] == results["Chain of certificates"] == "holds", (file, found)
        assert results["Validity of the certificates"] == results["Age of the document"] == "fails"
    for name in ("bad-signature", "qemu-unsigned"):
        assert "fails" in checks(page, (folder / f"{name}.cose").read_bytes(), now=0).values()


@needs_chromium
def test_no_flipped_bit_and_no_other_length_survives_the_checks(host, documents, tab):
    page = tab().open(host.url)
    document = documents.make()
    now = int(time.time() * 1000)
    expected = {"manifestHash": MANIFEST_HASH, "pcrs": [PCRS[i].hex() for i in range(4)], "simulated": True,
                "now": now}
    assert set(checks(page, document, **expected).values()) == {"holds"}
    every = range(len(document))
    chosen = list(every) if os.environ.get("QUORATE_FULL") else random.Random(6).sample(every, 400)
    survivors = page.js(f"""(async () => {{
        const good = {js_bytes(document)}, expected = {json.dumps(expected)}, survivors = [];
        for (const i of {json.dumps(chosen)}) {{
            const bad = good.slice();
            bad[i] ^= 1 << (i % 8);
            const report = await checkEvidence(bad, expected);
            if (!report.checks.some((c) => c.result === 'fails'))
                survivors.push(i);
        }}
        for (const bad of [good.slice(0, -1), good.slice(0, 100), joined(good, [0]), good.slice(1), new Uint8Array(0)]) {{
            const report = await checkEvidence(bad, expected);
            if (!report.checks.some((c) => c.result === 'fails'))
                survivors.push('length ' + bad.length);
        }}
        return survivors;
    }})()""")
    assert survivors == []


@needs_chromium
@pytest.mark.parametrize("what, failing", [
    ({"user_data": bytes(32)}, "Manifest hash"), ({"user_data": None}, "Manifest hash"),
    ({"pcrs": {**PCRS, 2: bytes(48)}}, "Measurements"), ({"pcrs": {0: bytes(48)}}, "Not in debug mode"),
    ({"timestamp": 1_600_000_000_000}, "Age of the document"), ({"certificate": b"\x30\0"}, "Form"),
])
def test_each_wrong_claim_fails_its_own_check_on_the_page(host, documents, tab, what, failing):
    host.attest(documents.make(**what))
    page = tab().open(host.url)
    page.wait("!running")
    found = {r[0]: r[1] for r in rows(page, "checks")}
    assert found[failing] == "FAILS", found
    assert "fails checks" in page.text("#trouble") and "fails checks" in page.text("#said")
    assert "FAIL" in page.text("#verdict") and page.js("document.getElementById('verdict').className") == "fails"
    assert page.wrong(network=True) == []


@needs_chromium
def test_a_host_that_calls_a_simulated_enclave_real_is_found_out(host, tab):
    host.says(simulated=False, tee="nitro")
    page = tab().open(host.url)
    page.wait("!running")
    assert dict((r[0], r[1]) for r in rows(page, "checks"))["Simulated or not"] == "FAILS"
    assert page.js("!document.getElementById('simulated').hidden")


@needs_chromium
def test_without_cryptography_nothing_is_called_verified(page_served, documents):
    """A page that came over plain HTTP from another machine gets no WebCrypto."""
    h = StatusHost(page_served, documents.make())
    b = chromium.Browser("--host-resolver-rules=MAP status.example 127.0.0.1")
    try:
        page = b.page().open(f"http://status.example:{h.port}/")
        page.wait("!running")
        assert page.js("isSecureContext") is False
        found = {r[0]: r[1] for r in rows(page, "checks")}
        assert found["Signature of the document"] == found["Chain of certificates"] == "not checked"
        assert "could not be made" in page.text("#verdict")
        assert page.text("#root-hash").startswith("not computed")
        assert page.wrong(network=True) == []
    finally:
        b.close()
        h.close()


@needs_chromium
def test_the_page_computes_a_manifests_hash_as_the_enclave_does(host, tab):
    page = tab().open(host.url)
    plain = Ceremony(SLEEPER, args=["--a", "\u00e4 \U0001f600 \u2028 \"\\\n\x7f"]).manifest
    bridged = Ceremony(SLEEPER, restart="Always", debug=True).manifest
    bridged["pivot"]["bridgeConfig"] = [{"type": "server", "port": 8080, "host": "0.0.0.0"},
                                        {"type": "client", "port": 1}, {"type": "client", "port": 65535, "host": "x.y"}]
    bridged["patchSet"] = {"threshold": 1, "members": bridged["manifestSet"]["members"][:1]}
    second = Ceremony(SLEEPER, version=2, env={"B": "1", "a": "\u00e4", "\uffee": "x", "\U0001f600": "y"}).manifest
    second["nothing"] = None
    for manifest in (plain, bridged, second):
        computed = page.js(f"manifestHash({json.dumps(manifest)})")
        assert computed == qos.manifest_hash(manifest).hex()
    plain["namespace"]["nonce"] = 2**32
    assert page.js(f"manifestHash({json.dumps(plain)})") is None


@needs_chromium
def test_an_approval_with_another_signature_and_a_disputed_hash_are_shown_as_that(host, tab):
    c = Ceremony(SLEEPER)
    envelope = c.envelope()
    envelope["manifestSetApprovals"][1]["signature"] = envelope["manifestSetApprovals"][0]["signature"]
    host.answers["/status/enclave-info"] = json_answer(
        {"phase": "WaitingForQuorumShards", "manifestEnvelope": envelope, "ephemeralKey": None})
    page = tab().open(host.url)
    assert [r[2] for r in rows(page, "manifest-set")] == ["yes, signature holds", "SIGNATURE FAILS", "no"]
    assert "is not the hash of the manifest" in page.text("#trouble")
    assert qos.manifest_hash(c.manifest).hex() in page.text("#identity")
    assert [r[2][:7] for r in rows(page, "measurements")] == ["DIFFERS"] * 4


# What hosts may say


@needs_chromium
@pytest.mark.parametrize("phase", PHASES)
def test_each_phase_is_marked_on_the_path(host, tab, phase):
    host.says(phase=phase)
    page = tab().open(host.url)
    assert page.text("#phase") == phase
    assert page.js("Array.from(document.querySelectorAll('[aria-current]'), (e) => e.dataset.phase)") == [phase]
    assert page.js("document.querySelectorAll('#path li').length") == 7
    assert page.text("#said") == f"Phase: {phase}" and page.js("document.title").startswith(phase)
    assert page.wrong(network=True) == []


@needs_chromium
def test_all_that_a_good_host_says_is_there(host, tab):
    page = tab().open(host.url)
    page.wait("!running")
    said = page.text("#identity")
    for part in ("qos-namespace", "12345", MANIFEST_HASH, "as the enclave says", "e-1", "sim, SIMULATED",
                 "QEMU Host API Gateway", "connected", "held"):
        assert part in said, part
    assert page.text("#simulated strong") == "SIMULATED"
    assert page.js("parseFloat(getComputedStyle(document.querySelector('#simulated strong')).fontSize)") >= 32
    assert [r[1] for r in rows(page, "measurements")] == [PCRS[i].hex() for i in range(4)]
    assert [(r[0], r[2]) for r in rows(page, "manifest-set")] == [("member1", "no"), ("member2", "yes"), ("member3", "no")]
    assert [r[2] for r in rows(page, "share-set")] == ["yes", "no", "yes"]
    assert page.text("#manifest-set-sum") == "2 of 3 must approve. 1 has approved."
    assert page.text("#share-mode") == "Form of the shares: acknowledged"
    assert page.text("#warning-list") == "no client key is configured"
    assert rows(page, "traffic") == [["/generate-seed", "1240", "6", "2.00 ms"]]
    assert page.text("#traffic-sum") == "1240 requests, 7 connections now, 2 calls to the enclave failed."
    assert page.text("#verdict") == "All 9 checks that a browser can make hold."
    assert page.text("#verdict-more") == "But this TEE is SIMULATED."
    assert "Which root is the right one" in page.text("#evidence")
    assert page.wrong(network=True) == []


@needs_chromium
def test_numbers_beyond_2_to_53_are_shown_exactly(host, tab):
    text = json.dumps(good_status()).replace("12345", "18446744073709551615")
    host.answers[STATUS] = 200, "application/json", text.encode()
    page = tab().open(host.url)
    assert "18446744073709551615" in page.text("#identity")


@needs_chromium
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_does_nothing_and_is_shown_harmlessly(host, tab, documents, name):
    text = HOSTILE[name]
    host.says(phase=text, namespace_name=text, members=[text, "b"], shares_received=[text], manifest_members=[text],
              manifest_approved_by=[text], share_mode=text, warnings=[text, text], tee=text, manifest_hash=text,
              measurements={"pcr0": text})
    host.answers["/info"] = json_answer({"version": text, "service": text, "network_status": text, "enclave_id": text})
    host.answers["/metrics"] = (200, "text/plain", ('quorate_requests_total{route="%s",code="200"} 1\n' % text)
                                .encode(errors="replace"))
    if name != "lone surrogate" and text:
        host.attest(documents.make(module_id=text[:1000]))
    page = tab(width=360).open(host.url)
    page.wait("!running")
    assert page.js("window.pwned") is None
    assert page.js("document.querySelectorAll('script').length") == 2
    assert page.js("document.querySelectorAll('img,iframe,object,embed,form,b b').length") == 0
    visible = page.js("document.body.textContent") + page.js("document.title")
    bad = {c for c in visible if c not in "\n" and (unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
                                                   or c in "\u3164\u3000")}
    assert not bad, ascii(bad)
    assert "\u0301" * 3 not in visible
    assert len(visible) < 60_000
    assert page.js("document.documentElement.scrollWidth") <= 360
    assert page.js("({}).pwned") is None
    assert page.wrong(network=True) == []


@needs_chromium
def test_every_member_may_be_missing_or_of_another_kind(host, tab):
    page = tab().open(host.url)
    whole = good_status()
    for key in [*whole, "everything"]:
        for wrong in ("missing", None, 7, -1.5, "text", True, [], [None, {}, [[]]], {}, {"pcr0": 1, "0": {}}):
            said = {k: v for k, v in whole.items() if k != key} if key != "everything" else {}
            if wrong != "missing":
                said[key] = wrong
            host.answers[STATUS] = json_answer(said)
            another_round(page)
            assert "failed to show" not in page.text("#trouble"), (key, wrong, page.text("#trouble"))
    for path in ("/info", "/enclave/info", STATUS, "/status/enclave-info", "/metrics", "/enclave/generate-attestation"):
        kept = host.answers[path]
        for body in (b"", b"null", b"[]", b"7", b"{", b"\xff\xfe", b'{"a":' * 5000, b'{"__proto__":{"phase":"x"}}'):
            host.answers[path] = 200, "application/json", body
            page.js("evidence.because = null; 0")
            another_round(page)
            assert "failed to show" not in page.text("#trouble"), (path, body[:40])
        host.answers[path] = kept
    envelope = Ceremony(SLEEPER).envelope()
    for key in ("manifest", "manifestSetApprovals", "shareSetApprovals"):
        for wrong in (None, 7, [], [None, {"member": 7}], {}, {"manifestSet": 3, "shareSet": {"members": [None, 1, {}]}}):
            host.answers["/status/enclave-info"] = json_answer({"phase": 3, "manifestEnvelope": {**envelope, key: wrong}})
            another_round(page)
            assert "failed to show" not in page.text("#trouble"), (key, wrong)
    assert page.wrong() == []


@needs_chromium
def test_a_document_comes_from_the_other_route_when_the_api_has_none(host, tab, documents):
    document = documents.make()
    for first in (json_answer({"result": None, "phase": "QuorumKeyProvisioned"}), json_answer({"error": "x"}, 404),
                  json_answer({"result": {"GenerateAttestationResponse": {"attestation_doc": [1, 256]}}})):
        host.answers["/enclave/generate-attestation"] = first
        host.answers["/status/attestation"] = 200, "application/octet-stream", document
        page = tab().open(host.url)
        page.wait("!running")
        assert "from /status/attestation" in page.text("#evidence-source")
        assert page.text("#verdict").startswith("All 9 checks")


@needs_chromium
def test_evidence_of_sev_snp_and_garbage_are_not_taken_for_a_document(host, tab):
    snp = b"\x17\0\0\0quorate-snp-evidence-v1" + bytes(500)
    for document, result, words in ((snp, "not checked", "SEV-SNP"), (b"\x84", "FAILS", "COSE_Sign1"),
                                    (bytes(40000), "FAILS", "at most 32768")):
        host.attest(document)
        page = tab().open(host.url)
        page.wait("!running")
        assert rows(page, "checks")[0][1] == result and words in rows(page, "checks")[0][2]
        assert page.js("document.getElementById('trouble').hidden") == (result == "not checked")
        assert "hold" not in page.text("#verdict")
        assert page.text("#root-hash").startswith("none")


# Updates


def count(host, path):
    return host.asked.count(path)


@needs_chromium
def test_the_page_follows_its_host_by_itself_and_survives_an_outage(page_served, documents, tab):
    host = StatusHost(page_served, documents.make(), phase="GenesisBooted")
    try:
        page = tab(hurry=10).open(host.url)
        assert page.text("#phase") == "GenesisBooted"
        page.js("getSelection().selectAllChildren(document.getElementById('identity')); document.getElementById('fresh').focus()")
        host.says(phase="WaitingForQuorumShards")
        page.wait("document.getElementById('phase').textContent === 'WaitingForQuorumShards'", patience=12)
        page.wait("!running")
        assert page.js("document.activeElement.id") == "fresh"
        assert "qos-namespace" in page.js("String(getSelection())")
        port = host.port
        host.close()
        page.wait("document.getElementById('trouble-text').textContent.startsWith('The host does not answer')", patience=15)
        assert page.text("#phase") == "WaitingForQuorumShards"
        assert "does not answer" in page.text("#said")
        host = StatusHost(page_served, documents.make(), port=port)
        page.wait("document.getElementById('phase').textContent === 'ApplicationReady'", patience=15)
        page.wait("document.getElementById('trouble').hidden && !running")
        assert page.text("#said") == "Phase: ApplicationReady"
        assert page.wrong() == []
    finally:
        host.close()


@needs_chromium
def test_an_enclave_that_is_gone_is_not_an_answer_that_is_gone(host, tab):
    page = tab().open(host.url)
    gone = json_answer({"error": "Enclave is not available", "code": 503, "request_id": None}, 503)
    for path in ("/enclave/info", STATUS, "/status/enclave-info"):
        host.answers[path] = gone
    host.answers["/metrics"] = 200, "text/plain", b"quorate_enclave_up 0\nquorate_http_connections 1\n"
    another_round(page)
    assert page.text("#trouble-text") == ("The host answers, but the enclave is not reachable through it: "
                                          "Enclave is not available.")
    assert page.text("#phase") == "not known"
    host.answers["/metrics"] = 200, "text/plain", b'quorate_enclave_up 1\nquorate_phase{phase="GenesisBooted"} 1\n'
    another_round(page)
    assert page.text("#phase") == "GenesisBooted"
    assert "tells nothing of itself: Enclave is not available" in page.text("#trouble-text")
    host.answers["/info"] = host.answers["/metrics"] = None
    another_round(page)
    assert "not reachable" in page.text("#trouble-text")
    assert page.wrong() == []


@needs_chromium
def test_a_host_that_never_answers_is_given_up_in_time(host, tab):
    page = tab().open(host.url)
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, says nothing
    began = time.monotonic()
    answer = page.js(f"ask('http://127.0.0.1:{silent.getsockname()[1]}/').then((a) => a.why)")
    assert answer  # the policy refuses another origin at once
    assert page.js("window.violations.length") == 1
    host.answers["/info"] = lambda: time.sleep(8)
    another_round(page)
    assert time.monotonic() - began < 8
    assert page.text("#phase") == "ApplicationReady"
    silent.close()


@needs_chromium
def test_pausing_and_hiding_stop_the_questions(host, tab):
    page = tab(hurry=10).open(host.url)
    page.wait("!running")
    page.js("document.getElementById('pause').click()")
    assert page.js("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    before = count(host, STATUS)
    page.js("new Promise((done) => setTimeout(done, EVERY_MS + 500))")
    assert count(host, STATUS) == before
    page.js("document.getElementById('pause').click()")
    page.wait("!running")
    assert count(host, STATUS) == before + 1
    # Also while answers are on their way.
    answer, arrive = host.answers["/info"], threading.Event()
    host.answers["/info"] = lambda: arrive.wait(10) and answer
    page.js("round(); document.getElementById('pause').click()")
    arrive.set()
    page.wait("!running")
    before = count(host, STATUS)
    page.js("new Promise((done) => setTimeout(done, EVERY_MS + 500))")
    assert count(host, STATUS) == before
    page.js("document.getElementById('pause').click()")
    page.wait("!running")
    page.js("Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true});"
            "window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
    before = count(host, STATUS)
    page.js("new Promise((done) => setTimeout(done, EVERY_MS + 500))")
    assert count(host, STATUS) == before
    page.js("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait("!running")
    assert count(host, STATUS) == before + 1


@needs_chromium
def test_the_hardware_signs_no_document_without_need(host, tab, documents):
    route = "/enclave/generate-attestation"
    page = tab().open(host.url)
    another_round(page)
    another_round(page)
    assert count(host, route) == 1
    host.says(phase="UnrecoverableError")
    another_round(page)
    another_round(page)
    assert count(host, route) == 2
    host.attest(documents.make(module_id="another"))
    page.js("document.getElementById('fresh').click()")
    page.wait("!running")
    assert count(host, route) == 3
    page.js("document.querySelector('details').open = true")
    assert "another" in page.text("#fields")
    assert {path for path in host.asked} <= {"/", *host.answers}


# For everybody


CONTRAST = """(() => {
    const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = (e) => {
        for (; e; e = e.parentElement) {
            const [r, g, b, a = 1] = numbers(getComputedStyle(e).backgroundColor);
            if (a === 1)
                return [r, g, b];
        }
        return [255, 255, 255];
    };
    const low = [];
    let seen = 0;
    for (const e of document.body.querySelectorAll('*')) {
        const own = Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.data.trim());
        if (!own || !e.checkVisibility() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(e.tagName))
            continue;
        const [x, y] = [light(numbers(getComputedStyle(e).color)), light(behind(e))];
        const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
        seen++;
        if (ratio < 4.5)
            low.push([e.tagName, e.className, e.textContent.slice(0, 40), ratio]);
    }
    return {low, seen, page: behind(document.body)};
})()"""

OUTSIDE = """Array.from(document.body.querySelectorAll('*')).filter((e) => e.checkVisibility()
    && !e.classList.contains('skip') && !e.classList.contains('heard')
    && (e.getBoundingClientRect().right > innerWidth + 0.5 || e.getBoundingClientRect().left < -0.5))
    .map((e) => [e.tagName, e.id, e.className, e.getBoundingClientRect().right])"""


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
def test_nothing_overflows_and_every_text_has_contrast(host, tab, scheme, width):
    host.says(members=["m" * 200, "b"], namespace_name="n" * 250, warnings=["w" * 300])
    page = tab(width=width, scheme=scheme, reduced_motion=True).open(host.url)
    page.wait("!running")
    page.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for phase in ("ApplicationReady", "WaitingForBootInstruction"):
        host.says(phase=phase)
        another_round(page)
        found = page.js(CONTRAST)
        assert found["low"] == [] and found["seen"] > 100
        assert (sum(found["page"]) > 600) == (scheme == "light")
        assert page.js("document.documentElement.scrollWidth") <= width
        assert page.js(OUTSIDE) == []
    assert page.js("document.getAnimations().length") == 0
    # A failing check and the trouble box are seen, too.
    host.attest(b"\x84")
    page.js("document.getElementById('fresh').click()")
    page.wait("!running")
    host.answers[STATUS] = json_answer({"error": "gone"}, 503)
    host.answers["/enclave/info"] = host.answers["/status/enclave-info"] = host.answers[STATUS]
    another_round(page)
    assert page.js("!document.getElementById('trouble').hidden")
    assert page.js(CONTRAST)["low"] == []


@needs_chromium
def test_the_keyboard_reaches_everything_in_order_and_sees_where_it_is(host, tab):
    page = tab(width=900, height=700).open(host.url)
    page.wait("!running")
    here = ("(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();"
            "return [e.id || e.className || e.textContent.trim() || e.tagName, s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2,"
            "r.width > 0 && r.left >= 0 && r.bottom > 0 && r.top < innerHeight]; })()")
    order = []
    for _ in range(7):
        page.key("Tab")
        name, outlined, seen = page.js(here)
        assert outlined and seen, name
        order.append(name)
    assert order == ["skip", "pause", "fresh", "download", "Fields of the document", "Registers of the document",
                     "Certificates of the document"]
    page.key("Tab")  # out of the page: nothing keeps the focus
    assert page.js("document.activeElement === document.body || document.activeElement.className === 'skip'")
    page.js("document.activeElement.blur(); document.querySelector('summary').focus()")
    page.key("Tab", shift=True)
    assert page.js("document.activeElement.id") == "download"
    page.key("Tab", shift=True)
    fetched = count(host, "/enclave/generate-attestation")
    page.key("Enter")
    page.wait("!running")
    assert count(host, "/enclave/generate-attestation") == fetched + 1
    assert page.js("document.activeElement.id") == "fresh"
    page.key("Tab", shift=True)
    page.key(" ")
    assert page.js("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    page.key("Tab", shift=True)
    page.key("Enter")  # the skip link
    page.wait("document.activeElement.id === 'main'")
    page.key("Tab")
    assert page.js("document.activeElement.id") == "fresh"
    page.key("Tab")
    page.key("Tab")
    page.key("Enter")
    assert page.js("document.querySelector('details').open")


@needs_chromium
def test_a_screen_reader_gets_names_roles_and_changes(host, tab):
    page = tab().open(host.url)
    page.wait("!running")
    page.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    tree = page.tree()
    names = lambda role: [name for r, name, _ in tree if r == role]  # noqa: E731
    for landmark in ("banner", "main", "contentinfo"):
        assert len(names(landmark)) == 1, landmark
    headings = [(properties["level"], name) for role, name, properties in tree if role == "heading"]
    assert headings == [(1, "Quorate status"), (2, "Phase"), (2, "Namespace and enclave"), (2, "Measurements"),
                        (2, "Manifest set"), (2, "Share set"), (2, "Attestation"),
                        (3, "What no check on this page can know"), (2, "Traffic")]
    assert names("region") == [name for level, name in headings if level == 2]
    tables = names("table")
    assert len(tables) == 7 and all(tables)
    assert names("button") == ["Pause updates", "Get a fresh document"]
    assert names("link") == ["Skip to the status", "Download this document"]
    assert set(names("DisclosureTriangle")) == {"Fields of the document", "Registers of the document",
                                                "Certificates of the document"}
    assert all(names("columnheader")) and len(names("columnheader")) == 3 + 3 + 3 + 3 + 2 + 3 + 4
    assert "member1" in names("rowheader") and "PCR0" in names("rowheader") and "/generate-seed" in names("rowheader")
    assert [name for name in names("group") if name] == ["Warnings"]
    live = [p for role, _, p in tree if role == "status"]
    assert len(live) == 1 and live[0]["live"] == "polite"
    assert page.js("document.documentElement.lang") == "en"
    # What is announced changes with the phase and only then.
    page.js("window.heard = []; new MutationObserver(() => heard.push(document.getElementById('said').textContent))"
            ".observe(document.getElementById('said'), {childList: true, characterData: true, subtree: true})")
    another_round(page)
    host.says(phase="UnrecoverableError")
    another_round(page)
    another_round(page)
    assert page.js("heard") == ["Phase: UnrecoverableError"]
    page.js("document.getElementById('fresh').click()")
    another_round(page)
    assert page.js("heard")[1:] == ["All 9 checks that a browser can make hold. But this TEE is SIMULATED."]


def test_another_site_can_neither_frame_nor_read_the_answers(new_machine):
    machine = new_machine().start()
    for path in ("/", "/status/enclave-info", "/status/attestation"):
        try:
            reply = urllib.request.urlopen(f"http://127.0.0.1:{machine.port}{path}")
        except urllib.error.HTTPError as e:
            reply = e
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert reply.headers["Access-Control-Allow-Origin"] is None
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


@needs_chromium
def test_the_pages_scripts_are_plain_javascript(tmp_path):
    """Both parts parse in strict mode without the page around them."""
    for i, part in enumerate(re.findall("<script>(.*?)</script>", SOURCE.read_text(), re.DOTALL)):
        assert part.lstrip().startswith("'use strict';"), i
    assert subprocess.run(["grep", "-c", "console", SOURCE], capture_output=True, check=False).stdout.strip() == b"0"
    assert BIN.exists()
