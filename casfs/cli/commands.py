"""The commands that there are; the module of each is imported when it is run, since mounting needs no emulator."""

import importlib
from collections.abc import Mapping

import click

COMMANDS: Mapping[str, str] = {
    "cache": "Look after a cache on disk: what is in it, whether it is sound, less of it.",
    "config": "Show what a mount would use, and where each value comes from.",
    "demo": "Mount the embedded archive service, with sample vaults, until Ctrl-C.",
    "doctor": "Look whether everything is there to mount SOURCE: a line a check, and what mends it.",
    "drain": "Retrieve, download and check everything in a vault, into a directory or an fsspec URL.",
    "emulate": "Run the embedded archive service until Ctrl-C, on a port of this machine.",
    "get": "Download the outputs of jobs, each whole and checked before it has its name.",
    "ls": "List vaults, the jobs of a vault, or one job.",
    "mount": "Mount SOURCE on the directory MOUNTPOINT.",
    "retrieve": "Begin jobs that make archives, or the inventory of a vault, ready for download.",
    "top": "Show what the mount at MOUNTPOINT is at, until Ctrl-C.",
    "treehash": "Print the tree hashes of files, or check files by them.",
    "umount": "Take away the mount at MOUNTPOINT, or say who uses it.",
    "wait": "Wait until jobs are finished.",
    "warm": "Fetch outputs, or all outputs of vaults, into the cache on disk.",
}
"""Each command's module in this package, which has it under the same name, and the first line of its help."""


class Commands(click.Group):
    """A group whose commands are found by their names."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which the help has them."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return the command *name*, None where there is none."""
        if name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"casfs.cli.{name}"), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands into the help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
