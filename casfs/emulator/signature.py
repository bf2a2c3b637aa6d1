"""Checks ``q-sign`` signatures as the vendor's own clients make them, and says no as the service does.

Written from docs/wire.md on its own, to be an independent check of casfs's signing.
Source: Tencent documents 572/8740, and what its Python and Node SDKs send; test vectors in tests/emulator.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from casfs.emulator.messages import ReceivedRequest
from casfs.emulator.refusal import Refusal

TOKEN_HEADERS = ("x-cas-security-token", "x-cos-security-token")
"""Where a temporary token may stand. The documents name no header: the first follows from the service's prefix, the
second is what the sister service takes."""


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """Who may ask.

    Attributes:
        keys: secret key by secret id.
        token: temporary token that every request must carry, or None.
    """

    keys: Mapping[str, str] = field(repr=False)
    token: str | None = field(default=None, repr=False)


def check(request: ReceivedRequest, known_keys: KnownKeys, now_s: float) -> None:
    """Raise Refusal unless *request* is signed by a key of *known_keys* for a time that includes *now_s*.

    Raises:
        Refusal: it is not, with the code that says why.
    """
    fields = _fields(request)
    key = known_keys.keys.get(fields["q-ak"])
    if key is None or (
        known_keys.token is not None and known_keys.token not in map(request.headers.get, TOKEN_HEADERS)
    ):
        raise Refusal("UnrecognizedClientException", "The secret id or the security token is not valid.")
    _check_time(fields["q-sign-time"], fields["q-key-time"], now_s)
    expected = sign(key, fields["q-key-time"], fields["q-sign-time"], _format(request, fields))
    if not hmac.compare_digest(expected.encode(), fields["q-signature"].encode()):
        raise Refusal("InvalidSignatureException", "The request signature does not match the one calculated here.")


def sign(secret_key: str, key_time: str, sign_time: str, format_string: str) -> str:
    """Return the signature of *format_string*, 40 lower-case hex digits."""
    sign_key = _hmac(secret_key, key_time)
    digest = hashlib.sha1(format_string.encode(), usedforsecurity=False).hexdigest()
    return _hmac(sign_key, f"sha1\n{sign_time}\n{digest}\n")


def format_string(
    method: str, path: str, parameters: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]]
) -> str:
    """Return what is signed: four lines, each ended.

    Args:
        method: in any case.
        path: as sent, without the query.
        parameters: those that the client lists, decoded; their values are signed in lower case.
        headers: those that the client lists; the case of their values is kept.
    """
    lowered = ((quote(name, safe=""), value.lower()) for name, value in parameters)
    return f"{method.lower()}\n{path}\n{_pairs(lowered)}\n{_pairs(headers)}\n"


def claimed(request: ReceivedRequest) -> str:
    """Return the signature that *request* carries, right or wrong; empty if none."""
    return _split(request.headers.get("authorization", "")).get("q-signature", "")


def _format(request: ReceivedRequest, fields: Mapping[str, str]) -> str:
    query = {name.strip().lower(): value for name, value in request.query.items()}
    return format_string(
        request.method,
        request.path,
        _listed(fields["q-url-param-list"], query),
        _listed(fields["q-header-list"], request.headers),
    )


def _listed(names: str, values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pair each name of a list with what was sent under it.

    Both lists may be empty, as those of the Node SDK are: only what is listed is protected.
    """
    try:
        return [(name, values[name]) for name in names.split(";") if name]
    except KeyError as missing:
        raise Refusal("InvalidSignatureException", f"Listed as signed, but not sent: {missing}") from missing


def _pairs(items: Iterable[tuple[str, str]]) -> str:
    ordered = sorted((name.strip().lower(), value) for name, value in items)
    return "&".join(f"{name}={quote(value, safe='')}" if value else name for name, value in ordered)


def _fields(request: ReceivedRequest) -> Mapping[str, str]:
    authorization = request.headers.get("authorization")
    if not authorization:
        raise Refusal("MissingAuthenticationTokenException", "The request has no Authorization header.")
    fields = _split(authorization)
    needed = {"q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature"}
    if fields.get("q-sign-algorithm") != "sha1" or not needed <= fields.keys():
        raise Refusal("InvalidSignatureException", "The Authorization header cannot be read.")
    return fields


def _split(authorization: str) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in authorization.split("&"))}


def _check_time(sign_time: str, key_time: str, now_s: float) -> None:
    (signed_from, signed_until), (valid_from, valid_until) = _window(sign_time), _window(key_time)
    if not valid_from <= signed_from <= signed_until <= valid_until:
        raise Refusal("InvalidSignatureException", "The sign time does not lie within the key time.")
    if now_s > signed_until:
        raise Refusal("InvalidSignatureException", f"Signature expired: {signed_until} is now earlier than {now_s:.0f}")
    if now_s < signed_from:
        raise Refusal(
            "InvalidSignatureException", f"Signature not yet current: {signed_from} is still later than {now_s:.0f}"
        )


def _window(text: str) -> tuple[int, int]:
    start, semicolon, end = text.partition(";")
    if not (semicolon and start.isdecimal() and end.isdecimal()):
        raise Refusal("InvalidSignatureException", "A time window cannot be read.")
    return int(start), int(end)


def _hmac(key: str, message: str) -> str:
    return hmac.new(key.encode(), message.encode(), hashlib.sha1).hexdigest()
