"""One archive from the service to where it goes: whole, and with the right tree hash, or an error."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from casfs.drain.archive import Entry
from casfs.drain.destinations.destination import Destination, Label
from casfs.drain.download import download
from casfs.drain.needs import Service
from casfs.errors import CorruptDataError, UncheckableError
from casfs.file import File


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that an archive is the right one.

    Attributes:
        tree_hash: of the bytes that are there.
        hash_from: who says that it is the archive's: ``inventory`` or ``job``.
        since_ns: what is changed later is not shown by it; None for whatever is changed once it was asked for.
    """

    tree_hash: str
    hash_from: str
    since_ns: int | None = None


def deliver(  # noqa: PLR0913, PLR0917 - from where, to where, and under which name meanwhile
    service: Service,
    vault: str,
    destination: Destination,
    entry: Entry,
    moved: Callable[[int], object],
    attempt: str | None = None,
) -> Proof:
    """Put an archive where it goes, and return what shows that it is the right one.

    Args:
        service: whose vault it is.
        vault: its name.
        destination: where it goes.
        entry: which archive; its job has an output.
        moved: called with the length of each piece that was written; what it raises ends the download.
        attempt: names what is unfinished; None for a name by which a later attempt goes on with it.

    Raises:
        CorruptDataError: the output is not what the inventory tells of.
        UncheckableError: nobody gives a hash of it.
        GoneError, NotFoundError: the service no longer has the output.
        DestinationError: it could not be put there.
        CasfsError: it could not be read.
    """
    job = entry.job or ""
    proof = _expected(service, vault, entry)
    if destination.holds(entry.path, entry.size, proof.tree_hash):
        return proof

    def open_file() -> File:
        file = service.open(vault, job)
        if file.size == entry.size:
            return file
        file.close()
        raise CorruptDataError(f"the output has {file.size} bytes, and the inventory says {entry.size}")

    name = attempt or hashlib.sha256(entry.id.encode()).hexdigest()[:32]
    with destination.part(entry.path, name) as part:
        try:
            download(open_file, part, proof.tree_hash, moved)
            since_ns = part.commit(Label(modified_ns=_created_ns(entry.created)))
        except BaseException as error:
            if attempt is not None or isinstance(error, CorruptDataError):  # nobody goes on with it
                part.discard()
            raise
    return replace(proof, since_ns=since_ns)


def _expected(service: Service, vault: str, entry: Entry) -> Proof:
    if entry.tree_hash is not None:
        return Proof(entry.tree_hash, "inventory")
    told = service.job(vault, entry.job or "").fields.get("ArchiveSHA256TreeHash")
    if not isinstance(told, str) or not re.fullmatch("[0-9a-fA-F]{64}", told):
        raise UncheckableError("neither the inventory nor the job tells the tree hash")
    return Proof(told.lower(), "job")


def _created_ns(text: str) -> int | None:
    """Return the nanoseconds since 1970 that a CreationDate names, None where it names none."""
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000) * 10**6
    return None
