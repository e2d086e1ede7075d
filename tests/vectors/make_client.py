#!/usr/bin/python3
"""Makes tests/vectors/client/protected.json with the independent model of protected files in tests/e2e.
Deterministic. Run it from anywhere."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import protected_model  # noqa: E402  found by the line above

CASES = [
    ("a seed, as generate-file-key makes it but with the least cost", b"5a" * 32,
     b"correct horse battery", 65536, 3),
    ("other costs, one byte of contents", b"\0", "pässword with ünicode".encode(), 70000, 4),
    ("the largest contents", bytes(range(256)) * 4, b"x" * 1024, 65536, 3),
]


def rows():
    for number, (name, contents, passphrase, kib, passes) in enumerate(CASES):
        salt = bytes(range(number, number + 16))
        nonce = bytes(range(100 + number, 124 + number))
        file = protected_model.protect(contents, passphrase, salt, nonce, kib, passes)
        yield {"name": name, "contents": contents.hex(), "passphrase": passphrase.hex(),
               "memory_kib": kib, "passes": passes, "random": (salt + nonce).hex(),
               "file": file.decode()}


def main():
    out = HERE / "client"
    out.mkdir(exist_ok=True)
    text = json.dumps(list(rows()), indent=1) + "\n"
    (out / "protected.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
