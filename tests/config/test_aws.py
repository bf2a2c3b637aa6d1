"""What is decided for Glacier, and what is left to botocore."""

from pathlib import Path

import pytest

from casfs.config.aws import AwsPlace
from casfs.errors import ConfigError
from tests.config.conftest import Load, write

GLACIER = {"provider": "glacier"}


def place(loaded: Load, source: str, **given: str) -> AwsPlace:
    """Return where botocore is to look; nothing of the keys of CAS is in the environment."""
    config = loaded(source, GLACIER | given, environment={})
    assert config.aws is not None
    return config.aws


def test_a_name_that_casfs_does_not_know_is_botocores_to_understand(loaded: Load) -> None:
    for name in ("us-west-2", "backup", "My Profile"):
        found = place(loaded, f"{name}:")
        assert (found.name, found.profile, found.region) == (name, None, None)


def test_a_profile_of_casfs_may_be_one_of_aws_too(loaded: Load, config_file: Path) -> None:
    write(config_file, '[work]\nprovider = "glacier"\nregion = "eu-west-1"\n')
    config = loaded("work:photos", environment={})
    assert config.root_vault == "photos"
    assert config.aws is not None
    assert (config.aws.profile, config.aws.must_exist, config.aws.region) == ("work", False, "eu-west-1")


def test_a_profile_that_casfs_does_not_have_must_be_one_of_aws(loaded: Load) -> None:
    found = place(loaded, "us-west-2:", profile="backup")
    assert (found.name, found.profile, found.must_exist) == ("us-west-2", "backup", True)


def test_an_endpoint_may_name_account_and_vault(loaded: Load, config_file: Path) -> None:
    config = loaded("https://glacier.us-west-2.amazonaws.com/012345678901/photos", GLACIER, environment={})
    assert (config.account, config.root_vault) == ("012345678901", "photos")
    assert config.aws is not None
    assert config.aws.endpoint_url == config.endpoint_url == "https://glacier.us-west-2.amazonaws.com"
    write(
        config_file,
        '[work]\nprovider = "glacier"\nendpoint = "http://127.0.0.1:5000/1234-5678-9012"\nregion = "eu-west-1"\n',
    )
    config = loaded("work:", environment={})
    assert config.aws is not None
    assert (config.account, config.aws.endpoint_url, config.aws.region) == (
        "123456789012",
        "http://127.0.0.1:5000",
        "eu-west-1",
    )


def test_no_keys_of_cas_are_asked_for_or_used(loaded: Load) -> None:
    keys = {"CASFS_SECRET_ID": "AKIDexample", "CASFS_SECRET_KEY": "swordfish"}
    for environment in ({}, keys):
        assert loaded("us-west-2:", GLACIER, environment=environment).credentials.secret_key == ""


def test_keys_for_glacier_in_a_profile_of_casfs_are_an_error(loaded: Load, config_file: Path) -> None:
    keys = 'secret_id = "AKIDexample"\nsecret_key = "swordfish"\n'
    write(config_file, f'[default]\n{keys}[work]\nprovider = "glacier"\n{keys}')
    with pytest.raises(ConfigError, match="where botocore looks") as caught:
        loaded("work:", environment={})
    assert "swordfish" not in str(caught.value)
    assert loaded("us-west-2:", GLACIER, environment={}).aws, "those of CAS are no matter"


def test_cas_asks_botocore_for_nothing(loaded: Load) -> None:
    assert loaded().aws is None


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
