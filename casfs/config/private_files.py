"""Files that may hold secrets: read when only their owner can."""

import os
import shlex
import stat
from pathlib import Path

from casfs.errors import ConfigError

LARGEST_BYTES = 1024 * 1024
"""No file of settings is larger; something else has that path."""


class PrivateFile:
    """A file as it was when it was opened: its text, and who else can read it."""

    def __init__(self, path: Path) -> None:
        """Read *path*.

        Raises:
            FileNotFoundError: there is none.
            ConfigError: it cannot be read, or is no text.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                self._status = os.fstat(file.fileno())
                content = file.read(LARGEST_BYTES + 1)
            self.text = content.decode()
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError(f"{path} cannot be read: {reason}") from None
        if len(content) > LARGEST_BYTES:
            raise ConfigError(f"{path} is larger than any file of settings")

    def check_private(self) -> None:
        """Do nothing if only its owner can read it.

        A group may read a file of root's: its administrator chose that group, and systemd hands credentials to a
        service so where it cannot use access lists. Source: systemd.exec(5), LoadCredential=.

        Raises:
            ConfigError: others can read it; the message is the chmod that mends it.
        """
        refused = stat.S_IRWXO if self._status.st_uid == 0 else stat.S_IRWXO | stat.S_IRWXG
        if self._status.st_mode & refused:
            path = shlex.quote(str(self.path))
            raise ConfigError(f"{self.path} holds a secret and others can read it: chmod 600 {path}")
