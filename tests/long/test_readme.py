"""What the READMEs tell, word for word, by root and by a user of a fresh Debian 12."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from casfs.emulator.dialect import CAS
from tests.checkout import ROOT
from tests.long.debian import MAKE_S, RUN_S, Debian, why_not

SECRET_ID, SECRET_KEY = CAS.sample_key

CHECKOUT = "/srv/casfs"
NO_PART_OF_IT = (".git", ".venv", ".hypothesis", ".*_cache", "__pycache__", "liblanes*", "dist")
"""Of what is in a checkout when somebody works in it."""
ARCHIVE = (bytes(range(251)) * (1 << 14))[:3_000_007]
pytestmark = [pytest.mark.long, pytest.mark.timeout(MAKE_S + 2 * RUN_S)]

SERVICE = """
: >/tmp/service
casfs emulate --root /srv/vaults >/tmp/service &
until [ "$(wc -l </tmp/service)" = 2 ]; do sleep 0.1; done
rm -rf /etc/casfs /home/alice/.config/casfs
mkdir /etc/casfs
printf '[ap-chengdu]\\nendpoint = "%s"\\n' "$(sed -n 's/^casfs mount \\(.*\\) MOUNTPOINT/\\1/p' /tmp/service)" \
    >/etc/casfs/config.toml
"""
"""Runs the service; the region that the READMEs mount becomes a profile with its address."""
KEYS = f"""
secret_id = "{SECRET_ID}"
secret_key = "{SECRET_KEY}"
"""


def blocks(name: str, after: str) -> list[str]:
    """Return what is to be typed, of a README, from some words up to the next heading."""
    text = (ROOT / name).read_text(encoding="utf-8").partition(after)[2].partition("\n## ")[0]
    found = re.findall(r"(?:^ {4}.+\n)+", text, re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in found]


PACKAGES, AS_ROOT, AS_USER = blocks("README.md", "\n## Installing\n")
(MOUNTING,) = blocks("README.md", "\n## Mounting\n")
FSTAB, MANUAL, SYSTEMD, UPDATEDB = blocks("contrib/README.md", "`mount -t casfs`")


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    """Make the root, with a user, a checkout of root's and one of the user's, vaults; and install for everybody."""
    if reason := why_not():
        pytest.skip(reason)
    made = Debian(tmp_path_factory.mktemp("debian") / "root")
    try:
        made.make()
        shutil.copytree(ROOT, made.root / CHECKOUT[1:], ignore=shutil.ignore_patterns(*NO_PART_OF_IT))
        made.run(f"chown -R root: {CHECKOUT}; mkdir -p /srv/vaults/backups")
        made.run(
            f"useradd --create-home --shell /bin/bash alice; cp -r {CHECKOUT} ~alice; chown -R alice: ~alice/casfs"
        )
        (made.root / "srv/vaults/backups/first.tar").write_bytes(ARCHIVE)
        made.run(f"cd {CHECKOUT}\n{PACKAGES}{AS_ROOT}")
        yield made
    finally:
        made.remove()


def with_keys(script: str) -> str:
    """Return a script with a key in the place of the dots."""
    known = script.replace("SECRET_ID=…", f"SECRET_ID={SECRET_ID}").replace("SECRET_KEY=…", f"SECRET_KEY={SECRET_KEY}")
    assert (known.count(SECRET_ID), "…" in known) == (1, False)
    return known


def copies(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("output") if path.stat().st_size == len(ARCHIVE)]


def as_user(script: str) -> str:
    """Return a script of root's that has alice run another one."""
    return f"cat >/tmp/script <<'END'\nset -eu\n{script}\nEND\nsu - alice -c 'sh /tmp/script'"


def test_root_mounts_reads_and_unmounts(debian: Debian) -> None:
    mounts = debian.run(f"{SERVICE}\n{with_keys(MOUNTING)}\ncat /proc/self/mounts")
    assert copies(debian.root / "root/restored") == [ARCHIVE]
    assert "casfs" not in mounts


def test_user_installs_mounts_reads_and_unmounts(debian: Debian) -> None:
    debian.run(f"cd {CHECKOUT}\n{AS_USER}", user="alice")
    assert debian.run("command -v casfs", user="alice") == "/home/alice/.local/bin/casfs\n"
    lanes = "~/.local/share/casfs/bin/python -c 'from casfs.data.hashing import lanes; print(lanes.is_compiled())'"
    assert debian.run(lanes, user="alice") == debian.run(lanes.replace("~/.local/share", "/opt"))
    mounts = debian.run(f"{SERVICE}\n{as_user(with_keys(MOUNTING))}\ncat /proc/self/mounts")
    assert copies(debian.root / "home/alice/restored") == [ARCHIVE]
    assert "casfs" not in mounts


def test_lines_of_fstab_mount_for_root_and_for_a_user(debian: Debian) -> None:
    (debian.root / "etc/fstab").write_text(FSTAB)
    keys = f"cat >>/etc/casfs/config.toml <<'END'\n{KEYS}\nEND\nchmod 600 /etc/casfs/config.toml"
    by_root = """
    mkdir -p /mnt/archive
    mount /mnt/archive
    cp -r /mnt/archive /root/by-fstab
    getfattr -d /mnt/archive/*/output >/dev/null
    su alice -c 'cat /mnt/archive/*/output' | wc -c
    umount /mnt/archive
    mount -t casfs -o ro ap-chengdu: /mnt/archive
    ls /mnt/archive
    umount /mnt/archive
    """
    own = "install -D -o alice -g alice -m 600 /etc/casfs/config.toml /home/alice/.config/casfs/config.toml"
    by_alice = "mkdir -p ~/archive; mount ~/archive; cp -r ~/archive/backups ~/by-fstab; umount ~/archive"
    mounts = debian.run("\n".join([SERVICE, keys, by_root, own, as_user(by_alice), "cat /proc/self/mounts"]))
    assert copies(debian.root / "root/by-fstab") == copies(debian.root / "home/alice/by-fstab") == [ARCHIVE]
    assert int(mounts.split("\n")[0]) > len(ARCHIVE)
    assert mounts.split("\n")[1] == "backups"
    assert "casfs" not in mounts


def test_systemd_takes_the_units_from_where_they_are_put(debian: Debian) -> None:
    put = SYSTEMD.partition("\n")[0]
    units = "casfs@ap-chengdu.service systemd/mnt-archive.mount"
    debian.run("apt-get install -y --no-install-recommends systemd")
    done = debian.run(f"cd {CHECKOUT}\n{put}\nsystemd-analyze verify --man=no {units} 2>&1")
    assert done == ""


def test_pages_of_the_manual_are_where_man_looks_for_them(debian: Debian) -> None:
    debian.run(f"cd {CHECKOUT}\n{MANUAL}")
    pages = {str(path.relative_to(ROOT / "contrib/man")) for path in (ROOT / "contrib/man").iterdir()}
    manual = debian.root / "usr/local/share/man"
    assert {path.name for path in manual.rglob("*") if path.is_file()} >= pages
    assert pages


def test_updatedb_leaves_out_what_is_said_to_be_left_out(debian: Debian) -> None:
    (debian.root / "etc/updatedb.conf").write_text('PRUNEFS="NFS afs tmpfs"\n')
    debian.run(UPDATEDB)
    assert (debian.root / "etc/updatedb.conf").read_text() == 'PRUNEFS="NFS afs tmpfs fuse.casfs"\n'


@pytest.mark.parametrize("script", re.findall(r"^ {4}(sh \S+)", (ROOT / "README.md").read_text(), re.MULTILINE))
def test_scripts_install_what_they_need(debian: Debian, script: str) -> None:
    few = "-x tests/config/test_values.py" if script.endswith("test.sh") else ""
    debian.run(f"cd {CHECKOUT}; {script} {few}")
    debian.run(f"cd casfs; {script} {few}", user="alice")
