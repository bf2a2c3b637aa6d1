"""Mounts under a real systemd, in a machine of its own: started, watched, killed, reloaded, stopped, booted over."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.dialect import CAS
from tests.checkout import ROOT
from tests.long import machine as machines
from tests.long.debian import MAKE_S, Debian
from tests.long.machine import BOOT_S, RUN_S, Machine
from tests.long.test_readme import CHECKOUT, NO_PART_OF_IT

pytestmark = [pytest.mark.long, pytest.mark.timeout(2 * MAKE_S + 2 * BOOT_S + 3 * RUN_S)]

SECRET_ID, SECRET_KEY = CAS.sample_key
URL = "http://127.0.0.1:4000"
CONFIG = f"""
[ap-test]
endpoint = "{URL}"

[keys]
endpoint = "{URL}"
secret_id = "{SECRET_ID}"
secret_key = "{SECRET_KEY}"

[refused]
endpoint = "{URL}"
secret_id = "{SECRET_ID}"
secret_key = "of-another"
"""
SERVICE = """
[Unit]
Before=casfs@ap-test.service
[Service]
ExecStart=casfs emulate --port 4000
ExecStartPost=sh -c 'until casfs ls keys: >/dev/null; do sleep 1; done'
TimeoutStartSec=300
[Install]
WantedBy=multi-user.target
"""
PATIENCE = "[Manager]\nDefaultTimeoutStartSec=600\nDefaultTimeoutStopSec=300\n"
"""A processor that is emulated, on a machine that is busy, takes its time."""
AUTOMOUNT = "_netdev,nofail,noauto,x-systemd.automount,allow_other,block-cache-size=64M"
"""As a line of fstab has it."""
WATCHED = "[Service]\\nWatchdogSec=30\\n"
VAULTS = "empty\nledger\nphotos\n"


def until(condition: str) -> str:
    """Return a script that waits for a condition, and fails where it does not come."""
    return f"for _ in $(seq 300); do ! {{ {condition}; }} >/dev/null 2>&1 || exit 0; sleep 1; done; exit 1"


def shown(unit: str, name: str) -> str:
    return f"systemctl show --value -p {name} {unit}"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Make a machine with casfs in it, and a service for it to mount."""
    if reason := machines.why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("machine")
    made = Debian(folder / "root")
    try:
        made.make()
        shutil.copytree(ROOT, made.root / CHECKOUT[1:], ignore=shutil.ignore_patterns(*NO_PART_OF_IT))
        made.run(f"apt-get update -qq; apt-get install -qq -y --no-install-recommends {machines.PACKAGES}")
        made.run(
            f"cd {CHECKOUT}; python3 -m venv /opt/casfs; /opt/casfs/bin/pip install -q ."
            "; ln -s /opt/casfs/bin/casfs /usr/local/bin/; ln -s /opt/casfs/bin/mount.casfs /sbin/"
        )
        install(made.root)
        made.run("systemctl enable archive.service casfs@ap-test.service")
        yield Machine(made, folder)
    finally:
        made.remove()


def install(root: Path) -> None:
    """Put the unit, and what it reads, where its head says."""
    units = root / "etc/systemd/system"
    shutil.copy(ROOT / "systemd/casfs@.service", units)
    (units / "archive.service").write_text(SERVICE)
    (root / "etc/systemd/system.conf.d").mkdir(exist_ok=True)
    (root / "etc/systemd/system.conf.d/slow.conf").write_text(PATIENCE)
    folder = root / "etc/casfs"
    folder.mkdir()
    files = {"config.toml": CONFIG, "ap-test.credentials": f'secret_id = "{SECRET_ID}"\nsecret_key = "{SECRET_KEY}"\n'}
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def test_life_of_mounts_under_systemd(machine: Machine) -> None:
    with machine.booted():
        is_there_after_the_boot(machine)
        says_how_it_is_and_is_reloaded(machine)
        takes_vaults_and_keys_of_the_profile(machine)
        is_not_tried_again_with_a_refused_key(machine)
        is_mounted_again_when_it_was_killed(machine)
        is_killed_when_it_answers_nothing(machine)
        is_mounted_at_the_first_access(machine)
        ends_when_it_is_stopped(machine)
    with machine.booted():
        is_there_after_the_boot(machine)
        assert machine.run("ls /mnt/auto") == VAULTS


def is_there_after_the_boot(machine: Machine) -> None:
    machine.run(until("systemctl is-active casfs@ap-test && systemctl is-active remote-fs.target"))
    assert machine.run("ls /mnt/ap-test") == VAULTS
    assert "credentials from /run/credentials/casfs@ap-test.service/casfs" in machine.run("journalctl -u casfs@ap-test")


def says_how_it_is_and_is_reloaded(machine: Machine) -> None:
    assert re.match(r"3 vaults, 0 outputs open, ", machine.run(shown("casfs@ap-test", "StatusText")))
    machine.run("systemctl reload casfs@ap-test")
    assert "after SIGHUP" in machine.run("journalctl -u casfs@ap-test -g SIGHUP")
    assert machine.run("systemctl is-active casfs@ap-test") == "active\n"


def takes_vaults_and_keys_of_the_profile(machine: Machine) -> None:
    machine.run("systemctl start casfs@keys casfs@keys:photos")
    assert machine.run("ls /mnt/keys") == VAULTS
    assert machine.run("ls /mnt/keys:photos") == machine.run("ls /mnt/ap-test/photos")
    machine.run("systemctl stop casfs@keys casfs@keys:photos")


def is_not_tried_again_with_a_refused_key(machine: Machine) -> None:
    machine.run("! systemctl start casfs@refused")
    assert (
        machine.run(f"{shown('casfs@refused', 'ExecMainStatus')}; {shown('casfs@refused', 'NRestarts')}") == "78\n0\n"
    )


def is_mounted_again_when_it_was_killed(machine: Machine) -> None:
    machine.run(f"kill -9 $({shown('casfs@ap-test', 'MainPID')})")
    machine.run(until(f"test $({shown('casfs@ap-test', 'NRestarts')}) -ge 1 && ls /mnt/ap-test/photos"))
    assert machine.run("grep -c ' /mnt/ap-test ' /proc/self/mounts") == "1\n"


def is_killed_when_it_answers_nothing(machine: Machine) -> None:
    machine.run(
        f"mkdir -p /run/systemd/system/casfs@ap-test.service.d; printf '{WATCHED}' "
        ">/run/systemd/system/casfs@ap-test.service.d/watched.conf; systemctl daemon-reload; "
        "systemctl restart casfs@ap-test"
    )
    stamp = machine.run(shown("casfs@ap-test", "WatchdogTimestampMonotonic")).strip()
    machine.run(until(f"test $({shown('casfs@ap-test', 'WatchdogTimestampMonotonic')}) -gt {stamp}"))
    machine.run(f"kill -STOP $({shown('casfs@ap-test', 'MainPID')})")
    machine.run(until(f"test $({shown('casfs@ap-test', 'NRestarts')}) -ge 1 && ls /mnt/ap-test/photos"))
    assert "Watchdog timeout" in machine.run("journalctl -u casfs@ap-test -g Watchdog")


def is_mounted_at_the_first_access(machine: Machine) -> None:
    key = f"CASFS_SECRET_ID={SECRET_ID} CASFS_SECRET_KEY={SECRET_KEY}"
    machine.run(f"mkdir /mnt/hand; {key} mount -t casfs -o {AUTOMOUNT} {URL} /mnt/hand")
    assert machine.run("ls /mnt/hand; umount /mnt/hand") == VAULTS
    machine.run(f"mkdir /mnt/auto; echo 'keys: /mnt/auto casfs {AUTOMOUNT} 0 0' >>/etc/fstab; systemctl daemon-reload")
    machine.run("systemctl restart remote-fs.target; systemctl is-active mnt-auto.automount")
    assert machine.run("grep ' /mnt/auto ' /proc/self/mounts | cut -d ' ' -f 3") == "autofs\n"
    assert machine.run("ls /mnt/auto") == VAULTS
    assert machine.run("grep ' /mnt/auto ' /proc/self/mounts | cut -d ' ' -f 3") == "autofs\nfuse.casfs\n"
    machine.run("kill -9 $(pgrep -o -f 'mount.casfs.* /mnt/auto ')")
    machine.run(until("ls /mnt/auto/photos"))


def ends_when_it_is_stopped(machine: Machine) -> None:
    machine.run("systemctl stop casfs@ap-test")
    assert machine.run(f"{shown('casfs@ap-test', 'Result')}; ls -A /mnt/ap-test") == "success\n"
