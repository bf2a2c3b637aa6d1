"""The figures of a mount for Prometheus, at a port of this machine.

The only module that imports prometheus-client, with the extra ``metrics``, and it is imported for whoever asks for it.
Source: Prometheus, "Metric and label naming", "Writing exporters".
"""

import errno
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from casfs.errors import ConfigError
from casfs.stats import BOUNDS_S, Stats, Times

MAX_SCRAPES = 8
"""Connections at once; the next ones are closed: nobody may fill the mount with threads."""
SCRAPE_S = 10.0
"""How long a connection may say nothing: Prometheus' own default for a whole scrape."""

PASSING = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, socket.EAI_AGAIN)
"""What keeps a port from being had for a while: its last user has not ended, or the network is not up yet."""

COUNTERS = {
    "casfs_fetched_bytes": ("bytes_fetched", "Bytes of outputs that came from the service."),
    "casfs_read_bytes": ("bytes_read", "Bytes that programs read."),
    "casfs_block_misses": ("cache_misses", "Blocks that a read found neither in memory nor on their way."),
    "casfs_prefetched_blocks": ("prefetched_blocks", "Blocks that were asked for ahead of reads."),
    "casfs_prefetch_unused_blocks": ("prefetch_unused_blocks", "Those of them that nobody read."),
    "casfs_prefetched_outputs": ("prefetched_outputs", "Outputs that were asked for before they were opened."),
    "casfs_prefetch_unused_outputs": ("prefetch_unused_outputs", "Those of them that were given up unread."),
    "casfs_verified_blocks": ("blocks_verified", "Blocks that met a hash of the service."),
    "casfs_hash_mismatches": ("hash_mismatches", "Answers of which bytes and hash did not belong together."),
    "casfs_retries": ("retries", "Requests that were made again."),
    "casfs_throttled": ("throttled", "Answers that asked for fewer requests."),
    "casfs_errors": ("errors", "Failures, each after its last try."),
    "casfs_disk_written_blocks": ("disk_blocks_written", "Blocks that the cache on disk took."),
    "casfs_disk_skipped_blocks": ("disk_blocks_skipped", "Blocks that it did not, since the disk is slow or full."),
    "casfs_disk_damaged_blocks": ("disk_blocks_damaged", "Blocks that were not what was written there."),
}
"""By the name that Prometheus has: that of ``user.cas.stats``, and what it is."""

GAUGES = {
    "casfs_requests_in_flight": ("in_flight", "Requests for outputs that are on their way."),
    "casfs_memory_cache_bytes": ("cache_bytes", "Memory that blocks take."),
    "casfs_disk_failing": ("disk_fails", "Whether the cache on disk is not used since the disk fails."),
}


class Figures(Collector):
    """What is told, as of the moment of a scrape. Nobody is asked who could hang.

    Args:
        stats: of the mount.
        more: what else can be told: values by name, each a gauge with its help; None is left out.
    """

    def __init__(self, stats: Stats, more: Callable[[], dict[str, tuple[float | None, str]]]) -> None:
        self._stats = stats
        self._more = more

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering it asks for nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        figures: dict[str, Any] = self._stats.snapshot()
        for name, (ours, text) in COUNTERS.items():
            yield CounterMetricFamily(name, text, value=figures[ours])
        for name, (ours, text) in GAUGES.items():
            yield GaugeMetricFamily(name, text, value=figures[ours])
        hits = CounterMetricFamily("casfs_block_hits", "Blocks that were there, by place.", labels=["place"])
        hits.add_metric(["memory"], figures["cache_hits"])
        hits.add_metric(["disk"], figures["disk_blocks_read"])
        yield hits
        yield from self._exchanges()
        for name, (value, text) in self._more().items():
            if value is not None:
                yield GaugeMetricFamily(name, text, value=value)

    def _exchanges(self) -> Iterator[Metric]:
        found = self._stats.exchanges()
        help_text = "Requests that ended, by operation and HTTP status; none where no answer came."
        requests = CounterMetricFamily("casfs_requests", help_text, labels=["operation", "code"])
        for (operation, code), count in found.answers.items():
            requests.add_metric([operation, code], count)
        yield requests
        help_text = "How long requests took, their bodies included."
        took = HistogramMetricFamily("casfs_request_duration_seconds", help_text, labels=["operation"])
        for operation, times in found.requests.items():
            took.add_metric([operation], _buckets(times), times.sum_s)
        yield took
        help_text = "How long reads took, by what came of them: ok, or the name of an errno."
        reads = HistogramMetricFamily("casfs_read_duration_seconds", help_text, labels=["code"])
        for code, times in found.reads.items():
            reads.add_metric([code], _buckets(times), times.sum_s)
        yield reads


def _buckets(times: Times) -> list[tuple[str, float]]:
    total, buckets = 0, list[tuple[str, float]]()
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), times.counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets


class MetricsServer(ThreadingHTTPServer):
    """Answers scrapes.

    Threads: one of its own from ``begin`` on, and one a connection; daemons all. ``close`` ends the first, and what the
    others are at ends within SCRAPE_S, or with the process.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], figures: Figures) -> None:
        """Have the port.

        Raises:
            ConfigError: it cannot be had.
        """
        host, port = place
        self.address_family = _family(host)
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(figures)
        self._free = threading.BoundedSemaphore(MAX_SCRAPES)
        self._thread: threading.Thread | None = None
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            refused = ConfigError(f"metrics: {host}:{port} cannot be had: {error}")
            refused.may_pass = isinstance(error, OSError) and error.errno in PASSING
            raise refused from error

    def server_bind(self) -> None:
        """Have the port, without asking the network for the name of this machine, as the class above does."""
        socketserver.TCPServer.server_bind(self)

    def begin(self) -> None:
        """Answer from now on."""
        self._thread = threading.Thread(target=self.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the port back."""
        if self._thread is not None:
            self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer one connection on a thread, unless there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection, and leave its place to the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever scrapes may go when it likes."""


class Handler(BaseHTTPRequestHandler):
    """One scrape."""

    server: MetricsServer
    timeout = SCRAPE_S
    server_version = "casfs"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with every figure, or that there is nothing else."""
        if self.path.partition("?")[0] not in ("/metrics", "/"):
            self.send_error(404)
            return
        encode, kind = choose_encoder(self.headers.get("Accept", ""))
        body = encode(self.server.registry)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing: a scrape comes every few seconds."""


def _family(host: str) -> Any:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
