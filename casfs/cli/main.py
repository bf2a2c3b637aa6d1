"""The command line: what the user asks for goes in, one line and an exit status come out."""

import sys

import click

from casfs.cli import streams
from casfs.cli.commands import Commands
from casfs.cli.statuses import Statuses, status_of
from casfs.cli.version import version


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), message="%(prog)s %(version)s")
def casfs() -> None:
    """Mount archive-storage job outputs as a read-only file system that checks every byte."""


def main() -> None:
    """Run the command line of this process, and exit.

    mount.fuse3 runs ``casfs SOURCE MOUNTPOINT -o …`` for the type fuse.casfs; every SOURCE has a colon, and no command.
    """
    streams.prepare()
    if ":" in "".join(sys.argv[1:2]):
        from casfs.cli import mount_helper  # noqa: PLC0415 - it imports the mount, which other commands do without

        mount_helper.main()
    sys.exit(status_of(casfs, "casfs", Statuses()))
