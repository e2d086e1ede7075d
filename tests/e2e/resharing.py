"""A resharing on one machine, every step by qos_client; and an independent model of its formats on qos_model."""
import copy
import hashlib
import json
import shutil

import qos_model as qos
from ceremony import NAMESPACE, YES, Ceremony

PLAN = b"quorate-reshare-plan-v1"
OUTPUT = b"quorate-reshare-output-v1"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def plan_hash(plan):
    return hashlib.sha256(PLAN + canonical(plan)).digest()


def output_hash(output):
    return hashlib.sha256(OUTPUT + canonical(output)).digest()


def approval_message(role, plan):
    return b"quorate-reshare-" + role.encode() + b"-v1" + plan_hash(plan)


def handover_message(plan, new_key):
    return (b"quorate-handover-v1" + plan_hash(plan) + int(plan["epoch"]).to_bytes(8, "little")
            + bytes.fromhex(plan["quorumKey"]) + new_key)


def binding_message(plan, setup, share):
    return (b"quorate-share-v1" + plan_hash(plan) + qos.b_bytes(setup) + qos.b_bytes(share))


class Resharing:
    """One resharing of a ceremony's key, from the folder previous to new members."""

    def __init__(self, ceremony: Ceremony, epoch=1, members=5, threshold=3, previous=None, old=None,
                 name="reshare"):
        self.c, self.epoch, self.threshold, self.name = ceremony, epoch, threshold, name
        self.previous = previous or ceremony.genesis_dir
        self.old = old or {m: ceremony.share(m) for m in ceremony.members}
        self.members = [f"{name}{i + 1}" for i in range(members)]
        self.set_dir = ceremony.folder / f"members-{name}"
        self.dir = ceremony.folder / f"epoch-{name}"
        for folder in (self.set_dir, self.dir):
            folder.mkdir()

    def copy(self, folder):
        """The same resharing with a copy of its files."""
        twin = copy.copy(self)
        twin.dir = shutil.copytree(self.dir, folder)
        return twin

    def keys(self):
        for member in self.members:
            if (self.set_dir / f"{member}.pub").exists():
                continue
            self.c.client("generate-file-key", "--master-seed-path", self.c.secret(member), "--pub-path",
                          self.set_dir / f"{member}.pub")
        (self.set_dir / "quorum_threshold").write_text(f"{self.threshold}\n")
        return self

    def words(self, *more):
        return ("--reshare-dir", self.dir, *more)

    def parts(self):
        return (*self.c.pcr_words(), "--manifest-set-dir", self.c.set_dir)

    def before(self):
        return "--previous-dir", self.previous, "--share-set-dir", self.set_dir

    def share(self, member):
        return self.c.folder / f"{member}.{self.name}.share"

    def shares(self):
        return {m: self.share(m) for m in self.members}

    def key(self, member):
        return "--alias", member, "--secret-path", self.c.secret(member)

    def plan(self, *more):
        return self.c.client("reshare", "plan", *self.words(), *self.before(), *self.parts(),
                             "--namespace", NAMESPACE, *more)

    def approve(self, member, *more, answers=YES):
        return self.c.client("reshare", "approve", *self.words(), *self.key(member), *self.before(),
                             *self.parts(), *more, answers=answers)

    def boot(self, *more):
        return self.c.client("reshare", "boot", *self.words(), *self.c.host(), *more)

    def attestation(self):
        return self.c.client("reshare", "attestation", *self.words(), *self.c.host())

    def wrap(self, member, *more, share=None, answers=YES):
        return self.c.client("reshare", "wrap-share", *self.words(), *self.key(member), *self.before(),
                             *self.parts(), "--share-path", share or self.old[member], *more,
                             answers=answers)

    def post(self, member):
        return self.c.client("reshare", "post-share", *self.words(), *self.c.host(), "--alias", member)

    def fetch(self, *more):
        return self.c.client("reshare", "output", *self.words(), *self.c.host(), *more)

    def take(self, member, *more):
        return self.c.client("reshare", "take", *self.words(), *self.key(member), *self.parts(),
                             "--share-path", self.share(member), *more)

    def destroyed(self, member, *more, share=None, answers=YES):
        return self.c.client("reshare", "destroyed", *self.words(), *self.key(member), *self.before(),
                             *self.parts(), "--share-path", share or self.old[member], *more, answers=answers)

    def status(self, *more):
        return self.c.client("reshare", "status", *self.words(), *more)

    def planned(self, *more, approvals=2):
        """Keys, plan and as many approvals as are asked for."""
        self.keys()
        self.plan(*more)
        for member in self.c.members[:approvals]:
            self.approve(member)
        return self

    def booted(self, *more):
        self.planned(*more)
        self.c.machine.restart()
        self.boot()
        return self

    def givers(self):
        """As many old members as are needed."""
        return list(self.old)[: int(self.plan_file()["oldShareSet"]["threshold"])]

    def given(self):
        for member in self.givers():
            self.wrap(member)
        return [self.post(member) for member in self.givers()]

    def done(self, *more):
        self.booted(*more)
        self.given()
        self.fetch()
        for member in self.members:
            self.take(member)
        return self

    def plan_file(self):
        return json.loads((self.dir / "reshare_plan").read_bytes())

    def output_file(self):
        return json.loads((self.dir / "reshare_output").read_bytes())

    def public(self):
        return bytes.fromhex((self.dir / "quorum_key.pub").read_text())

    def pair(self, member):
        return qos.Pair(bytes.fromhex(self.c.secret(member).read_text().strip()))

    def opened(self, members, shares=None):
        """The plain shares of these members, by the independent model."""
        shares = shares or self.shares()
        return [self.pair(m).open(shares[m].read_bytes()) for m in members]
