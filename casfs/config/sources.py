"""SOURCE: what is to be mounted, in its three forms.

- ``NAME:`` or ``NAME:VAULT``: a profile of the configuration file; with a vault, that vault is the root
- ``REGION:`` or ``REGION:VAULT``: no such profile, so a region; for glacier, a profile of the AWS configuration first
- ``http[s]://HOST[:PORT][/ACCOUNT[/VAULT]]``: an endpoint as it stands

No message repeats a URL: somebody may have written a password into it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from casfs.api.providers.provider import Regions
from casfs.api.providers.table import PROVIDERS
from casfs.config.private_files import NowhereError
from casfs.config.values import ACCOUNT
from casfs.errors import ConfigError

VAULT = re.compile(r"(?!\.\.?$)[A-Za-z0-9_.-]{1,255}")
"""Source: CAS product overview 572/8742; which forgot that ``.`` and ``..`` are steps of a path."""

_HOST = re.compile(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?")
"""A name or address; the second form is an IPv6 address without its brackets, with a zone where it is link-local."""

FORMS = "NAME:[VAULT], REGION:[VAULT] or http[s]://HOST[:PORT][/ACCOUNT[/VAULT]]"


@dataclass(frozen=True, slots=True)
class Source:
    """A SOURCE, read; None where it leaves the answer to the profile.

    Attributes:
        profile: name of the profile.
        region: what stands before the colon and is no profile: a region, if it is anything.
        endpoint_url: ``https://HOST[:PORT]``, without a slash at its end.
        account: the account in the request path.
        vault: the vault that is the root of the mount; None for all vaults.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    account: str | None = None
    vault: str | None = None


def parse(text: str, has_profile: Callable[[str], bool]) -> Source:
    """Return what *text* asks for.

    Args:
        text: the SOURCE; slashes at its end mean nothing.
        has_profile: whether there is a profile of that name.

    Raises:
        ConfigError: it is of no form that SOURCE may have.
    """
    if "://" in text:
        return parse_url(text, "SOURCE")
    name, colon, vault = text.rstrip("/").partition(":")
    if not colon or not name:
        meant = f"; is {name}: meant?" if has_profile(name) or _is_region(name) else ""
        raise ConfigError(f"SOURCE is none of {FORMS}{meant}")
    if vault and not VAULT.fullmatch(vault):
        raise ConfigError(f"SOURCE: {vault!a} is not the name of a vault")
    if has_profile(name):
        return Source(profile=name, vault=vault or None)
    return Source(region=name, vault=vault or None)


def _is_region(name: str) -> bool:
    """Return whether any provider may have a region of that name: which one is meant may stand in a profile."""
    return any(provider.regions.has(name) for provider in PROVIDERS.values())


def region_url(regions: Regions, region: str, before: str) -> str:
    """Return the endpoint in *region*.

    Args:
        regions: of the provider.
        region: as written.
        before: how the error begins.

    Raises:
        NowhereError: it does not look like a region.
    """
    if not regions.has(region):
        raise NowhereError(f"{before} {region!a} is not a region like {regions.example}")
    return regions.endpoint.format(region=region)


def endpoint_of(text: str, origin: str) -> Source:
    """Return the endpoint, and maybe the account, that *text* of a file asks for.

    Raises:
        ConfigError: it is no URL, or has a vault, which is SOURCE's to name.
    """
    endpoint = parse_url(text, origin)
    if endpoint.vault is not None:
        raise ConfigError(f"{origin}: an endpoint has no vault: it stands in SOURCE")
    return endpoint


def parse_url(text: str, origin: str) -> Source:
    """Return what a URL, or a bare host, asks for.

    Args:
        text: ``[http[s]://]HOST[:PORT][/ACCOUNT[/VAULT]]``; https where it does not say.
        origin: where it was written, for the error.

    Raises:
        ConfigError: it is no such URL; the message does not repeat it.
    """
    if not text.isprintable() or " " in text:  # urlsplit drops what does not belong into a URL
        raise ConfigError(f"{origin}: the URL has a space, or what cannot be printed")
    try:
        url = urlsplit(text if "://" in text else f"https://{text}")
        port = url.port
    except ValueError:
        raise ConfigError(f"{origin}: the URL has a host or port that cannot be") from None
    _check(url, origin)
    host = url.hostname or ""
    if not _HOST.fullmatch(host):
        raise ConfigError(f"{origin}: the URL has no host, or one that cannot be")
    names = [name for name in url.path.split("/") if name]
    if len(names) > 2:
        raise ConfigError(f"{origin}: the URL has more than /ACCOUNT/VAULT behind its host")
    account, vault = [*names, None, None][:2]
    if vault is not None and not VAULT.fullmatch(vault):
        raise ConfigError(f"{origin}: the URL ends in what is not the name of a vault")
    shown = f"[{host}]" if ":" in host else host
    endpoint = f"{url.scheme}://{shown}" + (f":{port}" if port is not None else "")
    return Source(endpoint_url=endpoint, account=_account(account, origin), vault=vault)


def _check(url: SplitResult, origin: str) -> None:
    if "@" in url.netloc:
        raise ConfigError(f"{origin}: keys have no place in a URL: set CASFS_SECRET_ID and CASFS_SECRET_KEY")
    if url.scheme not in ("http", "https"):
        raise ConfigError(f"{origin}: the URL begins with neither http:// nor https://")
    if url.query or url.fragment:
        raise ConfigError(f"{origin}: the URL has a ? or #, which an endpoint has not")


def _account(account: str | None, origin: str) -> str | None:
    if account is None:
        return None
    try:
        ACCOUNT.read(account)
    except ValueError as error:
        raise ConfigError(f"{origin}: what stands behind the host {error}") from None
    return account
