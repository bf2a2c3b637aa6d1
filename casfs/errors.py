"""Every failure casfs can name, and nothing else.

The tree::

    CasfsError
    ├── NotFoundError           no such vault, job or file
    ├── AccessDeniedError       no permission
    │   └── CredentialsError    the key, the signature or the token is refused, whatever is asked
    ├── GoneError               the output was there and the service no longer has it
    ├── NotReadyError           the output is not available for download yet
    ├── DeadlineError           the time for the call is over
    ├── InterruptedCallError    the caller got a signal and no longer waits
    ├── UnreachableError        no network, no such host, nobody listens     (retryable)
    │   └── NoWayError          it stays so until somebody acts: a wrong host or port, a proxy that refuses
    │       └── UntrustedError  somebody answers whose certificate is not trusted
    ├── ThrottledError          the service asks for fewer requests          (retryable)
    ├── ServiceError            the service says that it failed              (retryable)
    ├── TransferError           reset, short body, wrong range or length     (retryable)
    ├── RefusedError            any other refusal of a request, by its code
    │   └── QuotaError          by a policy or a quota of the account, for a while
    ├── ProtocolError           an answer of a shape nobody can use
    ├── SizeChangedError        the output is not of the size that was expected
    ├── CorruptDataError        bytes and hash do not belong together
    ├── UncheckableError        no hash to check by, and one was required
    ├── ReadOnlyError           any write
    ├── NameTooLongError        a name that no file can have
    ├── NoAttributeError        no such extended attribute
    ├── BadHandleError          a file handle that is not open
    ├── ShortageError           the system gives no more memory or threads
    ├── DestinationError        where outputs are to be put takes or keeps them not
    ├── LedgerError             what was done cannot be read, or noted
    ├── ConfigError             an option, file or credential that cannot be used
    └── MountError              the mount cannot be made; the message says what to mend

No class derives from OSError: the FUSE bindings read ``errno`` from whatever does, and an OSError without one
became a silent end of file. Source: measured with fusepy 3.0.1.
"""

from typing import ClassVar


class CasfsError(Exception):
    """A failure with a name; the message is one line that a user can act on."""

    retryable: ClassVar[bool] = False
    is_told: bool = False
    """Whether the log has said it already: of one output, or by another call."""
    may_pass: bool = False
    """Whether a refusal may pass though nobody acts: a clock is set, or who gives out keys comes up, after the boot; or
    it has no code, so that whoever stands in between may have said it."""

    @property
    def is_for_now(self) -> bool:
        """Whether it says nothing of later: whoever waits for hours asks again."""
        return self.retryable


class NotFoundError(CasfsError):
    """There is no such vault, job or file."""


class AccessDeniedError(CasfsError):
    """The service refused what was asked to whom asked for it."""


class CredentialsError(AccessDeniedError):
    """The service does not take the credentials: unknown key, wrong signature, expired token.

    Apart from a missing permission because a mount is made without the permission to list, and not without this.
    """


class GoneError(CasfsError):
    """The output was there, and the service no longer has it."""


class NotReadyError(CasfsError):
    """The job has no output to download yet."""


class DeadlineError(CasfsError):
    """The time that the call was given is over."""

    @property
    def is_for_now(self) -> bool:
        """As ``CasfsError.is_for_now``: the next call has time of its own."""
        return True


class InterruptedCallError(CasfsError):
    """The program that waits for the call was signalled."""


class UnreachableError(CasfsError):
    """Nobody answers at the endpoint."""

    retryable = True
    is_of_proxy: bool = False
    """Whether it is the proxy that is not to be had, refuses, or is not trusted."""


class NoWayError(UnreachableError):
    """Nobody answers at the endpoint, and waiting does not change that."""

    retryable = False


class UntrustedError(NoWayError):
    """Somebody answers at the endpoint whose certificate is not trusted."""


class ThrottledError(CasfsError):
    """The service asks for fewer requests.

    Attributes:
        retry_after_s: seconds that the service asked to wait, or None.
    """

    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServiceError(CasfsError):
    """The service says that it failed.

    Attributes:
        retry_after_s: seconds that the service asked to wait, or None.
    """

    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TransferError(CasfsError):
    """An answer that did not arrive whole, or was not the one asked for."""

    retryable = True


class RefusedError(CasfsError):
    """The service refused the request with a code that has no class of its own."""

    @property
    def is_for_now(self) -> bool:
        """As ``CasfsError.is_for_now``: a proxy may have refused it, as while it begins anew."""
        return self.may_pass


class QuotaError(RefusedError):
    """A policy or a quota of the account allows it not now; later it may."""


class ProtocolError(CasfsError):
    """An answer of a shape that cannot be used."""


class SizeChangedError(CasfsError):
    """The service says, twice, that the output has another size than expected.

    Attributes:
        size: length of the output in bytes, as the service now says.
    """

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message)
        self.size = size

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.size), vars(self)


class CorruptDataError(CasfsError):
    """Bytes whose hash is not the one that the service gave."""


class UncheckableError(CasfsError):
    """Bytes that the service gives no hash for, where one is required."""


class ReadOnlyError(CasfsError):
    """An attempt to change something."""


class NameTooLongError(CasfsError):
    """A name that is longer than those of files can be."""


class NoAttributeError(CasfsError):
    """There is no such extended attribute."""


class BadHandleError(CasfsError):
    """A file handle that is not open."""


class ShortageError(CasfsError):
    """The system gives no more memory, or no more threads."""


class DestinationError(CasfsError):
    """What was to be put somewhere is not there: a disk that is full, a name that cannot be had, a store that fails."""


class LedgerError(CasfsError):
    """A ledger that cannot be read or written: a disk that is full, a file that is broken."""


class ConfigError(CasfsError):
    """An option, a file or a credential that cannot be used; the message says how to mend it."""


class MountError(CasfsError):
    """The mount cannot be made; the message says what to mend."""
