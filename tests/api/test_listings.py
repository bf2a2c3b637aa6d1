"""What is listed in pages."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casfs.api import hostile_json
from casfs.api.documents import Fields, vault_from
from casfs.api.listings import FRUITLESS_PAGES, ListOperation, Page
from casfs.api.refusals import MarkerRefusedError
from casfs.errors import InterruptedCallError, ProtocolError
from casfs.models import Vault
from tests.conftest import Announce

VAULTS = ListOperation("VaultList", vault_from, lambda vault: vault.name)


class Service:
    """Pages by number; asks that came are kept."""

    def __init__(self, *pages: Page[Vault]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def __call__(self, marker: str) -> Page[Vault]:
        self.asked.append(marker)
        return self.pages[len(self.asked) - 1]


def vaults(names: str) -> list[Vault]:
    return [Vault(name, None, "{}") for name in names]


def names(found: Iterator[Vault]) -> str:
    return "".join(vault.name for vault in found)


def test_a_list_is_asked_for_with_markers_as_they_came() -> None:
    service = Service((vaults("ab"), "qcs::V a/b+c"), (vaults("cd"), ""))
    assert names(VAULTS.items(service)) == "abcd"
    assert service.asked == ["", "qcs::V a/b+c"]


def test_a_page_is_asked_for_only_when_the_one_before_has_been_used() -> None:
    service = Service((vaults("ab"), "m"), (vaults("cd"), ""))
    listed = VAULTS.items(service)
    assert service.asked == []
    next(listed), next(listed)
    assert len(service.asked) == 1


def test_what_two_pages_hold_is_listed_once() -> None:
    assert names(VAULTS.items(Service((vaults("abb"), "m"), (vaults("bc"), "")))) == "abc"


@pytest.mark.parametrize("markers", [["m", "m"], ["m", "n", "m"], ["m", "n", "n"]])
def test_a_marker_that_was_there_before_is_no_end_of_the_list(markers: list[str]) -> None:
    service = Service(*((vaults("abc"[index]), marker) for index, marker in enumerate(markers)))
    with pytest.raises(ProtocolError, match="leads back"):
        names(VAULTS.items(service))


def test_a_page_may_be_empty_and_not_the_last() -> None:
    assert names(VAULTS.items(Service(([], "m"), (vaults("a"), "")))) == "a"


@pytest.mark.parametrize("inclusive", [True, False], ids=["inclusive", "exclusive"])
@given(count=st.integers(0, 12), limit=st.integers(1, 5))
def test_every_item_comes_once_whatever_a_marker_stands_for(inclusive: bool, count: int, limit: int) -> None:  # noqa: FBT001 - a parameter
    everything = vaults("abcdefghijklmno"[:count])

    def service(marker: str) -> Page[Vault]:
        at = [vault.name for vault in everything].index(marker) if marker else 0
        begin = at if inclusive or not marker else at + 1
        page, rest = everything[begin : begin + limit], everything[begin + limit :]
        return page, (rest[0] if inclusive else page[-1]).name if rest else ""

    assert names(VAULTS.items(service)) == names(iter(everything))


@pytest.mark.parametrize("marker", [None, "", "missing"])
def test_null_empty_and_missing_markers_end_the_list(marker: str | None) -> None:
    fields: Fields = {"VaultList": [{"VaultName": "a"}]} | ({} if marker == "missing" else {"Marker": marker})
    found, at = VAULTS.page(fields)
    assert (names(iter(found)), at) == ("a", "")


@pytest.mark.parametrize("marker", [5, ["m"], {"m": 1}, True])
def test_a_marker_that_cannot_be_sent_back_is_a_named_error(marker: object) -> None:
    with pytest.raises(ProtocolError, match="Marker"):
        VAULTS.page({"VaultList": [], "Marker": marker})


@pytest.mark.parametrize("fields", [{}, {"VaultList": {}}, {"VaultList": "abc"}, {"VaultList": 5}, {"JobList": []}])
def test_a_page_of_another_list_is_a_named_error(fields: Fields) -> None:
    with pytest.raises(ProtocolError, match="VaultList"):
        VAULTS.page(fields)


def test_a_list_of_nothing_may_be_null() -> None:
    assert VAULTS.page({"VaultList": None}) == ([], "")


def test_an_item_without_a_usable_name_is_left_out_with_one_warning(announce: Announce) -> None:
    announce("left out of VaultList: 5 that cannot be used")
    listing = ListOperation("VaultList", vault_from, lambda vault: vault.name)
    listed = [{"VaultName": "a"}, {"VaultName": None}, "b", None, 5, {}, {"VaultName": "c", "CreationDate": 5}]
    assert names(listing.items(lambda _: listing.page({"VaultList": listed}))) == "ac"


def test_one_line_says_how_much_of_a_listing_cannot_be_used(
    caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    announce("left out of VaultList")
    listing = ListOperation("VaultList", vault_from, lambda vault: vault.name)
    useless: list[object] = [{"VaultName": "x" * 1000, "Sizes": hostile_json.UNUSABLE}] * 15_000
    pages: list[Fields] = [
        {"VaultList": [{"VaultName": "a"}, *useless], "Marker": "m"},
        {"VaultList": [*useless, {"VaultName": "b"}]},
    ]
    assert names(listing.items(lambda marker: listing.page(pages[marker != ""]))) == "ab"
    [record] = caplog.records
    assert record.getMessage().startswith("left out of VaultList: 30000 that cannot be used: the document of 'xxx")
    assert len(record.getMessage()) < 600


class Refusing:
    """A service that refuses the marker of its second page *times* times, while a vault comes and one goes."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked: list[str] = []

    def __call__(self, marker: str) -> Page[Vault]:
        self.asked.append(marker)
        if not marker:
            return (vaults("ab"), "m") if len(self.asked) == 1 else (vaults("bc"), "n")
        if self.times:
            self.times -= 1
            raise MarkerRefusedError("no")
        return vaults("d"), ""


@pytest.mark.parametrize(("times", "asked"), [(1, ["", "m", "", "n"]), (2, ["", "m", "", "n", "", "n"])])
def test_a_listing_whose_marker_is_refused_begins_anew_twice(times: int, asked: list[str]) -> None:
    service = Refusing(times)
    assert names(VAULTS.items(service)) == "abcd"
    assert service.asked == asked


def test_a_listing_whose_marker_is_refused_three_times_fails() -> None:
    service = Refusing(3)
    with pytest.raises(MarkerRefusedError):
        names(VAULTS.items(service))
    assert len(service.asked) == 6


def test_pages_that_are_all_the_same_are_no_whole_listing() -> None:
    """A proxy that caches by the path alone answers every page with the first."""
    with pytest.raises(ProtocolError, match="go round"):
        names(VAULTS.items(lambda _: (vaults("abc"), "m")))


@pytest.mark.parametrize("last", ["", "c"], ids=["nothing", "its last item"])
def test_a_service_that_ends_with_the_marker_it_was_given_has_listed_all(last: str) -> None:
    assert names(VAULTS.items(Service((vaults("abc"), "c"), (vaults(last), "c")))) == "abc"


def test_ever_new_markers_to_nothing_new_end_the_listing_with_an_error() -> None:
    numbers = count()
    with pytest.raises(ProtocolError, match="nothing new"):
        names(VAULTS.items(lambda _: (vaults("a"), f"m{next(numbers)}")))
    assert next(numbers) == FRUITLESS_PAGES + 1


def test_a_listing_begun_anew_may_bring_what_it_brought_for_as_many_pages_as_it_has() -> None:
    size = 3 * FRUITLESS_PAGES
    refusals = [MarkerRefusedError("no")]

    def service(marker: str) -> Page[Vault]:
        number = int(marker or "0")
        if number == size - 1 and refusals:
            raise refusals.pop()
        return [Vault(str(number), None, "{}")], str(number + 1) if number + 1 < size else ""

    assert [vault.name for vault in VAULTS.items(service)] == [str(number) for number in range(size)]


def test_a_listing_goes_on_with_the_page_that_could_not_be_had() -> None:
    failures = [InterruptedCallError("nobody waits")]

    def service(marker: str) -> Page[Vault]:
        if marker and failures:
            raise failures.pop()
        return (vaults("c"), "") if marker else (vaults("ab"), "m")

    listed = VAULTS.items(service)
    assert [next(listed).name, next(listed).name] == ["a", "b"]
    with pytest.raises(InterruptedCallError):
        next(listed)
    assert names(listed) == "c"
