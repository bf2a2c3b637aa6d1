"""Amazon Glacier as a dialect."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar
from urllib.parse import quote, urlencode

from casfs.api.aws import Keyring
from casfs.api.dialect import Meaning, Refusal, Request, meaning_of
from casfs.api.sigv4 import Scope, Signable, signed_headers

VERSION = "2012-06-01"
"""Of the API, in every request. Source: developer guide, "Common request headers"."""

OWN_MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "AccessDeniedException": Meaning.DENIED,
        "ExpiredToken": Meaning.EXPIRED,
        "ExpiredTokenException": Meaning.EXPIRED,
        "NoLongerSupportedException": Meaning.CLOSED,
        "SlowDown": Meaning.THROTTLED,
        "Throttling": Meaning.THROTTLED,
        "TooManyRequestsException": Meaning.THROTTLED,
        "VaultNotFound": Meaning.NOT_FOUND,
    }
)
"""Where Glacier, what stands in front of it, or a server that plays it, differs from the codes that both services have.

Access is never denied for a clock that is off: that is InvalidSignatureException here. LimitExceededException, which
botocore takes for throttling, is Glacier's limit of vaults and tags. VaultNotFound is moto's."""

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

    def __init__(self, keyring: Keyring, region: str) -> None:
        self._keyring = keyring
        self._scope = Scope(region)

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        """Return the API's version and the signature over host, range and query, with the keys that are good now."""
        query = f"?{urlencode(request.parameters, quote_via=quote, safe='')}" if request.parameters else ""
        ranged = {"Range": request.range} if request.range else {}
        version = {"x-amz-glacier-version": VERSION}
        signable = Signable("GET", f"https://{host}{request.path}{query}", {"Host": host, **version, **ranged})
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
