"""``casfs umount``: the end of a mount."""

import click

from casfs.cli.paths import located_mount
from casfs.mount.unmounting import end_mount


@click.command()
@click.argument("mountpoint")
@click.option("-l", "--lazy", is_flag=True, help="Though it is in use: who has files open keeps them until they close.")
def umount(mountpoint: str, *, lazy: bool) -> None:
    """Take away the mount at MOUNTPOINT, or say who uses it.

    A mount whose process has died is taken away too.
    """
    end_mount(located_mount(mountpoint), is_lazy=lazy)
