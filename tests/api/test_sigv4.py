"""Signature Version 4 against what was published: by Amazon's test suite, by Glacier's guide, and by the reference."""

import calendar
import time

import pytest

from casfs.models import Credentials

pytest.importorskip("botocore", reason="the extra glacier is not installed")

from casfs.api.providers.sigv4 import Scope, Signable, signed_headers

SUITE_KEY = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SUITE_SCOPE = Scope("us-east-1", "service")
SUITE_URL = "https://example.amazonaws.com/"
SUITE_TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwt"
    "hAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVX"
    "AkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Name in the published suite, request, signature.
SUITE = [
    ("get-vanilla", Signable("GET", SUITE_URL, {}), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    (
        "post-vanilla",
        Signable("POST", SUITE_URL, {}),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "get-vanilla-query-order-key-case",
        Signable("GET", SUITE_URL + "?Param2=value2&Param1=value1", {}),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-query-order-value",
        Signable("GET", SUITE_URL + "?Param1=value2&Param1=Value1", {}),
        "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
    ),
    (
        "get-vanilla-query-unreserved",
        Signable("GET", f"{SUITE_URL}?{UNRESERVED}={UNRESERVED}", {}),
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    (
        "get-unreserved",
        Signable("GET", SUITE_URL + UNRESERVED, {}),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    (
        "get-utf8",
        Signable("GET", SUITE_URL + "\u1234", {}),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    (
        "get-header-value-trim",
        Signable("GET", SUITE_URL, {"My-Header1": " value1", "My-Header2": ' "a   b   c"'}),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "post-header-value-case",
        Signable("POST", SUITE_URL, {"My-Header1": "VALUE1"}),
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    (
        "post-x-www-form-urlencoded",
        Signable("POST", SUITE_URL, FORM, b"Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
]

GUIDE_KEY = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
VERSION = {"x-amz-glacier-version": "2012-06-01"}
OREGON = "https://glacier.us-west-2.amazonaws.com"
JOB = "-nVoA6erIw71cTwI4gY6kaYpCrV1ehUrqXCkDHNfObQSfkqk_f5KyeKcxVvo--8A"
MARKER = "arn%3Aaws%3Aglacier%3Aus-west-2%3A012345678901%3Avaults%2FVault_A"

GLACIER = [
    (
        "the one that the developer guide prints",
        Signable("PUT", "https://glacier.us-east-1.amazonaws.com/-/vaults/examplevault", VERSION),
        Scope("us-east-1"),
        "20120525T002453Z",
        "3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a",
    ),
    (
        "G1, a page of List Vaults",
        Signable("GET", f"{OREGON}/-/vaults?limit=2&marker={MARKER}", VERSION),
        Scope("us-west-2"),
        "20170714T024000Z",
        "a959c5e83be3762a2bd89b5a6ac1002765c43f9be5e4764557f5d3bb9524fbea",
    ),
    (
        "G2, a range of Get Job Output",
        Signable("GET", f"{OREGON}/-/vaults/Vault_A/jobs/{JOB}/output", {**VERSION, "Range": "bytes=0-1048575"}),
        Scope("us-west-2"),
        "20170714T024000Z",
        "2e67be8a0567361264ecd5cf6a9323a3fb974fe7798fe50fdb73af918e6aa198",
    ),
]


def seconds(stamp: str) -> int:
    return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))


@pytest.mark.parametrize(("request_", "signature"), [row[1:] for row in SUITE], ids=[row[0] for row in SUITE])
def test_the_published_suite_is_signed_as_published(request_: Signable, signature: str) -> None:
    headers = signed_headers(request_, SUITE_KEY, SUITE_SCOPE, seconds("20150830T123600Z"))
    assert headers["Authorization"].endswith(f"Signature={signature}")


def test_the_published_session_token_is_sent_and_signed() -> None:
    key = Credentials(SUITE_KEY.secret_id, SUITE_KEY.secret_key, SUITE_TOKEN)
    headers = signed_headers(Signable("POST", SUITE_URL, {}), key, SUITE_SCOPE, seconds("20150830T123600Z"))
    assert headers["x-amz-security-token"] == SUITE_TOKEN
    assert headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    )


@pytest.mark.parametrize(
    ("request_", "scope", "stamp", "signature"), [row[1:] for row in GLACIER], ids=[row[0] for row in GLACIER]
)
def test_glacier_is_signed_as_its_documents_print(request_: Signable, scope: Scope, stamp: str, signature: str) -> None:
    headers = signed_headers(request_, GUIDE_KEY, scope, seconds(stamp))
    assert headers["Authorization"].endswith(f"Signature={signature}")
    assert headers["x-amz-date"] == stamp


def test_a_range_is_part_of_what_is_signed() -> None:
    _, request, scope, stamp, _ = GLACIER[2]
    headers = signed_headers(request, GUIDE_KEY, scope, seconds(stamp))
    assert "SignedHeaders=host;range;x-amz-date;x-amz-glacier-version," in headers["Authorization"]
