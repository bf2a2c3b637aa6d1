"""The units: what systemd itself says of them, and what no check of its own finds."""

import re
import shutil
import subprocess
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
    for other in UNITS.iterdir():
        shutil.copy(other, tmp_path / other.name.replace("@.", "@ap-chengdu."))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.replace("@.", "@ap-chengdu."))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


EXPOSURE = 4.0
"""As docs/operate.md tells; what FUSE forbids stands there too."""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_service_is_confined_as_far_as_fuse_lets_it() -> None:
    unit = str(UNITS / "casfs@.service")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE * 10:.0f}", unit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    assert f"Overall exposure level for casfs@i.service: {EXPOSURE}" in done.stdout
    assert f"gives it {EXPOSURE}, " in (UNITS.parent / "docs" / "operate.md").read_text()


@pytest.mark.parametrize(
    ("instance", "arguments"),
    [
        ("ap-chengdu", ["ap-chengdu:", "/mnt/ap-chengdu"]),
        ("ap-chengdu:backups", ["ap-chengdu:backups", "/mnt/ap-chengdu:backups"]),
    ],
)
def test_instance_is_a_source_with_a_vault_or_without(instance: str, arguments: list[str], tmp_path: Path) -> None:
    (line,) = re.findall(r"^ExecStart=sh -c '(.*)' %i$", (UNITS / "casfs@.service").read_text(), re.MULTILINE)
    (tmp_path / "casfs").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "casfs").chmod(0o755)
    command = ["sh", "-c", line.replace("$$", "$"), instance]
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines() == ["mount", "--foreground", *arguments]


def test_others_see_the_mount_of_the_service() -> None:
    assert OWN_NAMESPACE.findall((UNITS / "casfs@.service").read_text()) == []


def test_service_is_active_when_the_mount_answers_and_no_key_is_in_it() -> None:
    text = (UNITS / "casfs@.service").read_text()
    assert "\nType=notify\n" in text
    assert "\nLoadCredential=casfs:/etc/casfs/%i.credentials\n" in text
    assert "\nWantedBy=remote-fs.target\n" in text
    assert "SECRET" not in text


def test_service_is_not_begun_again_where_that_cannot_help() -> None:
    text = (UNITS / "casfs@.service").read_text()
    assert "\nRestart=on-failure\n" in text
    assert f"\nRestartPreventExitStatus={EX_CONFIG}\n" in text
