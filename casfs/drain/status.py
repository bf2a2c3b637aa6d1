"""How far a drain is, as its ledger has it."""

from typing import Any

from casfs.drain.archive import State
from casfs.drain.destinations.destination import Destination
from casfs.drain.ledger.ledger import Ledger
from casfs.drain.presence import WHY, missing


def of(ledger: Ledger) -> dict[str, Any]:
    """Return how far a drain is: plain values, for machines."""
    totals = ledger.archives.totals()
    retrievals, retrieved = ledger.retrievals.count()
    chosen, size = (sum(each[which] for each in totals.values()) for which in (0, 1))
    done, done_bytes = totals[State.DONE]
    return {
        "ledger": str(ledger.path),
        "vault": ledger.get("vault"),
        "destination": ledger.get("destination"),
        "inventory": ledger.get("inventory"),
        "choice": ledger.get("choice"),
        "chosen": chosen,
        "chosen_bytes": size,
        "archives": {state.value: count for state, (count, _) in totals.items()},
        "bytes": {state.value: each for state, (_, each) in totals.items()},
        "missing": chosen - done,
        "missing_bytes": size - done_bytes,
        "retrievals": retrievals,
        "retrieved_bytes": retrieved,
        "soonest_expiry_ns": ledger.archives.soonest_expiry_ns(),
        "reasons": dict(ledger.archives.reasons()),
    }


def seen(found: dict[str, Any], ledger: Ledger, destination: Destination) -> dict[str, Any]:
    """Return what of it is otherwise where it is looked whether what is done is still there."""
    sizes = [size for _, size in missing(ledger, destination.look)]
    return {
        "archives": _moved(found["archives"], len(sizes)),
        "bytes": _moved(found["bytes"], sum(sizes)),
        "missing": found["missing"] + len(sizes),
        "missing_bytes": found["missing_bytes"] + sum(sizes),
        "reasons": found["reasons"] | ({WHY: len(sizes)} if sizes else {}),
    }


def _moved(sums: dict[str, int], lost: int) -> dict[str, int]:
    """Return sums by state, where what is lost is to be retrieved."""
    return sums | {State.DONE.value: sums[State.DONE] - lost, State.NEW.value: sums[State.NEW] + lost}


def lines(found: dict[str, Any]) -> list[str]:
    """Return the same for people."""
    told = [f"{key}: {found[key]}" for key in ("vault", "destination", "inventory", "choice") if found[key] is not None]
    counts = ", ".join(f"{count} {state}" for state, count in found["archives"].items() if count)
    told.append(f"archives: {counts or 'none'}")
    told.append(f"missing: {found['missing']} of {found['chosen']} archives, {found['missing_bytes']} bytes")
    told.append(f"retrievals: {found['retrievals']}, {found['retrieved_bytes']} bytes")
    told.extend(f"{count} times: {reason}" for reason, count in found["reasons"].items())
    return told
