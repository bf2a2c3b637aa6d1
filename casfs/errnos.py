"""The one table from casfs errors to errno values."""

import errno

from casfs import errors

ERRNOS: dict[type[errors.CasfsError], int] = {
    errors.NotFoundError: errno.ENOENT,
    # Not EPERM: "Operation not permitted" reads like a problem of local ownership.
    errors.AccessDeniedError: errno.EACCES,
    errors.CredentialsError: errno.EACCES,
    # Not ENOENT: rsync takes that for a file that vanished, and forgives it.
    errors.GoneError: errno.ESTALE,
    # Not EAGAIN or EBUSY: readers of regular files do not expect them, and some spin.
    errors.NotReadyError: errno.EIO,
    errors.DeadlineError: errno.ETIMEDOUT,
    errors.InterruptedCallError: errno.EINTR,
    errors.UnreachableError: errno.EHOSTUNREACH,
    errors.NoWayError: errno.EHOSTUNREACH,
    errors.UntrustedError: errno.EHOSTUNREACH,
    errors.ThrottledError: errno.EIO,
    errors.ServiceError: errno.EIO,
    errors.TransferError: errno.EIO,
    errors.RefusedError: errno.EIO,
    errors.QuotaError: errno.EIO,
    errors.ProtocolError: errno.EIO,
    errors.SizeChangedError: errno.EIO,
    errors.CorruptDataError: errno.EIO,
    errors.UncheckableError: errno.EIO,
    errors.ReadOnlyError: errno.EROFS,
    errors.NameTooLongError: errno.ENAMETOOLONG,
    errors.NoAttributeError: errno.ENODATA,
    errors.BadHandleError: errno.EBADF,
    # Not ENOMEM: it reads as if the program that reads had too little.
    errors.ShortageError: errno.EIO,
    # These are for the time before there is a mount, or for who has none; here they are bugs.
    errors.DestinationError: errno.EIO,
    errors.LedgerError: errno.EIO,
    errors.ConfigError: errno.EIO,
    errors.MountError: errno.EIO,
}


def number_of(error: BaseException) -> int:
    """Return the errno of *error*'s class, or of the nearest one above it: EIO for whatever nobody foresaw."""
    return next((ERRNOS[kind] for kind in type(error).__mro__ if kind in ERRNOS), errno.EIO)


def name_of(error: BaseException) -> str:
    """Return the name of the errno of *error*: ``EIO``."""
    return errno.errorcode[number_of(error)]
