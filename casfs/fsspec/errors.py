"""Failures of casfs as the exceptions that programs expect of files."""

from collections.abc import Iterator
from contextlib import contextmanager

from casfs.errnos import number_of
from casfs.errors import CasfsError, ConfigError


@contextmanager
def as_python(path: str | None = None) -> Iterator[None]:
    """Raise what Python itself would where the block fails with an error of casfs.

    Args:
        path: of what is asked about, for the error; None where it is about no path.

    Raises:
        ValueError: an option, or a file of the configuration, cannot be used.
        OSError: anything else, by the errno that a mount would give: FileNotFoundError, PermissionError and
            TimeoutError among them.
    """
    try:
        yield
    except ConfigError as error:
        raise ValueError(str(error)) from error
    except CasfsError as error:
        raise OSError(number_of(error), str(error), path) from error
