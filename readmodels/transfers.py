"""The transfers: how far each is, and why some came back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, get_args

import sqlalchemy as sa

from domain.transfers import events
from domain.transfers.transfer import Status
from eventstore.projections.projection import Fact, Index, LookedUp, Projection
from eventstore.projections.views import Page, View

STATUSES: Sequence[str] = [s.value for s in Status if s is not Status.NONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """A transfer; *amount* is in minor units of *currency*."""

    transfer_id: Annotated[int, "The transfer's number"]
    version: Annotated[int, "How many events its stream has"]
    status: Annotated[str, "requested, completed, compensated or given up"]
    from_account: Annotated[str, "Where the money comes from"]
    to_account: Annotated[str, "Where the money goes"]
    amount: Annotated[int, "How much, in minor units"]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    requested_at: Annotated[datetime, "When it was asked for"]
    ended_at: Annotated[datetime | None, "When it was completed or undone"] = None
    given_up_step: Annotated[str | None, "The step that an operator abandoned"] = None
    rule: Annotated[str | None, "The rule that refused one of its steps"] = None
    reason: Annotated[str | None, "The rule's sentence"] = None


def transfer_of(fact: Fact, looked_up: LookedUp) -> int:
    return int(fact.subject)


def fold(row: TransferView | None, fact: Fact, looked_up: LookedUp) -> TransferView:
    """Return the row after the event."""
    event = fact.event
    if isinstance(event, events.TransferRequested):
        return TransferView(
            transfer_id=int(fact.subject),
            version=fact.version,
            status=Status.REQUESTED.value,
            from_account=event.from_account,
            to_account=event.to_account,
            amount=event.amount,
            currency=event.currency,
            requested_at=fact.occurred_at,
        )
    assert row is not None
    row = replace(row, version=fact.version)
    match event:
        case events.TransferStepAbandoned():
            return replace(row, status=Status.GIVEN_UP.value, given_up_step=event.step)
        case events.TransferCompensated():
            return replace(
                row,
                status=Status.COMPENSATED.value,
                ended_at=fact.occurred_at,
                rule=event.rule,
                reason=event.reason,
            )
        case _:
            return replace(
                row, status=Status.COMPLETED.value, ended_at=fact.occurred_at
            )


projection = Projection(
    name="transfers",
    row=TransferView,
    key="transfer_id",
    streams={"transfer_id": "transfer"},
    events=get_args(events.TransferEvent),
    key_of=transfer_of,
    fold=fold,
    indexes=[
        Index(name="status", on="status, transfer_id"),
        Index(name="from", on="from_account, transfer_id"),
        Index(name="to", on="to_account, transfer_id"),
    ],
)

view: View[TransferView] = View.of(
    projection,
    sorts={"transfer": "transfer_id"},
)


def find(
    connection: sa.Connection,
    *,
    status: str | None = None,
    account_id: str | None = None,
    sort: str = "-transfer",
    after: str | None = None,
    limit: int = 50,
) -> Page[TransferView]:
    """
    Return a page of the transfers, the latest first.

    *account_id* selects transfers from or to it. Raises BadCursor for an invalid
    cursor.
    """
    table = view.table
    where = [] if status is None else [table.c.status == status]
    if account_id is not None:
        where.append(
            sa.or_(table.c.from_account == account_id, table.c.to_account == account_id)
        )
    return view.page(connection, *where, sort=sort, after=after, limit=limit)


def find_one(connection: sa.Connection, transfer_id: int) -> TransferView | None:
    """Return the transfer with that number, or None."""
    rows = view.find(connection, view.table.c.transfer_id == transfer_id)
    return rows[0] if rows else None
