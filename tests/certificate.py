"""Whom the tests trust over TLS: a certificate for 127.0.0.1 that signs itself, and others that may not be trusted."""

import ssl
from pathlib import Path

CERTIFICATE = Path(__file__).parent.parent / "contrib" / "bench" / "certificate.pem"
"""With its key."""

OTHERS = Path(__file__).parent / "certificates"
"""Certificates with their keys, each signed by itself: one for cas.example; two for 127.0.0.1, of which one has expired
and one begins in 2998."""


def certified(certificate: Path = CERTIFICATE) -> ssl.SSLContext:
    """Return what a server needs to be trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
