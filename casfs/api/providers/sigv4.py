"""Signs a request as Amazon's services ask (Signature Version 4); botocore does the arithmetic.

Only botocore's public pieces are used, put together here for two reasons: its own entry point asks the wall clock,
which may be off and is corrected by what the service says, and it logs the canonical request, security token included.

Importing this module imports botocore: only what mounts Glacier may.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from casfs.api.operations import Request
from casfs.api.providers.aws import AwsCredentials
from casfs.models import Credentials

VERSION = "2012-06-01"
"""Of the API, in every request. Source: developer guide, "Common request headers"."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for, beside its day.

    Attributes:
        region: as in ``us-west-2``; the service refuses a signature for another one.
        service: the name that the service signs under.
    """

    region: str
    service: str = "glacier"


@dataclass(frozen=True, slots=True)
class Signable:
    """A request as far as it is signed.

    Attributes:
        method: in upper case.
        url: as it will be sent, query included.
        headers: those to sign; what the transport adds later stays unsigned.
        body: as it will be sent.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


def signed_headers(request: Signable, credentials: Credentials, scope: Scope, now_s: float) -> dict[str, str]:
    """Return the headers to add to *request*: the moment, the token if there is one, and Authorization.

    Args:
        request: what to sign. Where its headers have no Host, that is the one of the URL.
        credentials: whose signature.
        scope: where it is good.
        now_s: seconds since 1970 by the service's clock; it takes five minutes either way.

    Source: Amazon Glacier developer guide, "Signing requests"; AWS Signature Version 4.
    """
    added = {"x-amz-date": time.strftime(SIGV4_TIMESTAMP, time.gmtime(now_s))}
    if credentials.token:
        added["x-amz-security-token"] = credentials.token
    return added | {"Authorization": _authorization(request, {**request.headers, **added}, credentials, scope)}


def _authorization(request: Signable, headers: dict[str, str], credentials: Credentials, scope: Scope) -> str:
    signer = SigV4Auth(
        ReadOnlyCredentials(credentials.secret_id, credentials.secret_key, credentials.token),
        scope.service,
        scope.region,
    )
    signed = AWSRequest(method=request.method, url=request.url, headers=headers, data=request.body)
    signed.context["timestamp"] = headers["x-amz-date"]
    canonical = signer.canonical_request(signed)
    signature = signer.signature(signer.string_to_sign(signed, canonical), signed)
    names = signer.signed_headers(signer.headers_to_sign(signed))
    return f"AWS4-HMAC-SHA256 Credential={signer.scope(signed)}, SignedHeaders={names}, Signature={signature}"


class GlacierSigner:
    """Signs host, range, query and body, by whichever keys are good now."""

    def __init__(self, credentials: AwsCredentials, region: str) -> None:
        self._credentials = credentials
        self._scope = Scope(region)

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        """Return version, type of the body and signature, over host, range, query and body, by keys good now."""
        ranged = {"Range": request.range} if request.range else {}
        own = {"x-amz-glacier-version": VERSION} | ({"Content-Type": "application/json"} if request.body else {})
        signed = {"Host": host, **own, **ranged}
        signable = Signable(request.method, f"https://{host}{request.target}", signed, request.body)
        return own | signed_headers(signable, self._credentials.current(), self._scope, now_s)

    def renewed(self, sent: Mapping[str, str]) -> bool:
        """Look for keys that are newer than those that *sent* was signed with."""
        return self._credentials.renewed(sent.get("x-amz-security-token"))

    def secrets(self) -> tuple[str, ...]:
        """Return the secret keys and tokens in use."""
        return self._credentials.secrets()
