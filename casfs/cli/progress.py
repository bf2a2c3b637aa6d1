"""How far a command has come, on standard error, where that is a terminal."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class Progress:
    """A bar of bytes, with their rate and the time that is left; nothing where nobody looks.

    Threads: any may advance it.

    Args:
        title: what is done.
        total_bytes: of all of it; more may come.
    """

    def __init__(self, title: str, total_bytes: int) -> None:
        self._bar = _bar() if sys.stderr.isatty() else None
        self._title = title
        self._total_bytes = total_bytes

    def __enter__(self) -> Self:
        """Show it, until the end of the block."""
        if self._bar is not None:
            self._bar.start()
            self._bar.add_task(self._title, total=self._total_bytes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it away."""
        if self._bar is not None:
            self._bar.stop()

    def expect(self, count: int) -> None:
        """Note that there are *count* bytes more to do."""
        self._total_bytes += count
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], total=self._total_bytes)

    def say(self, line: str) -> None:
        """Write a line on standard error, above the bar."""
        if self._bar is None:
            click.echo(line, err=True)
        else:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def advance(self, count: int) -> None:
        """Note that *count* bytes more are done; fewer than before where it is negative."""
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], count)


def _bar() -> "Bar":
    from rich.console import Console  # noqa: PLC0415 - 60 ms that scripts do without
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    # Results go where standard output goes, be that a pipe: rich would send them to the terminal.
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True))
    return Bar(
        *columns,
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
    )
