"""Runs scripts that come over a serial line, in the machine that a test has booted; run as a script, it is that.

A line is a script in base64; the answer is its exit status and what it printed, in base64.
"""

import base64
import os
import subprocess
import tty

LINE = "/dev/ttyS1"


def serve() -> None:
    """Run what comes, one after the other."""
    fd = os.open(LINE, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    os.write(fd, b"ready\n")
    with open(fd, "rb", buffering=0, closefd=False) as lines:
        for line in lines:
            command = ["sh", "-euc", base64.b64decode(line).decode()]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
            answer = b"%d %s\n" % (done.returncode, base64.b64encode(done.stdout))
            while answer:
                answer = answer[os.write(fd, answer) :]


if __name__ == "__main__":
    serve()
