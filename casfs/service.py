"""The service of a mount: where it answers, who asks, and how it is spoken to."""

import shlex
import sys
from dataclasses import dataclass

from casfs.api.providers.provider import Dialect
from casfs.config.aws import AwsPlace
from casfs.config.config import Config
from casfs.errors import ConfigError
from casfs.models import Credentials

NO_BOTOCORE = "--provider glacier needs botocore, which is not installed: {python} -m pip install botocore"


@dataclass(frozen=True, slots=True)
class Service:
    """What a client is made of.

    Attributes:
        endpoint_url: ``https://HOST[:PORT]``.
        credentials: who asks, now.
        origin: where the credentials come from, for a line that says so.
        dialect: the ways of another provider than CAS, or None.
        ca_bundle: certificates to trust; None for what the environment names, or the system's.
    """

    endpoint_url: str
    credentials: Credentials
    origin: str
    dialect: Dialect | None = None
    ca_bundle: str | None = None


def service_of(config: Config) -> Service:
    """Return the service that *config* asks for; for glacier this may ask the network for keys, or a user for a code.

    Raises:
        ConfigError: there is no such profile or region, or botocore is not installed.
        CredentialsError: there are no keys, or whoever has them refuses.
    """
    if config.aws is None:
        return Service(config.endpoint_url, config.credentials, config.credentials_origin, None, config.ca_bundle)
    return _glacier(config.aws, config.ca_bundle)


def _glacier(place: AwsPlace, ca_bundle: str | None) -> Service:
    try:
        # Here and nowhere else: who mounts CAS neither needs botocore nor waits for its import.
        from casfs.api.providers import aws, glacier  # noqa: PLC0415 - as said above
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "botocore":
            raise
        raise ConfigError(NO_BOTOCORE.format(python=shlex.quote(sys.executable))) from None
    profile, region = _sorted(place, aws.profiles())
    endpoint = aws.find_endpoint(profile, region, place.endpoint_url)
    keyring = aws.Keyring(profile, ca_bundle)
    origin = f"botocore, profile {profile}" if profile else "botocore"
    dialect = glacier.GlacierDialect(keyring, endpoint.region)
    return Service(endpoint.url, keyring.credentials(), origin, dialect, ca_bundle or endpoint.ca_bundle)


def _sorted(place: AwsPlace, profiles: frozenset[str]) -> tuple[str | None, str | None]:
    """Return the profile of AWS and the region, each None where botocore is to choose it."""
    if place.name in profiles:
        if place.profile not in (None, place.name):
            raise ConfigError(f"SOURCE asks for profile {place.name}, and --profile for {place.profile}")
        return place.name, None
    is_there = place.must_exist or place.profile in profiles
    return place.profile if is_there else None, place.name or place.region
