"""The statement of an account: its movements, each with the balance after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from domain.accounts import events
from eventstore.projections.projection import (
    Fact,
    Index,
    Key,
    LookedUp,
    Lookup,
    Projection,
)
from eventstore.projections.views import Page, View
from readmodels.accounts import MOVEMENTS, REFUSED, change_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """
    One movement; *change* is negative where money went out.

    *balance* is the balance after the movement. One that was refused has changed
    nothing, and tells why.
    """

    position: int
    account_id: str
    version: int
    kind: str
    change: int
    balance: int
    happened_at: datetime
    transfer_id: int | None = None
    other_account: str | None = None
    order_id: int | None = None
    rule: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What is in an account, for the line that is written next."""

    account_id: str
    balance: int


def account_of(fact: Fact) -> str:
    return fact.subject


def balance_after(row: Balance | None, fact: Fact) -> Balance:
    before = row or Balance(account_id=fact.subject, balance=0)
    return replace(before, balance=before.balance + change_of(fact.event))


def needs(fact: Fact) -> Mapping[str, Key]:
    return {"balance": fact.subject}


def position_of(fact: Fact, looked_up: LookedUp) -> int:
    return fact.position


def fold(row: StatementLine | None, fact: Fact, looked_up: LookedUp) -> StatementLine:
    """Return the line of a movement, which is written once."""
    event = fact.event
    after: Balance = looked_up["balance"]
    other = getattr(event, "from_account", None) or getattr(event, "to_account", None)
    return StatementLine(
        position=fact.position,
        account_id=fact.subject,
        version=fact.version,
        kind=kind_of(event),
        change=change_of(event),
        balance=after.balance,
        happened_at=fact.occurred_at,
        transfer_id=event.transfer_id,
        other_account=other,
        order_id=getattr(event, "order_id", None),
        rule=getattr(event, "rule", None),
        reason=getattr(event, "reason", None),
    )


def kind_of(event: object) -> str:
    match event:
        case events.MoneyDeposited(order_id=int()):
            return "refund"
        case events.MoneyDeposited(transfer_id=int()):
            return "received"
        case events.MoneyDeposited():
            return "deposit"
        case events.MoneyWithdrawn(transfer_id=int()):
            return "sent"
        case events.MoneyWithdrawn():
            return "withdrawal"
        case events.WithdrawalReturned():
            return "returned"
        case _:
            return "refused"


projection = Projection(
    name="account_statement",
    row=StatementLine,
    key="position",
    events=[*MOVEMENTS, *REFUSED],
    key_of=position_of,
    needs=needs,
    fold=fold,
    lookups=[
        Lookup(
            name="balance",
            row=Balance,
            key="account_id",
            key_of=account_of,
            fold=balance_after,
        )
    ],
    indexes=[Index(name="account", on="account_id, position")],
)

view: View[StatementLine] = View.of(
    projection,
    sorts={"happened": "position"},
)


def find(
    connection: sa.Connection,
    account_id: str,
    *,
    sort: str = "-happened",
    after: str | None = None,
    limit: int = 50,
) -> Page[StatementLine]:
    """Return a page of an account's statement, the latest first."""
    where = view.table.c.account_id == account_id
    return view.page(connection, where, sort=sort, after=after, limit=limit)
