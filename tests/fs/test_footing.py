"""A binding in which casfs does not find what it replaces is refused by name."""

import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from casfs.errors import MountError
from casfs.fs import footing

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


class FUSE:
    """As the bindings have it."""

    def _wrapper(self, func: Any, *args: Any) -> int:
        raise NotImplementedError

    def read(self, path: bytes, buf: Any, size: int, offset: int, fip: Any) -> int:
        raise NotImplementedError


class Library:
    """As libfuse has it."""

    def fuse_version(self) -> int:
        return 314

    fuse_interrupted = fuse_get_context = fuse_exit = fuse_version


def binding(**other: Any) -> ModuleType:
    module = ModuleType("mfusepy")
    vars(module).update({"FUSE": FUSE, "_libfuse": Library()} | other)
    return module


def test_a_binding_that_has_all_is_taken() -> None:
    footing.check(binding())


def renamed(**other: Any) -> type:
    return type("FUSE", (), {"_wrapper": FUSE._wrapper, "read": FUSE.read} | other)


@pytest.mark.parametrize(
    ("other", "missing"),
    [
        ({"FUSE": renamed(_wrapper=None)}, "_wrapper"),
        ({"FUSE": renamed(_wrapper=lambda self, func: 0)}, "_wrapper"),
        ({"FUSE": renamed(read=lambda self, request: 0)}, "read"),
        ({"FUSE": None}, "_wrapper"),
        ({"_libfuse": None}, "fuse_version"),
        ({"_libfuse": type("Library", (), {"fuse_version": Library.fuse_version})()}, "fuse_interrupted"),
    ],
    ids=["no wrapper", "another wrapper", "another read", "no class", "no library", "no interrupts"],
)
def test_one_that_has_not_is_refused_by_name(other: dict[str, Any], missing: str) -> None:
    with pytest.raises(MountError, match=rf"^mfusepy 3\.\S+ cannot be used: .* {missing} .*'mfusepy>="):
        footing.check(binding(**other))


def test_what_is_advised_is_what_is_required() -> None:
    required = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    assert set(footing.PACKAGES.values()) <= set(required)
