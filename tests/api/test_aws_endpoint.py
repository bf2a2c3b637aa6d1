"""Which endpoint and region are asked, by what every tool on botocore is told."""

from pathlib import Path

import pytest

pytest.importorskip("botocore", reason="the extra glacier is not installed")

from casfs.api.providers.aws import Endpoint, find_endpoint
from casfs.errors import ConfigError
from tests.api.conftest import Configure
from tests.certificate import CERTIFICATE


def test_certificates_of_the_profile_are_trusted_unless_the_environment_names_others(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(f"[default]\nregion = us-west-2\nca_bundle = {CERTIFICATE}\n")
    assert find_endpoint(None, None, None).ca_bundle == str(CERTIFICATE)
    monkeypatch.setenv("AWS_CA_BUNDLE", "/another.pem")
    assert find_endpoint(None, None, None).ca_bundle is None


def test_certificates_of_the_profile_that_are_not_there_are_named(configure: Configure) -> None:
    configure("[default]\nregion = us-west-2\nca_bundle = /no/such.pem\n")
    with pytest.raises(ConfigError, match=r"^ca_bundle in the AWS configuration: /no/such.pem cannot be read$"):
        find_endpoint(None, None, None)


ENDPOINTS = [
    ("a region", "us-west-2", None, Endpoint("https://glacier.us-west-2.amazonaws.com", "us-west-2")),
    ("a region of China", "cn-north-1", None, Endpoint("https://glacier.cn-north-1.amazonaws.com.cn", "cn-north-1")),
    (
        "an endpoint that names its region",
        None,
        "https://glacier-fips.us-east-2.amazonaws.com",
        Endpoint("https://glacier-fips.us-east-2.amazonaws.com", "us-east-2"),
    ),
    (
        "a private endpoint",
        None,
        "https://vpce-1a.glacier.eu-west-1.vpce.amazonaws.com/",
        Endpoint("https://vpce-1a.glacier.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
    ),
    ("another server", None, "http://127.0.0.1:5000", Endpoint("http://127.0.0.1:5000", "sa-east-1")),
]


@pytest.mark.parametrize(
    ("region", "url", "endpoint"), [row[1:] for row in ENDPOINTS], ids=[row[0] for row in ENDPOINTS]
)
def test_the_endpoint_is_found(
    region: str | None, url: str | None, endpoint: Endpoint, aws_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert find_endpoint(None, region, url) == endpoint


SETTINGS = [
    ("AWS_USE_FIPS_ENDPOINT", "true", "https://glacier-fips.us-west-2.amazonaws.com"),
    ("AWS_ENDPOINT_URL_GLACIER", "http://127.0.0.1:5000", "http://127.0.0.1:5000"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/", "http://127.0.0.1:4566"),
]


@pytest.mark.parametrize(("name", "value", "url"), SETTINGS, ids=[row[0] for row in SETTINGS])
def test_an_endpoint_that_aws_is_told_is_taken(
    name: str, value: str, url: str, aws_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert find_endpoint(None, "us-west-2", None) == Endpoint(url, "us-west-2")


REFUSED = [
    ("an endpoint with a path", None, "us-west-2", "http://127.0.0.1:4566/glacier", "has a path, /glacier"),
    ("no region anywhere", None, None, "http://127.0.0.1:5000", "set AWS_DEFAULT_REGION"),
    ("no such profile", "nobody", "us-west-2", None, "nobody"),
    ("no region of the service", None, "us-wset-2", None, "no Glacier in a region us-wset-2; .* us-west-2"),
    ("no region's name", None, "us west", None, "us west"),
]


@pytest.mark.parametrize(
    ("profile", "region", "url", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_an_endpoint_is_one_line(
    profile: str | None, region: str | None, url: str | None, says: str, aws_home: Path
) -> None:
    with pytest.raises(ConfigError, match=rf"^[^\n]*{says}[^\n]*$"):
        find_endpoint(profile, region, url)
