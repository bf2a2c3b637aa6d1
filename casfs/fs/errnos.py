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


NAMELESS = frozenset({"opendir", "readdir", "releasedir", "read", "release", "statfs", "init", "destroy"})
"""The callbacks that are about what is there, and never answer that there is no such name.

The C library takes ENOENT from reading a directory for its end: ``ls`` and ``cp -r`` ended with 0 and nothing, and
``rsync --delete`` emptied the copy. Source: glibc 2.36, readdir64; rsync 3.5.0, cp, ls, find and tar with each errno in
each system call, by strace's fault injection: from getdents64 all of them forgive ENOENT and no other."""


def errno_of(error: BaseException, operation: str = "getattr") -> int:
    """Return the errno that *error* is told by: positive, EIO for whatever nobody foresaw.

    An OSError's own errno is not passed on: what a library met inside casfs says nothing about the file.

    Args:
        error: what a callback raised.
        operation: name of the callback.
    """
    number = next((ERRNOS[kind] for kind in type(error).__mro__ if kind in ERRNOS), errno.EIO)
    if number == errno.ENOENT and operation in NAMELESS:
        return errno.ESTALE
    # cp and rsync go on after ENODATA from getxattr; elsewhere it means nothing
    return errno.EIO if number == errno.ENODATA and operation != "getxattr" else number
