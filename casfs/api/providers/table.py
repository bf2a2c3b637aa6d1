"""The providers, one entry each. Importing it costs nothing: what an entry takes to connect is imported then."""

from casfs.api.providers.cas import CAS
from casfs.api.providers.glacier import GLACIER
from casfs.api.providers.provider import Provider

PROVIDERS: dict[str, Provider] = {}
"""By name, in the order in which they are shown."""


def register(provider: Provider) -> None:
    """Add *provider*; before the modules of ``casfs.cli`` are imported, whose help shows what there is then.

    Raises:
        ValueError: there is one of that name.
    """
    if provider.name in PROVIDERS:
        raise ValueError(f"there is a provider {provider.name}")
    PROVIDERS[provider.name] = provider


register(CAS)
register(GLACIER)
