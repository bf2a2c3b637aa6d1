"""The emulator's own check of Signature Version 4, against what botocore signs and what was published."""

import calendar
import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

pytest.importorskip("botocore", reason="the extra glacier is not installed")

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from casfs.emulator.messages import ReceivedRequest
from casfs.emulator.refusal import Refusal
from casfs.emulator.signature import KnownKeys
from casfs.emulator.sigv4 import Check, claimed

KEYS = KnownKeys({"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"})
TOKEN = "of+a/session="
VERSION = {"x-amz-glacier-version": "2012-06-01"}
CHECK = Check("us-west-2")
JOBS = "https://glacier.us-west-2.amazonaws.com/-/vaults/a.b_c-D/jobs"


def signed(method: str, url: str, *, body: bytes = b"", token: str | None = None, **headers: str) -> ReceivedRequest:
    """Return a request as botocore signs it, as the emulator reads it off the wire."""
    credentials = Credentials("AKIDEXAMPLE", KEYS.keys["AKIDEXAMPLE"], token)
    request = AWSRequest(method=method, url=url, headers=VERSION | headers, data=body)
    SigV4Auth(credentials, "glacier", "us-west-2").add_auth(request)
    parts = urlsplit(url)
    sent = {name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc}
    return ReceivedRequest(method, parts.path, dict(parse_qsl(parts.query)), sent, body)


def when(request: ReceivedRequest) -> float:
    """Return the moment that *request* was signed at."""
    return calendar.timegm(time.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ"))


REQUESTS = {
    "a listing": signed("GET", f"{JOBS}?limit=50&marker=arn%3Aaws%2Fx%20y&completed=true"),
    "a range": signed("GET", f"{JOBS}/-nVoA6erIw71/output", Range="bytes=0-1048575"),
    "a new job": signed("POST", JOBS, body=b'{"Type": "archive-retrieval"}', **{"Content-Type": "application/json"}),
    "an upload": signed("POST", f"{JOBS[:-5]}/archives", body=b"bytes", **{"x-amz-sha256-tree-hash": "0" * 64}),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_what_botocore_signs_is_right(request_: ReceivedRequest) -> None:
    CHECK(request_, KEYS, when(request_))
    assert len(claimed(request_)) == 64


def test_a_session_token_must_be_the_one_in_use() -> None:
    keys = replace(KEYS, token=TOKEN)
    request = signed("GET", JOBS, token=TOKEN)
    CHECK(request, keys, when(request))
    for token in (None, "another"):
        with pytest.raises(Refusal, match="UnrecognizedClientException"):
            CHECK(signed("GET", JOBS, token=token), keys, when(request))


def test_the_vector_that_the_developer_guide_prints_is_right() -> None:
    signature = "3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a"
    headers = {
        "host": "glacier.us-east-1.amazonaws.com",
        "x-amz-date": "20120525T002453Z",
        **VERSION,
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20120525/us-east-1/glacier/aws4_request,"
        f"SignedHeaders=host;x-amz-date;x-amz-glacier-version,Signature={signature}",
    }
    request = ReceivedRequest("PUT", "/-/vaults/examplevault", {}, headers)
    Check("us-east-1")(request, KEYS, calendar.timegm((2012, 5, 25, 0, 24, 53)))


def changed(name: str, value: str) -> ReceivedRequest:
    request = REQUESTS["a range"]
    return replace(request, headers={**request.headers, name: value})


LISTING, RANGE, POST = REQUESTS["a listing"], REQUESTS["a range"], REQUESTS["a new job"]
UNSIGNED = {name: value for name, value in RANGE.headers.items() if name != "authorization"}
TAMPERED = {
    "another path": (replace(RANGE, path="/-/vaults/other/jobs/j/output"), "does not match"),
    "another parameter": (replace(LISTING, query={**LISTING.query, "limit": "51"}), "does not match"),
    "another range": (changed("range", "bytes=0-9"), "does not match"),
    "another body": (replace(POST, body=b"{}"), "does not match"),
    "another method": (replace(RANGE, method="DELETE"), "does not match"),
    "a header of theirs that is not signed": (changed("x-amz-more", "1"), "SignedHeader"),
    "no authorization": (replace(RANGE, headers=UNSIGNED), "MissingAuthenticationTokenException"),
    "a scheme of another service": (changed("authorization", "q-sign-algorithm=sha1"), "cannot be read"),
}


@pytest.mark.parametrize(("request_", "says"), TAMPERED.values(), ids=TAMPERED)
def test_a_request_that_was_changed_after_signing_is_refused(request_: ReceivedRequest, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        CHECK(request_, KEYS, when(request_))


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(Refusal, match="UnrecognizedClientException"):
        CHECK(RANGE, KnownKeys({"OTHER": "s"}), when(RANGE))


def test_a_signature_for_another_region_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match="valid region, not 'us-west-2'"):
        Check("eu-west-1")(RANGE, KEYS, when(RANGE))


@pytest.mark.parametrize(("off_s", "says"), [(301, "Signature expired"), (-301, "Signature not yet current")])
def test_a_clock_more_than_five_minutes_off_is_refused(off_s: int, says: str) -> None:
    CHECK(RANGE, KEYS, when(RANGE) + off_s * 0.99)
    with pytest.raises(Refusal, match=f"InvalidSignatureException: {says}"):
        CHECK(RANGE, KEYS, when(RANGE) + off_s)


def test_a_request_without_the_version_of_the_api_is_refused() -> None:
    request = AWSRequest(method="GET", url=JOBS, headers={"Host": "h"})
    SigV4Auth(Credentials("AKIDEXAMPLE", KEYS.keys["AKIDEXAMPLE"]), "glacier", "us-west-2").add_auth(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    with pytest.raises(Refusal, match="API version"):
        CHECK(ReceivedRequest("GET", urlsplit(JOBS).path, {}, sent), KEYS, time.time())
