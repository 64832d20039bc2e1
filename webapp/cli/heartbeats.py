"""Which processes live, as `recount status` says it."""

from collections.abc import Iterator, Sequence

from eventstore.watching.heartbeats import Heartbeat


def lines_of_heartbeats(heartbeats: Sequence[Heartbeat]) -> Iterator[str]:
    """Yield a line for each process, and one for each kind that nobody is of."""
    for heartbeat in heartbeats:
        yield line_of(heartbeat)
    alive = {heartbeat.role for heartbeat in heartbeats if heartbeat.is_alive}
    if "worker" not in alive:
        yield "no worker beats: what waits is the relay's"
    if "relay" not in alive:
        yield "no relay beats: what is scheduled, or lost its message, waits"


def line_of(heartbeat: Heartbeat) -> str:
    if not heartbeat.is_alive:
        return f"{heartbeat.process} SILENT for {heartbeat.silence:.0f} s"
    breaker = heartbeat.detail.get("breaker")
    if breaker in (None, "closed"):
        return f"{heartbeat.process} beats"
    return f"{heartbeat.process} beats; its breaker is {breaker}: no broker answers it"
