"""What botocore finds about the caller: whose keys, which region, which endpoint.

The chain is botocore's own and whole: environment, profile, role, SSO, web identity, process, container, instance;
so is the refresh of keys that expire. Its requests for keys are botocore's; those to Glacier are casfs's.

Importing this module imports botocore: only what mounts Glacier may.
"""

import codecs
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, HTTPClientError, NoRegionError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.session import Session

from casfs.errors import CasfsError, ConfigError, CredentialsError, UnreachableError
from casfs.log.redaction import redact
from casfs.models import Credentials

PATIENCE = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
"""For the services that give out keys: botocore's own 60 s five times over would outlast every read's deadline."""

REGION_IN_HOST = re.compile(r"(?:^|\.)glacier(?:-fips)?\.([a-z]{2}(?:-[a-z0-9]+)+)\.")
"""``glacier.us-west-2.amazonaws.com``, its FIPS and China forms, and those of private endpoints."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the service is.

    Attributes:
        url: scheme, host and port, without a path.
        region: what requests are signed for.
        ca_bundle: certificates to trust, as the AWS configuration has it; None for what the environment names.
    """

    url: str
    region: str
    ca_bundle: str | None = None


class AwsCredentials:
    """The keys that requests are signed with: found when first needed, refreshed when due.

    Threads: any. botocore lets one thread refresh, and the others go on with the old keys while those are good.
    """

    def __init__(self, profile: str | None = None, ca_bundle: str | None = None) -> None:
        """Describe who asks.

        Args:
            profile: as for ``find_endpoint``.
            ca_bundle: file of certificates by which those that give out keys are trusted; botocore takes no directory,
                and chooses where there is no file.
        """
        self._profile = profile
        self._ca_bundle = ca_bundle if ca_bundle is not None and Path(ca_bundle).is_file() else None
        self._session: Session | None = None
        self._given: deque[Credentials] = deque(maxlen=2)

    def current(self) -> Credentials:
        """Return keys that are good now; may ask the network for them.

        Raises:
            CredentialsError: nothing in the chain has keys, or what has them refuses.
            UnreachableError: what has them does not answer.
        """
        session = self._session or _session(self._profile)
        session.set_config_variable("ca_bundle", self._ca_bundle)
        self._session = session
        found = _translated("credentials", session.get_credentials)
        if found is None:
            said = "no AWS credentials found; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run aws configure"
            raise _none("; ".join([said, *_unread(session)]))
        keys = _translated("credentials", found.get_frozen_credentials)
        credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
        if credentials not in self._given:
            self._given.append(credentials)
            redact.learn((credentials.secret_key, credentials.token))
        return credentials

    def secrets(self) -> tuple[str, ...]:
        """Return the secrets in use: those given last, and those before, which an answer may still be about."""
        return tuple(secret for keys in list(self._given) for secret in (keys.secret_key, keys.token) if secret)

    def renewed(self, token: str | None) -> bool:
        """Search anew for keys that are newer than those with *token*, and say whether there are.

        A file may hold newer ones than were read from it: other programs renew them there.

        Raises:
            CredentialsError, UnreachableError: as ``current``.
        """
        if self.current().token != token:
            return True  # another thread was faster
        self._session = None
        return self.current().token != token


def find_endpoint(profile: str | None, region: str | None, url: str | None) -> Endpoint:
    """Return where the service is and what to sign for, as every tool on botocore would find it.

    Args:
        profile: of the AWS configuration; None for the one that AWS_PROFILE names, else the default.
        region: None for the one of *url*, of AWS_DEFAULT_REGION or of the profile.
        url: where it is if not where botocore says.

    Raises:
        ConfigError: there is no such profile, no region is known, or there is no Glacier in it.
    """
    session = _session(profile)
    region = region or _region_of(url)
    unsigned = Config(signature_version=UNSIGNED)  # without it botocore would search for keys here, for seconds
    try:
        client = session.create_client("glacier", region_name=region, endpoint_url=url, config=unsigned)
    except NoRegionError as error:
        message = f"no region to sign for {url or 'glacier'}: set AWS_DEFAULT_REGION, or region in the profile"
        raise ConfigError(message) from error
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(f"botocore: {_one_line(error)}") from error
    found = urlsplit(client.meta.endpoint_url)
    if found.path.strip("/"):
        raise ConfigError(f"botocore: the endpoint {found.hostname} has a path, {found.path}, which Glacier has not")
    endpoint = Endpoint(f"{found.scheme}://{found.netloc}", client.meta.region_name, _ca_bundle(session))
    if (found.hostname or "").startswith((f"glacier.{endpoint.region}.", f"glacier-fips.{endpoint.region}.")):
        _check_region(session, endpoint.region)
    return endpoint


def profiles() -> frozenset[str]:
    """Return the names of the profiles in the AWS configuration and credentials files.

    Raises:
        ConfigError: one of them cannot be used.
    """
    session = Session()
    try:
        return frozenset(session.available_profiles)
    except BotoCoreError as error:
        said = f"botocore: {_one_line(error)}"
        marked = "; it begins with a byte order mark, which botocore does not take" if _is_marked(session) else ""
        raise ConfigError(said + marked) from error


def _check_region(session: Session, region: str) -> None:
    """Refuse a region that botocore knows nothing of: as a part of a host it would be a host that cannot be found.

    The service is closed to new customers, and gets no new regions.
    """
    partitions = session.get_available_partitions()
    known = [name for partition in partitions for name in session.get_available_regions("glacier", partition)]
    if region not in known:
        raise ConfigError(f"there is no Glacier in a region {region}; it is in {', '.join(sorted(known))}")


def _files(session: Session) -> list[Path]:
    names = [session.get_config_variable(name) for name in ("credentials_file", "config_file")]
    return [Path(os.path.expanduser(name)) for name in names if name]  # noqa: PTH111 - pathlib fails without a home


def _unread(session: Session) -> Iterator[str]:
    """Yield a line for each file that is there and cannot be read: botocore takes it for one that is not there."""
    for path in _files(session):
        try:
            path.open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{path} cannot be read: {error.strerror}"


def _is_marked(session: Session) -> bool:
    return any(path.is_file() and path.read_bytes().startswith(codecs.BOM_UTF8) for path in _files(session))


def _ca_bundle(session: Session) -> str | None:
    """Return the certificates that the profile names; botocore takes what the environment names before them."""
    bundle: str | None = session.get_scoped_config().get("ca_bundle")
    if not bundle or os.environ.get("AWS_CA_BUNDLE"):
        return None
    if not os.access(bundle, os.R_OK):
        raise ConfigError(f"ca_bundle in the AWS configuration: {bundle} cannot be read")
    return bundle


def _region_of(url: str | None) -> str | None:
    match = REGION_IN_HOST.search(urlsplit(url).hostname or "") if url else None
    return match[1] if match else None


def _session(profile: str | None) -> Session:
    session = Session(profile=profile)
    session.set_default_client_config(PATIENCE)
    try:
        session.get_scoped_config()
    except BotoCoreError as error:
        raise ConfigError(f"botocore: {_one_line(error)}") from error
    return session


def _translated(what: str, ask: Callable[[], T]) -> T:
    """Return what *ask* does; a dozen sources of keys raise whatever their sockets, files and JSON do."""
    try:
        return ask()
    except CasfsError:
        raise
    except (BotocoreConnectionError, HTTPClientError) as error:
        raise UnreachableError(f"{what}: {_one_line(error)}") from error
    except Exception as error:
        raise _none(f"{what}: {_one_line(error)}") from error


def _none(said: str) -> CredentialsError:
    """Return the error of who has no keys: what gives them to an instance or a container may come up after casfs."""
    error = CredentialsError(said)
    error.may_pass = True
    return error


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
