"""The read model of accounts: their status and balance."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa

from domain.accounts import events
from domain.accounts.account import Status
from eventstore.projections.projection import Fact, Index, LookedUp, Projection
from eventstore.projections.views import Page, View

OPEN, CLOSED = Status.OPEN.value, Status.CLOSED.value
STATUSES = (OPEN, CLOSED)
MOVEMENTS = (events.MoneyDeposited, events.MoneyWithdrawn, events.WithdrawalReturned)
"""The events that change the balance of an account."""
REFUSED = (events.DepositRejected, events.WithdrawalRejected)
"""Those that tell why nothing has changed in it; the first may be of no account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """
    An account; *balance* is in minor units of *currency*.

    One that is closed and not empty has got money back: *needs_a_look* tells it.
    """

    account_id: Annotated[
        str, "The account's name; that of its customer, if it has one"
    ]
    version: Annotated[int, "How many events its stream has"]
    status: Annotated[str, "open or closed"]
    balance: Annotated[int, "What is in it, in minor units"]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    opened_at: Annotated[datetime, "When it was first opened"]
    closed_at: Annotated[datetime | None, "When it was closed; NULL: it is open"] = None
    moved_at: Annotated[datetime | None, "When money came or went last"] = None
    needs_a_look: Annotated[bool, "Whether it is closed and not empty"] = False


def change_of(event: object) -> int:
    """Return the change of the balance by *event*, in minor units."""
    match event:
        case (
            events.MoneyDeposited(amount=amount)
            | events.WithdrawalReturned(amount=amount)
        ):
            return amount
        case events.MoneyWithdrawn(amount=amount):
            return -amount
        case _:
            return 0


def account_of(fact: Fact, looked_up: LookedUp) -> str:
    return fact.subject


def fold(
    row: AccountView | None, fact: Fact, looked_up: LookedUp
) -> AccountView | None:
    """Return the row after the event, or None if the account was never opened."""
    event = fact.event
    if isinstance(event, REFUSED):
        # The version still rises, and a command's If-Match is compared with it.
        return replace(row, version=fact.version) if row else None
    if isinstance(event, events.AccountOpened) and row is None:
        return AccountView(
            account_id=fact.subject,
            version=fact.version,
            status=OPEN,
            balance=0,
            currency=event.currency,
            opened_at=fact.occurred_at,
        )
    assert row is not None
    after = replace(row, version=fact.version, balance=row.balance + change_of(event))
    match event:
        case events.AccountOpened():
            after = replace(after, status=OPEN, closed_at=None)
        case events.AccountClosed():
            after = replace(after, status=CLOSED, closed_at=fact.occurred_at)
        case _:
            after = replace(after, moved_at=fact.occurred_at)
    return replace(after, needs_a_look=after.status == CLOSED and after.balance > 0)


projection = Projection(
    name="accounts",
    row=AccountView,
    key="account_id",
    streams={"account_id": "account"},
    events=[events.AccountOpened, events.AccountClosed, *MOVEMENTS, *REFUSED],
    key_of=account_of,
    fold=fold,
    indexes=[
        Index(name="balance", on="balance, account_id"),
        Index(name="status", on="status, account_id"),
    ],
)

view: View[AccountView] = View.of(
    projection,
    sorts={"account": "account_id", "balance": "balance"},
)


def find(
    connection: sa.Connection,
    *,
    status: str | None = None,
    sort: str = "account",
    after: str | None = None,
    limit: int = 50,
) -> Page[AccountView]:
    """Return a page of accounts. Raises BadCursor for an invalid cursor."""
    where = [] if status is None else [view.table.c.status == status]
    return view.page(connection, *where, sort=sort, after=after, limit=limit)


def find_one(connection: sa.Connection, account_id: str) -> AccountView | None:
    """Return the account that is called so, or None."""
    rows = view.find(connection, view.table.c.account_id == account_id)
    return rows[0] if rows else None


def find_closed_and_not_empty(
    connection: sa.Connection, *, limit: int = 50
) -> list[AccountView]:
    """Return the accounts to which money has come back after they were closed."""
    where = (view.table.c.status == CLOSED, view.table.c.needs_a_look)
    return list(
        view.page(connection, *where, sort="account", after=None, limit=limit).rows
    )
