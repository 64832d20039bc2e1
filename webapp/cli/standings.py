"""Where the readers of the log stand, a line each: for `status` and `log lag`."""

from collections.abc import Collection, Mapping, Sequence

from eventstore.projections.generations import Live
from eventstore.projections.project import name_of
from eventstore.subscriptions.standing import Standing


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
    line = f"at {standing.checkpoint:,}, {standing.lag:,} behind"
    if standing.stopped_at_position is not None:
        reason = (standing.error or {}).get("error", "")
        line += f", STOPPED at {standing.stopped_at_position:,}: {reason}"
    if read_model in outdated:
        line += f", OUTDATED: its definition has changed, recount rebuild {read_model}"
    return line
