"""Signatures, by vectors that the vendor's own clients made: docs/wire.md section 2."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api.providers.signing import authorization
from casfs.models import Credentials

KEYS = Credentials("AKIDEXAMPLEexample0123456789ABCDEF", "exampleSecretKey0123456789abcdef")
WINDOW = (1500000000, 1500001200)
HOST = {"Host": "cas.ap-chengdu.myqcloud.com"}
RANGE = {"Range": "bytes=0-1048575"}
JOB = "-nVoA6erIw71cTwI4gY6kaYpCrV1ehUrqXCkDHNfObQSfkqk_f5KyeKcxVvo--8A"
VAULT = "/-/vaults/Vault_A"


def signed(
    path: str, parameters: Mapping[str, str] | None = None, headers: Mapping[str, str] = HOST, method: str = "GET"
) -> str:
    return authorization(KEYS, method, path, parameters or {}, headers, window=WINDOW)


@pytest.mark.parametrize(
    ("path", "parameters", "headers", "lists", "signature"),
    [
        pytest.param("/-/vaults", {}, HOST, ("host", ""), "b370bbb588b116fcf34db6454277f6593615f627", id="V1"),
        pytest.param(
            "/-/vaults",
            {"marker": "qcs:id/0:cas:ap-chengdu:uid/1250000000:vaults/Vault_A", "limit": "2"},
            HOST,
            ("host", "limit;marker"),
            "c4ad65c1193a04ae948be1077f5b2d6035cee300",
            id="V2",
        ),
        pytest.param(
            f"{VAULT}/jobs",
            {"completed": "True", "limit": "50", "marker": JOB, "statuscode": "Succeeded"},
            HOST,
            ("host", "completed;limit;marker;statuscode"),
            "e212067adb36b888ade139bfe7d9f171e1a0c39d",
            id="V3",
        ),
        pytest.param(
            f"{VAULT}/jobs/{JOB}/output",
            {},
            HOST | RANGE,
            ("host;range", ""),
            "b14bb2fe782875ccc03f9ea20597e284988018cd",
            id="V4",
        ),
        pytest.param(
            f"{VAULT}/jobs",
            {"Marker": "qcs:id/0:X~y*z A+b", "limit": "2", "empty": ""},
            HOST | RANGE | {"X-Test": "a b~c*(d)/e+f"},
            ("host;range;x-test", "empty;limit;marker"),
            "3064e42da8ffe42d0e3b910c5cd136be988e6593",
            id="V5",
        ),
        pytest.param(
            f"{VAULT}/jobs",
            {"limit": "50", "marker": JOB},
            HOST | RANGE,
            ("host;range", "limit;marker"),
            "895d231d5857a410e7610821fea40aee067ec787",
            id="V6",
        ),
        pytest.param(VAULT, {}, HOST, ("host", ""), "4bbd317852e53f1c11bca864e132c16d3cf18184", id="describe vault"),
        pytest.param(
            f"{VAULT}/jobs/{JOB}", {}, HOST, ("host", ""), "7b952cf8e15bbaf0f97a4a21980b50620b4864e2", id="describe job"
        ),
        pytest.param(
            f"{VAULT}/jobs/{JOB}/output",
            {},
            HOST,
            ("host", ""),
            "5c96f0902881b4c378ad5a17e0d8f9415c20f637",
            id="output without range",
        ),
    ],
)
def test_a_signature_is_that_of_the_services_own_client(
    path: str, parameters: dict[str, str], headers: dict[str, str], lists: tuple[str, str], signature: str
) -> None:
    assert signed(path, parameters, headers) == (
        "q-sign-algorithm=sha1&q-ak=AKIDEXAMPLEexample0123456789ABCDEF"
        "&q-sign-time=1500000000;1500001200&q-key-time=1500000000;1500001200"
        f"&q-header-list={lists[0]}&q-url-param-list={lists[1]}&q-signature={signature}"
    )


def test_no_body_is_part_of_a_signature_so_that_a_post_is_signed_as_any_request() -> None:
    assert signed(f"{VAULT}/jobs", method="POST").endswith("&q-signature=47f52613ae5fbbbc26227800a328bbe927812d5c")


def test_nothing_need_be_signed_as_the_other_client_does() -> None:
    unsigned = authorization(KEYS, "GET", f"{VAULT}/jobs/{JOB}/output", {}, {}, window=(1500000000, 1500003600))
    assert unsigned.endswith("&q-header-list=&q-url-param-list=&q-signature=7d9ba861b6b19f5f2959647de5539eaaf88278b7")


def test_the_published_example_of_the_sister_service_has_its_published_signature() -> None:
    """C1: a misspelt header name, as published."""
    headers = {
        "Host": "testbucket-125000000.cn-north.myqcloud.com",
        "x-cos-content-sha1": "db8ac1c259eb89d4a131b253bacfca5f319d54f2",
        "x-cos-stroage-class": "nearline",
    }
    keys = Credentials("QmFzZTY0IGlzIGEgZ2VuZXJp", "AKIDZfbOA78asKUYBcXFrJD0a1ICvR98JM")
    assert authorization(keys, "PUT", "/testfile2", {}, headers, window=(1480932292, 1481012292)) == (
        "q-sign-algorithm=sha1&q-ak=QmFzZTY0IGlzIGEgZ2VuZXJp&q-sign-time=1480932292;1481012292"
        "&q-key-time=1480932292;1481012292&q-header-list=host;x-cos-content-sha1;x-cos-stroage-class"
        "&q-url-param-list=&q-signature=b237c36c5495b048519b82b17a200840594c0339"
    )


@given(st.dictionaries(st.sampled_from(["limit", "marker", "completed", "statuscode"]), st.text()))
def test_the_order_of_parameters_and_the_case_of_their_values_do_not_matter(parameters: dict[str, str]) -> None:
    turned = {name: value.replace("A", "a") for name, value in reversed(parameters.items())}
    assert signed(VAULT, parameters) == signed(VAULT, turned)


@given(st.text(min_size=1))
def test_every_character_of_a_marker_can_be_signed(marker: str) -> None:
    assert signed(VAULT, {"marker": marker}).isascii()
