"""Plain folders of files as vaults: each folder a vault, each file an archive described by its path.

Every file comes with a retrieval job that has succeeded, and every vault with one of its inventory, so that what is
in the folders can be read at once. Ids follow from names, sizes and times: they are the same after a restart.
"""

import time
from pathlib import Path

from casfs.emulator.content import OnDisk
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.initiation import part
from casfs.emulator.inventories import inventory
from casfs.emulator.jobs import ARCHIVE_RETRIEVAL, INVENTORY_RETRIEVAL
from casfs.emulator.state import Clock, State, id_of


def state_of(root: Path, clock: Clock = time.time, dialect: Dialect = CAS) -> State:
    """Return an account whose vaults are the folders in *root*.

    Empty files are left out: the service takes no empty archive. So is what is no regular file.

    Raises:
        OSError: a folder cannot be read.
    """
    state = State(clock=clock, region=dialect.region, account=dialect.account)
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        vault = state.add_vault(folder.name, inventory_s=clock())
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size):
            _add_file(state, folder, path, dialect)
        listed, fields = inventory(vault, state, dialect)
        job_id = id_of(dialect.job_id_length, "inventory", vault.name)
        state.add_job(vault.name, INVENTORY_RETRIEVAL, listed, job_id=job_id, fields=fields)
    return state


def _add_file(state: State, folder: Path, path: Path, dialect: Dialect) -> None:
    found, name = path.stat(), str(path.relative_to(folder))
    about = (folder.name, name, found.st_size, found.st_mtime_ns)
    content = OnDisk(path, found.st_size)
    archive_id = id_of(dialect.archive_id_length, "archive", *about)
    archive = state.add_archive(folder.name, content, name, archive_id=archive_id, created_s=found.st_mtime)
    state.add_job(
        folder.name,
        ARCHIVE_RETRIEVAL,
        part(archive),
        job_id=id_of(dialect.job_id_length, "job", *about),
        fields={"Tier": "Standard"},
        description=name,
    )
