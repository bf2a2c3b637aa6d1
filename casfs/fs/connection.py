"""What casfs agrees on with the kernel at init, over libfuse 3."""

from typing import Any

from casfs.fs.options import BACKGROUND_REQUESTS, CONGESTED_REQUESTS, READ_BYTES

ASYNC_READ = 1 << 0
AUTO_INVAL_DATA = 1 << 12
"""Source: libfuse, include/fuse_common.h, FUSE_CAP_*."""


def agree(connection: Any) -> None:
    """Set what casfs wants of the kernel in libfuse's ``fuse_conn_info``."""
    # With it every read out of the page cache would ask for the attributes first. Outputs do not change; a size
    # that was corrected is told by the next getattr, and the kernel drops the pages then all the same.
    connection.want &= ~AUTO_INVAL_DATA
    connection.max_readahead = READ_BYTES
    connection.max_background = BACKGROUND_REQUESTS
    connection.congestion_threshold = CONGESTED_REQUESTS
