"""The one table from casfs errors to errno values."""

import errno

from casfs.errors import (
    AccessDeniedError,
    BadHandleError,
    CasfsError,
    ConfigError,
    CorruptDataError,
    CredentialsError,
    DeadlineError,
    GoneError,
    InterruptedCallError,
    MountError,
    NameTooLongError,
    NoAttributeError,
    NotFoundError,
    NotReadyError,
    NoWayError,
    ProtocolError,
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

ERRNOS: dict[type[CasfsError], int] = {
    NotFoundError: errno.ENOENT,
    # Not EPERM: "Operation not permitted" reads like a problem of local ownership.
    AccessDeniedError: errno.EACCES,
    CredentialsError: errno.EACCES,
    # Not ENOENT: rsync takes that for a file that vanished, and forgives it.
    GoneError: errno.ESTALE,
    # Not EAGAIN or EBUSY: readers of regular files do not expect them, and some spin.
    NotReadyError: errno.EIO,
    DeadlineError: errno.ETIMEDOUT,
    InterruptedCallError: errno.EINTR,
    UnreachableError: errno.EHOSTUNREACH,
    NoWayError: errno.EHOSTUNREACH,
    UntrustedError: errno.EHOSTUNREACH,
    ThrottledError: errno.EIO,
    ServiceError: errno.EIO,
    TransferError: errno.EIO,
    RefusedError: errno.EIO,
    ProtocolError: errno.EIO,
    SizeChangedError: errno.EIO,
    CorruptDataError: errno.EIO,
    UncheckableError: errno.EIO,
    ReadOnlyError: errno.EROFS,
    NameTooLongError: errno.ENAMETOOLONG,
    NoAttributeError: errno.ENODATA,
    BadHandleError: errno.EBADF,
    # Not ENOMEM: it reads as if the program that reads had too little.
    ShortageError: errno.EIO,
    # These two are for the time before there is a mount; here they are bugs.
    ConfigError: errno.EIO,
    MountError: errno.EIO,
}


def number_of(error: BaseException) -> int:
    """Return the errno of *error*'s class, or of the nearest one above it: EIO for whatever nobody foresaw."""
    return next((ERRNOS[kind] for kind in type(error).__mro__ if kind in ERRNOS), errno.EIO)
