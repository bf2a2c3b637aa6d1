"""Outputs of archive-storage jobs as files, mounted or opened by a program, with every byte checked."""

import logging
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casfs.errors import (
        AccessDeniedError,
        BadHandleError,
        CasfsError,
        ConfigError,
        CorruptDataError,
        CredentialsError,
        DeadlineError,
        DestinationError,
        GoneError,
        InterruptedCallError,
        LedgerError,
        MountError,
        NameTooLongError,
        NoAttributeError,
        NotFoundError,
        NotReadyError,
        NoWayError,
        ProtocolError,
        QuotaError,
        ReadOnlyError,
        RefusedError,
        ServiceError,
        ShortageError,
        SizeChangedError,
        ThrottledError,
        TransferError,
        UncheckableError,
        UnreachableError,
        UntrustedError,
    )
    from casfs.file import File
    from casfs.library import Account, connect
    from casfs.models import Job, JobState, Vault, Verification, VerificationState

__all__ = [
    "AccessDeniedError",
    "Account",
    "BadHandleError",
    "CasfsError",
    "ConfigError",
    "CorruptDataError",
    "CredentialsError",
    "DeadlineError",
    "DestinationError",
    "File",
    "GoneError",
    "InterruptedCallError",
    "Job",
    "JobState",
    "LedgerError",
    "MountError",
    "NameTooLongError",
    "NoAttributeError",
    "NoWayError",
    "NotFoundError",
    "NotReadyError",
    "ProtocolError",
    "QuotaError",
    "ReadOnlyError",
    "RefusedError",
    "ServiceError",
    "ShortageError",
    "SizeChangedError",
    "ThrottledError",
    "TransferError",
    "UncheckableError",
    "UnreachableError",
    "UntrustedError",
    "Vault",
    "Verification",
    "VerificationState",
    "connect",
]

_HOMES = {
    "Account": "casfs.library",
    "connect": "casfs.library",
    "File": "casfs.file",
    "Job": "casfs.models",
    "JobState": "casfs.models",
    "Vault": "casfs.models",
    "Verification": "casfs.models",
    "VerificationState": "casfs.models",
}
"""Where a name is, other than an error: it is loaded when it is asked for, so that ``import casfs.x`` loads x alone."""

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    """Load what is asked for by its name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES.get(name, "casfs.errors")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
