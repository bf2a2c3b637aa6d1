"""Who asks, for as long as nobody else does: another signer can take the place of the one before."""

from collections.abc import Mapping

from casfs.api.operations import Request
from casfs.api.providers.provider import Signer


class _Signed(dict[str, str]):
    """What was added to a request, and by whom."""

    def __init__(self, headers: Mapping[str, str], signer: Signer) -> None:
        super().__init__(headers)
        self.signer = signer


class CurrentSigner:
    """A ``Signer`` in whose place another can come.

    Args:
        signer: the first.

    Threads: any.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._former: Signer | None = None

    def become(self, signer: Signer) -> None:
        """Sign as *signer* does from now on."""
        self._signer, self._former = signer, self._signer

    def headers(self, request: Request, host: str, now_s: float) -> Mapping[str, str]:
        """Return what is added to *request*, as ``Signer.headers``."""
        signer = self._signer
        return _Signed(signer.headers(request, host, now_s), signer)

    def renewed(self, sent: Mapping[str, str]) -> bool:
        """Say whether the next request will be signed with others than *sent* was, as ``Signer.renewed``."""
        signer = self._signer
        return (isinstance(sent, _Signed) and sent.signer is not signer) or signer.renewed(sent)

    def secrets(self) -> tuple[str, ...]:
        """Return the strings that no message may hold: those before too, which an answer may still be about."""
        former = () if self._former is None else self._former.secrets()
        return self._signer.secrets() + former
