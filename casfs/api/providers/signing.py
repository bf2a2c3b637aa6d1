"""Signs a request as CAS asks: ``q-sign-algorithm=sha1``. Pure; the clock belongs to the caller.

Names and values are joined as the service's own Python client joins them: percent-encoding in upper-case hex, the
values of parameters in lower case, the values of headers as they stand. The body is never part of a signature.

Source: docs/wire.md section 2; the tests are the vectors of its source P.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

from casfs.models import Credentials


def authorization(  # noqa: PLR0913 - the things that the algorithm signs, and who signs
    credentials: Credentials,
    method: str,
    path: str,
    parameters: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    window: tuple[int, int],
) -> str:
    """Return the value of the Authorization header.

    Args:
        credentials: whose signature.
        method: HTTP method in any case.
        path: as sent, percent-encoded, without the query.
        parameters: every query parameter, not encoded; all are signed.
        headers: the headers to sign; ``host`` at least, since the service checks only what is listed.
        window: first and last second, Unix time, in which the signature is good.
    """
    key_time = f"{window[0]};{window[1]}"
    names, query = _joined({name: _lower(value) for name, value in parameters.items()})
    signed_names, signed_headers = _joined(headers)
    request = f"{method.lower()}\n{path}\n{query}\n{signed_headers}\n"
    text = f"sha1\n{key_time}\n{hashlib.sha1(request.encode(), usedforsecurity=False).hexdigest()}\n"
    signature = _hmac(_hmac(credentials.secret_key, key_time), text)
    return (
        f"q-sign-algorithm=sha1&q-ak={credentials.secret_id}&q-sign-time={key_time}&q-key-time={key_time}"
        f"&q-header-list={signed_names}&q-url-param-list={names}&q-signature={signature}"
    )


def _joined(pairs: Mapping[str, str]) -> tuple[str, str]:
    """Return the list of names, and the names with their encoded values; a value that is empty has no ``=``."""
    lowered = sorted((_lower(name.strip()), quote(value, safe="")) for name, value in pairs.items())
    joined = "&".join(f"{name}={value}" if value else name for name, value in lowered)
    return ";".join(name for name, _ in lowered), joined


def _lower(text: str) -> str:
    """Return *text* with ASCII letters in lower case: the service folds bytes, not characters."""
    return text.encode().lower().decode()


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha1).hexdigest()
