"""Whether a filled generation may be put live, by what was compared and accepted."""

from eventstore.errors.rebuilding import RowsDiffer, RowsNotCompared
from eventstore.projections.generations import LiveGeneration, shape_of
from eventstore.projections.projection import Projection
from eventstore.rebuilding.comparing import Comparison


def refuse_differing(
    projection: Projection, comparison: Comparison, accepted: int | None
) -> None:
    """Raise RowsDiffer for more differences than *accepted*; None accepts any."""
    # Of another definition rows are to differ, and the old ones are not caught up.
    if not comparison.is_whole or accepted is None:
        return
    if comparison.differing > accepted:
        fold = comparison.fold
        raise RowsDiffer(
            projection.name,
            comparison.differing,
            is_preview=None if fold == "unknown" else fold == "changed",
        )


def refuse_uncompared(
    projection: Projection,
    live: LiveGeneration | None,
    why_not: str,
    accepted: int | None,
) -> None:
    """
    Raise RowsNotCompared for live rows that are behind, unless *accepted* is None.

    Where the rows are lost, or of another log or definition, waiting does not help:
    nothing is ever to be compared, and the rebuild is what mends that.
    """
    is_of_this = live is not None and live.shape == shape_of(projection)
    if is_of_this and accepted is not None:
        raise RowsNotCompared(projection.name, why_not)
