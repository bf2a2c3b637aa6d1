"""The services that casfs speaks to, for tests that run over each of them."""

from importlib.util import find_spec

import pytest

from casfs.emulator.dialect import CAS, Dialect
from casfs.emulator.glacier import glacier
from casfs.emulator.state import State

DIALECTS: dict[str, Dialect] = {"cas": CAS, "glacier": glacier()}
"""By provider; the emulator's."""

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
