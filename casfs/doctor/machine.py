"""What the machine has to have, whatever is mounted."""

import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from casfs.config.memory import memory_bytes
from casfs.data.hashing import lanes
from casfs.doctor.check import Check, Look, ok, warn

PRUNE_FILE = Path("/etc/updatedb.conf")
OUR_KIND = "fuse.casfs"
UNIT = "casfs@.service"
UNIT_FOLDERS = tuple(
    Path(folder) for folder in ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system")
)
SYSTEMD = Path("/run/systemd/system")
"""There where systemd is the first process. Source: sd_booted(3)."""
PATH_OF_SYSTEMD = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where systemd looks for programs. Source: systemd.exec(5)."""


def looks(version: str) -> tuple[Look, ...]:
    """Return what is to be looked at.

    Args:
        version: of casfs.
    """
    return (
        Look("python", lambda: [_python(version)]),
        Look("hash lanes", _lanes),
        Look("memory of the machine", _memory),
        Look("updatedb", _updatedb),
        Look("systemd", _systemd),
    )


def _python(version: str) -> Check:
    return ok("python", f"{platform.python_implementation()} {platform.python_version()}, casfs {version}")


def _lanes() -> Iterator[Check]:
    if lanes.is_compiled():
        yield ok("hash lanes", lanes.described())
    else:
        yield warn("hash lanes", lanes.described(), "install cc (gcc, libc6-dev), then casfs again")


def _memory() -> Iterator[Check]:
    found = memory_bytes()
    yield ok("memory of the machine", "nobody tells" if found is None else f"{found >> 20} MiB")


def _updatedb() -> Iterator[Check]:
    try:
        text = PRUNE_FILE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        yield ok("updatedb", "is not installed")
        return
    pruned = re.search(r"^\s*PRUNEFS\s*=\s*\"(.*)\"", text, re.MULTILINE)
    if pruned is not None and OUR_KIND in pruned[1].split():
        yield ok("updatedb", f"PRUNEFS has {OUR_KIND}")
        return
    mending = f"sed -i '/^PRUNEFS=/s/\"$/ {OUR_KIND}\"/' {PRUNE_FILE}"
    yield warn("updatedb", "walks every mount, which costs requests", mending)


def _systemd() -> Iterator[Check]:
    unit = next((folder / UNIT for folder in UNIT_FOLDERS if (folder / UNIT).exists()), None)
    if unit is None:
        there = "is here, without a unit of casfs" if SYSTEMD.is_dir() else "is not the first process here"
        yield ok("systemd", there)
        return
    begun = re.search(r"^ExecStart=(\S+)", unit.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    program = begun[1] if begun else "casfs"
    if shutil.which(program, path=PATH_OF_SYSTEMD, mode=os.X_OK) is None:
        mending = f"ln -sf {shutil.which('casfs') or '/opt/casfs/bin/casfs'} /usr/local/bin/"
        yield warn("systemd", f"{unit} begins {program}, which is in none of {PATH_OF_SYSTEMD}", mending)
    else:
        yield ok("systemd", f"{unit} begins {program}")
