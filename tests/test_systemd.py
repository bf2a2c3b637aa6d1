"""The units: what systemd itself says of them, and what no check of its own finds."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from casfs.cli.statuses import EX_CONFIG

UNITS = Path(__file__).resolve().parent.parent / "systemd"
OWN_NAMESPACE = re.compile(
    r"^(?:Protect(?:System|Home|Kernel\w+|ControlGroups|Proc)|Private(?:Tmp|Devices|Users|Mounts)|ReadOnlyPaths|"
    r"InaccessiblePaths|BindPaths|TemporaryFileSystem|RootDirectory|DynamicUser)=",
    re.MULTILINE,
)
"""Settings that give a service a mount namespace of its own. Source: systemd.exec(5)."""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.iterdir()))
def test_systemd_finds_nothing_to_complain_about(unit: str, tmp_path: Path) -> None:
    text = (UNITS / unit).read_text()
    copy = tmp_path / unit.replace("@.", "@ap-chengdu.")
    copy.write_text(text.replace("ExecStart=casfs ", f"ExecStart={sys.executable} -m casfs "))
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_others_see_the_mount_of_the_service() -> None:
    assert OWN_NAMESPACE.findall((UNITS / "casfs@.service").read_text()) == []


def test_service_is_active_when_the_mount_answers_and_no_key_is_in_it() -> None:
    text = (UNITS / "casfs@.service").read_text()
    assert "\nType=notify\n" in text
    assert "\nLoadCredential=casfs:/etc/casfs/%i.credentials\n" in text
    assert "SECRET" not in text


def test_service_is_not_begun_again_where_that_cannot_help() -> None:
    text = (UNITS / "casfs@.service").read_text()
    assert "\nRestart=on-failure\n" in text
    assert f"\nRestartPreventExitStatus={EX_CONFIG}\n" in text
