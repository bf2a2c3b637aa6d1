"""Every kind of lanes gives the hashes that hashlib gives: on this processor, or where another one is played."""

import ctypes
import functools
import mmap
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from casfs.copying import address
from casfs.data.hashing import lane_kinds, lanes
from casfs.data.hashing.lane_kinds import Lanes
from tests.conftest import Announce
from tests.data.lanes.compiling import PROGRAM, SOURCES, changed, compiled, one_by_one, shown_right, some

FLAGS = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text(encoding="utf-8")))
IS_X86 = platform.machine() == "x86_64"
NEEDED = {
    ("SHA instructions", 2): "sha_ni" if IS_X86 else "sha2",
    ("SHA instructions", 4): "sha_ni" if IS_X86 else "sha2",
    ("AVX2", 8): "avx2",
    ("AVX-512", 8): "avx512vl",
    ("AVX-512", 16): "avx512bw",
}
"""What a processor has to have: as Linux calls it."""

CROSS_COMPILER, PLAYED_ARM = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64-static")
PLAYED_X86 = shutil.which("qemu-x86_64-static")
PLAYED = "#define SIMDE_NO_NATIVE\n#define SIMDE_ENABLE_NATIVE_ALIASES\n#include <simde/x86/avx512.h>\n"


@functools.cache
def found() -> dict[tuple[str, int], Lanes]:
    return {(kind.name, kind.width): kind for kind in lane_kinds.compiled(lanes.LIBRARY)}


@pytest.fixture(params=NEEDED, ids=lambda key: f"{key[1]} by {key[0]}")
def kind(request: pytest.FixtureRequest) -> Lanes:
    if NEEDED[request.param] not in FLAGS:
        pytest.skip(f"this processor has no {NEEDED[request.param]}")
    return found()[request.param]


def test_no_kind_is_there_whose_instructions_are_not() -> None:
    assert set(found()) == {key for key, flag in NEEDED.items() if flag in FLAGS}


def test_digests_are_those_of_hashlib_for_as_many_messages_as_there_are_lanes_and_fewer(kind: Lanes) -> None:
    for count in range(1, kind.width + 1):
        for length in [*range(1, 200), 4095]:
            messages = some(count, length)
            assert kind.digests(messages) == one_by_one(messages), (count, length)


def test_digests_of_whole_blocks_are_those_of_hashlib(kind: Lanes) -> None:
    blocks = some(kind.width, 1 << 20)
    assert kind.digests(blocks) == one_by_one(blocks)


def test_nothing_is_read_behind_a_message(kind: Lanes) -> None:
    """A page that cannot be read follows; whoever touches it ends."""
    messages = []
    for _ in range(kind.width):
        pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
        whole = memoryview(pages)
        libc = ctypes.CDLL(None, use_errno=True)
        guard = ctypes.c_void_p(address(whole) + mmap.PAGESIZE)
        assert libc.mprotect(guard, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
        messages.append(whole[mmap.PAGESIZE - 130 : mmap.PAGESIZE])
    for length in range(1, 131):
        ends = [message[-length:] for message in messages]
        assert kind.digests(ends) == one_by_one(ends)


@pytest.mark.parametrize(
    "is_wrong",
    [
        pytest.param(lambda at, count, _: (at, count) == (3, 4), id="in the last lane"),
        pytest.param(lambda _at, count, _: count == 3, id="where a lane is empty"),
        pytest.param(lambda _at, _, length: length == 55, id="where the padding just fits"),
        pytest.param(lambda _at, _, length: length == 56, id="where the padding has a chunk of its own"),
        pytest.param(lambda _at, _, length: length >= 8192, id="of lengths over 65535 bits"),
    ],
)
def test_lanes_that_are_wrong_in_few_cases_are_not_trusted(
    is_wrong: Callable[[int, int, int], bool], caplog: pytest.LogCaptureFixture, announce: Announce
) -> None:
    def digests(messages: Sequence[memoryview]) -> list[bytes]:
        case = (len(messages), len(messages[0]))
        return [bytes(32) if is_wrong(at, *case) else leaf for at, leaf in enumerate(one_by_one(messages))]

    right = Lanes("right", 4, one_by_one)
    assert list(lane_kinds.trusted([Lanes("wrong", 4, digests), right])) == [right]
    announce("gave a wrong hash")
    assert caplog.messages == ["4 lanes by wrong gave a wrong hash and are not used"]


@pytest.mark.skipif(not (CROSS_COMPILER and PLAYED_ARM), reason="no aarch64-linux-gnu-gcc, or no qemu-aarch64-static")
def test_two_and_four_lanes_by_sha_instructions_are_right_on_a_played_arm(tmp_path: Path) -> None:
    assert CROSS_COMPILER
    assert PLAYED_ARM
    program = tmp_path / "program"
    options = ["-std=c11", "-O3", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-static"]
    subprocess.run([CROSS_COMPILER, *options, "-o", program, *SOURCES, PROGRAM], check=True, timeout=120)
    assert shown_right([PLAYED_ARM, "-cpu", "max", program], tmp_path) == {(0, 2), (1, 4)}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("program") / "program"
    subprocess.run(["cc", "-std=c11", "-O1", "-o", made, *SOURCES, PROGRAM], check=True, timeout=120)
    return made


@pytest.mark.skipif(not (IS_X86 and PLAYED_X86), reason="no qemu-x86_64-static, or no x86")
@pytest.mark.parametrize(
    ("processor", "kinds"),
    [
        pytest.param("Nehalem", set(), id="too old for all"),
        pytest.param("Haswell", {(2, 8)}, id="AVX2 and nothing else"),
        pytest.param("Haswell,-xsave", set(), id="AVX2 under a system that does not keep its registers"),
    ],
)
def test_a_processor_has_the_kinds_that_it_and_its_system_are_for(
    processor: str, kinds: set[tuple[int, int]], program: Path, tmp_path: Path
) -> None:
    assert PLAYED_X86
    assert shown_right([PLAYED_X86, "-cpu", processor, program], tmp_path) == kinds


@pytest.mark.long
@pytest.mark.skipif(not IS_X86, reason="this processor is none of x86")
@pytest.mark.skipif(not Path("/usr/include/simde/x86/avx512.h").exists(), reason="no libsimde-dev")
def test_eight_and_sixteen_lanes_by_avx_512_are_right_where_its_instructions_are_played(tmp_path: Path) -> None:
    """Each intrinsic is a function of plain C there, so that this shows what is computed on any processor."""
    sources = changed(tmp_path, {"__attribute__((target(": "__attribute__((target_was("})
    (tmp_path / "immintrin.h").write_text(PLAYED)
    avx512 = [source for source in sources if source.name.startswith(("avx512", "lanes"))]
    (tmp_path / "others.c").write_text(OTHERS)
    program = tmp_path / "program"
    options = ["-std=gnu11", "-O1", "-w", f"-I{tmp_path}"]
    subprocess.run(["cc", *options, "-o", program, *avx512, tmp_path / "others.c", PROGRAM], check=True, timeout=120)
    assert shown_right([program], tmp_path) == {(3, 8), (4, 16)}


OTHERS = """
#include "lanes.h"
static int no(void) { return 0; }
const struct kind sha_two = {"", 2, no, 0}, sha_four = {"", 4, no, 0}, avx2_eight = {"", 8, no, 0};
int has_avx512(void) { return 1; }
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_compiler_has_nothing_to_say(tmp_path: Path, compiler: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    compiled(tmp_path, "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *SOURCES, compiler=compiler)
