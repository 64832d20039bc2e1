"""Whether a filled generation may be put live, by what was compared and accepted."""

from eventstore.errors import RebuildFailed
from eventstore.errors.rebuilding import RowsDiffer, RowsNotCompared
from eventstore.projections.generations import LiveGeneration, shape_of
from eventstore.projections.projection import Projection
from eventstore.rebuilding.comparing import Comparison


def refusal_of(
    projection: Projection,
    live: LiveGeneration | None,
    comparison: Comparison | None,
    behind: str | None,
    accepted: int | None,
) -> RebuildFailed | None:
    """
    Return why it may not be, or None.

    That is RowsDiffer if more rows differ than *accepted*, and RowsNotCompared if the
    sentence *behind* says why the live rows cannot be compared yet; None accepts any.
    Where the rows are lost, or of another log or definition, waiting does not help: the
    rebuild is what mends that.
    """
    # Of another definition rows are to differ, and the old ones are not caught up.
    is_of_this = live is not None and live.shape == shape_of(projection)
    if accepted is None or not is_of_this:
        return None
    if behind is not None:
        return RowsNotCompared(projection.name, behind)
    if comparison is None or comparison.differing <= accepted:
        return None
    fold = comparison.fold
    return RowsDiffer(
        projection.name,
        comparison.differing,
        is_preview=None if fold == "unknown" else fold == "changed",
    )
