"""What no line that leaves this process may contain, whoever wrote it: log, error lines, warnings, tracebacks."""

import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from urllib.parse import quote

MIN_SECRET_LENGTH = 4
"""Nothing shorter is looked for: it would be found in every line."""
PREFIX_LENGTH = 16
"""Characters that a long secret is known by: lines are cut at some length, and secrets in them too."""
MAX_SECRETS = 64
"""A mount of months gets new keys every hour; those of days ago are of no use to anybody."""
REDACTED = "[redacted]"

_ASSIGNMENT = r"""["']?\s*(?:[:=]|%3[AD])\s*b?["']?)"""
_PATTERNS = (
    # to the end of the quoted text or line: some schemes have spaces
    re.compile(rf"""(authorization{_ASSIGNMENT}[^"'\r\n]+""", re.IGNORECASE),
    re.compile(rf"""(security-token{_ASSIGNMENT}[^\s"',;}})]+""", re.IGNORECASE),
    re.compile(rf"""((?:secret_?(?:access_?)?key|\btoken){_ASSIGNMENT}[^\s"',;&}})]+""", re.IGNORECASE),
    re.compile(r"((?:q-|\b|x-amz-)signature(?:=|%3D))[^\s&%\"',;]+", re.IGNORECASE),
)


class Redact:
    """Takes secrets out of text.

    Threads: any thread may call.
    """

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        """Know *secrets* beside the places where they usually stand."""
        self._lock = threading.Lock()
        self._secrets: deque[str] = deque(maxlen=MAX_SECRETS)
        self._known: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str | None]) -> None:
        """Know *secrets* from now on."""
        with self._lock:
            known = set(self._secrets)
            new = {secret for secret in secrets if secret and len(secret) >= MIN_SECRET_LENGTH} - known
            if new:
                self._secrets.extend(new)
                self._known = _any_of(self._secrets)

    def __call__(self, text: str) -> str:
        """Return *text* without the known secrets, authorizations, signatures and tokens."""
        if self._known:
            text = self._known.sub(REDACTED, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{REDACTED}", text)
        return text


def _any_of(secrets: Iterable[str]) -> re.Pattern[str]:
    """Return what finds *secrets* however they are spelt, and the beginnings of those that are long."""
    spellings = {spelt for secret in secrets for spelt in (secret, quote(secret, safe=""), repr(secret)[1:-1])}
    # the longest first: one may be part of another
    whole = [re.escape(spelt) for spelt in sorted(spellings, key=len, reverse=True)]
    beginnings = [
        re.escape(spelt[:PREFIX_LENGTH]) + r"[^\s\"',;&]*" for spelt in spellings if len(spelt) > PREFIX_LENGTH
    ]
    return re.compile("|".join(whole + beginnings))


redact = Redact()
"""Of this process: whoever gets hold of credentials has it learn them."""


def guard_tracebacks() -> None:
    """Have no traceback that the interpreter prints show a secret. A log that is set up later takes them over."""
    sys.excepthook = _print
    threading.excepthook = lambda args: _print(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _print(args.exc_type, args.exc_value, args.exc_traceback)


def _print(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
    if sys.stderr is not None:
        sys.stderr.write(redact("".join(traceback.format_exception(kind, error, where))))
