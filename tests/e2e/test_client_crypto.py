"""shamir-split, shamir-reconstruct and the p256 commands: what they write is read by an independent model, and what it
writes is read by them."""
import hashlib
import json
import os
import re
import stat
import subprocess

import pytest
import qos_model as model
from cryptography.exceptions import InvalidTag
from desk import Desk, environment
from machine import BIN, SHARED
from snapshot import difference, snapshot
from traced import needs_strace


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def put(desk, name, contents):
    desk.path(name).write_bytes(contents)
    return name


def split_words(n, k, *more, secret="secret", folder="shares"):
    return ["shamir-split", "--secret-path", secret, "--total-shares", n, "--threshold", k, "--output-dir", folder,
            *more]


def reconstruct_words(shares, *more):
    words = ["shamir-reconstruct", "--output-path", "rebuilt", *more]
    for share in shares:
        words += ["--share", share]
    return words


def shares_of(desk, folder="shares"):
    return sorted(desk.path(folder).iterdir(), key=lambda path: int(path.name.split(".")[0]))


def split(desk, secret, n, k, *more):
    put(desk, "secret", secret)
    desk.path("shares").mkdir(exist_ok=True)
    done = desk.ok(*split_words(n, k, *more))
    return done, [path.read_bytes() for path in shares_of(desk)]


def nothing_changes(desk, *words, text, **more):
    before = snapshot(desk.folder)
    done = desk.refused(*words, text=text, **more)
    assert difference(before, snapshot(desk.folder)) == []
    return done


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 32, 64, 1000])
@pytest.mark.parametrize("n, k", [(2, 2), (5, 3), (4, 4)])
def test_any_k_shares_rebuild_the_secret_elsewhere(desk, size, n, k):
    secret = os.urandom(size)
    done, shares = split(desk, secret, n, k)
    assert done.stdout == "".join(f"{i}.share written to: shares/{i}.share\n" for i in range(1, n + 1))
    assert done.stderr == ""
    assert [share[0] for share in shares] == list(range(1, n + 1))
    assert all(len(share) == size + 1 for share in shares)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in shares_of(desk))
    assert model.combine(shares[:k]) == secret == model.combine(shares[-k:])
    if size >= 8:
        assert model.combine(shares[: k - 1]) != secret if k > 2 else shares[0][1:] != secret


def test_the_largest_number_of_shares(desk):
    secret = os.urandom(32)
    _, shares = split(desk, secret, 255, 3)
    assert len(shares) == 255 and model.combine([shares[0], shares[127], shares[254]]) == secret
    desk.ok(*reconstruct_words(f"shares/{i}.share" for i in range(1, 256)))
    assert desk.path("rebuilt").read_bytes() == secret


def test_as_many_needed_as_there_are(desk):
    secret = os.urandom(16)
    split(desk, secret, 255, 255)
    desk.ok(*reconstruct_words([f"shares/{i}.share" for i in range(1, 256)]))
    assert desk.path("rebuilt").read_bytes() == secret
    desk.ok(*reconstruct_words([f"shares/{i}.share" for i in range(1, 255)], "--force"))
    assert desk.path("rebuilt").read_bytes() != secret


def test_the_largest_secret(desk):
    secret = os.urandom(63 << 10)
    _, shares = split(desk, secret, 3, 2)
    assert model.combine([share[:100] for share in shares[:2]]) == secret[:99]
    desk.ok(*reconstruct_words(["shares/3.share", "shares/1.share"]))
    assert desk.path("rebuilt").read_bytes() == secret
    put(desk, "secret", secret + b"x")
    nothing_changes(desk, *split_words(3, 2, "--force"), text="secret")


def shares_elsewhere(secret, xs, coefficients):
    """Shares from the model's own arithmetic."""
    def at(x, i):
        value, power = secret[i], 1
        for row in coefficients:
            power = model._multiply(power, x)
            value ^= model._multiply(row[i], power)
        return value

    return [bytes([x]) + bytes(at(x, i) for i in range(len(secret))) for x in xs]


@pytest.mark.parametrize("k", [2, 3, 7])
def test_shares_made_elsewhere_are_rebuilt_here(desk, k):
    secret = os.urandom(40)
    rows = [os.urandom(40) for _ in range(k - 1)]
    names = [put(desk, f"s{i}", share)
             for i, share in enumerate(shares_elsewhere(secret, [255, 1, 77, 200, 3, 9, 128][:k], rows))]
    done = desk.ok(*reconstruct_words(names))
    assert done.stdout == "Reconstructed secret written to: rebuilt\n"
    assert "check the secret before you rely on it" in done.stderr
    assert desk.path("rebuilt").read_bytes() == secret
    assert stat.S_IMODE(desk.path("rebuilt").stat().st_mode) == 0o600


def vector(name):
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there")
    return json.loads((SHARED / "vectors/qos/crypto" / name).read_text())


@pytest.mark.parametrize("chosen", [(0, 1), (1, 2), (2, 0), (0, 1, 2)])
def test_known_shares_of_the_original(desk, chosen):
    known = vector("shamir.json")["old_shares"]
    names = [put(desk, f"s{i}", bytes.fromhex(known["shares"][i])) for i in chosen]
    desk.ok(*reconstruct_words(names))
    assert desk.path("rebuilt").read_text() == known["secret_ascii"]


BAD_SPLITS = {
    "a threshold of one": (3, 1, "QosCrypto(Vsss(SharingMinThreshold))"),
    "a threshold of none": (3, 0, "QosCrypto(Vsss(SharingMinThreshold))"),
    "more needed than made": (2, 3, "QosCrypto(Vsss(SharingLimitLessThanThreshold))"),
    "too many shares": (256, 2, "QosCrypto(Vsss(SharingMaxRequest))"),
    "far too many shares": (4294967295, 2, "QosCrypto(Vsss(SharingMaxRequest))"),
    "beyond a number": (4294967296, 2, "--total-shares: expected a number"),
    "a word": ("three", 2, "--total-shares: expected a number"),
    "a negative threshold": (3, "-2", "--threshold: expected a number"),
    "no shares": (0, 2, "QosCrypto(Vsss(SharingLimitLessThanThreshold))"),
}


@pytest.mark.parametrize("name", BAD_SPLITS)
def test_no_split_is_made_of(desk, name):
    n, k, text = BAD_SPLITS[name]
    put(desk, "secret", b"secret")
    desk.path("shares").mkdir()
    nothing_changes(desk, *split_words(n, k), text=text)
    desk.ok(*split_words(3, 2))


def test_secrets_that_cannot_be_split(desk):
    desk.path("shares").mkdir()
    put(desk, "empty", b"")
    nothing_changes(desk, *split_words(3, 2, secret="empty"), text="empty")
    nothing_changes(desk, *split_words(3, 2, secret="absent"), text="absent")
    nothing_changes(desk, *split_words(3, 2, secret="shares"), text="shares")
    put(desk, "secret", b"s")
    nothing_changes(desk, *split_words(3, 2, folder="nowhere"), text="nowhere/1.share")
    nothing_changes(desk, *split_words(3, 2, folder="secret"), text="secret/1.share")


def test_a_protected_secret_is_split_with_a_warning(desk):
    put(desk, "passphrase", b"a long enough passphrase")
    desk.ok("generate-file-key", "--master-seed-path", "secret", "--pub-path", "pub", "--protect", "--passphrase-path",
            "passphrase")
    desk.path("shares").mkdir()
    done = desk.ok(*split_words(3, 2))
    assert "secret: is protected" in done.stderr
    assert model.combine([p.read_bytes() for p in shares_of(desk)][:2]) == desk.path("secret").read_bytes()


def test_a_split_is_all_there_or_none_and_replaces_nothing(desk):
    _, first = split(desk, b"first secret", 5, 2)
    nothing_changes(desk, *split_words(5, 2), text="shares/1.share: exists already and is not replaced without --force")
    for i in (1, 2, 3, 4):
        desk.path(f"shares/{i}.share").unlink()
    nothing_changes(desk, *split_words(5, 2), text="shares/5.share: exists already")
    nothing_changes(desk, *split_words(6, 2), text="shares/5.share: exists already")
    done, shares = split(desk, b"second secret", 3, 2, "--force")
    assert model.combine(shares[:2]) == b"second secret" and shares[3] == first[4]
    assert "shares/5.share: is of another split" in done.stderr
    done, shares = split(desk, b"third secret!", 5, 2, "--force")
    assert model.combine([shares[0], shares[4]]) == b"third secret!"
    assert "shares/5.share: an earlier file was replaced" in done.stderr
    assert "another split" not in done.stderr
    assert sorted(os.listdir(desk.path("shares"))) == [f"{i}.share" for i in range(1, 6)]


def test_a_split_whose_last_share_has_no_room_leaves_nothing(desk):
    put(desk, "secret", b"secret")
    desk.path("shares").mkdir()
    desk.path("shares/3.share").mkdir()
    nothing_changes(desk, *split_words(4, 2), text="shares/3.share: exists already")
    nothing_changes(desk, *split_words(4, 2, "--force"), text="shares/3.share")


def test_what_is_written_to_a_full_or_read_only_disk(desk):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = desk.path("disk")
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        pytest.skip(f"this system lets nobody mount a disk: {done.stderr.strip()}")
    try:
        put(desk, "secret", os.urandom(20000))
        put(desk, "payload", bytes(100000))
        split_there = split_words(8, 2, folder="disk")
        encrypt = ["p256-asymmetric-encrypt", "--plaintext-path", "payload", "--ciphertext-path", "disk/c",
                   "--pub-path", "quorum_key.pub"]
        for words in (split_there, encrypt):
            nothing_changes(desk, *words, text="No space left on device")
        assert os.listdir(disk) == []
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for words in (split_there, encrypt):
            nothing_changes(desk, *words, text="Read-only file system")
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        desk.ok(*split_words(2, 2, folder="disk"))
    finally:
        subprocess.run(["umount", disk], check=True)


def traced(desk, what, *words):
    return subprocess.run(["strace", "-q", "-o", "/dev/null", "-e", "inject=" + what, BIN / "qos_client",
                           *map(str, words)], cwd=desk.folder, env=environment(), capture_output=True, text=True,
                          check=False, timeout=60)


@pytest.mark.parametrize("call, most", [("write", 3), ("fchmod", 3), ("fsync", 6)])
def test_a_fault_at_any_point_leaves_the_earlier_split_whole(desk, call, most):
    needs_strace()
    _, first = split(desk, b"the first secret", 3, 2)
    put(desk, "secret", b"the other secret")
    for number in range(1, most + 1):
        before = snapshot(desk.path("shares"))
        done = traced(desk, f"{call}:error=EIO:when={number}", *split_words(3, 2, "--force"))
        assert done.returncode == 1 and "Input/output error" in done.stderr and "written to" not in done.stdout
        assert [path.read_bytes() for path in shares_of(desk)] == first, (call, number)
        assert snapshot(desk.path("shares")).keys() == before.keys()
    desk.ok(*split_words(3, 2, "--force"))
    assert [path.read_bytes() for path in shares_of(desk)] != first


def test_a_share_that_cannot_be_named_takes_back_those_before_it(desk):
    needs_strace()
    put(desk, "secret", b"secret")
    desk.path("shares").mkdir()
    for number in (1, 2, 3):
        done = traced(desk, f"renameat2:error=EIO:when={number}", *split_words(3, 2))
        assert done.returncode == 1 and f"shares/{number}.share: cannot be put in place" in done.stderr
        assert shares_of(desk) == []


def test_a_split_that_is_killed_leaves_whole_shares_for_the_owner_alone(desk):
    needs_strace()
    for number in (1, 2, 3):
        folder = desk.path(f"killed{number}")
        folder.mkdir()
        put(desk, "secret", b"a secret of this size")
        traced(desk, f"renameat2:signal=KILL:when={number}", *split_words(3, 2, folder=folder.name))
        named = [path for path in folder.iterdir() if path.name.endswith(".share")]
        assert len(named) in (number - 1, number)
        for path in folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600 and len(path.read_bytes()) == 22
        desk.ok(*split_words(3, 2, "--force", folder=folder.name))
        assert model.combine([(folder / f"{x}.share").read_bytes() for x in (1, 3)]) == b"a secret of this size"


BAD_SHARES = {
    "one share": ([b"\1aa"], "QosCrypto(Vsss(SharingMinThreshold))"),
    "a repeated share": ([b"\1aa", b"\2bb", b"\1aa"], "share 3: expected an identifier of its own, found 1 again"),
    "two shares of one number": ([b"\1aa", b"\1bb"], "QosCrypto(Vsss(SharingDuplicateIdentifier))"),
    "a longer share": ([b"\1aa", b"\2bbb"], "share 2: expected 3 bytes like the first, found 4"),
    "a shorter share": ([b"\1aa", b"\2bb", b"\3c"], "share 3: expected 3 bytes like the first, found 2"),
    "number zero": ([b"\0aa", b"\2bb"], "QosCrypto(Vsss(SharingInvalidIdentifier))"),
    "a number alone": ([b"\1", b"\2"], "QosCrypto(Vsss(InvalidShare))"),
}


@pytest.mark.parametrize("name", BAD_SHARES)
def test_nothing_is_rebuilt_from(desk, name):
    shares, text = BAD_SHARES[name]
    names = [put(desk, f"s{i}", share) for i, share in enumerate(shares)]
    nothing_changes(desk, *reconstruct_words(names), text=text)


def test_nothing_is_rebuilt_from_what_is_no_share(desk):
    put(desk, "good", b"\1aa")
    put(desk, "empty", b"")
    put(desk, "huge", bytes(65 << 10))
    os.mkfifo(desk.path("fifo"))
    for bad in ("empty", "huge", "absent", "approvals"):
        nothing_changes(desk, *reconstruct_words(["good", bad]), text=bad)
    nothing_changes(desk, *reconstruct_words(["good"] * 256), text="--share: expected at most 255 shares, found 256")
    put(desk, "rebuilt", b"kept")
    nothing_changes(desk, *reconstruct_words(["fifo", "fifo"]), text="rebuilt: exists already")  # before it waits
    for words, text in ((["--output-path", "x"], "argument share is required but was not found"),
                        (["--share", "good"], "argument output-path is required but was not found"),
                        (["--share", "--output-path", "x"],
                         "found argument share, which requires a value, but no value was given")):
        done = desk.run("shamir-reconstruct", *words)
        assert (done.returncode, done.stdout, done.stderr) == (1, f"Invalid input: {text}\n", "")


def test_shares_of_another_split_rebuild_something_else(desk):
    """Nothing in a share tells, and so the user is told."""
    split(desk, b"the first secret", 3, 2)
    desk.path("shares").rename(desk.path("first"))
    split(desk, b"the other secret", 3, 2)
    done = desk.ok(*reconstruct_words(["first/1.share", "shares/2.share"]))
    assert "which belong together" in done.stderr
    assert desk.path("rebuilt").read_bytes() not in (b"the first secret", b"the other secret")


def test_secrets_and_shares_come_through_pipes(desk):
    desk.path("shares").mkdir()
    fds = []

    def pipe(contents):
        read, write = os.pipe()
        os.write(write, contents)
        os.close(write)
        fds.append(read)
        return f"/dev/fd/{read}"

    secret = pipe(b"piped")
    desk.ok(*split_words(3, 2, secret=secret), pass_fds=fds)
    shares = [pipe(p.read_bytes()) for p in shares_of(desk)[1:]]
    desk.ok(*reconstruct_words(shares), pass_fds=fds)
    assert desk.path("rebuilt").read_bytes() == b"piped"
    for fd in fds:
        os.close(fd)


# Keys

def sign_words(*more, payload="payload", seed="seed"):
    return ["p256-sign", "--payload-path", payload, "--signature-path", "sig", "--master-seed-path", seed, *more]


def verify_words(payload="payload", sig="sig", pub="pub"):
    return ["p256-verify", "--payload-path", payload, "--signature-path", sig, "--pub-path", pub]


def encrypt_words(*more, plaintext="payload", pub="pub"):
    return ["p256-asymmetric-encrypt", "--plaintext-path", plaintext, "--ciphertext-path", "box", "--pub-path", pub,
            *more]


def decrypt_words(*more, box="box", seed="seed"):
    return ["p256-asymmetric-decrypt", "--ciphertext-path", box, "--plaintext-path", "opened", "--master-seed-path",
            seed, *more]


@pytest.fixture
def keys(desk):
    desk.pair = model.Pair()
    desk.write("seed", desk.pair.seed.hex())
    desk.write("pub", desk.pair.public.hex())
    put(desk, "payload", b"some payload\n")
    return desk


@pytest.mark.parametrize("payload", [b"", b"x", os.urandom(3 << 20)], ids=["empty", "byte", "large"])
def test_a_signature_verifies_elsewhere_and_here(keys, payload):
    put(keys, "payload", payload)
    done = keys.ok(*sign_words())
    assert (done.stdout, done.stderr) == ("p256 signature written to: sig\n", "")
    text = keys.path("sig").read_text()
    assert re.fullmatch("[0-9a-f]{128}", text)
    assert model.verify(keys.pair.public, payload, bytes.fromhex(text))
    done = keys.ok(*verify_words())
    assert (done.stdout, done.stderr) == ("Valid signature!\n", "")
    done = keys.ok(*sign_words())  # deterministic, and can be made again
    assert keys.path("sig").read_text() == text
    assert "note: sig: an earlier file was replaced" in done.stderr
    keys.write("sig", "0x" + keys.pair.sign(payload).hex().upper() + "\n")
    keys.ok(*verify_words())


@pytest.mark.parametrize("payload, said", [
    (bytes(32), "approves that manifest"), (b"quorate-handover-v1", "begins with quorate-"),
    (bytes(31), ""), (bytes(33), ""), (b"quorate", "")])
def test_who_signs_bytes_that_are_a_members_word_is_warned(keys, payload, said):
    put(keys, "payload", payload)
    warnings = [line for line in keys.ok(*sign_words()).stderr.splitlines() if "WARN" in line.upper()]
    assert len(warnings) == (1 if said else 0) and all(said in line for line in warnings), warnings


def test_the_fixed_signature_of_the_original(desk):
    known = vector("p256_sign.json")
    primary = next(key for key in vector("keypairs.json") if key["name"] == "primary")
    assert known["signature"].startswith("36c7f22c") and known["signature"].endswith("ee89")
    desk.write("seed", primary["master_seed"])
    desk.write("pub", model.Pair(bytes.fromhex(primary["master_seed"])).public.hex())
    desk.write("payload", known["message_ascii"])
    desk.ok(*sign_words())
    assert desk.path("sig").read_text() == known["signature"]
    assert desk.ok(*verify_words()).stdout == "Valid signature!\n"


def wrong_signatures(keys):
    good = keys.pair.sign(b"some payload\n")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    yield good[:-1] + bytes([good[-1] ^ 1]), "FailedSignatureVerification"
    yield keys.pair.sign(b"some other payload"), "FailedSignatureVerification"
    yield model.Pair().sign(b"some payload\n"), "FailedSignatureVerification"
    yield good[:-1], "FailedToDeserializeSignature"
    yield good + b"\0", "FailedToDeserializeSignature"
    yield bytes(64), "FailedToDeserializeSignature"
    yield order.to_bytes(32, "big") + good[32:], "FailedToDeserializeSignature"
    yield b"", "FailedToDeserializeSignature"


def test_a_wrong_signature_is_said_on_both_streams(keys):
    for signature, text in wrong_signatures(keys):
        keys.write("sig", signature.hex())
        done = nothing_changes(keys, *verify_words(), text=f"sig: {text}")
        assert done.stdout.startswith(f"Signature not valid: {text}") and done.stdout.count("\n") == 1
    # s and n - s are both signatures of the same payload: the original does not choose either.
    good = keys.pair.sign(b"some payload\n")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    other = order - int.from_bytes(good[32:], "big")
    keys.write("sig", (good[:32] + other.to_bytes(32, "big")).hex())
    keys.ok(*verify_words())


def test_what_is_no_signature_key_or_payload_is_an_error_alone(keys):
    keys.ok(*sign_words())
    keys.write("odd", "abc")
    for words, text in ((verify_words(sig="odd"), "odd: "), (verify_words(sig="payload"), "payload: "),
                        (verify_words(pub="odd"), "odd: "), (verify_words(pub="sig"), "EncodedPublicKeyTooShort"),
                        (verify_words(payload="absent"), "absent: "), (verify_words(sig="absent"), "absent: ")):
        assert nothing_changes(keys, *words, text=text).stdout == ""
    for words, text in ((sign_words(seed="pub"), "pub: InvalidMasterSeed"), (sign_words(seed="absent"), "absent: "),
                        (sign_words(payload="absent"), "absent: "), (sign_words(payload="approvals"), "approvals: ")):
        assert nothing_changes(keys, *words, text=text).stdout == ""


@pytest.mark.parametrize("plaintext", [b"", b"x", bytes(31), os.urandom(33), os.urandom(100_000)],
                         ids=["0", "1", "31", "33", "100000"])
def test_a_ciphertext_opens_elsewhere_and_here(keys, plaintext):
    put(keys, "payload", plaintext)
    done = keys.ok(*encrypt_words())
    assert (done.stdout, done.stderr) == ("Ciphertext written to: box\n", "")
    box = keys.path("box").read_bytes()
    assert len(box) == len(plaintext) + 97 and keys.pair.open(box) == plaintext
    put(keys, "box", model.seal(keys.pair.public, plaintext))
    done = keys.ok(*decrypt_words())
    assert (done.stdout, done.stderr) == ("Plaintext written to: opened\n", "")
    assert keys.path("opened").read_bytes() == plaintext
    assert stat.S_IMODE(keys.path("opened").stat().st_mode) == 0o600
    keys.path("opened").chmod(0o644)
    keys.ok(*decrypt_words("--output-hex", "--force"))
    assert keys.path("opened").read_text() == plaintext.hex()
    assert stat.S_IMODE(keys.path("opened").stat().st_mode) == 0o600


def test_a_whole_key_that_comes_out_is_announced(keys):
    quorum = model.Pair()
    put(keys, "box", model.seal(keys.pair.public, quorum.seed))
    done = keys.ok(*decrypt_words("--output-hex"))
    assert "**WARNING:** A WHOLE KEY" in done.stderr and "ALONE" in done.stderr
    assert hashlib.sha256(quorum.public).hexdigest() in done.stderr
    assert quorum.seed.hex() not in done.stderr + done.stdout
    assert model.Pair(bytes.fromhex(keys.path("opened").read_text())).public == quorum.public


def test_ciphertexts_and_plaintexts_are_not_replaced(keys):
    put(keys, "box", b"somebody's backup")
    nothing_changes(keys, *encrypt_words(), text="box: exists already and is not replaced without --force")
    keys.ok(*encrypt_words("--force"))
    assert keys.pair.open(keys.path("box").read_bytes()) == b"some payload\n"
    put(keys, "opened", b"somebody's secret")
    nothing_changes(keys, *decrypt_words(), text="opened: exists already and is not replaced without --force")
    keys.ok(*decrypt_words("--force"))


def bad_boxes(keys):
    good = model.seal(keys.pair.public, b"some payload\n")
    yield b"", "FailedToDeserializeEnvelope"
    yield good[:-1], "FailedToDeserializeEnvelope"
    yield good + b"\0", "FailedToDeserializeEnvelope"
    yield good[:96], "FailedToDeserializeEnvelope"
    yield good[:12] + bytes(65) + good[77:], "Failed"
    yield bytes([good[0] ^ 1]) + good[1:], "AesGcm256DecryptError"
    yield good[:-1] + bytes([good[-1] ^ 1]), "AesGcm256DecryptError"
    yield model.seal(model.Pair().public, b"some payload\n"), "AesGcm256DecryptError"


def test_nothing_comes_out_of_a_ciphertext_that_is_not_whole(keys):
    for box, text in bad_boxes(keys):
        put(keys, "box", box)
        done = nothing_changes(keys, *decrypt_words(), text=f"box: {text}")
        assert done.stdout == ""
    with pytest.raises(InvalidTag):
        model.Pair().open(model.seal(keys.pair.public, b"x"))


def test_protected_seeds_and_pipes_open_too(keys):
    put(keys, "passphrase", b"a long enough passphrase")
    keys.ok("generate-file-key", "--master-seed-path", "own", "--pub-path", "own.pub", "--protect", "--passphrase-path",
            "passphrase")
    words = ["--passphrase-path", "passphrase"]
    keys.ok(*encrypt_words(pub="own.pub"))
    keys.ok(*decrypt_words(*words, seed="own"))
    assert keys.path("opened").read_bytes() == b"some payload\n"
    keys.ok(*sign_words(*words, seed="own"))
    keys.ok(*verify_words(pub="own.pub"))
    nothing_changes(keys, *sign_words(seed="own"), text="passphrase")
    read, write = os.pipe()
    os.write(write, keys.pair.seed.hex().encode())
    os.close(write)
    keys.ok(*sign_words(seed=f"/dev/fd/{read}"), pass_fds=[read])
    os.close(read)
    keys.ok(*verify_words())


def test_what_keys_were_used_for_is_recorded_and_nothing_of_them(keys):
    env = dict(environment(), QUORATE_AUDIT_LOG=str(keys.path("log")))
    quorum = model.Pair()
    put(keys, "box", model.seal(keys.pair.public, quorum.seed))
    keys.path("shares").mkdir()
    keys.ok(*decrypt_words("--output-hex"), env=env)
    keys.refused(*decrypt_words(), text="exists already", env=env)
    keys.ok(*sign_words(), env=env)
    keys.ok(*split_words(3, 2, "--force", secret="seed"), env=env)
    keys.ok(*reconstruct_words(["shares/1.share", "shares/3.share"]), env=env)
    keys.ok(*encrypt_words("--force"), env=env)
    log = keys.path("log").read_text()
    found = [json.loads(line) for line in log.splitlines()]
    assert [(e["event"], e["details"].split(":")[0]) for e in found] == [
        ("p256-asymmetric-decrypt", "done"), ("p256-asymmetric-decrypt", "refused"), ("p256-sign", "done"),
        ("shamir-split", "done, with --force"), ("shamir-reconstruct", "done")]
    assert keys.path("rebuilt").read_text() == keys.pair.seed.hex()
    assert quorum.seed.hex() not in log and keys.pair.seed.hex() not in log


REQUIRED = {
    "shamir-split": ["output-dir", "secret-path", "threshold", "total-shares"],
    "shamir-reconstruct": ["output-path", "share"],
    "p256-sign": ["master-seed-path", "payload-path", "signature-path"],
    "p256-verify": ["payload-path", "pub-path", "signature-path"],
    "p256-asymmetric-encrypt": ["ciphertext-path", "plaintext-path", "pub-path"],
    "p256-asymmetric-decrypt": ["ciphertext-path", "master-seed-path", "plaintext-path"],
    "json-to-borsh": ["display-type", "file-path", "output-path"],
    "display": ["display-type", "file-path"],
    "get-ephemeral-key-hex": ["attestation-doc-path", "ephemeral-key-path"],
    "dangerous-dev-boot": ["host-ip", "host-port", "pivot-path", "restart-policy"],
}


@pytest.mark.parametrize("command", REQUIRED)
def test_what_is_missing_is_named_first_by_the_alphabet(desk, command):
    names = REQUIRED[command]
    for missing in names:
        words = [word for name in names if name != missing for word in (f"--{name}", "1")]
        done = desk.run(command, *words)
        assert done.returncode == 1 and done.stderr == ""
        assert done.stdout == f"Invalid input: argument {missing} is required but was not found\n"
    done = desk.run(command)
    assert done.stdout == f"Invalid input: argument {names[0]} is required but was not found\n"
