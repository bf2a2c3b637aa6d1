"""What a user says about Glacier: where it is and who asks. botocore finds the rest, as for every tool on it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from casfs.config import sources
from casfs.config.profiles import Profile
from casfs.config.sources import Source
from casfs.errors import ConfigError


@dataclass(frozen=True, slots=True)
class AwsPlace:
    """Where Glacier is and who asks, as far as a user says.

    Attributes:
        name: what stands before the colon of SOURCE: a profile of the AWS configuration, or else a region; or None.
        profile: the profile of that configuration that was asked for, or None.
        must_exist: whether there must be such a profile; a profile of casfs may have the name for itself.
        region: what requests are signed for; None for that of the endpoint, the environment or the profile.
        endpoint_url: None for the region's own.
        account: where it stands with the endpoint, else None.
    """

    name: str | None
    profile: str | None
    must_exist: bool
    region: str | None
    endpoint_url: str | None
    account: str | None


def account_of(text: str) -> str:
    """Return an account of AWS as it stands in a path: the console shows its 12 digits with hyphens between.

    Raises:
        ConfigError: it is none.
    """
    digits = text.replace("-", "")
    if text != "-" and not re.fullmatch("[0-9]{12}", digits):
        raise ConfigError(f"account {text} is none of AWS: 12 digits, or - for the caller's own")
    return digits or "-"


def place_of(source: Source, profile: Profile, asked: str | None, has_profile: Callable[[str], bool]) -> AwsPlace:
    """Return what a user says about Glacier.

    Args:
        source: SOURCE.
        profile: of casfs.
        asked: the profile that an option asks for, or None.
        has_profile: whether casfs has a profile of that name.

    Raises:
        ConfigError: the profile's endpoint is none; or it has keys, which botocore would not look for there.
    """
    if profile.secrets and "provider" in profile.settings:
        raise ConfigError(f"{profile.origin} has keys: those for glacier stand where botocore looks, see aws configure")
    named = source.profile or asked
    places = {} if source.endpoint_url or source.region else profile.places
    text = places.get("endpoint")
    endpoint = sources.endpoint_of(text, profile.origin) if text else Source()
    return AwsPlace(
        name=source.region,
        profile=named,
        must_exist=named is not None and not has_profile(named),
        region=places.get("region"),
        endpoint_url=source.endpoint_url or endpoint.endpoint_url,
        account=endpoint.account,
    )
