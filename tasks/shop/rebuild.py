"""Rebuilding read models: one by name, or those whose definition has changed."""

from collections.abc import Callable, Sequence

from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Projection
from eventstore.projections.rebuild import Progress, Rebuilt
from eventstore.projections.rebuild import rebuild as fill_and_swap
from tasks.shop.wiring import Shop


def rebuild(
    shop: Shop,
    projection: Projection,
    show: Callable[[Progress], None],
    *,
    parker: Parker | None = None,
) -> Rebuilt:
    """
    Rebuild one read model while the shop runs. Raises RebuildFailed.

    With a *parker* it goes on where an event cannot be projected, and parks its stream.
    """
    with shop.lent() as connection:
        return fill_and_swap(
            connection,
            projection,
            show=show,
            masters=shop.deciders.masters,
            parker=parker,
        )


def find_unfit(shop: Shop) -> Sequence[Projection]:
    """Return the read models without tables, or with those of another definition."""
    with shop.lent() as connection:
        live = live_generations(connection)
    return [
        projection
        for projection in shop.projections
        if projection.name not in live
        or live[projection.name].shape != shape_of(projection)
    ]
