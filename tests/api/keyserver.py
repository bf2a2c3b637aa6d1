"""A loopback stand-in for the services that give out keys: container, instance, STS and SSO, each in a few lines."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIVES_S = 60
"""How long the keys are good: less than the ten minutes below which botocore insists on newer ones."""

STS = """<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>
<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>{expires}</Expiration></Credentials></{action}Result></{action}Response>"""


class KeyServer(ThreadingHTTPServer):
    """Gives out KEY1, KEY2, … in turn.

    Attributes:
        given: how many keys it has given.
        refuses: whether it answers 403 from now on.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.given = 0
        self.refuses = False
        self._scheme = "http"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self.server_address[1]}"

    def begin_tls(self, context: ssl.SSLContext) -> None:
        """Be asked over TLS from now on."""
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._scheme = "https"

    def next_key(self) -> str:
        """Return a key that nobody has had."""
        self.given += 1
        return f"KEY{self.given}"


class _Handler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        """Answer as the container, the instance or SSO."""
        if self.path.endswith("/security-credentials/"):
            self._send(b"the-role")
        elif self.path.startswith("/federation/credentials"):
            expires_ms = int((time.time() + LIVES_S) * 1000)
            role = {"accessKeyId": self.server.next_key(), "secretAccessKey": "s", "sessionToken": "t"}
            self._send(json.dumps({"roleCredentials": {**role, "expiration": expires_ms}}).encode())
        else:
            keys = {"AccessKeyId": self.server.next_key(), "SecretAccessKey": "s", "Token": "t", "Code": "Success"}
            self._send(json.dumps({**keys, "Expiration": _expiry()}).encode())

    def do_PUT(self) -> None:
        """Answer as the instance: a token to ask with."""
        self._send(b"instance-token")

    def do_POST(self) -> None:
        """Answer as STS."""
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = "AssumeRoleWithWebIdentity" if "WebIdentity" in form else "AssumeRole"
        self._send(STS.format(action=action, key=self.server.next_key(), expires=_expiry()).encode())

    def _send(self, body: bytes) -> None:
        self.send_response(403 if self.server.refuses else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


def _expiry() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + LIVES_S))


@contextmanager
def running() -> Iterator[KeyServer]:
    """Serve for as long as the context lasts."""
    server = KeyServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
