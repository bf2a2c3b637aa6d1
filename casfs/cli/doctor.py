"""``casfs doctor``: is everything there to mount this? A line a check, and what mends it."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from casfs.cli.options import given
from casfs.cli.results import Row, write
from casfs.cli.source_options import of_source, source_or_profile
from casfs.cli.version import version
from casfs.config.config import Config, read_config
from casfs.config.private_files import NowhereError
from casfs.doctor.check import Check, Verdict
from casfs.doctor.examination import examined
from casfs.errors import ConfigError
from casfs.log.redaction import redact


@click.command()
@of_source
def doctor(source: str | None, words: tuple[str, ...], *, as_json: bool, **arguments: Any) -> None:
    """Look whether everything is there to mount SOURCE: a line a check, and what mends it.

    Without SOURCE, the profile is looked at, or the machine alone where there is none. Asks the service some questions,
    and for one byte of an output of each vault. Ends with status 0 when SOURCE can be mounted and read.
    """
    failed = False

    def rows() -> Iterator[Row]:
        nonlocal failed
        for check in examined(_config(source, given(arguments), ",".join(words)), version()):
            failed |= check.verdict is Verdict.FAIL
            yield _row(check)

    write(rows(), ("", "what", "seen", "what mends it"), as_json=as_json)
    if failed:
        sys.exit(1)


def _config(source: str | None, texts: dict[str, str], words: str) -> Config | ConfigError | None:
    try:
        return read_config(source_or_profile(source, texts, words), texts, words)
    except NowhereError as error:
        return None if source is None and not texts else error
    except ConfigError as error:
        return error


def _row(check: Check) -> Row:
    said, mending = redact(check.said), redact(check.mending)
    fields = {"name": check.name, "verdict": check.verdict, "said": said, "mending": mending or None}
    texts = (check.verdict, check.name, said, mending or "-")
    return Row(fields, texts, (*texts[:3], mending))
