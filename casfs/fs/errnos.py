"""The errno that each callback tells an error by."""

import errno

from casfs.errnos import number_of

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
    number = number_of(error)
    if number == errno.ENOENT and operation in NAMELESS:
        return errno.ESTALE
    # cp and rsync go on after ENODATA from getxattr; elsewhere it means nothing
    return errno.EIO if number == errno.ENODATA and operation != "getxattr" else number
