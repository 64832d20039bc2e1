"""Move the shop's number sequences past the imported numbers."""

from collections.abc import Collection
from typing import Any

import psycopg

from tasks.shop.history_import.comparing import waiting_for
from tasks.shop.history_import.errors import NumbersHeld, StreamsUsedOtherwise
from tasks.shop.history_import.plan import Plan

MAX_WAIT = "5s"


def move_numbers(
    connection: psycopg.Connection[Any], plan: Plan, new_streams: Collection[str]
) -> None:
    """
    Move the sequences to at least what *plan* uses, and never back.

    A command that draws a number locks the sequence until it is committed. So once we
    have the lock, every command with one of our numbers is visible, and no other can
    get one. Raises StreamsUsedOtherwise or NumbersHeld, and has then moved nothing.
    """
    try:
        with connection.transaction():
            # Commands that draw a number wait for us, so we must not wait long.
            connection.execute(f"SET LOCAL lock_timeout = '{MAX_WAIT}'")
            move(connection, "order_numbers", plan.highest_order)
            move(connection, "customer_numbers", plan.highest_customer)
            move(connection, "product_numbers", plan.highest_product)
            move(connection, "transfer_numbers", plan.highest_transfer)
            promised = waiting_for(connection, new_streams)
            if promised:
                raise StreamsUsedOtherwise(promised)
    except psycopg.errors.LockNotAvailable as error:
        raise NumbersHeld from error


def move(connection: psycopg.Connection[Any], sequence: str, highest: int) -> None:
    """Move a sequence, and lock it against drawing until we have committed."""
    connection.execute("SELECT public.move_numbers(%s, %s)", (sequence, highest))
