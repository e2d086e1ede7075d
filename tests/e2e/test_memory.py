"""What the memory of a running enclave holds: secrets only in locked memory, and none whose use is over. Reads
/proc/PID/mem as root, which sees the same bytes as a core image."""
import os
import re

import pytest

import qos_model as qos
from raw_enclave import SLEEPER, Ceremony
from traced import needs_plain_memory

RANGE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)")


class Memory:
    """A copy of a process's memory: [(name, locked, bytes)]."""

    def __init__(self, pid):
        self.regions = []
        try:
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                for start, end, name, locked in self._ranges(pid):
                    self._read(memory, start, end, name, locked)
        except PermissionError:
            pytest.skip("this user may not read another process's memory")
        assert sum(len(data) for _, _, data in self.regions) > 1 << 20

    @staticmethod
    def _ranges(pid):
        with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as smaps:
            now = None
            for line in smaps:
                match = RANGE.match(line)
                if match:
                    start, end, _, name = match.groups()
                    now = int(start, 16), int(end, 16), name or "anonymous"
                elif line.startswith("VmFlags:"):
                    yield *now, "lo" in line.split()

    def _read(self, memory, start, end, name, locked):
        if name in ("[vvar]", "[vsyscall]"):
            return
        try:
            memory.seek(start)
            self.regions.append((name, locked, memory.read(end - start)))
        except OSError:
            pass  # guard pages

    def places(self, what, unlocked_only=False):
        return [name for name, locked, data in self.regions
                if what in data and not (unlocked_only and locked)]

    def assert_nowhere(self, named):
        found = {name: self.places(value) for name, value in named.items()}
        assert {name: where for name, where in found.items() if where} == {}

    def assert_only_locked(self, named):
        found = {name: self.places(value, unlocked_only=True) for name, value in named.items()}
        assert {name: where for name, where in found.items() if where} == {}


def forms(name, pair):
    """A key's seed and scalars as they may lie in memory: bytes, text, and big numbers."""
    found = {f"{name} seed": pair.seed, f"{name} seed, hex": pair.seed.hex().encode()}
    for half, key in (("encryption", pair._encrypt), ("signing", pair._sign)):
        scalar = key.private_numbers().private_value
        found[f"{name} {half} scalar"] = scalar.to_bytes(32, "big")
        found[f"{name} {half} scalar, little end first"] = scalar.to_bytes(32, "little")
    return found


def shares(ceremony):
    return {f"share {share[0]}": share[1:] for share in ceremony.shares}


def shares_hex(ceremony):
    return {f"share {share[0]}, hex": share[1:].hex().encode() for share in ceremony.shares}


def needs_to_read_memory():
    needs_plain_memory()
    if os.geteuid() != 0:
        pytest.skip("only root may read the memory of a process that is not dumpable")


def test_the_memory_of_an_enclave_holds_what_it_needs_in_locked_memory_and_nothing_more(enclave):
    needs_to_read_memory()
    enclave.start()
    ceremony = Ceremony(SLEEPER)
    setup = ceremony.boot(enclave)
    setup_pair = qos.Pair(bytes.fromhex(enclave.files["ephemeral"].read_text()))
    assert setup_pair.public == setup

    memory = Memory(enclave.process.pid)
    assert memory.places(setup_pair.seed), "the scan must see what is there"
    memory.assert_only_locked(forms("setup", setup_pair))

    ceremony.post(enclave, "alice", setup)
    memory = Memory(enclave.process.pid)
    assert memory.places(ceremony.shares[0][1:]), "the scan must see what is there"
    memory.assert_only_locked({**forms("setup", setup_pair), **shares(ceremony)})
    memory.assert_nowhere({**forms("quorum", ceremony.quorum), **shares_hex(ceremony)})

    assert ceremony.post(enclave, "carol", setup)["provisionResponse"]["reconstructed"] is True
    live = qos.Pair(bytes.fromhex(enclave.files["ephemeral"].read_text()))
    memory = Memory(enclave.process.pid)
    assert memory.places(ceremony.quorum.seed), "the scan must see what is there"
    memory.assert_only_locked(forms("quorum", ceremony.quorum))
    memory.assert_nowhere({**forms("setup", setup_pair), **forms("live", live), **shares(ceremony),
                           **shares_hex(ceremony)})


def test_the_memory_after_genesis_holds_neither_the_key_nor_its_shares(enclave):
    needs_to_read_memory()
    enclave.start()
    pairs = [qos.Pair() for _ in range(3)]
    members = [qos.member(f"m{i}", pair) for i, pair in enumerate(pairs)]
    reply = enclave.send({"bootGenesisRequest": {"set": {"members": members, "threshold": 2}}})
    outputs = reply["bootGenesisResponse"]["genesis_output"]["member_outputs"]
    plain = [pair.open(bytes.fromhex(mine["encryptedQuorumKeyShare"]))
             for pair, mine in zip(pairs, outputs)]
    quorum = qos.Pair(qos.combine(plain[:2]))
    memory = Memory(enclave.process.pid)
    memory.assert_nowhere({**forms("quorum", quorum), **{f"share {s[0]}": s[1:] for s in plain},
                           **{f"share {s[0]}, hex": s[1:].hex().encode() for s in plain}})
