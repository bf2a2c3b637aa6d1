"""Files of settings, which may hold secrets: who can read them, who can change them, and which could not be read."""

import os
import pwd
import shlex
import stat
from pathlib import Path

from casfs.errors import ConfigError

LARGEST_BYTES = 1024 * 1024
"""No file of settings is larger; something else has that path."""


class UnreadableError(ConfigError):
    """A file that is there, or may be, and that this process may not read."""


class NowhereError(ConfigError):
    """Something that is needed stands in no place that was looked into."""


class PrivateFile:
    """A file as it was when it was opened: its text, and who else can read and change it."""

    def __init__(self, path: Path) -> None:
        """Read *path*; a byte order mark at its beginning is no part of the text.

        Raises:
            FileNotFoundError: there is none.
            UnreadableError: it cannot be read.
            ConfigError: it is no text.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                self._status = os.fstat(file.fileno())
                content = file.read(LARGEST_BYTES + 1)
        except NotADirectoryError as error:
            raise FileNotFoundError(*error.args) from None
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UnreadableError(f"{path} cannot be read: {error.strerror}") from None
        if len(content) > LARGEST_BYTES:
            raise ConfigError(f"{path} is larger than any file of settings")
        try:
            self.text = content.decode("utf-8-sig")
        except ValueError:
            raise ConfigError(f"{path} cannot be read: it is not UTF-8 text") from None

    def check_private(self) -> None:
        """Raise ConfigError unless only its owner can read it.

        A group may read a file of root's: its administrator chose that group, and systemd hands credentials to a
        service so where it cannot use access lists. Source: systemd.exec(5), LoadCredential=.

        Raises:
            ConfigError: others can read it; the message is the chmod that mends it.
        """
        refused = stat.S_IRWXO if self._status.st_uid == 0 else stat.S_IRWXO | stat.S_IRWXG
        if self._status.st_mode & refused:
            path = shlex.quote(str(self.path))
            raise ConfigError(f"{self.path} holds a secret and others can read it: chmod 600 {path}")

    def check_trusted(self) -> None:
        """Raise ConfigError unless nobody but root can change it, or this process is not root's.

        Its words decide where root writes a log and whom it believes. A pipe, like that of a shell's ``<(…)``, is in no
        folder, and whoever runs casfs made it.

        Raises:
            ConfigError: others can change it, or put another in its place; the message is what mends it.
        """
        if os.geteuid() != 0 or not stat.S_ISREG(self._status.st_mode):
            return
        _check_owned(self.path, self._status, "chmod 600")
        for folder in {self.path.parent, self.path.resolve().parent}:
            status = folder.stat()
            # In a folder like /tmp nobody can move what is another's.
            _check_owned(folder, status, "" if status.st_mode & stat.S_ISVTX else "chmod go-w")


def _check_owned(path: Path, status: os.stat_result, mend: str) -> None:
    """Refuse what others own, and, if anything is there to *mend* it, what they can write."""
    quoted = shlex.quote(str(path))
    if status.st_uid != 0:
        owner = _name(status.st_uid)
        raise ConfigError(f"{path} belongs to {owner}, who is not to decide for root: chown root {quoted}")
    writers = stat.S_IWOTH | (stat.S_IWGRP if status.st_gid != 0 else 0)
    if status.st_mode & writers and mend:
        raise ConfigError(f"{path} can be changed by others, who are not to decide for root: {mend} {quoted}")


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


class SettingsFiles:
    """Opens files of settings, and remembers those that are there and could not be read.

    Attributes:
        unread: a line for each of these.
    """

    def __init__(self) -> None:
        self.unread: list[str] = []

    def find(self, path: Path) -> PrivateFile | None:
        """Return the file at *path*; None where there is none, or none that can be read.

        Raises:
            ConfigError: it is no text, or root must not trust it.
        """
        try:
            return self.get(path)
        except FileNotFoundError:
            return None
        except UnreadableError as error:
            if str(error) not in self.unread:
                self.unread.append(str(error))
            return None

    def get(self, path: Path) -> PrivateFile:
        """Return the file at *path*.

        Raises:
            FileNotFoundError: there is none.
            ConfigError: it cannot be read, is no text, or root must not trust it.
        """
        file = PrivateFile(path)
        file.check_trusted()
        return file
