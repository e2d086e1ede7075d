"""What a refusal must leave alone: names, kinds, modes, owners, contents and times of files."""
import os
import stat
from pathlib import Path


def _of(path):
    s = path.lstat()
    kind = (stat.S_IFMT(s.st_mode), stat.S_IMODE(s.st_mode), s.st_uid)
    if stat.S_ISLNK(s.st_mode):
        return kind + (os.readlink(path),)
    if stat.S_ISREG(s.st_mode):
        contents = path.read_bytes() if s.st_size < 1 << 26 else s.st_size
        return kind + (s.st_mtime_ns, s.st_ino, contents)
    return kind


def snapshot(*folders):
    """{path: everything about it} of all that lies in these folders."""
    found = {}
    for folder in map(Path, folders):
        for path in sorted(folder.rglob("*")):
            found[str(path)] = _of(path)
    return found


def difference(before, after):
    """The paths that are new, gone or changed."""
    return sorted(path for path in before.keys() | after.keys()
                  if before.get(path) != after.get(path))
