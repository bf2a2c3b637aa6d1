"""What the leaves of an output, and what is known beside them, come to."""

from casfs.data.hashing.leaves import Leaves
from casfs.models import Verification, VerificationState


def verification_of(leaves: Leaves, *, is_mismatch: bool, has_hashes: bool, is_size_known: bool) -> Verification:
    """Return how much of an output was checked.

    Args:
        leaves: those that are known, and which of them are proven.
        is_mismatch: whether bytes and a hash did not belong together.
        has_hashes: whether the service gives any.
        is_size_known: whether it is known how many leaves there are.
    """
    if is_mismatch:
        state = VerificationState.MISMATCH
    elif not has_hashes:
        state = VerificationState.UNAVAILABLE
    elif is_size_known and leaves.proven == leaves.count:
        state = VerificationState.WHOLE
    else:
        state = VerificationState.PARTIAL if leaves.proven else VerificationState.NONE
    return Verification(state, leaves.proven, leaves.count)
