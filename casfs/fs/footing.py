"""What casfs replaces and uses inside of a FUSE binding, and whether a binding has it.

The seam stands on methods that are nobody's public promise. A binding that calls others would go past it, and an
exception that leaves a callback is the end of a file: it is refused before there is a mount.
"""

import inspect
from importlib import metadata
from types import ModuleType
from typing import Any

from casfs.errors import MountError

PACKAGES = {"mfusepy": "mfusepy>=3.1,<3.2", "fuse": "fusepy>=3.0.1,<4"}
"""What pip is to install for each module."""
METHODS = {"_wrapper": 1, "read": 6}
"""Methods of ``FUSE`` that ``Seam`` replaces, and how many arguments each is given at least, itself included: fusepy's
``_wrapper`` has no self."""
CALLS = ("fuse_version", "fuse_interrupted", "fuse_get_context", "fuse_exit")
"""Functions of libfuse that casfs reaches through a binding's ``_libfuse``, or that the binding does for it."""


def check(module: ModuleType) -> None:
    """Raise unless *module* has what casfs replaces and uses.

    Raises:
        MountError: it has not; the message names the module, its version, what is missing, and the versions that do.
    """
    missing = next((name for name in (*METHODS, *CALLS) if not _has(module, name)), None)
    if missing is None:
        return
    package = PACKAGES[module.__name__]
    raise MountError(
        f"{_version_of(package)} cannot be used: casfs does not find {missing} in it as it expects; "
        f"pip install '{package}' mends that"
    )


def _version_of(package: str) -> str:
    name = package.partition(">")[0]
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return name


def _has(module: Any, name: str) -> bool:
    if name in CALLS:
        return callable(getattr(getattr(module, "_libfuse", None), name, None))
    method = getattr(getattr(module, "FUSE", None), name, None)
    if not callable(method):
        return False
    kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
    takes_any = inspect.Parameter.VAR_POSITIONAL in kinds
    return len(kinds) > METHODS[name] if takes_any else len(kinds) == METHODS[name]
