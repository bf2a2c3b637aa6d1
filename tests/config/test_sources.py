"""SOURCE in all its forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.providers.cas import CAS
from casfs.config.sources import Source, parse, region_url
from casfs.errors import ConfigError
from tests.config.conftest import Load


def parsed(text: str) -> Source:
    return parse(text, {"default", "work", "us-east"}.__contains__)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("work:", Source(profile="work")),
        ("work:photos", Source(profile="work", vault="photos")),
        ("work:photos/", Source(profile="work", vault="photos")),
        ("work:-a.b_c", Source(profile="work", vault="-a.b_c")),
        ("us-east:", Source(profile="us-east")),
        ("ap-chengdu:", Source(region="ap-chengdu")),
        ("ap-chengdu:photos", Source(region="ap-chengdu", vault="photos")),
        ("ap-shanghai-fsi:", Source(region="ap-shanghai-fsi")),
        ("us-west-2:", Source(region="us-west-2")),
        ("https://cas.example.com", Source(endpoint_url="https://cas.example.com")),
        ("HTTPS://CAS.Example.com//", Source(endpoint_url="https://cas.example.com")),
        ("http://localhost:8080/", Source(endpoint_url="http://localhost:8080")),
        ("http://h:80/-", Source(endpoint_url="http://h:80", account="-")),
        ("http://h/125/photos/", Source(endpoint_url="http://h", account="125", vault="photos")),
        ("http://[::1]:8080/-/photos", Source(endpoint_url="http://[::1]:8080", account="-", vault="photos")),
        ("http://[fe80::1%eth0]", Source(endpoint_url="http://[fe80::1%eth0]")),
        ("http://127.0.0.1:1", Source(endpoint_url="http://127.0.0.1:1")),
    ],
)
def test_forms_of_source(text: str, source: Source) -> None:
    assert parsed(text) == source


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":photos",
        "work",
        "work:a/b",
        "work:a b",
        "work:..",
        "work:" + "x" * 256,
        "ftp://h",
        "http://",
        "http:///a",
        "http://h:port",
        "http://h:65536",
        "http://[::1",
        "http://h/1/photos/job",
        "http://h/1/..",
        "http://h/1/a%2fb",
        "http://h/a:b",
        "http://h?x=swordfish",
        "http://h#swordfish",
        "http://id:swordfish@h",
        "http://swordfish@h/1",
        "https://ex ample.com",
        "http://h\n",
        "http://ä.example",
    ],
)
def test_what_is_no_source_is_one_line_that_shows_no_secret(text: str) -> None:
    with pytest.raises(ConfigError, match="SOURCE") as caught:
        parsed(text)
    assert "swordfish" not in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_a_source_or_an_error(text: str) -> None:
    try:
        source = parsed(text)
    except ConfigError:
        return
    assert [source.profile, source.region, source.endpoint_url].count(None) == 2


def test_region_is_the_documented_host() -> None:
    assert region_url(CAS.regions, "ap-chengdu", "SOURCE:") == "https://cas.ap-chengdu.myqcloud.com"


@pytest.mark.parametrize("name", ["nowhere", "Work"])
def test_what_is_neither_a_profile_nor_a_region_is_an_error_that_names_it(loaded: Load, name: str) -> None:
    with pytest.raises(ConfigError, match=f"^SOURCE: there is no such profile, and '{name}' is not a region"):
        loaded(f"{name}:")


@pytest.mark.parametrize("name", ["ap-nowhere", "work"])
def test_a_region_or_profile_without_its_colon_is_told_with_it(name: str) -> None:
    with pytest.raises(ConfigError, match=f"; is {name}: meant\\?$"):
        parsed(name)


def test_what_is_neither_is_taken_for_nothing() -> None:
    with pytest.raises(ConfigError, match=r"\[/VAULT\]\]$"):
        parsed("Nonsense")
