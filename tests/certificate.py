"""Whom the tests trust over TLS: a certificate for 127.0.0.1 that signs itself."""

import ssl
from pathlib import Path

CERTIFICATE = Path(__file__).parent.parent / "contrib" / "bench" / "certificate.pem"
"""With its key."""


def certified() -> ssl.SSLContext:
    """Return what a server needs to be trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
