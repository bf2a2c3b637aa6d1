"""docs/drain.md, done as it is written."""

import re
import subprocess
from pathlib import Path

from casfs.emulator.content import InMemory
from tests.checkout import examples
from tests.data.service import sample
from tests.drain.vaults import SECRET, VAULT, serving
from tests.mounting import environment
from tests.providers import state_of

ARCHIVES = {
    "/etc/hosts": 24,
    "photos/2014/a.jpg": (1 << 20) + 4,
    "photos/2014/b.jpg": (1 << 20) + 5,
    "../secret": 1 << 20,
}
POLL = 0.1
"""In place of five minutes: jobs of the emulator take no hours."""


def test_the_runbook_does_what_it_says(tmp_path: Path, programs: Path) -> None:
    state = state_of("cas")
    state.job_takes_s = 0.0
    state.add_vault(VAULT, inventory_s=state.clock())
    for number, (description, size) in enumerate(ARCHIVES.items()):
        state.add_archive(VAULT, InMemory(sample(size)), description, archive_id=f"{number}" * 128)
    commands = examples("docs/drain.md")
    assert len(commands) == 11
    with serving(state, "cas", tmp_path) as vault:
        settings = tmp_path / ".config" / "casfs"
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text(f'[ap-chengdu]\nendpoint = "{vault.server.url}"\n')
        env = environment(tmp_path, "id", SECRET) | {"PATH": f"{programs}:/usr/bin:/bin"}
        parts = [as_run(command, printed) for command, printed in commands]
        script = "".join(f"{{ {command}\n}} 2>&1; printf '\\0'\n" for command, _ in parts)
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=env, capture_output=True, timeout=240, check=True)
    for (command, expected), printed in zip(parts, done.stdout.decode().split("\0"), strict=False):
        pattern = re.escape(expected).replace("…", "(?s:.*)")
        assert re.fullmatch(pattern, printed), f"$ {command}\n{printed}"


def as_run(command: str, printed: str) -> tuple[str, str]:
    """Return a command with the lines that go on with it, and with the poll of a test, and what it prints."""
    lines = printed.splitlines(keepends=True)
    more = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    command = "\n".join([command, *(line.rstrip("\n") for line in more)])
    return command.replace("casfs drain --yes", f"casfs drain --poll {POLL} --yes"), "".join(lines[len(more) :])
