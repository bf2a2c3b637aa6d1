"""The accounts behind the file systems of this process: one for all that have the same options.

fsspec makes an instance a thread. Each with a cache and connections of its own would fetch the same blocks again, and
take as many times the memory that it was allowed.
"""

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Mapping

from casfs.errors import CasfsError
from casfs.library import Account

Options = Mapping[str, str | None]
Connect = Callable[[], Account]


class SharedAccount:
    """An account that is made when it is asked for first, and closed once no file system holds it.

    Threads: any.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._account: Account | None = None

    def get(self) -> Account:
        """Return the account.

        Raises:
            ConfigError, CredentialsError: it cannot be made, and why.
        """
        if (account := self._account) is not None:
            return account
        made = self._connect()
        with self._lock:
            if self._account is None:
                self._account = made
                weakref.finalize(self, _close_aside, made).atexit = False
            return self._account

    def close(self) -> None:
        """Close the account; whoever asks next gets a new one."""
        with self._lock:
            account, self._account = self._account, None
        if account is not None:
            account.close()

    def begin_anew(self) -> None:
        """Go on in a child of fork, where nobody holds the lock that another thread held."""
        self._lock = threading.Lock()


class SharedAccounts:
    """Those in use, by what they were made of.

    Threads: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: weakref.WeakValueDictionary[str, SharedAccount] = weakref.WeakValueDictionary()
        os.register_at_fork(after_in_child=self._begin_anew)

    def of(self, options: Options, connect: Connect) -> SharedAccount:
        """Return the one for *options*, which *connect* will make if there is none."""
        key = repr(sorted(options.items()))
        with self._lock:
            return self._accounts.setdefault(key, SharedAccount(connect))

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        for shared in list(self._accounts.values()):
            shared.begin_anew()


def _close_aside(account: Account) -> None:
    """Close an account on a thread of its own: whoever collects garbage may hold a lock that closing needs."""
    with contextlib.suppress(RuntimeError, MemoryError):  # no thread is to be had: then it ends with the process
        threading.Thread(target=_close, args=(account,), name="casfs-close", daemon=True).start()


def _close(account: Account) -> None:
    with contextlib.suppress(CasfsError):  # of files that nobody holds any more
        account.close()
