"""Checks Signature Version 4, and says no as Glacier does.

Written from docs/wire.md on its own, to be an independent check of botocore's signing and of casfs's use
of it. Source: Amazon Glacier developer guide, "Signing requests" and "Error responses"; AWS Signature Version 4.
"""

import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from urllib.parse import quote

from casfs.emulator.messages import ReceivedRequest
from casfs.emulator.refusal import Refusal
from casfs.emulator.signature import KnownKeys

SKEW_S = 300
"""How far a clock may be off, either way. Source: the messages of the service say "5 min."."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/, ]+)/(?P<day>\d{8})/(?P<region>[^/, ]*)/(?P<service>[^/, ]*)/"
    r"aws4_request, *SignedHeaders=(?P<headers>[^, ]*), *Signature=(?P<signature>[0-9a-f]{64})"
)
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Check:
    """Checks that requests are signed for one region.

    Attributes:
        region: the only one that a signature may name.
    """

    region: str

    def __call__(self, request: ReceivedRequest, known_keys: KnownKeys, now_s: float) -> None:
        """Raise Refusal unless *request* is signed by a key of *known_keys* within five minutes of *now_s*.

        Raises:
            Refusal: it is not, with the code that says why.
        """
        claim = _claim(request)
        self._check_scope(claim)
        secret = known_keys.keys.get(claim["key"])
        if secret is None or request.headers.get("x-amz-security-token") != known_keys.token:
            raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        _check_time(request.headers.get("x-amz-date", ""), claim["day"], now_s)
        if not hmac.compare_digest(sign(request, secret, claim), claim["signature"]):
            raise _invalid("The request signature we calculated does not match the signature you provided.")
        if "x-amz-glacier-version" not in request.headers:
            raise Refusal("MissingParameterValueException", "Required parameter missing: API version")

    def _check_scope(self, claim: dict[str, str]) -> None:
        if claim["service"] != "glacier":
            raise _invalid("Credential should be scoped to correct service: 'glacier'.")
        if claim["region"] != self.region:
            raise _invalid(f"Credential should be scoped to a valid region, not '{claim['region']}'.")


def sign(request: ReceivedRequest, secret_key: str, claim: dict[str, str]) -> str:
    """Return the signature that *request* should carry, given the scope and the header names it claims."""
    scope = (claim["day"], claim["region"], claim["service"], "aws4_request")
    digest = hashlib.sha256(canonical(request, claim["headers"]).encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", request.headers["x-amz-date"], "/".join(scope), digest))
    key = f"AWS4{secret_key}".encode()
    for part in scope:
        key = _hmac(key, part)
    return _hmac(key, text).hex()


def canonical(request: ReceivedRequest, signed: str) -> str:
    """Return the canonical request.

    Args:
        request: as sent; the path is encoded once more, names and values of the query anew.
        signed: the names of the signed headers, as claimed.

    Raises:
        Refusal: a header that is claimed as signed was not sent, or one that must be signed is not claimed.
    """
    names = signed.split(";")
    must = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    if names != sorted(names) or not must <= set(names) <= request.headers.keys():
        raise _invalid("'Host' and every 'X-Amz-' header that is sent must be a 'SignedHeader' in the Authorization.")
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    query = "&".join(sorted(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in request.query.items()))
    payload = request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()
    return "\n".join((request.method, quote(request.path, safe="/~"), query, headers, signed, payload))


def claimed(request: ReceivedRequest) -> str:
    """Return the signature that *request* carries, right or wrong; empty if none."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    return match["signature"] if match else ""


def _claim(request: ReceivedRequest) -> dict[str, str]:
    authorization = request.headers.get("authorization")
    if not authorization:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        raise _invalid("The Authorization header cannot be read.")
    return match.groupdict()


def _check_time(stamp: str, day: str, now_s: float) -> None:
    try:
        signed_s = calendar.timegm(time.strptime(stamp, _STAMP))
    except ValueError as error:
        raise _invalid("Date in X-Amz-Date cannot be read.") from error
    if not stamp.startswith(day):
        raise _invalid(f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {stamp}")
    if signed_s < now_s - SKEW_S:
        limit = _stamp(now_s - SKEW_S)
        raise _invalid(f"Signature expired: {stamp} is now earlier than {limit} ({_stamp(now_s)} - 5 min.)")
    if signed_s > now_s + SKEW_S:
        limit = _stamp(now_s + SKEW_S)
        raise _invalid(f"Signature not yet current: {stamp} is still later than {limit} ({_stamp(now_s)} + 5 min.)")


def _stamp(at_s: float) -> str:
    return time.strftime(_STAMP, time.gmtime(at_s))


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidSignatureException", message)


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.new(key, message.encode(), hashlib.sha256).digest()
