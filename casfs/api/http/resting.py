"""Connections that rest between two requests: none is known to be alive, since what forgets one does not say so."""

import http.client
import math
import socket
import time
from collections.abc import Callable
from typing import Any

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from casfs.api.http.connecting import connect, expect_to_be_heard
from casfs.api.http.tls import TlsSocket

LONGEST_REST_S = 20.0
"""A connection that rested longer is not used again: balancers and address translators forget one that is idle for 60
to 350 s (AWS 60 and 350, Azure 240, nginx 75), the hasty ones after 30. A new one costs two or three round trips."""


class RestingConnection(HTTPConnection):
    """A connection that may rest.

    Attributes:
        rested_s: since when it rests, or rested last, by the clock of its pool.
    """

    rested_s = -math.inf

    def _new_conn(self) -> socket.socket:
        """Open the connection, in the time that there is for all addresses of the host."""
        try:
            connected = connect(self._dns_host, self.port, self.timeout or 0)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "nobody answers") from error
        except OSError as error:
            raise NewConnectionError(self, "nobody listens") from error
        for option in self.socket_options or ():
            connected.setsockopt(*option)
        return connected


class RestingPool(HTTPConnectionPool):
    """A pool that uses no connection again which rested for long, or rested when another one turned out to be broken.

    Attributes:
        clock: monotonic seconds.
    """

    clock: Callable[[], float] = staticmethod(time.monotonic)
    _broke_s = -math.inf

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection: Any = super()._get_conn(timeout)
        if not connection.is_closed:
            if connection.rested_s <= max(self._broke_s, self.clock() - LONGEST_REST_S):
                connection.close()  # and opened anew by its next request
            elif isinstance(connection.sock, TlsSocket) and connection.sock.has_more:
                connection.close()  # it goes on behind the end of a response
            elif isinstance(connection.sock, socket.socket | TlsSocket):
                expect_to_be_heard(connection.sock)
        return connection

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.rested_s = self.clock()
        super()._put_conn(conn)

    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> BaseHTTPResponse:
        rested = not conn.is_closed
        try:
            return super()._make_request(conn, *args, **kwargs)
        except (HTTPError, http.client.HTTPException, OSError):
            if rested:
                self._broke_s = self.clock()
            raise
