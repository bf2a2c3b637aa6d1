"""Where a process of the command line begins, before anything else is imported: Ctrl-C is quiet from then on."""

import os
import signal
from typing import Any


def main() -> None:
    """Run ``casfs``, and exit."""
    _be_quiet()
    from casfs.cli.main import main as run  # noqa: PLC0415 - after Ctrl-C was made quiet

    _be_usual()
    run()


def mount_helper() -> None:
    """Run ``mount.casfs``, and exit."""
    _be_quiet()
    from casfs.cli.mount_helper import main as run  # noqa: PLC0415 - after Ctrl-C was made quiet

    _be_usual()
    run()


def _be_quiet() -> None:
    """Let Ctrl-C end the process with no word, unless somebody has had it ignored: what is imported, it would break."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _be_usual() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, which commands end by."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, _frame: Any) -> None:
    os._exit(128 + number)
