"""Random sequences of shares, signed and not, right and wrong, against a second writing of the rules: the enclave
answers and holds exactly what the rules say, and no key is there before enough right shares are."""
import json
import os
import random
from collections import namedtuple

import pytest

import qos_model as qos
from raw_enclave import SLEEPER, Ceremony

Share = namedtuple("Share", "member x bound right")
K, NAMES = 3, ["alice", "bob", "carol", "dave", "erin"]
TRUE, FALSE = ({"provisionResponse": {"reconstructed": r}} for r in (True, False))


def refusal(error):
    return {"protocolErrorResponse": error}


def expected(held, new):
    """(reply, what is held then)."""
    if any(h.member == new.member and h.bound and not new.bound for h in held):
        return refusal("InvalidShare"), held
    rivals = [h for h in held if h.x == new.x and h.member != new.member]
    if any(h.bound or not new.bound for h in rivals):
        return refusal({"QosCrypto": "Vsss(SharingDuplicateIdentifier)"}), held
    after = [h for h in held if h.member != new.member and h not in rivals] + [new]
    if len(after) < K:
        return FALSE, after
    if all(s.right for s in after):
        return TRUE, []
    signed = [s for s in after if s.bound]
    left = signed if len(signed) < len(after) else []
    return (FALSE if new in left else refusal("ReconstructionErrorIncorrectPubKey")), left


class Five(Ceremony):
    """Three of five."""

    def __init__(self):
        super().__init__(SLEEPER)
        self.names = NAMES
        self.pairs = {n: qos.Pair() for n in NAMES}
        members = [qos.member(n, self.pairs[n]) for n in NAMES]
        for name in ("manifestSet", "shareSet"):
            self.manifest[name] = {"threshold": K, "members": members}
        terms = [self.quorum.seed, os.urandom(32), os.urandom(32)]
        self.shares = [bytes([x]) + bytes(
            a ^ qos._multiply(b, x) ^ qos._multiply(c, qos._multiply(x, x))
            for a, b, c in zip(*terms)) for x in range(1, 6)]

    def envelope(self):
        approvals = [qos.approval(n, self.pairs[n], self.manifest) for n in NAMES[:K]]
        return {**super().envelope(), "manifestSetApprovals": approvals}


def some_share(rng):
    member, right = rng.randrange(5), rng.random() < 0.35
    x = member + 1 if right or rng.random() < 0.5 else rng.randint(1, 7)
    return Share(member, x, rng.random() < 0.5, right)


@pytest.mark.parametrize("seed", range(8))
def test_the_enclave_answers_and_holds_what_the_rules_say(enclave, seed):
    rng, c = random.Random(seed), Five()
    enclave.start()
    setup, held, reply = c.boot(enclave), [], None
    for _ in range(120):
        new = some_share(rng)
        share = c.shares[new.member] if new.right else bytes([new.x]) + rng.randbytes(32)
        post = c.post_bound if new.bound else c.post
        want, after = expected(held, new)
        reply = post(enclave, NAMES[new.member], setup, share)
        assert reply == want, (held, new)
        if reply == TRUE:
            break
        held = after
        state = enclave.send("quorateStateRequest")["quorateStateResponse"]
        assert (state["phase"], int(state["shares_held"])) == ("WaitingForQuorumShards", len(held))
        stored = json.loads(enclave.files["manifest"].read_text())["shareSetApprovals"]
        assert [a["member"]["alias"] for a in stored] == [NAMES[h.member] for h in held]
        assert not enclave.files["quorum"].exists()
    if reply != TRUE:
        replies = [c.post_bound(enclave, n, setup) for n in NAMES]
        assert TRUE in replies
    assert enclave.files["quorum"].read_text() == c.quorum.seed.hex()
