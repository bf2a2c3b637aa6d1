"""The services that casfs speaks to, for tests that run over each of them."""

from importlib.util import find_spec
from typing import Any

import pytest

from casfs.api.providers.cas import CAS as CAS_ENTRY
from casfs.api.providers.provider import Access, Service
from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.glacier import glacier
from casfs.emulator.state import State
from casfs.models import Credentials

DIALECTS: dict[str, Dialect] = {"cas": CAS, "glacier": glacier()}
"""By provider; the emulator's."""

CAS_KEYS = Credentials("id", "key")


def cas(url: str, credentials: Credentials = CAS_KEYS, **more: Any) -> Service:
    """Return CAS at *url*, for a client to ask."""
    return CAS_ENTRY.connect(Access(endpoint_url=url, credentials=credentials, **more))


NO_BOTOCORE = find_spec("botocore") is None
EVERY_PROVIDER = pytest.mark.parametrize(
    "provider",
    [
        "cas",
        pytest.param("glacier", marks=pytest.mark.skipif(NO_BOTOCORE, reason="the extra glacier is not installed")),
    ],
)
"""Runs a test over each of DIALECTS, by its name."""


def state_of(provider: str) -> State:
    """Return an account that has nothing, as a provider's emulator takes it."""
    return State(region=DIALECTS[provider].region, account=DIALECTS[provider].account)
