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
    NoAttributeError,
    NotFoundError,
    NotReadyError,
    ProtocolError,
    ReadOnlyError,
    RefusedError,
    ServiceError,
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
    NoAttributeError: errno.ENODATA,
    BadHandleError: errno.EBADF,
    # These two are for the time before there is a mount; here they are bugs.
    ConfigError: errno.EIO,
    MountError: errno.EIO,
}


def errno_of(error: BaseException) -> int:
    """Return the errno that *error* is told by: positive, EIO for whatever nobody foresaw.

    An OSError's own errno is not passed on: what a library met inside casfs says nothing about the file.
    """
    return next((ERRNOS[kind] for kind in type(error).__mro__ if kind in ERRNOS), errno.EIO)
