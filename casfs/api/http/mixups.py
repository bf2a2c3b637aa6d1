"""Whether the other of http and https would have been right: asked of an endpoint that has never answered."""

import re
import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from casfs.errors import NoWayError
from casfs.waiting import Deadline

LOOK_S = 1.0
"""Who listens there was reached a moment ago, and answers a line or a handshake within two round trips."""


LOOK_BYTES = 2048
"""So much of a response is read: the head, and what a server has to say of a request that it does not understand."""
LEAST_BYTES = len("HTTP/1.1 400")

FIRST_S = 3.0
"""A first handshake has so long before somebody looks: a plain server that waits for a line would never answer it."""


class FirstContact:
    """What is known of an endpoint: whether it has ever answered, and whether it was looked at.

    Threads: any; at worst two look.

    Attributes:
        is_new: whether nobody has answered yet.
        looked: whether it was looked at, or could not be reached.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.looked = False
        self.is_new = True

    @property
    def is_due(self) -> bool:
        """Whether a look may still tell something."""
        return self.is_new and not self.looked

    def look(self, deadline: Deadline) -> None:
        """Look, once and until *deadline*, whether the other scheme would be right. Sends nothing that is secret.

        Raises:
            NoWayError: it would.
        """
        self.looked = True
        parts = urlsplit(self._endpoint)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        seconds = min(LOOK_S, deadline.timeout_s)
        if (_speaks_http if secure else _speaks_tls)((host, port), seconds):
            other = "http" if secure else "https"
            raise NoWayError(f"{parts.netloc}: it speaks {other}://, and not {parts.scheme}://")


def _speaks_http(address: tuple[str, int], seconds: float) -> bool:
    """Return whether a plain request has a response; it is none if it complains in plain words of a missing TLS."""
    request = f"GET / HTTP/1.1\r\nHost: {address[0]}\r\nConnection: close\r\n\r\n"
    said, deadline = b"", Deadline.after(seconds)
    with suppress(OSError), socket.create_connection(address, seconds) as sock:
        sock.sendall(request.encode("ascii", "replace"))
        while deadline.remaining_s and len(said) < LOOK_BYTES and (more := sock.recv(LOOK_BYTES)):
            said += more
            if len(said) >= LEAST_BYTES and b" 400" not in said[:LEAST_BYTES]:
                break
    return said.startswith(b"HTTP/") and not (b" 400" in said[:LEAST_BYTES] and re.search(b"HTTPS|SSL|TLS", said))


def _speaks_tls(address: tuple[str, int], seconds: float) -> bool:
    """Return whether a handshake succeeds, whoever is at the other end, or is refused in the words of TLS."""
    anyone = ssl.create_default_context()
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(address, seconds) as sock, anyone.wrap_socket(sock, server_hostname=address[0]):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except (OSError, ValueError):
        return False
