"""What casfs agrees on with the kernel at init, over libfuse 3.

Weighed and left out, by the speed of 512 MiB out of memory in reads of 1 MiB and the processor time of the mount:

- FOPEN_DIRECT_IO: 3 to 5 GB/s instead of 2 to 3.4, and 0.26 s a GB instead of 0.31; but no page cache, out of which a
  second read has 10 GB/s, no shared mmap, and a callback for each small read.
- ``read_buf`` from a memfd, spliced to the kernel: 0.3 to 1.1 GB/s, 0.77 s a GB, with SPLICE_MOVE or without. Its pages
  are remapped one by one, and the copy that it saves runs at 10 GB/s.
- Synchronous reads, see ``interrupts``: half the speed.

Source: measured on Linux 6.18 with libfuse 3.14 on 2 busy cores, 2026-11-20. READDIRPLUS with attributes was left out
without a measurement: the kernel would ask for them again, since none may be remembered.
"""

from typing import Any

from casfs.fs.options import BACKGROUND_REQUESTS, CONGESTED_REQUESTS, READ_BYTES

AUTO_INVAL_DATA = 1 << 12
PARALLEL_DIROPS = 1 << 18
"""Source: libfuse, include/fuse_common.h, FUSE_CAP_*."""


def agree(connection: Any) -> None:
    """Set what casfs wants of the kernel in libfuse's ``fuse_conn_info``."""
    # With it every read out of the page cache would ask for the attributes first. Outputs do not change; a size
    # that was corrected is told by the next getattr, and the kernel drops the pages then all the same.
    connection.want &= ~AUTO_INVAL_DATA
    # Without it the kernel looks up one new name of a directory at a time and does not read it meanwhile: one job of
    # which the service says nothing holds up its vault. libfuse passes it on since 3.17. Source: its pull request 861.
    connection.want |= connection.capable & PARALLEL_DIROPS
    connection.max_readahead = READ_BYTES
    connection.max_background = BACKGROUND_REQUESTS
    connection.congestion_threshold = CONGESTED_REQUESTS
