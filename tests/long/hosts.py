"""A cluster of hosts, each a network namespace with a link of its own to the service, the scheduler and the command."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.mounting import wait_until
from tests.network.namespace import own_network, run

HERE = "10.9.0.1"
"""Where service, scheduler and command are."""
ADDRESS = f"tcp://{HERE}:8786"


@dataclass
class Host:
    """A worker, and the link that it has.

    Attributes:
        number: of the host, from 1 on.
        network: a process that holds its namespace.
        worker: that runs there.
    """

    number: int
    network: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]

    def cut(self) -> None:
        """Let nothing through."""
        run("ip", "link", "set", f"h{self.number}", "down")

    def mend(self) -> None:
        """Let everything through again."""
        run("ip", "link", "set", f"h{self.number}", "up")


@dataclass
class Hosts:
    """The cluster.

    Attributes:
        folder: for what its processes say.
        env: of the workers.
        all: its hosts.
        scheduler: that runs now.
    """

    folder: Path
    env: dict[str, str]
    all: list[Host] = field(default_factory=list)
    scheduler: subprocess.Popen[bytes] | None = None

    def begin_scheduler(self) -> None:
        """Start a scheduler, in place of the one that there was; without any keys."""
        bare = {name: value for name, value in self.env.items() if not name.startswith(("CASFS_", "AWS_"))}
        self.scheduler = self._begin("scheduler", ["--host", HERE, "--port", "8786", "--no-dashboard"], [], bare)
        wait_until(lambda: "Scheduler at" in self.said("scheduler"), "the scheduler is there")

    def kill_scheduler(self) -> None:
        """Take the scheduler away."""
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def add(self, rate: str) -> Host:
        """Add a host whose link has a rate, in the words of tc, in either direction."""
        number = len(self.all) + 1
        network = link(number, rate)
        inside = within(network)
        options = [ADDRESS, "--nthreads", "8", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder)]
        host = Host(number, network, self._begin("worker", options, inside, self.env))
        self.all.append(host)
        return host

    def said(self, what: str) -> str:
        """Return what the processes of a kind have said."""
        return "".join(path.read_text("utf-8", "replace") for path in self.folder.glob(f"{what}-*.log"))

    def close(self) -> None:
        """End every process."""
        ended = [each for host in self.all for each in (host.worker, host.network)]
        for process in [*ended, *([] if self.scheduler is None else [self.scheduler])]:
            process.kill()
            process.wait()

    def _begin(self, what: str, options: list[str], inside: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [*inside, sys.executable, "-m", "dask", what, *options]
        log = self.folder / f"{what}-{len(list(self.folder.glob(f'{what}-*.log')))}.log"
        with log.open("wb") as said:
            return subprocess.Popen(command, env=env, stdout=said, stderr=said)


def link(number: int, rate: str) -> subprocess.Popen[bytes]:
    """Make a network namespace with a link of a rate to this thread's, and return the process that holds it."""
    network = subprocess.Popen(["unshare", "-n", "sleep", "inf"])
    wait_until(lambda: _is_apart(network.pid), "the host has a network of its own")
    run("ip", "link", "add", f"h{number}", "type", "veth", "peer", "name", "eth0", "netns", str(network.pid))
    run("ip", "addr", "add", f"10.9.{number}.1/24", "dev", f"h{number}")
    run("ip", "link", "set", f"h{number}", "up")
    for command in (
        f"ip addr add 10.9.{number}.2/24 dev eth0",
        "ip link set lo up",
        "ip link set eth0 up",
        f"ip route add default via 10.9.{number}.1",
        f"tc qdisc add dev eth0 root tbf rate {rate} burst 256k latency 200ms",
    ):
        run(*within(network), *command.split())
    run("tc", *f"qdisc add dev h{number} root tbf rate {rate} burst 256k latency 200ms".split())
    return network


def within(network: subprocess.Popen[bytes]) -> list[str]:
    """Return what a command begins with that is to run in a network."""
    return ["nsenter", "-t", str(network.pid), "-n"]


def _is_apart(process: int) -> bool:
    """Say whether a process is in a network namespace that is not this thread's."""
    return Path(f"/proc/{process}/ns/net").stat().st_ino != Path("/proc/thread-self/ns/net").stat().st_ino


@contextlib.contextmanager
def hosts(folder: Path, env: dict[str, str]) -> Iterator[Hosts]:
    """Run a scheduler, and no hosts yet, in a network of this thread's own."""
    folder.mkdir()
    with own_network():
        run("ip", "addr", "add", f"{HERE}/32", "dev", "lo")
        found = Hosts(folder, env)
        try:
            found.begin_scheduler()
            yield found
        finally:
            found.close()
