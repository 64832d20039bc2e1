"""The statement of an account: its movements, each with the balance after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

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

    position: Annotated[int, "Where the event stands in the log, which orders lines"]
    account_id: Annotated[str, "Whose statement it is"]
    version: Annotated[int, "The number of the event in the account's stream"]
    kind: Annotated[str, "deposit, withdrawal, sent, received, returned, refund …"]
    change: Annotated[int, "What came, or went if negative, in minor units"]
    balance: Annotated[int, "What was in the account after it, in minor units"]
    happened_at: Annotated[datetime, "When it happened"]
    transfer_id: Annotated[int | None, "The transfer that it is part of"] = None
    other_account: Annotated[str | None, "The account at the transfer's other end"] = (
        None
    )
    order_id: Annotated[int | None, "The order whose refund it is"] = None
    rule: Annotated[str | None, "The rule that refused it"] = None
    reason: Annotated[str | None, "The rule's sentence"] = None


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
    streams={"account_id": "account"},
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
            category="account",
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
