"""The table of options."""

from dataclasses import fields

import pytest

from casfs.api.providers.provider import Access
from casfs.config.config import Config
from casfs.config.options import BY_NAME, OPTIONS, Option

CONTRACT = """
    foreground profile config provider account allow_other uid gid file_mode dir_mode block_cache_size cache_dir
    cache_size connections read_ahead verify list_ttl connect_timeout read_timeout ca_bundle log_level log_format
    log_file metrics keep_expired
"""
EVERY_OPTION = pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)


def test_every_option_is_there_and_named_once() -> None:
    assert set(CONTRACT.split()) <= set(BY_NAME)
    assert len(BY_NAME) == len(OPTIONS)


@EVERY_OPTION
def test_every_option_has_a_usable_default_a_reason_and_a_help(option: Option) -> None:
    assert option.why
    assert option.help.endswith(".")
    assert (option.default is None) == bool(option.default_words)
    if option.default is not None:
        option.kind.read(option.default)


@EVERY_OPTION
def test_every_option_reaches_the_mount(option: Option) -> None:
    names = {field.name for decided in (Config, Access) for field in fields(decided)}
    assert option.name in names | {"config"}
