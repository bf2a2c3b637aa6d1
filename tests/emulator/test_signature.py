"""The vectors are those of the reference, section 2.6, made with the vendor's own Python SDK."""

from collections.abc import Mapping

import pytest

from casfs.emulator.messages import ReceivedRequest, parameters
from casfs.emulator.refusal import Refusal
from casfs.emulator.signature import KnownKeys, check, claimed

SECRET_ID = "AKIDEXAMPLEexample0123456789ABCDEF"
SECRET_KEY = "exampleSecretKey0123456789abcdef"
KEY_TIME = "1500000000;1500001200"
NOW_S = 1500000600.0
HOST = "cas.ap-chengdu.myqcloud.com"
JOB = "-nVoA6erIw71cTwI4gY6kaYpCrV1ehUrqXCkDHNfObQSfkqk_f5KyeKcxVvo--8A"
JOBS = "/-/vaults/Vault_A/jobs"
RANGE = {"range": "bytes=0-1048575"}
KNOWN_KEYS = KnownKeys({SECRET_ID: SECRET_KEY})

VECTORS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "V1": ("/-/vaults", "", {}, "b370bbb588b116fcf34db6454277f6593615f627"),
    "V2": (
        "/-/vaults",
        "marker=qcs:id/0:cas:ap-chengdu:uid/1250000000:vaults/Vault_A&limit=2",
        {},
        "c4ad65c1193a04ae948be1077f5b2d6035cee300",
    ),
    "V3": (
        JOBS,
        f"completed=True&limit=50&marker={JOB}&statuscode=Succeeded",
        {},
        "e212067adb36b888ade139bfe7d9f171e1a0c39d",
    ),
    "V4": (f"{JOBS}/{JOB}/output", "", RANGE, "b14bb2fe782875ccc03f9ea20597e284988018cd"),
    "V5": (
        JOBS,
        "Marker=qcs%3Aid/0%3AX%7Ey%2Az%20A%2Bb&limit=2&empty=",
        RANGE | {"x-test": "a b~c*(d)/e+f"},
        "3064e42da8ffe42d0e3b910c5cd136be988e6593",
    ),
    "V6": (JOBS, f"limit=50&marker={JOB}", RANGE, "895d231d5857a410e7610821fea40aee067ec787"),
    "describe vault": ("/-/vaults/Vault_A", "", {}, "4bbd317852e53f1c11bca864e132c16d3cf18184"),
    "describe job": (f"{JOBS}/{JOB}", "", {}, "7b952cf8e15bbaf0f97a4a21980b50620b4864e2"),
    "whole output": (f"{JOBS}/{JOB}/output", "", {}, "5c96f0902881b4c378ad5a17e0d8f9415c20f637"),
}


def authorization(signature: str, headers: str, names: str, window: str = KEY_TIME) -> str:
    return (
        f"q-sign-algorithm=sha1&q-ak={SECRET_ID}&q-sign-time={window}&q-key-time={window}"
        f"&q-header-list={headers}&q-url-param-list={names}&q-signature={signature}"
    )


def request(name: str = "V1", method: str = "GET", **changed: str) -> ReceivedRequest:
    path, query, headers, signature = VECTORS[name]
    sent = {"host": HOST, **headers}
    names = ";".join(sorted(one.lower() for one in parameters(query)))
    sent["authorization"] = authorization(signature, ";".join(sorted(sent)), names)
    return ReceivedRequest(method, path, parameters(query), sent | changed)


def refusal(asked: ReceivedRequest, known_keys: KnownKeys = KNOWN_KEYS, now_s: float = NOW_S) -> str:
    with pytest.raises(Refusal) as refused:
        check(asked, known_keys, now_s)
    return refused.value.code


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_vendors_sdk_are_accepted(name: str) -> None:
    check(request(name), KNOWN_KEYS, NOW_S)


def test_a_post_is_accepted_whatever_its_body() -> None:
    signature = "47f52613ae5fbbbc26227800a328bbe927812d5c"
    headers = {"host": HOST, "authorization": authorization(signature, "host", "")}
    check(ReceivedRequest("POST", JOBS, {}, headers, b"anything"), KNOWN_KEYS, NOW_S)


def test_empty_lists_are_accepted_as_the_node_sdk_sends_them() -> None:
    window, signature = "1500000000;1500003600", "7d9ba861b6b19f5f2959647de5539eaaf88278b7"
    headers = {"host": HOST, "authorization": authorization(signature, "", "", window), **RANGE}
    check(ReceivedRequest("GET", f"{JOBS}/{JOB}/output", {"unsigned": "too"}, headers), KNOWN_KEYS, NOW_S)


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "cas.ap-beijing.myqcloud.com"},
        {"range": "bytes=0-1048576"},
        {"authorization": authorization("0" * 40, "host;range", "limit;marker")},
    ],
    ids=["host", "range", "signature"],
)
def test_what_was_changed_after_signing_is_refused(changed: Mapping[str, str]) -> None:
    assert refusal(request("V6", **changed)) == "InvalidSignatureException"


def test_another_method_path_or_parameter_than_was_signed_is_refused() -> None:
    signed = request("V6")
    assert refusal(request("V6", method="POST")) == "InvalidSignatureException"
    assert refusal(ReceivedRequest("GET", "/-/vaults", signed.query, signed.headers)) == "InvalidSignatureException"
    assert (
        refusal(ReceivedRequest("GET", JOBS, {**signed.query, "limit": "51"}, signed.headers))
        == "InvalidSignatureException"
    )


def test_parameters_signed_in_the_case_they_are_sent_in_are_refused() -> None:
    unlowered = authorization("9683765664dd2cc1ceee39b1aee5feac90439fec", "host;range", "limit;marker")
    assert refusal(request("V6", authorization=unlowered)) == "InvalidSignatureException"


def test_a_listed_header_that_was_not_sent_is_refused() -> None:
    listed = authorization("0" * 40, "host;x-missing", "")
    assert refusal(request(authorization=listed)) == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("now_s", "accepted"), [(1499999999, False), (1500000000, True), (1500001200, True), (1500001201, False)]
)
def test_a_signature_holds_within_its_sign_time(now_s: float, *, accepted: bool) -> None:
    if accepted:
        check(request(), KNOWN_KEYS, now_s)
    else:
        assert refusal(request(), now_s=now_s) == "InvalidSignatureException"


def test_the_key_time_must_cover_the_sign_time() -> None:
    narrow = request().headers["authorization"].replace(f"q-key-time={KEY_TIME}", "q-key-time=1500000001;1500001200")
    assert refusal(request(authorization=narrow)) == "InvalidSignatureException"


@pytest.mark.parametrize("text", ["q-ak=x", "AWS4-HMAC-SHA256 Credential=…", "&&&", authorization("0", "", "", "a;b")])
def test_an_authorization_that_cannot_be_read_is_refused(text: str) -> None:
    assert refusal(request(authorization=text)) == "InvalidSignatureException"


def test_no_authorization_at_all_is_named() -> None:
    assert refusal(ReceivedRequest("GET", "/-/vaults", {}, {"host": HOST})) == "MissingAuthenticationTokenException"


def test_an_unknown_secret_id_is_named() -> None:
    assert refusal(request(), KnownKeys({"another": SECRET_KEY})) == "UnrecognizedClientException"


def test_a_wrong_secret_key_is_refused() -> None:
    assert refusal(request(), KnownKeys({SECRET_ID: "another"})) == "InvalidSignatureException"


@pytest.mark.parametrize("header", ["x-cas-security-token", "x-cos-security-token"])
def test_an_account_with_a_token_wants_it_in_every_request(header: str) -> None:
    known_keys = KnownKeys({SECRET_ID: SECRET_KEY}, token="token")
    check(request(**{header: "token"}), known_keys, NOW_S)
    assert refusal(request(**{header: "stale"}), known_keys) == "UnrecognizedClientException"
    assert refusal(request(), known_keys) == "UnrecognizedClientException"


def test_the_keyring_does_not_show_its_secrets() -> None:
    assert SECRET_KEY not in repr(KnownKeys({SECRET_ID: SECRET_KEY}, token=SECRET_KEY))


def test_the_signature_of_a_request_can_be_told_for_the_journal() -> None:
    assert claimed(request("V1")) == VECTORS["V1"][3]
    assert claimed(ReceivedRequest("GET", "/", {}, {})) == ""
