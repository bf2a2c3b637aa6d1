"""A client of the service, written from its documents alone: to check the emulator, it shares no line with casfs."""

import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlencode

MIB = 1048576


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


@dataclass
class Client:
    """Signs as the vendor's Python SDK does: Host, Range, and all parameters."""

    url: str
    secret_id: str = "id"
    secret_key: str = "key"
    now_s: float = 0.0
    token: str | None = None
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.host = self.url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(self.host, timeout=120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def ask(
        self,
        method: str,
        path: str,
        parameters: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        sent = {"Host": self.host, **(headers or {})}
        sent["Authorization"] = self.authorization(method, path, parameters or {}, sent)
        if self.token is not None:
            sent["x-cas-security-token"] = self.token
        target = path + ("?" + urlencode(parameters, quote_via=quote) if parameters else "")
        self.connection.request(method, target, body=body, headers=sent | self.more)
        response = self.connection.getresponse()
        body = response.read()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def get(self, path: str, parameters: dict[str, str] | None = None, *, span: str | None = None) -> Reply:
        return self.ask("GET", path, parameters, {"Range": span} if span else None)

    def authorization(self, method: str, path: str, parameters: dict[str, str], headers: dict[str, str]) -> str:
        window = f"{int(self.now_s) - 60};{int(self.now_s) + 1200}"
        sign_key = hmac.new(self.secret_key.encode(), window.encode(), "sha1").hexdigest()
        shown = [
            "&".join(f"{name.lower()}={quote(value, safe='')}" for name, value in sorted(pairs))
            for pairs in (
                [(name, value.lower()) for name, value in parameters.items()],
                [(name.lower(), value) for name, value in headers.items()],
            )
        ]
        signed = hashlib.sha1(f"{method.lower()}\n{path}\n{shown[0]}\n{shown[1]}\n".encode()).hexdigest()
        to_sign = f"sha1\n{window}\n{signed}\n"
        signature = hmac.new(sign_key.encode(), to_sign.encode(), "sha1").hexdigest()
        return (
            f"q-sign-algorithm=sha1&q-ak={self.secret_id}&q-sign-time={window}&q-key-time={window}"
            f"&q-header-list={';'.join(sorted(name.lower() for name in headers))}"
            f"&q-url-param-list={';'.join(sorted(parameters))}&q-signature={signature}"
        )


def tree_hash(data: bytes) -> str:
    """Return the tree hash of *data*, computed as the checksum page tells it: pairs, level by level."""
    level = [hashlib.sha256(data[at : at + MIB]).digest() for at in range(0, max(1, len(data)), MIB)]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0].hex()
