"""What a command would cause in the shop now: events, its row, and what follows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from eventstore.access.senders import Sender
from eventstore.aggregates.decider import category_of
from eventstore.connection import one_moment
from eventstore.errors import EventStoreError, ReadModelOutdated
from eventstore.explaining.row_preview import RowPreview, preview_row
from eventstore.journal.preview import CommandPreview, preview_command
from eventstore.journal.runner import Runner
from eventstore.projections.projection import Projection
from eventstore.subscriptions.follow_ups import PreviewedCommand, preview_follow_ups
from readmodels import accounts, customers, order_details, products, transfers
from tasks.shop.wiring import Shop

MODELS: dict[str, Any] = {
    "order": order_details,
    "customer": customers,
    "product": products,
    "account": accounts,
    "transfer": transfers,
}
"""By category, the read model with the row of a stream."""
UNTOLD = ("history", "version")
"""Columns that grow with every event, whatever it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """
    What a command would cause if it ran now.

    *row* is the one of its stream; None if the read model has no rows at the moment.
    *follows* are commands of process managers.
    """

    preview: CommandPreview
    row: RowPreview | None
    follows: Sequence[PreviewedCommand]

    @property
    def category(self) -> str:
        return category_of(self.preview.stream_id)

    @property
    def projection(self) -> Projection:
        """The read model that has the row."""
        projection: Projection = MODELS[self.category].projection
        return projection

    @property
    def columns(self) -> Sequence[str]:
        """The columns that are told of the row; the others serve queries."""
        shown = fields(MODELS[self.category].view.row)
        return [field.name for field in shown if field.name not in UNTOLD]

    def changed(self) -> Iterator[str]:
        """Yield the columns that would have another value."""
        if self.row is None:
            return
        before, after = self.row.before, self.row.after
        for name in self.columns:
            if getattr(before, name, None) != getattr(after, name, None):
                yield name


class CannotTell(Exception):
    """The command would wait, since a stream that it needs cannot be read."""


def try_command(
    shop: Shop, command: Any, *, principal: str, expected_version: int | None = None
) -> TrialResult:
    """
    Return what *command* would cause if a worker ran it now; nothing is written.

    *principal* may send it. Raises CannotTell.
    """
    # Whether its sender may send it was checked, by the same table as at its turn.
    runner = Runner(deciders=shop.deciders, name="preview", limits=shop.limits)
    category = shop.deciders.of_command(type(command)).category
    try:
        with (
            shop.lent(keep_after=(EventStoreError,)) as connection,
            connection.pipeline(),
            one_moment(connection),
        ):
            preview = preview_command(
                connection,
                command,
                runner,
                Sender(principal, []),
                expected_version=expected_version,
            )
            try:
                row = preview_row(
                    connection,
                    MODELS[category].projection,
                    preview,
                    masters=shop.deciders.masters,
                )
            except ReadModelOutdated:
                row = None
    except EventStoreError as error:
        raise CannotTell from error
    recorded = [event.recorded for event in preview.events]
    follows = preview_follow_ups(shop.process_managers, recorded, shop.deciders)
    return TrialResult(preview=preview, row=row, follows=list(follows))
