"""The line of `recount status` about the audit of rows."""

from collections.abc import Mapping, Sequence

from eventstore.explaining.audit_records import WalkRecord
from eventstore.explaining.row_audit import TABLE
from eventstore.projections.projection import Projection


def line_of_audit(
    projections: Sequence[Projection],
    wrong: Mapping[tuple[str, str], int],
    walks: Mapping[str, WalkRecord],
) -> str | None:
    """
    Return how many rows were looked at and found wrong; None: none were yet.

    It names the read models that were not compared, since the fold of all events took
    longer than a worker may.
    """
    if not walks and not wrong:
        return None
    folded = {one.name for one in projections if not one.streams}
    unfolded = [n for n, walk in sorted(walks.items()) if n in folded and walk.left_out]
    rows = sum(walk.rows for walk in walks.values())
    line = f"audit: {rows:,} rows looked at"
    left_out = sum(walk.left_out for n, walk in walks.items() if n not in unfolded)
    if left_out:
        line += f", {left_out:,} could not be"
    if unfolded:
        line += f", {' and '.join(unfolded)} not compared: recount audit does it"
    if not wrong:
        return f"{line}, none is wrong"
    told = ", ".join(
        f"{count:,} of {name}" + (f" in the store {place}" if place != TABLE else "")
        for (name, place), count in wrong.items()
    )
    return f"{line}; WRONG: {told}: recount audit shows them"
