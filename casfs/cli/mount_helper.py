"""``mount.casfs``: what mount(8) runs for a file system of type casfs, with its arguments and its exit statuses."""

import sys
from typing import Any

import click

from casfs.cli.mount import is_remount, requested
from casfs.cli.statuses import Statuses, status_of, warn
from casfs.config import mount_options
from casfs.mount.serve import mount

STATUSES = Statuses(usage=1, config=1, failure=32)
"""Incorrect invocation, and mount failure. Source: mount(8), EXIT STATUS."""


@click.command()
@click.argument("source")
@click.argument("mountpoint")
@click.option("-o", "words", multiple=True, metavar="OPTIONS", help="Options, separated by commas.")
@click.option("-s", "sloppy", is_flag=True, help="Pass over options that nobody knows.")
@click.option("-f", "fake", is_flag=True, help="Do everything but mount.")
@click.option("-n", "--no-mtab", is_flag=True, help="Nothing: the kernel keeps the table of mounts.")
@click.option("-v", "--verbose", is_flag=True, help="Say what was mounted.")
@click.option("-t", "kind", metavar="TYPE", help="Nothing: there is one type.")
@click.option("-N", "namespace", metavar="NAMESPACE", help="Nothing: mount(8) has entered it.")
def helper(source: str, mountpoint: str, words: tuple[str, ...], **flags: Any) -> None:
    """Mount SOURCE on MOUNTPOINT for mount(8)."""
    text = ",".join(words)
    text = mount_options.known(text) if flags["sloppy"] else text
    if is_remount(source, mountpoint, text):
        return
    request = requested(source, mountpoint, {}, text)
    if not flags["fake"]:
        mount(request, warn)
    if flags["verbose"]:
        click.echo(f"{source} on {request.path} type fuse.casfs")


def main() -> None:
    """Do what mount(8) asks this process for, and exit."""
    sys.exit(status_of(helper, "mount.casfs", STATUSES))
