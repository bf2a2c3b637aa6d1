"""What of the blocks on disk is believed: what proves them, over restarts, jobs and services."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from casfs.data.disk.store import Store
from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.settings import Verify
from casfs.errors import CorruptDataError, UncheckableError
from casfs.models import Output
from tests.conftest import Announce
from tests.data.kept import DATA, OUTPUT, Opened, fill, whole
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, until


def test_after_a_restart_all_of_it_is_verified_before_anything_is_read(opened: Opened) -> None:
    fill(opened())
    service = Service({})
    with mounted(service, disk=opened()) as outputs:
        assert (str(outputs.verification(OUTPUT)), str(outputs.cached(OUTPUT))) == ("whole", "whole")
    assert service.requests == []


def test_what_the_service_gave_no_hash_for_is_proved_by_its_root_over_restarts(opened: Opened) -> None:
    """Half of it is read before the restart, and the other half after: each part unproven by itself."""
    disk = opened()
    with mounted(Service({"job": DATA}, hashes=False), disk=disk) as outputs:
        assert read(outputs.open(OUTPUT), 0, 8 * MIB) == DATA[: 8 * MIB]
        until(lambda: str(outputs.cached(OUTPUT)) == "8/13")
        assert str(outputs.verification(OUTPUT)) == "none"
    service = Service({"job": DATA}, hashes=False)
    with mounted(service, disk=opened()) as outputs:
        assert whole(outputs, OUTPUT) == DATA
        assert str(outputs.verification(OUTPUT)) == "whole"
        until(lambda: str(outputs.cached(OUTPUT)) == "whole")
    assert min(start for start, _ in service.parts) == 8
    with mounted(Service({}), settings(verify=Verify.REQUIRE), disk=opened()) as outputs:
        assert str(outputs.verification(OUTPUT)) == "whole"
        assert whole(outputs, OUTPUT) == DATA, "whoever requires checks has them"


def test_what_nothing_proves_is_kept_as_such_and_not_served_to_who_requires_more(opened: Opened) -> None:
    bare = archive(DATA, hashed=False)
    disk = opened()
    with mounted(Service({"job": DATA}, hashes=False), disk=disk) as outputs:
        assert whole(outputs, bare) == DATA
        until(lambda: str(outputs.cached(bare)) == "whole")
    with mounted(Service({}), disk=opened()) as outputs:
        assert str(outputs.verification(bare)) == "unavailable"
        assert whole(outputs, bare) == DATA
    with (
        mounted(Service({"job": DATA}, hashes=False), settings(verify=Verify.REQUIRE), disk=opened()) as outputs,
        pytest.raises(UncheckableError),
    ):
        whole(outputs, bare)


def test_of_neighbours_those_that_were_proved_are_served_to_who_requires_it_and_the_others_are_not(
    opened: Opened,
) -> None:
    bare, disk = archive(DATA, hashed=False), opened()

    def is_kept(count: int) -> bool:
        return disk.stored(bare, len(DATA)).held_count() == count

    for hashes, first in ((True, 0), (False, 2)):
        with mounted(Service({"job": DATA}, hashes=hashes), disk=disk) as outputs:
            reader = outputs.open(bare)
            assert read(reader, first * MIB, 2 * MIB) == DATA[first * MIB : (first + 2) * MIB]
            reader.close()
            until(partial(is_kept, first + 2))
    with mounted(Service({"job": DATA}, hashes=False), settings(verify=Verify.REQUIRE), disk=opened()) as outputs:
        reader = outputs.open(bare)
        with pytest.raises(UncheckableError):
            read(reader, 0, 4 * MIB)
        assert read(reader, 0, 2 * MIB) == DATA[: 2 * MIB]
        reader.close()


def test_a_service_that_confuses_two_archives_for_one_job_is_not_believed_for_another(opened: Opened) -> None:
    """One job's document has the tree hash of other bytes of the same size; each part of it has its own right hash."""
    wrong = sample(len(DATA), 2)
    with mounted(Service({"confused": wrong}), disk=opened()) as outputs:
        confused = replace(archive(wrong, "confused"), tree_hash=OUTPUT.tree_hash)
        assert read(outputs.open(confused), 0, 4 * MIB) == wrong[: 4 * MIB]
        until(lambda: str(outputs.cached(confused)) == "4/13")
    service = Service({"job": DATA})
    with mounted(service, disk=opened()) as outputs:
        assert str(outputs.cached(OUTPUT)) == "none"
        assert read(outputs.open(OUTPUT), 0, 2 * MIB) == DATA[: 2 * MIB]
        assert whole(outputs, OUTPUT) == DATA
        until(lambda: str(outputs.cached(OUTPUT)) == "whole")
    assert min(service.parts) == (0, 2)


def test_what_was_not_checked_is_not_kept(opened: Opened) -> None:
    disk = opened()
    with mounted(Service({"job": DATA}), settings(verify=Verify.OFF), disk=disk) as outputs:
        assert whole(outputs, OUTPUT) == DATA
    assert disk.stored(OUTPUT, len(DATA)).held_count() == 0
    fill(disk)
    with mounted(Service({}), settings(verify=Verify.OFF), disk=opened()) as outputs:
        assert whole(outputs, OUTPUT) == DATA, "what others have checked is right for all"


def test_what_proves_wrong_is_not_kept(opened: Opened, announce: Announce) -> None:
    """Its parts have hashes of theirs, and its root is another's."""
    announce("the output has the tree hash")
    wrong = replace(OUTPUT, tree_hash="ab" * 32)
    disk = opened()
    with mounted(Service({"job": DATA}), disk=disk) as outputs:
        reader = outputs.open(wrong)
        with pytest.raises(CorruptDataError):
            read(reader, 0, len(DATA))
        until(lambda: disk.stored(wrong, len(DATA)).held_count() == 0)
        reader.close()
        assert str(outputs.verification(wrong)) == "mismatch"
    assert disk.stored(wrong, len(DATA)).held_count() == 0


def test_an_output_without_a_hash_is_found_by_its_place_alone(opened: Opened) -> None:
    bare = archive(DATA, hashed=False)
    fill(opened(), output=bare)
    service = Service({"other": DATA})
    with mounted(service, disk=opened()) as outputs:
        assert whole(outputs, replace(bare, job="other")) == DATA
    assert service.requests != []


def test_two_ranges_that_are_told_to_have_the_hash_of_their_archive_are_kept_apart(opened: Opened) -> None:
    """A service that says so is wrong of both, and what is kept of one must not be served for the other."""
    disk, first = opened(), replace(OUTPUT, tree_hash="ab" * 32, has_hash_of_more=True)
    with mounted(Service({"job": DATA}), disk=disk) as outputs:
        assert read(outputs.open(first), 0, MIB) == DATA[:MIB]
        until(lambda: str(outputs.cached(first)) == "1/13")
    other = sample(len(DATA), 2)
    with mounted(Service({"other": other}), disk=opened()) as outputs:
        assert read(outputs.open(replace(first, job="other")), 0, MIB) == other[:MIB]


@pytest.mark.parametrize("hashes", [True, False])
def test_what_one_service_says_of_a_part_is_nothing_that_another_is_held_to(
    opened: Opened, tmp_path: Path, *, hashes: bool
) -> None:
    """Each part of another output comes under this one's tree hash: that shows once all of it is there."""
    wrong = sample(len(DATA), seed=2)
    other = DiskCache(Store.open(tmp_path / "cache", 64 * MIB), "https://evil.example", "100")
    with mounted(Service({"job": wrong}, hashes=hashes), disk=other) as outputs:
        assert read(outputs.open(OUTPUT), 0, 8 * MIB) == wrong[: 8 * MIB]
        until(lambda: str(outputs.cached(OUTPUT)) == "8/13")
    with mounted(Service({"job": DATA}, hashes=hashes), disk=opened()) as outputs:
        assert str(outputs.verification(OUTPUT)) == "none"
        assert read(outputs.open(OUTPUT), 0, MIB) == DATA[:MIB]
        assert whole(outputs, OUTPUT) == DATA
        until(lambda: str(outputs.cached(OUTPUT)) == "whole")
    with mounted(Service({}), disk=other) as outputs:
        assert whole(outputs, OUTPUT) == DATA, "what the tree hash proves is right for all"


def test_what_proves_wrong_by_a_look_at_the_disk_is_not_served_out_of_memory(opened: Opened, tmp_path: Path) -> None:
    """It came without a hash, and somebody else has brought the right bytes to disk since."""
    wrong = sample(len(DATA), seed=2)
    other = DiskCache(Store.open(tmp_path / "cache", 64 * MIB), "https://evil.example", "100")
    told: list[Output] = []
    with mounted(Service({"job": wrong}, hashes=False), disk=other, on_wrong=told.append) as deceived:
        exposed = deceived.open(OUTPUT)
        assert read(exposed, 0, 2 * MIB) == wrong[: 2 * MIB]
        with mounted(Service({"job": DATA}), disk=opened()) as outputs:
            assert whole(outputs, OUTPUT) == DATA
            until(lambda: str(outputs.cached(OUTPUT)) == "whole")
        assert str(deceived.cached(OUTPUT)) == "whole"
        until(lambda: told == [OUTPUT.bare])
        with pytest.raises(CorruptDataError):
            exposed.check()
        assert read(deceived.open(OUTPUT), 0, 2 * MIB) == DATA[: 2 * MIB]


def test_what_proves_wrong_by_a_read_from_disk_is_told_to_who_was_served_it_and_to_the_kernel(
    opened: Opened, tmp_path: Path
) -> None:
    wrong = sample(len(DATA), seed=2)
    other = DiskCache(Store.open(tmp_path / "cache", 64 * MIB), "https://evil.example", "100")
    told: list[Output] = []
    service = Service({"job": wrong}, hashes=False)
    with mounted(service, settings(cache=1), disk=other, on_wrong=told.append) as deceived:
        exposed = deceived.open(OUTPUT)
        assert read(exposed, 0, MIB) + read(exposed, MIB, MIB) == wrong[: 2 * MIB]
        fill(opened())
        assert read(deceived.open(OUTPUT), 0, MIB) == DATA[:MIB]
        with pytest.raises(CorruptDataError):
            exposed.check()
        assert told == [OUTPUT.bare]


def test_what_the_tree_hash_has_proved_on_disk_outlives_what_a_service_has_said_since(
    opened: Opened, tmp_path: Path
) -> None:
    """It gave wrong bytes with their hash before others brought the right ones to disk, which do not fit that."""
    wrong, disk = sample(len(DATA), seed=2), opened()
    service = Service({"job": wrong})
    other = DiskCache(Store.open(tmp_path / "cache", 64 * MIB), "https://evil.example", "100")
    with mounted(service, settings(cache=1), disk=other) as deceived:  # which keeps nothing on disk
        reader = deceived.open(OUTPUT)
        assert read(reader, 0, MIB) + read(reader, MIB, MIB) == wrong[: 2 * MIB]
        fill(disk)
        assert read(reader, 0, MIB) == wrong[:MIB]
    assert service.parts == [(0, 1), (1, 2), (0, 1)]
    assert disk.stored(OUTPUT, len(DATA)).held_count() == 13
