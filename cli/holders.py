"""The lines about transactions that hold readers back, and what to do about them."""

from collections.abc import Sequence

from eventstore.log.fence import Holder
from tasks.shop.printable import printable

LONG = 60.0
"""Seconds after which an open transaction is marked as LONG."""
NOTEWORTHY = 3.0
"""Seconds after which `recount status` reports that readers wait."""


def describe_holder(holder: Holder) -> str:
    """Return the line of a holder: process, start time and events held back."""
    since = "since a time that this role may not see (pg_read_all_stats)"
    if holder.since is not None and holder.seconds is not None:
        since = f"since {holder.since:%Y-%m-%d %H:%M:%S%z} ({holder.seconds:.1f} s)"
    parts = [
        name_holder(holder),
        f"user {holder.user}" if holder.user else "",
        holder.state or "",
        since,
        f"holds back {holder.positions:,} behind {holder.floor:,}",
    ]
    return printable(", ".join(filter(None, parts)))


def name_holder(holder: Holder) -> str:
    if holder.gid is not None:
        return f"the prepared transaction {holder.gid!r}"
    if holder.pid is None:
        return "a prepared transaction that has just ended"
    return f"pid {holder.pid} ({holder.application_name or 'without a name'})"


def is_long(holder: Holder) -> bool:
    return holder.seconds is not None and holder.seconds > LONG


def remedy_for(holder: Holder) -> str:
    """Return the statement that ends the holder's transaction."""
    if holder.gid is not None:
        gid = "'" + holder.gid.replace("'", "''") + "'"
        return printable(f"end it by COMMIT PREPARED {gid} or ROLLBACK PREPARED {gid}")
    remedy = f"end it by SELECT pg_terminate_backend({holder.pid})"
    if (holder.state or "").startswith("idle in transaction"):
        remedy += "; idle_in_transaction_session_timeout would have done so"
    return remedy


def line_of_waiting(holders: Sequence[Holder]) -> str | None:
    """Return the line of `recount status` about the holder, or None if it is recent."""
    held = [holder for holder in holders if (holder.seconds or 0) > NOTEWORTHY]
    if not held:
        return None
    first = held[0]
    return printable(
        f"readers wait for {name_holder(first)} since {first.seconds:.1f} s,"
        " which holds back"
        f" {first.positions:,}: recount log lag"
    )
