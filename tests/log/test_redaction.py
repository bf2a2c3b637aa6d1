"""What log lines never contain."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.log.redaction import REDACTED, Redact

KEY = "sw0rd/fish+%"
TOKEN = "marl'in"
REDACT = Redact([KEY, TOKEN, None, ""])


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: q-sign-algorithm=sha1&q-ak=AKID&q-signature=5ec4e7",
        "{'Authorization': 'AWS4-HMAC-SHA256 Credential=AKID/5ec4e7, Signature=5ec4e7'}",
        "headers={'Host': 'h', 'authorization': b'5ec4e7'}",
        '"Authorization":"5ec4e7"',
        "GET /?q-signature=5ec4e7&x=1",
        "X-Amz-Signature=5ec4e7",
        "x-cas-security-token: 5ec4e7",
        "{'x-cos-security-token': '5ec4e7'}",
        "secret_key=5ec4e7",
        "CASFS_SECRET_KEY=5ec4e7",
        '"secretkey": "5ec4e7"',
        "aws_secret_access_key = 5ec4e7",
        "token='5ec4e7'",
        KEY.replace("sw", "5ec4e7 sw"),
    ],
)
def test_secrets_are_taken_out_where_they_usually_stand(text: str) -> None:
    assert "5ec4e7" not in REDACT(text).replace("5ec4e7 [redacted]", "")
    assert REDACTED in REDACT(text)


@given(st.text(), st.sampled_from([KEY, TOKEN]), st.text())
def test_known_secrets_are_taken_out_wherever_they_stand(before: str, secret: str, after: str) -> None:
    assert secret not in REDACT(before + secret + after)


@pytest.mark.parametrize("spelt", ["sw0rd%2Ffish%2B%25", repr({"key": TOKEN}), json.dumps(KEY)])
def test_known_secrets_are_taken_out_however_they_are_spelt(spelt: str) -> None:
    assert REDACTED in REDACT(spelt)


def test_what_is_no_secret_stays() -> None:
    text = "describe_job vault=photos job=-nVoA6 status=403 code=InvalidSignatureException request_id=abc tries=3"
    assert REDACT(text) == text


def test_secret_that_begins_like_another_is_taken_out_whole() -> None:
    assert Redact(["abcd", "abcdefgh"])("abcdefgh") == REDACTED


def test_secret_that_was_cut_is_taken_out_too() -> None:
    token = "0123456789abcdefghijklmnopqrstuvwxyz"
    assert Redact([token])(f"id={token[:20]}, cut") == f"id={REDACTED}, cut"


def test_signature_that_is_escaped_is_taken_out() -> None:
    assert "5ec4e7" not in REDACT("q-ak%3Did%26q-signature%3D5ec4e7")


def test_secrets_that_are_learnt_later_are_known_then() -> None:
    redact = Redact()
    redact.learn([KEY])
    assert redact(f"no {KEY}") == f"no {REDACTED}"


def test_secret_that_is_too_short_to_be_one_does_not_spoil_every_line() -> None:
    assert Redact(["a"])("a line") == "a line"
