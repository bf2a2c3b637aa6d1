"""Which archives of a vault are chosen. Pure."""

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from casfs.drain.archive import Archive
from casfs.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user chooses by; None for no restriction.

    Attributes:
        only: a regular expression that is found in the description, or in the id where there is none.
        newer: archives made then or later; ISO 8601.
        older: archives made before; likewise.
    """

    only: str | None = None
    newer: str | None = None
    older: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether it restricts nothing."""
        return self == Choice()

    def __str__(self) -> str:
        said = [f"--{name} {value}" for name, value in asdict(self).items() if value is not None]
        return " ".join(said) or "all archives"


class Chooser:
    """Says which archives a choice has.

    Raises:
        ConfigError: an expression or a date cannot be used.
    """

    def __init__(self, choice: Choice) -> None:
        try:
            self._only = re.compile(choice.only) if choice.only is not None else None
        except re.error as error:
            raise ConfigError(f"--only: {choice.only!a} is no regular expression: {error}") from error
        self._newer, self._older = _moment("--newer", choice.newer), _moment("--older", choice.older)

    def has(self, archive: Archive) -> bool:
        """Say whether *archive* is chosen; one whose date cannot be read is not left out for it."""
        if self._only is not None and not self._only.search(archive.description or archive.id):
            return False
        if self._newer is None and self._older is None:
            return True
        try:
            made = _read(archive.created)
        except ValueError:
            return True
        return (self._newer is None or made >= self._newer) and (self._older is None or made < self._older)


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return _read(text)
    except ValueError:
        raise ConfigError(
            f"{option}: {text!a} is no date of ISO 8601, like 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None


def _read(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
