"""``casfs demo``: the embedded service with sample vaults, mounted, for a first look."""

import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from casfs.cli.paths import located
from casfs.cli.statuses import warn
from casfs.config.config import read_config
from casfs.config.layers import Places
from casfs.emulator.dialect import CAS
from casfs.emulator.samples import sample_state
from casfs.emulator.server import Server
from casfs.mount.serve import MountRequest, attend
from casfs.operate.signals import block_signals

TRY = """
The sample vaults are mounted. In another terminal, try:

  cd {path}
  ls -l photos/*
  cp -r photos {copies}
  getfattr -d ledger/*/output
  rsync -a --stats . {copies}/everything

Ctrl-C ends it.
"""


@click.command()
@click.argument("mountpoint", required=False)
def demo(mountpoint: str | None) -> None:
    """Mount the embedded archive service, with sample vaults, until Ctrl-C.

    MOUNTPOINT is an empty directory; without one, a directory is made for the time.
    """
    block_signals()
    with _mountpoint(mountpoint) as path, Server(sample_state(), credentials=dict([CAS.sample_key])) as server:
        environment = dict(zip(("CASFS_SECRET_ID", "CASFS_SECRET_KEY"), CAS.sample_key, strict=True))
        wanted = {"foreground": "true", "log_level": "warning"}
        config = read_config(server.url, wanted, "", Places(environment, path, ()))
        attend(MountRequest(server.url, path, config), Guide(path))


class Guide:
    """The herald of the demo: tells the user what to try."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def warn(self, text: str) -> None:
        """Say what the user should know though the mount goes on."""
        warn(text)

    def ready(self) -> None:
        """Say where to look."""
        click.echo(TRY.format(path=shlex.quote(str(self._path)), copies=shlex.quote(tempfile.gettempdir())))


@contextmanager
def _mountpoint(named: str | None) -> Iterator[Path]:
    if named is not None:
        yield located(named)
        return
    path = Path(tempfile.mkdtemp(prefix="casfs-demo-"))
    try:
        yield path
    finally:
        path.rmdir()
