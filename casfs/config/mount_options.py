"""What stands behind ``-o``: casfs's own options, and the words that mount(8) gives to every file system."""

import re
from dataclasses import dataclass

from casfs.config.nearest import or_nearest
from casfs.config.options import BY_NAME
from casfs.errors import ConfigError

KERNEL_WORDS = ("suid", "nosuid", "dev", "nodev", "exec", "noexec", "atime", "noatime")
"""Words that every libfuse hands to the kernel."""

LABELS = ("context", "fscontext", "defcontext", "rootcontext")
"""Labels of SELinux, which libfuse hands to the kernel with their values. Source: mount(8)."""

_EITHER = ("auto", "user", "users", "owner", "group", "relatime", "diratime", "strictatime", "lazytime", "mand")
_ALONE = ("nofail", "_netdev", "defaults", "rw", "ro", "remount", "sync", "async", "dirsync", "silent", "loud")
OTHER_WORDS = {f"{no}{word}" for word in (*_EITHER, "iversion", "symfollow") for no in ("", "no")} | {*_ALONE}
"""Words for mount(8) and systemd, done when we are called, or that mean nothing where nothing can be written and no
link leads anywhere. Source: mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS, and libmount's table of options."""

OTHER_NAMES = frozenset({"user", "comment", "helper", "uhelper"})
"""Names with a value that are mount(8)'s own affair: it turns ``user`` into ``user=alice`` for the table of mounts."""

SHOWN_WORDS = frozenset({"default_permissions"})
SHOWN_NAMES = frozenset({"user_id", "group_id", "max_read", "blksize"})
"""What the table of mounts shows of every FUSE mount: mount(8) reads it there for a remount."""

_PART = re.compile(r'((?:="[^"]*"|\\,|[^,])*)(?:,|$)')
"""What stands between two commas. One is part of a value behind a backslash, or in a value between quotes."""


@dataclass(frozen=True, slots=True)
class MountOptions:
    """A text behind ``-o``, read.

    Attributes:
        given: what was written for each of casfs's options, by its name; the last one wins.
        kernel_words: those of KERNEL_WORDS and LABELS that were written, in order, each label with its value.
        read_write: whether ``rw`` was written, and not ``ro`` after it.
        remount: whether a mount is to be changed, and not made.
        shown: what the table of mounts is to show; only where *remount*.
    """

    given: dict[str, str]
    kernel_words: tuple[str, ...]
    read_write: bool = False
    remount: bool = False
    shown: tuple[str, ...] = ()


NOTHING = MountOptions({}, ())


def parse(text: str) -> MountOptions:
    r"""Return what *text* asks for.

    Args:
        text: words and ``name=value`` between commas; a comma within a value is written ``\,``, or the value stands in
            double quotes. Names may be spelled with ``-`` or ``_``.

    Raises:
        ConfigError: a word that neither casfs nor mount(8) knows, or one that lacks its value; the message names it.
    """
    parts = [part.strip().replace("\\,", ",") for part in _parts(text)]
    remount = "remount" in parts
    given: dict[str, str] = {}
    kernel_words: list[str] = []
    shown = []
    for part in parts:
        word, equals, value = part.partition("=")
        name = word.replace("-", "_")
        if name in BY_NAME:
            given[name] = _value(name, value if equals else None)
        elif word in (LABELS if equals else KERNEL_WORDS):
            kernel_words = [*(before for before in kernel_words if _meant(before) != _meant(part)), part]
        elif remount and word in (SHOWN_NAMES if equals else SHOWN_WORDS):
            shown.append(part)
        elif not _is_for_others(word, equals):
            known = [*BY_NAME, *KERNEL_WORDS, *LABELS, *sorted(OTHER_WORDS | OTHER_NAMES)]
            raise ConfigError(f"-o {word}: there is no such option{or_nearest(name, known)}")
    last = [part for part in parts if part in ("ro", "rw")][-1:]
    return MountOptions(given, tuple(kernel_words), last == ["rw"], remount, tuple(shown))


def known(text: str) -> str:
    """Return *text* without the words that ``parse`` refuses: mount(8) may ask for tolerance of them."""
    parts = _parts(text)
    context = "remount" if "remount" in parts else ""
    return ",".join(part for part in parts if _is_known(f"{context},{part}"))


def _parts(text: str) -> list[str]:
    return [part for part in _PART.findall(text) if part]


def _is_known(text: str) -> bool:
    try:
        parse(text)
    except ConfigError:
        return False
    return True


def _meant(kernel_word: str) -> str:
    """Return what a word for the kernel is about: ``noexec`` and ``exec`` are about the same, and the last one wins."""
    return kernel_word.partition("=")[0].removeprefix("no")


def _value(name: str, value: str | None) -> str:
    if value is not None:
        return value[1:-1] if re.fullmatch('".*"', value) else value
    if not BY_NAME[name].kind.is_flag:
        raise ConfigError(f"-o {name}: it needs a value, {name}={BY_NAME[name].kind.metavar}")
    return "true"


def _is_for_others(word: str, equals: str) -> bool:
    if word.startswith(("x-", "X-")):
        return True
    return word in OTHER_NAMES if equals else word in OTHER_WORDS or not word
