"""PLACE: a vault or a job of a service, as a command line names it.

- ``NAME:VAULT`` or ``REGION:VAULT``, with ``/JOB`` behind it where a job is meant
- ``http[s]://HOST[:PORT]/ACCOUNT/VAULT``, likewise; the account is always there, ``-`` for the caller's own

No message repeats a URL: somebody may have written a password into it.
"""

from dataclasses import dataclass
from enum import IntEnum

from casfs.config import sources
from casfs.errors import ConfigError

LONGEST_JOB = 255
"""Characters of a job's id at most: a mount shows none that is longer."""


class Depth(IntEnum):
    """How far a PLACE leads."""

    SERVICE = 0
    VAULT = 1
    JOB = 2


FORMS = {
    Depth.SERVICE: sources.FORMS,
    Depth.VAULT: "NAME:VAULT, REGION:VAULT or http[s]://HOST[:PORT]/ACCOUNT/VAULT",
    Depth.JOB: "NAME:VAULT/JOB, REGION:VAULT/JOB or http[s]://HOST[:PORT]/ACCOUNT/VAULT/JOB",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A PLACE, read.

    Attributes:
        source: the SOURCE in front of it, without a vault: what a library connects to.
        vault: name of the vault; None where the whole service is meant.
        job: id of the job; None where all of a vault is meant.
    """

    source: str
    vault: str | None = None
    job: str | None = None

    @property
    def depth(self) -> Depth:
        """How far it leads."""
        if self.vault is None:
            return Depth.SERVICE
        return Depth.VAULT if self.job is None else Depth.JOB

    def __str__(self) -> str:
        names = "/".join(name for name in (self.vault, self.job) if name is not None)
        return self.source if not names else self.source + ("" if self.source.endswith(":") else "/") + names


def parse(text: str, least: Depth = Depth.VAULT, most: Depth = Depth.JOB) -> Place:
    """Return what *text* names; slashes at its end mean nothing. Whether a profile has that name is not looked at.

    Args:
        text: a PLACE.
        least: how far it must lead.
        most: how far it may lead.

    Raises:
        ConfigError: it is none, or leads elsewhere.
    """
    place = _of_url(text) if "://" in text else _of_name(text)
    if least <= place.depth <= most:
        return place
    what = ("no vault", "a vault and no job", "a job")[place.depth]
    forms = " or ".join(FORMS[depth] for depth in Depth if least <= depth <= most)
    raise ConfigError(f"PLACE names {what}; it must be {forms}")


def _of_name(text: str) -> Place:
    name, colon, names = text.rstrip("/").partition(":")
    if not colon or not name:
        raise ConfigError(f"PLACE is none of {FORMS[Depth.VAULT]}, with /JOB behind it where a job is meant")
    vault, slash, job = names.partition("/")
    if vault and not sources.VAULT.fullmatch(vault):
        raise ConfigError(f"PLACE: {vault!a} is not the name of a vault")
    if slash and not vault:
        raise ConfigError("PLACE names a job and no vault")
    return Place(f"{name}:", vault or None, _job(job))


def _of_url(text: str) -> Place:
    scheme, _, rest = text.partition("://")
    host, _, path = rest.partition("/")
    names = [name for name in path.split("/") if name]
    job = names.pop() if len(names) == 3 else ""
    source = sources.parse_url("/".join([f"{scheme}://{host}", *names]), "PLACE")
    account = "" if source.account is None else f"/{source.account}"
    return Place(f"{source.endpoint_url}{account}", source.vault, _job(job))


def _job(text: str) -> str | None:
    """Return the id of a job, None where none is given."""
    if not text:
        return None
    if len(text) > LONGEST_JOB or text in (".", "..") or not text.isprintable() or set(text) & set("/?# "):
        raise ConfigError("PLACE: what stands behind the vault is not the id of a job")
    return text
