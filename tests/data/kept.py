"""An output that is kept on disk, and the steps that most tests of that take."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from casfs.data.fetch.disk_cache import DiskCache
from casfs.data.outputs import Outputs
from casfs.data.settings import Verify
from casfs.models import Output
from tests.data.service import MIB, Service, archive, mounted, read, sample, settings, until

DATA = sample(12 * MIB + 5)
OUTPUT = archive(DATA)
WORK = ThreadPoolExecutor(4)
Opened = Callable[[], DiskCache]


def whole(outputs: Outputs, output: Output) -> bytes:
    reader = outputs.open(output)
    try:
        return read(reader, 0, reader.size)
    finally:
        reader.close()


def fill(disk: DiskCache, data: bytes = DATA, output: Output | None = None, verify: Verify = Verify.AUTO) -> None:
    """Read an output once, and wait until it is kept."""
    output = output or archive(data)
    with mounted(Service({output.job: data}), settings(verify=verify), disk=disk) as outputs:
        assert whole(outputs, output) == data
        until(lambda: str(outputs.cached(output)) == "whole")
