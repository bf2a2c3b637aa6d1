"""What stands behind ``-o``: casfs's own options, and the words that mount(8) gives to every file system."""

import re
from dataclasses import dataclass

from casfs.config.options import BY_NAME
from casfs.errors import ConfigError

KERNEL_WORDS = ("suid", "nosuid", "dev", "nodev", "exec", "noexec", "noatime")
"""Words that libfuse hands to the kernel."""

OTHER_WORDS = ("auto", "noauto", "user", "nouser", "users", "nofail", "_netdev", "defaults", "rw", "ro", "relatime")
"""Words for mount(8) and systemd, done when we are called, or that ask for what is so anyway. ``rw`` is among them
though nothing can be written: mount(8) says it whenever nobody says ``ro``."""

_COMMA = re.compile(r"(?<!\\),")


@dataclass(frozen=True, slots=True)
class MountOptions:
    """A text behind ``-o``, read.

    Attributes:
        given: what was written for each of casfs's options, by its name; the last one wins.
        kernel_words: those of KERNEL_WORDS that were written, in order.
    """

    given: dict[str, str]
    kernel_words: tuple[str, ...]


def parse(text: str) -> MountOptions:
    r"""Return what *text* asks for.

    Args:
        text: words and ``name=value`` between commas; a comma within a value is written ``\,``. Names may be spelled
            with ``-`` or ``_``.

    Raises:
        ConfigError: a word that neither casfs nor mount(8) knows, or one that lacks its value; the message names it.
    """
    given: dict[str, str] = {}
    kernel_words: list[str] = []
    for part in _COMMA.split(text):
        word, equals, value = part.strip().replace("\\,", ",").partition("=")
        name = word.replace("-", "_")
        if name in BY_NAME:
            given[name] = _value(name, value if equals else None)
        elif word in KERNEL_WORDS and not equals:
            kernel_words.append(word)
        elif not _is_for_others(word, equals):
            raise ConfigError(f"-o {word}: there is no such option")
    return MountOptions(given, tuple(kernel_words))


def known(text: str) -> str:
    """Return *text* without the words that ``parse`` refuses: mount(8) may ask for tolerance of them."""
    return ",".join(part for part in _COMMA.split(text) if _is_known(part))


def _is_known(part: str) -> bool:
    try:
        parse(part)
    except ConfigError:
        return False
    return True


def _value(name: str, value: str | None) -> str:
    if value is not None:
        return value
    if not BY_NAME[name].kind.is_flag:
        raise ConfigError(f"-o {name}: it needs a value, {name}={BY_NAME[name].kind.metavar}")
    return "true"


def _is_for_others(word: str, equals: str) -> bool:
    if word.startswith(("x-", "X-")):
        return True
    # mount(8) turns `user` into `user=alice` for the table of mounts
    return word == "user" or (not equals and word in ("", *OTHER_WORDS))
