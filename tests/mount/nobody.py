"""Scripts that a user runs who is not root, in a mount namespace whose /dev/fuse is for everybody."""

import subprocess
import sys
from collections.abc import Callable

AS_NOBODY = """
mount -t tmpfs none /dev
mknod -m 666 /dev/fuse c 10 229
mknod -m 666 /dev/null c 1 3
python=$1
user=$2
before=$3
options=$4
shift 4
case $python in /root/*)
    mkdir /dev/python
    mount --bind "$python" /dev/python
    mount -t tmpfs -o mode=755 none /root
    mkdir -p "$python"
    mount --bind /dev/python "$python"
esac
eval "$before"
exec setpriv --reuid $user --regid $user --clear-groups $options -- sh -euc "$0" sh "$@"
"""
"""An interpreter in root's home, where pyenv has it, is let out of there. Before the script begins, root runs *before*
in the namespace; *options* are of setpriv."""
NOBODY = 65534
UNKNOWN = 54321
"""A user without an entry in passwd."""
MOUNT = (sys.executable, "-m", "casfs", "mount")
Run = Callable[..., subprocess.CompletedProcess[str]]
