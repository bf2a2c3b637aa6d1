"""What a path can be: the root, a vault, a job, the output of a job, or the file that is read to see whether reads are.

The union is closed: whoever takes a ``Node`` matches all five and ends with ``assert_never``.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeAlias

from casfs.errors import NotFoundError
from casfs.models import PROBE_NAME, Job, Output, Vault

OUTPUT_NAME = "output"
"""The one file that a job's directory can hold."""

ROOT_INODE = 1
"""FUSE_ROOT_ID. Source: Linux, include/uapi/linux/fuse.h."""


def inode_of(*names: str) -> int:
    """Return the inode number of the node that *names* lead to from the service's root.

    Args:
        names: vault, then job, then ``output``; names of nodes, so none holds a NUL.

    Returns:
        64 bits that are the same in every mount of every host, never 0 (no inode) and never that of the root. Among
        100,000 nodes two share a number once in 3.7 billion mounts (birthday bound).
    """
    number = int.from_bytes(blake2b("\0".join(names).encode(), digest_size=8).digest())
    return number if number > ROOT_INODE else number + 2


@dataclass(frozen=True, slots=True)
class Root:
    """The directory of all vaults.

    Attributes:
        changed_ns: when the newest of them was made, None where nobody knows.
    """

    changed_ns: int | None = field(default=None, compare=False)

    @property
    def inode(self) -> int:
        """The number that stands for it in every mount."""
        return ROOT_INODE


@dataclass(frozen=True, slots=True)
class VaultDir:
    """A vault: the directory of its jobs. The root of the mount where one vault was asked for.

    Attributes:
        changed_ns: when the newest of the jobs that were listed was finished or begun, None before.
    """

    vault: Vault
    changed_ns: int | None = field(default=None, compare=False)

    @property
    def inode(self) -> int:
        """The number that stands for it in every mount."""
        return inode_of(self.vault.name)


@dataclass(frozen=True, slots=True)
class JobDir:
    """A job, whatever its state: the directory of its output."""

    job: Job

    @property
    def inode(self) -> int:
        """The number that stands for it in every mount."""
        return inode_of(self.job.vault, self.job.id)


@dataclass(frozen=True, slots=True)
class OutputFile:
    """What a job that succeeded lets one download."""

    job: Job

    @property
    def inode(self) -> int:
        """The number that stands for it in every mount."""
        return inode_of(self.job.vault, self.job.id, OUTPUT_NAME)

    @property
    def output(self) -> Output:
        """The output of the job.

        Raises:
            NotFoundError: the job has none; no OutputFile that the tree gives is of such a job.
        """
        output = self.job.output
        if output is None:
            raise NotFoundError(f"job {self.job.id} of vault {self.job.vault} has no output")
        return output


@dataclass(frozen=True, slots=True)
class ProbeFile:
    """The file that is read to see whether reads are answered."""

    @property
    def inode(self) -> int:
        """The number that stands for it in every mount."""
        return inode_of(PROBE_NAME)


Node: TypeAlias = Root | VaultDir | JobDir | OutputFile | ProbeFile
