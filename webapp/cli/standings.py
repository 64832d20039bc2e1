"""Where the readers of the log stand, a line each: for `status` and `log lag`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC

from eventstore.errors import CheckpointNotInLog
from eventstore.projections.generations import Live
from eventstore.projections.project import name_of
from eventstore.subscriptions.standing import Standing
from eventstore.subscriptions.standstill import HELD_BACK, IDLE, MISSING, Standstill
from eventstore.subscriptions.stopping import CHECKPOINT

REASONS = {
    IDLE: "nobody reads on: look whether a worker or the relay is alive and not"
    " stopped, and whether somebody holds its row in subscriptions",
    HELD_BACK: "a writer that does not end holds back all readers: recount log lag",
    MISSING: "its checkpoint was taken away: a worker or the relay makes it when it"
    " starts, behind what was acted on",
}
"""What an operator is told where a reader could note nothing."""


def lines_of_standings(
    standings: Sequence[Standing],
    live: Mapping[str, Live],
    outdated: Collection[str] = (),
) -> list[str]:
    width = max((len(standing.name) for standing in standings), default=0)
    return [
        f"{standing.name:{width}} {said_of(standing, live, outdated)}"
        for standing in standings
    ]


def said_of_standstill(standing: Standing, standstill: Standstill) -> str:
    """Return how far behind it is, since when it stands still, why, and what to do."""
    since = ""
    if standstill.since is not None:
        since = f" (since {standstill.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC)"
    if standstill.because == CHECKPOINT:
        error = CheckpointNotInLog(standing.name, standing.checkpoint)
        return f", NOT IN THIS LOG: {error}{since}"
    behind = f", {standing.lag:,} behind, "
    reason = (standing.error or {}).get("error") or REASONS.get(standstill.because, "")
    if standing.stopped_at_position is not None:
        return f"{behind}STOPPED at {standing.stopped_at_position:,}: {reason}{since}"
    return f"{behind}STANDS STILL: {reason}{since}"


def said_of(
    standing: Standing, live: Mapping[str, Live], outdated: Collection[str]
) -> str:
    """Return where a subscription stands; a generation may be another than the live."""
    read_model, _, number = standing.name.rpartition("_g")
    if read_model in live and name_of(read_model, live[read_model].number) != (
        standing.name
    ):
        is_older = int(number) < live[read_model].number
        state = "kept from before the rebuild" if is_older else "being filled"
        return f"at {standing.checkpoint:,}, {state}"
    line = f"at {standing.checkpoint:,}"
    if standing.standstill is not None:
        line += said_of_standstill(standing, standing.standstill)
    else:
        line += f", {standing.lag:,} behind"
    if read_model in outdated:
        line += f", OUTDATED: its definition has changed, recount rebuild {read_model}"
    return line
