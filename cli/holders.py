"""How the command line tells who holds the fence, and what to do about it."""

from collections.abc import Sequence

from eventstore.log.fence import Holder
from tasks.shop.printable import printable

LONG = 60.0
"""Seconds after which the holder of the fence has most likely been forgotten."""
NOTEWORTHY = 3.0
"""Seconds after which `recount status` says that readers wait."""


def describe_holder(holder: Holder) -> str:
    """Return who holds the fence, since when, and what of the log it holds back."""
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
    """Return what an operator does about a transaction that does not end."""
    if holder.gid is not None:
        gid = "'" + holder.gid.replace("'", "''") + "'"
        return printable(f"end it by COMMIT PREPARED {gid} or ROLLBACK PREPARED {gid}")
    remedy = f"end it by SELECT pg_terminate_backend({holder.pid})"
    if (holder.state or "").startswith("idle in transaction"):
        remedy += "; idle_in_transaction_session_timeout would have done so"
    return remedy


def line_of_waiting(holders: Sequence[Holder]) -> str | None:
    """Return for `recount status` whom readers wait for, if for longer than usual."""
    held = [holder for holder in holders if (holder.seconds or 0) > NOTEWORTHY]
    if not held:
        return None
    first = held[0]
    return printable(
        f"readers wait for {name_holder(first)} since {first.seconds:.1f} s,"
        " which holds back"
        f" {first.positions:,}: recount log lag"
    )
