"""What is decided about the place of a service, and what is left to the provider's own tools."""

import json
from pathlib import Path

import pytest

from casfs.api.providers.provider import Access
from casfs.errors import ConfigError
from tests.config.conftest import Load, keys_of, write

GLACIER = {"provider": "glacier"}


def place(loaded: Load, source: str, **given: str) -> Access:
    """Return where botocore is to look; nothing of the keys of CAS is in the environment."""
    return loaded(source, GLACIER | given, environment={}).access


def test_a_name_that_casfs_does_not_know_is_botocores_to_understand(loaded: Load) -> None:
    for name in ("us-west-2", "backup", "My Profile"):
        found = place(loaded, f"{name}:")
        assert (found.name, found.profile, found.region) == (name, None, None)


def test_a_profile_of_casfs_may_be_one_of_aws_too(loaded: Load, config_file: Path) -> None:
    write(config_file, '[work]\nprovider = "glacier"\nregion = "eu-west-1"\n')
    config = loaded("work:photos", environment={})
    assert config.root_vault == "photos"
    assert (config.access.profile, config.access.must_exist, config.access.region) == ("work", False, "eu-west-1")


def test_a_profile_that_casfs_does_not_have_must_be_one_of_aws(loaded: Load) -> None:
    found = place(loaded, "us-west-2:", profile="backup")
    assert (found.name, found.profile, found.must_exist) == ("us-west-2", "backup", True)


def test_an_endpoint_may_name_account_and_vault(loaded: Load, config_file: Path) -> None:
    config = loaded("https://glacier.us-west-2.amazonaws.com/012345678901/photos", GLACIER, environment={})
    assert (config.account, config.root_vault) == ("012345678901", "photos")
    assert config.access.endpoint_url == "https://glacier.us-west-2.amazonaws.com"
    write(
        config_file,
        '[work]\nprovider = "glacier"\nendpoint = "http://127.0.0.1:5000/1234-5678-9012"\nregion = "eu-west-1"\n',
    )
    config = loaded("work:", environment={})
    assert (config.account, config.access.endpoint_url, config.access.region) == (
        "123456789012",
        "http://127.0.0.1:5000",
        "eu-west-1",
    )


def test_no_keys_of_cas_are_asked_for_or_used(loaded: Load) -> None:
    keys = {"CASFS_SECRET_ID": "AKIDexample", "CASFS_SECRET_KEY": "swordfish"}
    for environment in ({}, keys):
        assert loaded("us-west-2:", GLACIER, environment=environment).access.credentials is None


def test_keys_for_glacier_in_a_profile_of_casfs_are_an_error(loaded: Load, config_file: Path) -> None:
    keys = 'secret_id = "AKIDexample"\nsecret_key = "swordfish"\n'
    write(config_file, f'[default]\n{keys}[work]\nprovider = "glacier"\n{keys}')
    with pytest.raises(ConfigError, match="where botocore looks") as caught:
        loaded("work:", environment={})
    assert "swordfish" not in str(caught.value)
    assert place(loaded, "us-west-2:").name == "us-west-2", "those of CAS are no matter"


def test_of_cas_everything_is_decided_here(loaded: Load) -> None:
    decided = loaded("ap-chengdu:").access
    assert (decided.endpoint_url, decided.region) == ("https://cas.ap-chengdu.myqcloud.com", "ap-chengdu")
    assert (keys_of(loaded("ap-chengdu:")).secret_id, decided.origin) == ("AKIDexample", "CASFS_* in the environment")
    assert (decided.name, decided.profile, decided.must_exist) == (None, None, False)


@pytest.mark.parametrize(
    ("given", "header"),
    [({}, "x-cas-security-token"), (GLACIER, "x-amz-security-token"), ({"token_header": "x-t"}, "x-t")],
)
def test_the_header_of_a_token_is_the_providers_own_unless_one_is_named(
    loaded: Load, given: dict[str, str], header: str
) -> None:
    config = loaded("us-west-2:", given)
    assert config.access.token_header == header
    assert json.loads(config.options)["token_header"] == header


@pytest.mark.parametrize("account", ["-", "123456789012", "1234-5678-9012"])
def test_hyphens_of_the_console_are_taken_out_of_an_account(loaded: Load, account: str) -> None:
    wanted = account.replace("-", "") or "-"
    assert loaded("us-west-2:", GLACIER | {"account": account}, environment={}).account == wanted
    assert loaded(f"http://127.0.0.1:5000/{account}", GLACIER | {"account": wanted}, environment={}).account == wanted


@pytest.mark.parametrize("account", ["77", "1234567890123", "12345678901a", "--"])
def test_what_is_no_account_of_aws_is_refused(loaded: Load, account: str) -> None:
    with pytest.raises(ConfigError, match=f"account {account} is none of AWS: 12 digits"):
        loaded("us-west-2:", GLACIER | {"account": account}, environment={})
    assert loaded(given={"account": account}).account == account
