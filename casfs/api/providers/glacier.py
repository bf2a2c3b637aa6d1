"""Amazon Glacier as a dialect."""

from collections.abc import Mapping
from typing import ClassVar

from casfs.api.operations import Request
from casfs.api.providers.aws import Keyring
from casfs.api.providers.provider import Meaning, Refusal, meaning_of
from casfs.api.providers.sigv4 import Scope, Signable, signed_headers

VERSION = "2012-06-01"
"""Of the API, in every request. Source: developer guide, "Common request headers"."""

_OWN: Mapping[Meaning, tuple[str, ...]] = {
    Meaning.CLOSED: ("NoLongerSupportedException",),
    Meaning.DENIED: ("AccessDeniedException", "AccessDenied"),
    Meaning.EXPIRED: ("ExpiredTokenException", "ExpiredToken"),
    Meaning.FAILED: ("RequestTimeout", "PriorRequestNotComplete"),
    Meaning.NOT_FOUND: ("VaultNotFound",),
    Meaning.SIGNATURE: ("SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired"),
    Meaning.THROTTLED: (
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
    ),
    Meaning.UNKNOWN_KEY: ("InvalidClientTokenId", "InvalidAccessKeyId"),
}
OWN_MEANINGS = {code: meaning for meaning, codes in _OWN.items() for code in codes}
"""Where Glacier, what stands in front of it, or a server that plays it, differs from the codes that both services have.

Access is never denied for a clock that is off: that is InvalidSignatureException here. The codes of throttling are
those that botocore waits for and that can be about Glacier: its LimitExceededException is the limit of vaults and tags.
VaultNotFound is moto's. Source: reference api.md sections 7 and 9; botocore 1.44.5, retries/standard.py."""

WRONG_REGION = "scoped to a valid region"
"""What InvalidSignatureException says of a signature for another region. Source: AWS Signature Version 4, errors."""


class GlacierDialect:
    """The ways of Glacier: ``x-amz-`` headers, an API version, pages of 10 and 50, Signature Version 4.

    Source: developer guide, "List Vaults", "List Jobs", "Common request headers"; reference api.md sections 1 and 3.
    """

    vaults_per_page: ClassVar[int] = 10
    jobs_per_page: ClassVar[int] = 50
    tree_hash_header: ClassVar[str] = "x-amz-sha256-tree-hash"
    request_id_header: ClassVar[str] = "x-amzn-RequestId"
    bundle_variables: ClassVar[tuple[str, ...]] = ("AWS_CA_BUNDLE",)

    def __init__(self, keyring: Keyring, region: str) -> None:
        self._keyring = keyring
        self._scope = Scope(region)

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        """Return the API's version and the signature, over host, range, query and body, by keys that are good now."""
        ranged = {"Range": request.range} if request.range else {}
        version = {"x-amz-glacier-version": VERSION}
        signed = {"Host": host, **version, **ranged}
        signable = Signable(request.method, f"https://{host}{request.target}", signed, request.body)
        return version | signed_headers(signable, self._keyring.credentials(), self._scope, now_s)

    def renewed(self, sent: Mapping[str, str]) -> bool:
        """Look for keys that are newer than those that *sent* was signed with."""
        return self._keyring.renewed(sent.get("x-amz-security-token"))

    def meaning(self, refusal: Refusal) -> Meaning:
        """Return the meaning by the common codes, and by Glacier's own."""
        if refusal.code == "InvalidSignatureException" and WRONG_REGION in refusal.message:
            return Meaning.WRONG_REGION
        return OWN_MEANINGS.get(refusal.code) or meaning_of(refusal)

    def secrets(self) -> tuple[str, ...]:
        """Return the secret keys and tokens in use."""
        return self._keyring.secrets()
