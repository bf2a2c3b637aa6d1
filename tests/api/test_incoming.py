"""What arrives of a response, and the socket that it arrives at."""

import socket

from casfs.api.http.incoming import Incoming, unchecked


def test_a_socket_has_its_time_back_once_a_response_was_awaited() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(7)
        there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        response = Incoming(here)
        response.begin()
        assert here.gettimeout() == 7
        there.sendall(b"abc")
        body = memoryview(bytearray(3))
        assert response.fill(body, unchecked) == 3
        assert (bytes(body), here.gettimeout()) == (b"abc", 7)
        response.close()
