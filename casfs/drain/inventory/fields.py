"""The columns of an inventory as an archive: a line that cannot be used ends the drain, which is to leave out nothing.

Source: docs/wire.md section 5.
"""

import re
from collections.abc import Sequence

from casfs.drain.archive import Archive
from casfs.errors import ProtocolError

COLUMNS = ("ArchiveId", "ArchiveDescription", "CreationDate", "Size", "SHA256TreeHash")

LARGEST = (1 << 63) - 1
"""What a ledger holds, and more than any archive has."""
LONGEST_ID = 1024
"""Characters; those of the services have 128 and 138."""
SHOWN = 80
"""Characters of a value that an error shows."""


def archive_from(number: int, columns: Sequence[object]) -> Archive:
    """Return the archive that the columns tell of.

    Args:
        number: which one it is, from 1 on, for the error.
        columns: the values of COLUMNS, nothing where there is none; a number may be its digits.

    Raises:
        ProtocolError: it has no usable id or size, or a hash that is none.
    """
    id_, description, created, size, hash_ = columns
    if not isinstance(id_, str) or not 0 < len(id_) <= LONGEST_ID or re.search("[\0\ud800-\udfff]", id_):
        raise unusable(number, "ArchiveId", id_)
    if isinstance(size, str) and re.fullmatch("[0-9]{1,19}", size):
        size = int(size)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= LARGEST:
        raise unusable(number, "Size", size)
    if hash_ and not (isinstance(hash_, str) and re.fullmatch("[0-9a-fA-F]{64}", hash_)):
        raise unusable(number, "SHA256TreeHash", hash_)
    text = description if isinstance(description, str) else ""
    date = created if isinstance(created, str) else ""
    return Archive(id_, text, date, size, hash_.lower() if isinstance(hash_, str) and hash_ else None)


def unusable(number: int, column: str, value: object) -> ProtocolError:
    """Return the error for a value that cannot be used."""
    said = ascii(value[:SHOWN]) if isinstance(value, str) else f"a {type(value).__name__}"
    return ProtocolError(f"the inventory cannot be used: {column} of archive {number} is {said}")
