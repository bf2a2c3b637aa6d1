"""Tencent Cloud Archive Storage as a dialect."""

from collections.abc import Mapping
from typing import ClassVar

from casfs.api.operations import Request
from casfs.api.providers.provider import Meaning, Refusal, meaning_of
from casfs.api.providers.signing import authorization
from casfs.models import Credentials

EARLY_S = 300
"""A signature is good from so long ago: a clock that is five minutes fast is not refused, and costs no second try."""
LATE_S = 900
"""A signature is good for so long: no attempt takes nearly that, and a stolen one is soon worth nothing."""


class CasDialect:
    """The ways of CAS: ``x-cas-`` headers, pages of 1,000, ``host`` and every parameter signed.

    ``Range`` and the token are not signed: two spellings of an encoded ``=`` are in use, and a service that takes one
    refuses the other. Source: reference api.md sections 1, 2.6 (C1) and 3.
    """

    vaults_per_page: ClassVar[int] = 1000
    jobs_per_page: ClassVar[int] = 1000
    tree_hash_header: ClassVar[str] = "x-cas-sha256-tree-hash"
    request_id_header: ClassVar[str] = "x-cas-requestId"
    bundle_variables: ClassVar[tuple[str, ...]] = ()

    def __init__(self, credentials: Credentials, token_header: str) -> None:
        self._credentials = credentials
        self._token_header = token_header
        self._latest: tuple[object, str] = (None, "")

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        """Return the signature over host and parameters, and the token where there is one."""
        token = {self._token_header: self._credentials.token} if self._credentials.token else {}
        window = (int(now_s) - EARLY_S, int(now_s) + LATE_S)
        return token | {"Authorization": self._signed(request, host, window)}

    def _signed(self, request: Request, host: str, window: tuple[int, int]) -> str:
        """Return the signature, made once a second for all ranges of one output: they are not part of it."""
        signed = (request.method, request.path, tuple(request.parameters.items()), host, window)
        made_for, signature = self._latest
        if made_for != signed:
            who, headers = self._credentials, {"host": host}
            signature = authorization(who, request.method, request.path, request.parameters, headers, window=window)
            self._latest = (signed, signature)
        return signature

    def renewed(self, sent: Mapping[str, str]) -> bool:
        """Say no: these credentials were given once, and nobody keeps newer ones."""
        del sent
        return False

    def meaning(self, refusal: Refusal) -> Meaning:
        """Return the meaning by the common codes."""
        return meaning_of(refusal)

    def secrets(self) -> tuple[str, ...]:
        """Return the secret key and the token."""
        return tuple(filter(None, (self._credentials.secret_key, self._credentials.token)))
