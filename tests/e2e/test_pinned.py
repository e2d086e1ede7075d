"""tools/fetch-pinned believes the table beside it, whatever the environment says."""
import hashlib
import os
import subprocess

from machine import ROOT


def test_the_table_is_that_of_the_tree_whatever_cdpath_says(tmp_path):
    other, kept = tmp_path / "other" / "tools", tmp_path / "kept"
    other.mkdir(parents=True)
    kept.mkdir()
    (kept / "planted.deb").write_bytes(b"not Debian's")
    digest = hashlib.sha256(b"not Debian's").hexdigest()
    (other / "pinned-packages").write_text(f"bookworm deb planted planted.deb {digest}\n")
    done = subprocess.run(["tools/fetch-pinned", kept, "planted"], cwd=ROOT, text=True, capture_output=True,
                          check=False, timeout=30, env={**os.environ, "CDPATH": str(tmp_path / "other")})
    assert done.returncode == 1 and "planted: expected a package of tools/pinned-packages" in done.stderr
