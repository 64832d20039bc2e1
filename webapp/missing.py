"""What is answered where a row is not there: it never was, or is not to be seen yet."""

from datetime import UTC
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.journal.pruning import pruned_before
from eventstore.projections.position import Position
from webapp.as_json import as_json
from webapp.problems import Problem


def no_order(order_id: int, position: Position) -> Problem:
    return missing(f"order {order_id}", position)


def no_customer(customer_id: str, position: Position) -> Problem:
    return missing(f"customer {customer_id}", position)


def no_account(account_id: str, position: Position) -> Problem:
    return missing(f"account {account_id}", position)


def no_transfer(transfer_id: int, position: Position) -> Problem:
    return missing(f"transfer {transfer_id}", position)


def missing(what: str, position: Position) -> Problem:
    if not position.behind:
        return Problem("not-found", f"There is no {what}.")
    return Problem(
        "not-found",
        f"There is no {what} to be seen yet. What is read here is still behind what"
        f" was asked for, by {position.behind:,}: look again in a moment.",
        **standing(position),
    )


def standing(position: Position) -> dict[str, Any]:
    """Return where the rows stand; since when, and why, only where they do not move."""
    found: dict[str, Any] = {"position": position.reached, "behind": position.behind}
    if position.standstill is not None:
        found["stands_still_since"] = as_json(position.standstill.since)
        found["stands_still_because"] = position.standstill.because
    return found


def no_command(connection: sa.Connection, command_id: UUID) -> Problem:
    """Return that a command is not there, and up to when it may have been pruned."""
    told = f"There is no command {command_id}."
    before = pruned_before(driver_connection(connection))
    if before is not None:
        written = f"{before.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        told += f" What had finished before {written} is not kept."
    return Problem("not-found", told)
