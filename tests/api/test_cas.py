"""What is CAS's own, and the meanings that it shares."""

import re
from dataclasses import replace

import pytest

from casfs.api.operations import Request
from casfs.api.providers.cas import CAS, CasSigner
from casfs.api.providers.meanings import MEANINGS, Meaning, Refusal
from casfs.api.providers.provider import Access
from casfs.models import Credentials

NOW_S = 1500000300.9
OUTPUT = Request("get_job_output", "/-/vaults/v/jobs/j/output", range="bytes=0-9")


def refusal(code: str = "", status: int = 400, message: str = "", operation: str = "get_job_output") -> Refusal:
    return Refusal(operation, status, code, message, "")


def test_a_signature_begins_five_minutes_ago_and_ends_in_fifteen() -> None:
    authorization = CasSigner(Credentials("id", "key"), "x-t").headers(OUTPUT, "host", NOW_S)["Authorization"]
    assert "&q-sign-time=1500000000;1500001200&q-key-time=1500000000;1500001200&" in authorization


def test_host_and_every_parameter_are_signed_and_neither_range_nor_token() -> None:
    request = Request("list_jobs", "/-/vaults/v/jobs", {"marker": "M", "limit": "1"}, range="bytes=0-9")
    headers = CasSigner(Credentials("id", "key", "tok"), "x-t").headers(request, "host", NOW_S)
    assert "&q-header-list=host&q-url-param-list=limit;marker&" in headers["Authorization"]
    assert headers["x-t"] == "tok"


def test_without_a_token_there_is_no_header_for_it() -> None:
    assert set(CasSigner(Credentials("id", "key"), "x-t").headers(OUTPUT, "host", NOW_S)) == {"Authorization"}


def test_a_second_later_is_another_signature() -> None:
    signer = CasSigner(Credentials("id", "key"), "x-t")
    assert signer.headers(OUTPUT, "host", NOW_S) != signer.headers(OUTPUT, "host", NOW_S + 1)


def test_each_request_has_its_own_signature_whatever_was_signed_before() -> None:
    requests = [
        OUTPUT,
        replace(OUTPUT, range="bytes=10-19"),
        replace(OUTPUT, parameters={"limit": "1"}),
        replace(OUTPUT, path="/-/vaults/v/jobs/k/output"),
        OUTPUT,
    ]
    kept = CasSigner(Credentials("id", "key"), "x-t")
    for host, now_s in [("host", NOW_S), ("other", NOW_S), ("other", NOW_S + 1)]:
        for request in requests:
            new = CasSigner(Credentials("id", "key"), "x-t")
            assert kept.headers(request, host, now_s) == new.headers(request, host, now_s)


def test_key_and_token_are_secrets_and_the_id_is_none() -> None:
    assert CasSigner(Credentials("id", "key", "tok"), "x-t").secrets() == ("key", "tok")
    assert CasSigner(Credentials("id", "key"), "x-t").secrets() == ("key",)


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_a_known_code_means_the_same_whatever_the_status(code: str, status: int) -> None:
    assert CAS.meaning(refusal(code, status)) is MEANINGS[code]


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (301, Meaning.REFUSED),
        (400, Meaning.REFUSED),
        (401, Meaning.CLOCK_OR_DENIED),
        (403, Meaning.CLOCK_OR_DENIED),
        (404, Meaning.REFUSED),
        (408, Meaning.FAILED),
        (409, Meaning.REFUSED),
        (410, Meaning.REFUSED),
        (416, Meaning.PAST_THE_END),
        (429, Meaning.THROTTLED),
        (500, Meaning.FAILED),
        (502, Meaning.FAILED),
        (503, Meaning.FAILED),
        (504, Meaning.FAILED),
        (599, Meaning.FAILED),
    ],
)
@pytest.mark.parametrize("code", ["", "FutureException"])
def test_without_a_known_code_the_status_tells(code: str, status: int, meaning: Meaning) -> None:
    assert CAS.meaning(refusal(code, status)) is meaning


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("code", ["", "FutureException"])
@pytest.mark.parametrize("operation", ["list_vaults", "describe_vault", "list_jobs", "describe_job", "get_job_output"])
def test_only_the_service_s_own_code_says_that_there_is_no_such_thing(operation: str, code: str, status: int) -> None:
    assert CAS.meaning(refusal(code, status, operation=operation)) is Meaning.REFUSED
    said = refusal("ResourceNotFoundException", status, operation=operation)
    assert CAS.meaning(said) is Meaning.NOT_FOUND


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("The job is not currently available for download: j", Meaning.NOT_READY),
        ("The start of the range is larger than size of retrieved data: bytes=9-", Meaning.PAST_THE_END),
        ("The start of the RANGE is larger", Meaning.REFUSED),
        ("", Meaning.REFUSED),
    ],
)
def test_an_invalid_parameter_of_an_output_means_what_its_message_says(message: str, meaning: Meaning) -> None:
    assert CAS.meaning(refusal("InvalidParameterValueException", message=message)) is meaning
    elsewhere = refusal("InvalidParameterValueException", message=message, operation="list_jobs")
    assert CAS.meaning(elsewhere) is Meaning.REFUSED


def test_no_secret_is_in_the_repr_of_credentials() -> None:
    assert not re.search("topsecret", repr(Credentials("id", "topsecret", "topsecret")))


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://cas.ap-chengdu.myqcloud.com", "ap-chengdu"),
        ("http://cas.ap-beijing.myqcloud.com", "ap-beijing"),
        ("http://127.0.0.1:8080", None),
        ("https://x.cas.ap-beijing.myqcloud.com", None),
        ("https://cas..myqcloud.com", None),
    ],
)
def test_an_endpoint_of_the_services_own_tells_its_region(url: str, region: str | None) -> None:
    access = Access(endpoint_url=url, credentials=Credentials("id", "key"))
    assert CAS.connect(access).region == region
