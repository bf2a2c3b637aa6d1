"""The provider CAS, Tencent Cloud Archive Storage: its entry, how it is reached, who signs."""

import re
from collections.abc import Mapping

from casfs.api.operations import Request
from casfs.api.providers.provider import Access, KeyFile, OwnKeys, Provider, Regions, Service
from casfs.api.providers.signing import authorization
from casfs.errors import ConfigError
from casfs.models import Credentials

EARLY_S = 300
"""A signature is good from so long ago: a clock that is five minutes fast is not refused, and costs no second try."""
LATE_S = 900
"""A signature is good for so long: no attempt takes nearly that, and a stolen one is soon worth nothing."""


class CasSigner:
    """Signs ``host`` and every parameter.

    ``Range`` and the token are not signed: two spellings of an encoded ``=`` are in use, and a service that takes one
    refuses the other. Source: docs/wire.md section 2.
    """

    def __init__(self, credentials: Credentials, token_header: str) -> None:
        self._credentials = credentials
        self._token_header = token_header
        self._latest: tuple[object, str] = (None, "")

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        """Return the signature over host and parameters, and the token where there is one.

        The signature is made once a second for all ranges of one output: they are not part of it.
        """
        who, window = self._credentials, (int(now_s) - EARLY_S, int(now_s) + LATE_S)
        signed = (request.method, request.path, tuple(request.parameters.items()), host, window)
        made_for, signature = self._latest
        if made_for != signed:
            covered = {"host": host}
            signature = authorization(who, request.method, request.path, request.parameters, covered, window=window)
            self._latest = (signed, signature)
        token = {self._token_header: who.token} if who.token else {}
        return token | {"Authorization": signature}

    def renewed(self, sent: Mapping[str, str]) -> bool:
        """Say no: these credentials were given once, and nobody keeps newer ones."""
        del sent
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return the secret key and the token."""
        return tuple(filter(None, (self._credentials.secret_key, self._credentials.token)))


def connect(access: Access) -> Service:
    """Return the service at *access*.

    Raises:
        ConfigError: it has no endpoint, or nobody who asks.
    """
    if access.endpoint_url is None or access.credentials is None:
        raise ConfigError("an endpoint and credentials that are not named are found by nobody")
    region = access.region or CAS.regions.of(access.endpoint_url)
    signer = CasSigner(access.credentials, access.token_header or CAS.token_header)
    return Service(CAS, access.endpoint_url, signer, access.origin, access.ca_bundle, region)


CAS = Provider(
    name="cas",
    regions=Regions(re.compile(r"[a-z]{2,4}(-[a-z0-9]+)+"), "ap-chengdu", "https://cas.{region}.myqcloud.com"),
    keys=OwnKeys(
        prefixes=("CASFS_", "TENCENTCLOUD_"),
        file=KeyFile(
            name=".cascmd_credentials",
            tool="cascmd",
            section="CASCredentials",
            keys={"secret_id": "secretid", "secret_key": "secretkey"},
            endpoint="endpoint",
            account="appid",
        ),
    ),
    connect=connect,
    vaults_per_page=1000,
    jobs_per_page=1000,
    tree_hash_header="x-cas-sha256-tree-hash",
    request_id_header="x-cas-requestId",
    job_id_header="x-cas-job-id",
    token_header="x-cas-security-token",  # noqa: S106 - the name of a header
    emulator="casfs.emulator.dialect:CAS",
)
"""Source: docs/wire.md sections 1 and 3; the file, cas_python_sdk 1.0.6, cascmd.py and common_conf.py."""
