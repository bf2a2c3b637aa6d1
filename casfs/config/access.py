"""Where the service is and who asks, as far as a user and the places that casfs looks into say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from casfs.api.providers.provider import Access, OwnKeys, Provider, ToolKeys
from casfs.config import sources
from casfs.config.credentials import Finder, FoundCredentials
from casfs.config.private_files import NowhereError
from casfs.config.profiles import Profile
from casfs.config.sources import Source
from casfs.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user says about where the service is and who asks.

    Attributes:
        provider: whose service it is.
        source: SOURCE.
        profile: of casfs; an empty one where the provider's tools may have it.
        profile_name: the one that an option asks for, or None.
        token_header: for the token of temporary credentials.
        ca_bundle: certificates to trust, or None.
    """

    provider: Provider
    source: Source
    profile: Profile
    profile_name: str | None
    token_header: str
    ca_bundle: str | None


def access_of(
    wishes: Wishes, credentials: Finder, has_profile: Callable[[str], bool]
) -> tuple[Access, Sequence[str | None]]:
    """Return where the service is and who asks, and the accounts that stand there, that of the endpoint first.

    Args:
        wishes: what the user says.
        credentials: finds those of a provider for which casfs looks itself.
        has_profile: whether casfs has a profile of that name.

    Raises:
        ConfigError: what is said cannot be; or there are no credentials, or no endpoint, where casfs has to find them.
    """
    match wishes.provider.keys:
        case OwnKeys() as keys:
            return _found_here(wishes, credentials.find(keys, wishes.profile))
        case ToolKeys() as keys:
            return _left_to_tools(wishes, keys, has_profile)


def _found_here(wishes: Wishes, found: FoundCredentials) -> tuple[Access, Sequence[str | None]]:
    endpoint = _endpoint(wishes, found)
    access = Access(
        endpoint_url=endpoint.endpoint_url,
        region=wishes.source.region or wishes.profile.places.get("region"),
        credentials=found.credentials,
        origin=found.origin,
        token_header=wishes.token_header,
        ca_bundle=wishes.ca_bundle,
    )
    return access, (endpoint.account, found.account)


def _endpoint(wishes: Wishes, found: FoundCredentials) -> Source:
    """Return the endpoint, and the account if that is where it stands."""
    source, profile, regions = wishes.source, wishes.profile, wishes.provider.regions
    if source.endpoint_url is not None:
        return Source(endpoint_url=source.endpoint_url)
    if source.region is not None:
        before = "SOURCE: there is no such profile, and"
        return Source(endpoint_url=sources.region_url(regions, source.region, before))
    match profile.places:
        case {"endpoint": _, "region": _}:
            raise ConfigError(f"{profile.origin} has an endpoint and a region: one of them is enough")
        case {"endpoint": url}:
            return sources.endpoint_of(url, profile.origin)
        case {"region": region}:
            return Source(endpoint_url=sources.region_url(regions, region, f"{profile.origin}:"))
    if found.endpoint is None:
        raise NowhereError(f"{profile.origin} has neither an endpoint nor a region")
    return sources.endpoint_of(found.endpoint, found.origin)


def _left_to_tools(
    wishes: Wishes, keys: ToolKeys, has_profile: Callable[[str], bool]
) -> tuple[Access, Sequence[str | None]]:
    source, profile = wishes.source, wishes.profile
    if profile.secrets and "provider" in profile.settings:
        raise ConfigError(f"{profile.origin} has keys: those for {wishes.provider.name} stand {keys.where}")
    named = source.profile or wishes.profile_name
    places = {} if source.endpoint_url or source.region else profile.places
    text = places.get("endpoint")
    endpoint = sources.endpoint_of(text, profile.origin) if text else Source()
    access = Access(
        endpoint_url=source.endpoint_url or endpoint.endpoint_url,
        region=places.get("region"),
        name=source.region,
        profile=named,
        must_exist=named is not None and not has_profile(named),
        token_header=wishes.token_header,
        ca_bundle=wishes.ca_bundle,
    )
    return access, (endpoint.account,)
