"""Many at once: members who post at the same time, operators who boot at the same time, strangers in the way."""
import json
import os
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import qos_model as qos
from raw_enclave import SLEEPER, Ceremony

ALREADY = {"protocolErrorResponse": {"NoMatchingRoute": "QuorumKeyProvisioned"}}
YES, NO = ({"provisionResponse": {"reconstructed": r}} for r in (True, False))


def at_once(calls):
    """The results of all calls, which start together."""
    gate = threading.Barrier(len(calls))

    def run(call):
        gate.wait(20)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_members_who_post_at_the_same_time_complete_one_key_once(enclave):
    enclave.start()
    c = Ceremony(SLEEPER)
    setup = c.boot(enclave)
    replies = at_once([lambda n=n: c.post_bound(enclave, n, setup) for n in c.names * 8])
    assert replies.count(YES) == 1
    assert all(r in (YES, NO, ALREADY) for r in replies), replies
    assert enclave.files["quorum"].read_text() == c.quorum.seed.hex()
    assert enclave.left() == sorted(p.name for p in enclave.files.values())


def test_one_member_who_posts_many_times_at_once_counts_once(enclave):
    enclave.start()
    c = Ceremony(SLEEPER)
    setup = c.boot(enclave)
    assert at_once([lambda: c.post_bound(enclave, "alice", setup) for _ in range(16)]) == [NO] * 16
    state = enclave.send("quorateStateRequest")["quorateStateResponse"]
    assert state["shares_held"] == "1"
    stored = json.loads(enclave.files["manifest"].read_text())
    assert [a["member"]["alias"] for a in stored["shareSetApprovals"]] == ["alice"]
    assert c.post_bound(enclave, "bob", setup) == YES


def test_members_and_garbage_at_the_same_time_still_make_the_key(enclave):
    enclave.start()
    c = Ceremony(SLEEPER)
    setup = c.boot(enclave)
    garbage = [lambda n=n, x=x: c.post(enclave, n, setup, bytes([x]) + os.urandom(32))
               for n in c.names for x in (1, 2, 3, 50)]
    for name, others in (("alice", (NO,)), ("carol", (YES,))):
        replies = at_once(garbage + [lambda n=name: c.post_bound(enclave, n, setup)])
        assert replies[-1] in others, replies[-1]
    assert enclave.files["quorum"].read_text() == c.quorum.seed.hex()


def test_of_boots_at_the_same_time_one_is_taken_whole(enclave):
    enclave.start()
    ceremonies = [Ceremony(SLEEPER) for _ in range(6)]
    requests = [{"bootStandardRequest": {"manifest_envelope": c.envelope(), "pivot": c.pivot.hex()}}
                for c in ceremonies]
    replies = at_once([lambda r=r: enclave.send(r) for r in requests])
    taken = [i for i, r in enumerate(replies) if "bootStandardResponse" in r]
    assert len(taken) == 1
    refused = {"protocolErrorResponse": {"NoMatchingRoute": "WaitingForQuorumShards"}}
    assert [r for i, r in enumerate(replies) if i not in taken] == [refused] * 5
    c, reply = ceremonies[taken[0]], replies[taken[0]]
    document = reply["bootStandardResponse"]["nsm_response"]["attestation"]["document"]
    setup = c.check(bytes.fromhex(document), "qos-setup-manifest-pcr-commitment-v1", 16)
    stored = json.loads(enclave.files["manifest"].read_text())["manifest"]
    assert qos.manifest_hash(stored) == qos.manifest_hash(c.manifest)
    assert c.post_bound(enclave, "alice", setup) == NO
    assert c.post_bound(enclave, "bob", setup) == YES


def test_of_a_boot_and_a_genesis_at_the_same_time_one_is_taken(enclave):
    enclave.start()
    c = Ceremony(SLEEPER)
    calls = [{"bootStandardRequest": {"manifest_envelope": c.envelope(), "pivot": c.pivot.hex()}},
             {"bootGenesisRequest": {"set": {"members": c.manifest["shareSet"]["members"], "threshold": 2}}}] * 4
    replies = at_once([lambda r=r: enclave.send(r) for r in calls])
    assert sum("protocolErrorResponse" not in r for r in replies) == 1
    born = any("bootGenesisResponse" in r for r in replies)
    assert enclave.phase() == ("GenesisBooted" if born else "WaitingForQuorumShards")
    assert bool(enclave.left()) == (not born)


def test_a_crowd_of_half_messages_keeps_no_member_out(enclave):
    enclave.start()
    c = Ceremony(SLEEPER)
    setup = c.boot(enclave)
    crowd = []
    try:
        for i in range(300):
            one = qos.Connection(enclave.socket)
            crowd.append(one)
            one.socket.sendall([b"", b"\x10", struct.pack("<Q", 1 << 20), struct.pack("<Q", 9) + b"{"][i % 4])
        assert at_once([lambda n=n: c.post_bound(enclave, n, setup) for n in ("alice", "bob")]).count(YES) == 1
    finally:
        for one in crowd:
            one.socket.close()
    assert enclave.phase() == "QuorumKeyProvisioned"
