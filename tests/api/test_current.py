"""A signer in whose place another comes while requests are on their way."""

from casfs.api.operations import Request
from casfs.api.providers.cas import CasSigner
from casfs.api.providers.current import CurrentSigner
from casfs.models import Credentials

REQUEST = Request("list_vaults", "/-/vaults")


def signer(secret_id: str) -> CasSigner:
    return CasSigner(Credentials(secret_id, f"key-of-{secret_id}"), "x-t")


def test_signs_as_the_latest_and_knows_what_was_signed_by_the_one_before() -> None:
    current = CurrentSigner(signer("old"))
    before = current.headers(REQUEST, "host", 0)
    assert not current.renewed(before)
    current.become(signer("new"))
    after = current.headers(REQUEST, "host", 0)
    assert ("q-ak=old" in before["Authorization"], "q-ak=new" in after["Authorization"]) == (True, True)
    assert (current.renewed(before), current.renewed(after)) == (True, False)


def test_no_message_may_hold_the_secrets_of_either() -> None:
    current = CurrentSigner(signer("old"))
    current.become(signer("new"))
    assert set(current.secrets()) == {"key-of-old", "key-of-new"}
