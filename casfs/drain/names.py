"""Paths in a destination, made of what an archive is described as. Pure.

A description is anybody's text. What comes of it is a relative path of names that every usual file system takes, and
none of which leads elsewhere; two of them are the same where some file system takes them for the same.
"""

import hashlib
import re
import unicodedata
from enum import StrEnum

MANIFEST = "MANIFEST.jsonl"
UNFINISHED = ".casfs-part"
LONGEST_NAME = 255
"""Bytes of one name. Source: Linux, NAME_MAX."""
LONGEST_PATH = 1000
"""Bytes of a path: an object of S3 or COS has 1,024 at most, with what stands in front. Source: S3, object keys."""
DEEPEST = 64
"""Folders in each other: a tool that walks recursively takes as many."""
LONGEST_ID = 150
"""Characters of an id that a name may have in it; those of the services have 128 and 138."""

_NAME = r"[A-Za-z0-9_-](?:[A-Za-z0-9_. -]{0,60}[A-Za-z0-9_-])?"
_USUAL = re.compile(rf"(?:{_NAME}/){{0,8}}{_NAME}")
"""Descriptions in which nothing is wrong but, maybe, a name that Windows keeps: looked at first, there are millions."""
_UNSAFE = re.compile(r'[\\:<>"|?*]')
_NOT_PRINTED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Kinds of characters that are not shown, or change how others are: a name is what it looks like. Source: Unicode."""
_WINDOWS = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
"""Source: Microsoft, "Naming Files, Paths, and Namespaces"."""


_KEPT = re.compile("con|prn|aux|nul|com|lpt|manifest", re.IGNORECASE)
"""What each name has in it that Windows or a drain keeps for itself."""


_OWN = {name.casefold() for name in (UNFINISHED, MANIFEST, f"{UNFINISHED}.{MANIFEST}")}
"""Where what is unfinished is, the manifest, and what in a store says before there is one whose archives come there."""


class Naming(StrEnum):
    """What paths are made of."""

    DESCRIPTION = "description"
    ID = "id"


def path_of(naming: Naming, id_: str, description: str) -> str:
    """Return the path that an archive gets unless another one has it: relative, ``/`` between its names.

    Args:
        naming: what it is made of.
        id_: of the archive.
        description: of the archive; anything.
    """
    if naming is Naming.ID or not description:
        return own_name(id_)
    if _USUAL.fullmatch(description) and not _KEPT.search(description):
        return description
    written = description.split("/")
    names = [_safe(name) for name in written if name not in ("", ".", "..")]
    if not names:
        return own_name(id_)
    is_cut = any(_length(name) > LONGEST_NAME for name in names)
    if is_cut or len(names) > DEEPEST or _length("/".join(names)) > LONGEST_PATH:
        return _shortened(names, id_)
    path = "/".join(names)
    leads_elsewhere = ".." in written or not written[-1].strip(".")
    return with_id(path, id_) if leads_elsewhere or is_taken(path) else path


def is_taken(path: str) -> bool:
    """Say whether *path* is kept for what a drain itself puts there."""
    first, _, _ = folded(path).partition("/")
    return first in _OWN


def with_id(path: str, id_: str, depth: int | None = None, times: int = 1) -> str:
    """Return *path* with an archive's id in one of its names, before that name's suffix.

    Args:
        path: as ``path_of`` returns it.
        id_: of the archive.
        depth: which of its names, counted from 0; the last one if None.
        times: how often this was tried: from the second time on the id is told by a digest, another one each time.
    """
    names = path.split("/")
    if is_taken(path):
        depth = 0
    depth = len(names) - 1 if depth is None else depth
    label = own_name(id_) if times == 1 else _digest(f"{id_}\n{times}")
    stem, dot, suffix = names[depth].rpartition(".")
    if not stem or len(suffix) > 16:
        stem, dot, suffix = names[depth], "", ""
    room = LONGEST_NAME - _length(f".{label}{dot}{suffix}")
    names[depth] = f"{_cut(stem, room)}.{label}{dot}{suffix}"
    made = "/".join(names)
    return made if _length(made) <= LONGEST_PATH else f"{_digest(made)}.{label}"


def own_name(id_: str) -> str:
    """Return the name of an archive by its id alone: the id itself, or a digest of one that can be no name."""
    is_name = re.fullmatch(f"[A-Za-z0-9_-]{{1,{LONGEST_ID}}}", id_) and not _WINDOWS.match(id_)
    return id_ if is_name else _digest(id_)


def folded(path: str) -> str:
    """Return what two paths have in common that some file system takes for one: case, and forms of Unicode."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _safe(name: str) -> str:
    """Return *name* as every usual file system takes it; not empty, and of any length."""
    if not (name.isascii() and name.isprintable()):
        name = "".join("_" if unicodedata.category(one) in _NOT_PRINTED else one for one in name)
        name = unicodedata.normalize("NFC", name)
    name = _UNSAFE.sub("_", name)
    if name[-1] in ". ":  # which Windows drops
        kept = name.rstrip(". ")
        name = kept + "_" * (len(name) - len(kept))
    return f"_{name}" if _WINDOWS.match(name) else name


def _shortened(names: list[str], id_: str) -> str:
    """Return a path for names that are too long or too many: as much of them as there is room for, and the id."""
    kept = [_cut(name, LONGEST_NAME) for name in names[:-1]]
    while kept and (len(kept) >= DEEPEST or _length("/".join(kept)) > LONGEST_PATH - LONGEST_NAME - 1):
        kept.pop()
    return with_id("/".join([*kept, _cut(names[-1], LONGEST_NAME)]), id_)


def _cut(text: str, room: int) -> str:
    """Return the front of *text* that takes *room* bytes at most, and ends in nothing that Windows drops."""
    if _length(text) <= room:
        return text
    return text.encode()[:room].decode(errors="ignore").rstrip(". ") or "_"


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
