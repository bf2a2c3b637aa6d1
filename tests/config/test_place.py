"""PLACE in all its forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.config.place import Depth, Place, parse
from casfs.config.sources import parse as parse_source
from casfs.errors import ConfigError

JOB = "-Ab_9" * 18


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("work:", Place("work:")),
        ("work:photos", Place("work:", "photos")),
        ("work:photos/", Place("work:", "photos")),
        (f"work:photos/{JOB}", Place("work:", "photos", JOB)),
        (f"ap-chengdu:-a.b_c/{JOB}//", Place("ap-chengdu:", "-a.b_c", JOB)),
        ("ap-chengdu:photos/a:b", Place("ap-chengdu:", "photos", "a:b")),
        ("https://cas.example.com", Place("https://cas.example.com")),
        ("https://cas.example.com/125", Place("https://cas.example.com/125")),
        ("https://cas.example.com/125/photos", Place("https://cas.example.com/125", "photos")),
        (f"HTTPS://CAS.Example.com//-/photos/{JOB}/", Place("https://cas.example.com/-", "photos", JOB)),
        (f"http://[fe80::1%eth0]:80/-/photos/{JOB}", Place("http://[fe80::1%eth0]:80/-", "photos", JOB)),
    ],
)
def test_forms_of_place(text: str, place: Place) -> None:
    assert parse(text, Depth.SERVICE) == place
    assert parse(str(place), Depth.SERVICE) == place


@pytest.mark.parametrize("text", ["work:photos", "https://cas.example.com/-/photos", "ap-chengdu:", "http://h"])
def test_a_place_without_a_job_is_a_source_and_its_vault(text: str) -> None:
    place, source = parse(text, Depth.SERVICE), parse_source(text, {"work"}.__contains__)
    before = parse_source(place.source, {"work"}.__contains__)
    assert (place.vault, before.vault) == (source.vault, None)
    assert before.endpoint_url == source.endpoint_url
    assert (before.profile, before.region, before.account) == (source.profile, source.region, source.account)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":photos",
        "/mnt/archive",
        "work",
        "work:a b",
        "work:../job",
        "work:/job",
        "work:photos/a/b",
        "work:photos/..",
        "work:photos/a b",
        "work:photos/a\nb",
        "work:photos/" + "x" * 256,
        "ftp://h/-/photos",
        "http:///-/photos",
        "http://h/-/../job",
        "http://h/-/photos/job/output",
        "http://h/-/photos/job?x=swordfish",
        "http://h/-/photos/job#swordfish",
        "http://id:swordfish@h/-/photos/job",
        "http://h/photos job",
    ],
)
def test_what_is_no_place_is_one_line_that_shows_no_secret(text: str) -> None:
    with pytest.raises(ConfigError, match="PLACE") as caught:
        parse(text, Depth.SERVICE)
    assert "swordfish" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "least", "most", "told"),
    [
        ("work:", Depth.VAULT, Depth.JOB, "names no vault; it must be NAME:VAULT, .* or NAME:VAULT/JOB, "),
        (
            "http://h/125",
            Depth.VAULT,
            Depth.VAULT,
            "names no vault; it must be NAME:VAULT, [^ ]* or [^ ]*/ACCOUNT/VAULT$",
        ),
        ("work:photos", Depth.JOB, Depth.JOB, "a vault and no job; it must be NAME:VAULT/JOB, "),
        ("work:photos/job", Depth.VAULT, Depth.VAULT, "names a job; it must be NAME:VAULT, "),
        ("http://h/125/photos/job", Depth.SERVICE, Depth.VAULT, "names a job; it must be NAME:"),
    ],
)
def test_a_place_that_leads_too_far_or_not_far_enough_is_told_which_is_meant(
    text: str, least: Depth, most: Depth, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        parse(text, least, most)


def place_of(text: str) -> Place | str:
    """Return what a text names, or the line that says that it names nothing."""
    try:
        return parse(text, Depth.SERVICE)
    except ConfigError as error:
        return str(error)


@given(st.text(st.characters(exclude_categories=[])), st.sampled_from(["", "work:", "http://", "http://h/-/photos/"]))
def test_any_text_is_a_place_or_an_error(text: str, before: str) -> None:
    place = place_of(before + text)
    if isinstance(place, str):
        assert "\n" not in place
    else:
        assert parse(str(place), Depth.SERVICE) == place
