"""``mount -o remount``: granted where it asks for what is so already, refused by name where not.

Nothing about a mount can be changed while it is there; but scripts and systemd remount ``ro`` what is to be safe, with
the options that fstab or the table of mounts has.
"""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from casfs.config.mount_options import MountOptions
from casfs.config.options import BY_NAME
from casfs.errors import MountError
from casfs.models import OPTIONS_ATTRIBUTE
from casfs.mount.mountpoint import KIND, Mounted, mounts

ANSWER_S = 30.0
"""A mount answers this out of its memory."""


def check_remount(source: str, path: Path, asked: MountOptions) -> None:
    """Raise MountError unless the mount at *path* is as *asked*.

    Args:
        source: what is mounted, as mount(8) calls it.
        path: absolute, without symbolic links.
        asked: the words of the remount.

    Raises:
        MountError: there is no mount of casfs, or it is otherwise; the message says in what.
    """
    found = [mounted for mounted in mounts() if mounted.path == str(path)][-1:]
    if not found or found[0].kind != KIND:
        raise MountError(f"{path}: no mount of casfs is there that could be remounted")
    for wish in _unfulfilled(source, found[0], asked):
        raise MountError(f"{path}: a remount cannot give it {wish}; end it with umount {path}, and mount it again")


def _unfulfilled(source: str, mounted: Mounted, asked: MountOptions) -> Iterator[str]:
    if source != mounted.source:
        yield f"another source than {mounted.source}"
    if asked.read_write:
        yield "rw, since archives are read-only"
    for word in asked.kernel_words + asked.shown:
        if not _is_shown(word, mounted.options):
            yield word
    has = _options_of(Path(mounted.path)) if asked.given else {}
    for name, text in asked.given.items():
        value = BY_NAME[name].read(text, f"-o {name}")
        if has.get(name) != value:
            yield f"{name}={value}, since it has {name}={has.get(name)}"


def _is_shown(word: str, options: frozenset[str]) -> bool:
    """Whether the table of mounts says so; it shows ``noexec``, and nothing where ``exec`` holds."""
    if "=" in word or word == "default_permissions" or word.startswith("no"):
        return word in options
    return f"no{word}" not in options


def _options_of(path: Path) -> dict[str, object]:
    """Return the options of the mount at *path*, which it tells itself."""
    told: list[bytes] = []
    asking = threading.Thread(target=_ask, args=(path, told), daemon=True)
    asking.start()
    asking.join(ANSWER_S)
    if not told:
        raise MountError(f"{path}: the mount does not tell its options; end it with umount {path}, and mount it again")
    options: dict[str, object] = json.loads(told[0])
    return options


def _ask(path: Path, told: list[bytes]) -> None:
    try:
        told.append(os.getxattr(path, OPTIONS_ATTRIBUTE))
    except OSError:
        return
