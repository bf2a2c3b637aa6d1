"""Every option once: name, kind, default and why, help.

The command line, ``-o``, the environment, the profile keys and the README's table all come from here.
"""

from dataclasses import dataclass

from casfs.api.providers.cas import CAS
from casfs.api.providers.table import PROVIDERS
from casfs.config.values import (
    ACCOUNT,
    FLAG,
    FOLDER,
    HEADER,
    MODE,
    PATH,
    PORT,
    TEXT,
    Kind,
    choice,
    group,
    integer,
    key_of,
    seconds,
    size,
    user,
)
from casfs.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that a user decides.

    Attributes:
        name: with underscores, as in ``-o`` and in a profile.
        kind: how its value is written.
        default: its value where nobody gives one, as written; None where that depends on something else.
        default_words: what to print for a default of None.
        why: why the default is what it is.
        help: what it does, in one line.
        short: its letter on the command line, or None.
        profile: whether a profile may set it.
        mount_only: whether it means something to a mount only, and nothing to who reads without one.
    """

    name: str
    kind: Kind
    default: str | None
    why: str
    help: str
    default_words: str = ""
    short: str | None = None
    profile: bool = True
    mount_only: bool = False

    @property
    def flag(self) -> str:
        """Its name on the command line, e.g. ``--list-ttl``."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment, e.g. ``CASFS_LIST_TTL``."""
        return "CASFS_" + self.name.upper()

    def read(self, text: str, origin: str) -> object:
        """Return the value that *text* stands for.

        Args:
            text: as written.
            origin: where it was written, for the error.

        Raises:
            ConfigError: it is no such value, or out of range.
        """
        try:
            return self.kind.read(text)
        except ValueError as error:
            raise ConfigError(f"{origin}: {text!a} {error}") from None


TIMEOUT = seconds(1, 3600)
"""Below a second no connection is made reliably; nobody waits an hour for a read."""

OPTIONS = (
    Option(
        "foreground",
        FLAG,
        default="false",
        short="f",
        mount_only=True,
        why="a shell wants its prompt back; systemd and containers ask for it",
        help="Stay in the foreground, log to standard error.",
    ),
    Option(
        "profile",
        TEXT,
        default="default",
        profile=False,
        why="most users have one account",
        help="Table of the configuration file that settings come from; SOURCE may name it as NAME:.",
    ),
    Option(
        "config",
        PATH,
        default=None,
        default_words="the user's `casfs/config.toml`, then `/etc/casfs/config.toml`",
        profile=False,
        why="where every other program looks",
        help="Configuration file.",
    ),
    Option(
        "provider",
        key_of(PROVIDERS),
        default=CAS.name,
        why="the service it was made for",
        help="Whose archive service it is; glacier takes keys and region from where botocore looks.",
    ),
    Option(
        "account",
        ACCOUNT,
        default="-",
        why="the service reads it as the caller's own",
        help="Whose vaults: the number in the request path; SOURCE may name it too.",
    ),
    Option(
        "allow_other",
        FLAG,
        default="false",
        mount_only=True,
        why="archives are private until somebody says otherwise",
        help="Let other users in.",
    ),
    Option(
        "uid", user(), None, default_words="mounter", mount_only=True, why="as everywhere", help="Owner of all files."
    ),
    Option(
        "gid", group(), None, default_words="mounter", mount_only=True, why="as everywhere", help="Group of all files."
    ),
    Option(
        "file_mode",
        MODE,
        default=None,
        default_words="`0400`; `0444` with allow-other",
        mount_only=True,
        why="nothing can be written, and who may mount may read",
        help="Permissions of files.",
    ),
    Option(
        "dir_mode",
        MODE,
        default=None,
        default_words="`0700`; `0755` with allow-other",
        mount_only=True,
        why="as file-mode, and the owner of a copy may fill and remove it",
        help="Permissions of directories.",
    ),
    Option(
        "remember",
        FLAG,
        default="false",
        mount_only=True,
        why="each name takes memory until the mount ends, and only an NFS server asks for what was forgotten",
        help="Never let the kernel's handle of a file become stale, for a mount that is exported by NFS.",
    ),
    Option(
        "block_cache_size",
        size("1M", "1T"),
        default="256M",
        why="one reader at full read-ahead and as much again for everybody else",
        help="Memory for blocks, prefetch included: a hard bound.",
    ),
    Option(
        "cache_dir",
        FOLDER,
        default=None,
        default_words="none",
        why="a disk is the user's to give",
        help="Folder in which blocks are kept on disk over restarts; mounts and programs may share it.",
    ),
    Option(
        "cache_size",
        size("1M", "1024T"),
        default="10G",
        why="a few archives",
        help="Bound of that folder, whoever shares it.",
    ),
    Option(
        "keep_expired",
        FLAG,
        default="false",
        why="what the service no longer has is gone, as everywhere",
        help="With cache-dir: outputs that are whole there stay in the tree when the service has dropped the job.",
    ),
    Option(
        "connections",
        integer(1, 256),
        default="64",
        why="at 100 ms and 10 MB/s a connection 64 read 1.5 times as fast as 32; where each is quick, 32 are used",
        help="Requests in flight, reads and prefetch together.",
    ),
    Option(
        "read_ahead",
        size("0", "1T"),
        default="128M",
        why="32 connections of 4 MiB parts, or 64 of 2 MiB",
        help="The most that one open file may run ahead; 0 turns it off, and asking for what a copy opens next.",
    ),
    Option(
        "verify",
        choice("auto", "require", "off"),
        default="auto",
        why="the service gives no hash for inventories and unaligned ranges",
        help="auto: check whatever the service gives a hash for; require: fail what cannot be checked; off.",
    ),
    Option(
        "list_ttl",
        seconds(0, 86_400),
        default="60",
        why="jobs take hours; whoever waits for one asks after 30 s anyway",
        help="How long a listing is believed; jobs in progress are asked for again after 30 s.",
    ),
    Option(
        "connect_timeout",
        TIMEOUT,
        default="10",
        why="three tries of TCP's first packet",
        help="To open a connection, whatever the number of addresses.",
    ),
    Option(
        "read_timeout",
        TIMEOUT,
        default="120",
        why="what a user takes for a hang; longer than any one stalled connection",
        help="Deadline of one read(), all its retries included.",
    ),
    Option(
        "ca_bundle",
        PATH,
        default=None,
        default_words="`REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`, `SSL_CERT_FILE`; system",
        why="the system knows its authorities",
        help="Certificates to trust.",
    ),
    Option(
        "token_header",
        HEADER,
        default=None,
        default_words=f"`{CAS.token_header}`",
        why="the service documents no name; all its other headers begin with x-cas-",
        help="Header that carries the token of a temporary key.",
    ),
    Option(
        "log_level",
        choice("debug", "info", "warning", "error"),
        default="info",
        mount_only=True,
        why="each failure of the service is one line",
        help="The least that is logged.",
    ),
    Option(
        "log_format",
        choice("text", "json"),
        default="text",
        mount_only=True,
        why="people read first",
        help="json is one object a line.",
    ),
    Option(
        "log_file",
        PATH,
        default=None,
        default_words="standard error; in the background the system log",
        mount_only=True,
        why="where the system's other logs are",
        help="Where log lines go.",
    ),
    Option(
        "metrics",
        PORT,
        default=None,
        default_words="off",
        mount_only=True,
        why="an open port is the user's to ask for",
        help="Where Prometheus is answered; needs the extra metrics.",
    ),
)

BY_NAME = {option.name: option for option in OPTIONS}
