"""Whose certificates are trusted, and what to do about one that is not."""

import os
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from casfs.errors import ConfigError

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name what to trust instead of the system's certificates. Source: documentation of requests, "SSL Cert
Verification"."""

_TOO_EARLY, _TOO_LATE, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64
"""Source: X509_V_ERR_* of OpenSSL, X509_STORE_CTX_get_error(3)."""


def trust(ca_bundle: str | None, variables: Sequence[str] = ()) -> ssl.SSLContext:
    """Return whom to trust: the certificates in a file or directory that somebody names, else the system's.

    Args:
        ca_bundle: what the option names, or None.
        variables: asked before those that every provider has.

    Raises:
        ConfigError: there are no certificates in what is named.
    """
    if ca_bundle is not None:
        return _of(ca_bundle, "--ca-bundle")
    for variable in (*variables, *BUNDLES):
        if named := os.environ.get(variable):
            return _of(named, variable)
    return _system_trust()


def _of(bundle: str, origin: str) -> ssl.SSLContext:
    is_directory = Path(bundle).is_dir()
    try:
        return ssl.create_default_context(
            cafile=None if is_directory else bundle, capath=bundle if is_directory else None
        )
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificates in PEM form"
        raise ConfigError(f"{origin} {bundle}: {reason}") from error


def _system_trust() -> ssl.SSLContext:
    """Return the system's trust, or, where the system has no certificates at all, that of requests.

    OpenSSL reads SSL_CERT_FILE itself, and passes over one that it cannot use.
    """
    if named := os.environ.get("SSL_CERT_FILE"):
        _of(named, "SSL_CERT_FILE")
    paths = ssl.get_default_verify_paths()
    directory = Path(paths.capath) if paths.capath else None
    if paths.cafile or (directory and directory.is_dir() and any(directory.iterdir())):
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


def mending(error: ssl.SSLCertVerificationError) -> str:
    """Return why a certificate is not trusted, and what helps."""
    said = error.verify_message.rstrip(".")
    if error.verify_code in (_TOO_EARLY, _TOO_LATE):
        when = "is not valid yet" if error.verify_code == _TOO_EARLY else "has expired"
        today = time.strftime("%Y-%m-%d", time.gmtime())
        return (
            f"its certificate {when} ({said}); this machine takes today for {today}: if that is right, it must renew it"
        )
    if error.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
        return f"its certificate is another host's ({said}); SOURCE must name the host as its certificate does"
    return f"its certificate is not trusted ({said}); --ca-bundle FILE names the certificates to trust"
