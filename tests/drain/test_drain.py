"""Everything out of a vault, by the real command."""

import json
from pathlib import Path

from tests.drain.vaults import serving, vault_of
from tests.providers import EVERY_PROVIDER

HOSTILE = (
    "a/b", "A/B", "a", "../x", "..", "/etc/passwd", "", "MANIFEST.jsonl", "con.txt", "x\\y:z", "\ud800q", "é",
    "e\u0301", "a\0b", "n" * 700, "/".join("d" * 90), ".casfs-part/x",
    "tail. ", "line\nend", "\u202egnp.exe", "manifest.JSONL/x",
)  # fmt: skip
DESCRIPTIONS = (*HOSTILE, *(f"photos/{number}.jpg" for number in range(150 - len(HOSTILE))))


@EVERY_PROVIDER
def test_every_archive_gets_out_under_a_safe_name_with_its_bytes_and_its_hash(provider: str, tmp_path: Path) -> None:
    with serving(vault_of(provider, DESCRIPTIONS), provider, tmp_path) as vault:
        done = vault.drain()
        assert done.returncode == 0, done.stderr
        vault.check()
        assert vault.retrievals() == len(DESCRIPTIONS)
        assert not (vault.out / ".casfs-part").exists()
        assert {path.name for path in tmp_path.iterdir()} <= {"out", "ledger", "ledger.lock", "log-of-mounts"}

        vault.server.journal.clear()
        again = vault.drain("--json")
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout) == {
            "event": "result", "archives": len(DESCRIPTIONS), "bytes": sum(line["size"] for line in vault.manifest()),
            "missing": 0,
        }  # fmt: skip
        assert vault.server.requests == []
