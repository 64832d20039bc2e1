"""Money, at every position of the log: nowhere made, nowhere lost, nowhere stuck."""

from typing import Any, NamedTuple

import psycopg

from tests.faults.checker.looking import Look, look
from tests.faults.checker.verdict import Verdict

NOT_NEGATIVE = "no balance is negative, at no position"
ONE_PLACE = "a transfer's money is in one place, at every position"
CONSERVED = "accounts and transit are what was paid in and out, at every position"
ENDED = "every transfer ends, completed or compensated, and once"

# By event, what it does to its account, and to the transfer that it is a step of. A
# transfer's money is where it was (0), or on its way (-1), and nowhere else; on its way
# is what was asked for.
AT_EVERY_POSITION = """
WITH moves AS (
    SELECT
        e.id,
        e.stream_id,
        (e.data ->> 'transfer_id')::bigint AS transfer,
        (e.data ->> 'amount')::bigint
            * CASE e.type WHEN 'MoneyWithdrawn' THEN -1 ELSE 1 END AS change,
        (asked.data ->> 'amount')::bigint AS asked
    FROM events AS e
    LEFT JOIN events AS asked
        ON asked.type = 'TransferRequested'
        AND asked.stream_id = 'transfer-' || (e.data ->> 'transfer_id')
    WHERE e.type IN ('MoneyDeposited', 'MoneyWithdrawn', 'WithdrawalReturned')
), places AS (
    SELECT
        *,
        sum(change) OVER (PARTITION BY stream_id ORDER BY id) AS balance,
        sum(sign(change)) OVER of_transfer AS place,
        sum(change) OVER of_transfer AS missing
    FROM moves
    WINDOW of_transfer AS (PARTITION BY transfer ORDER BY id)
), transits AS (
    SELECT
        *,
        (place = -1)::integer
            - (lag(place, 1, 0) OVER (PARTITION BY transfer ORDER BY id) = -1)::integer
            AS set_out
    FROM places
), checked AS (
    SELECT
        id,
        balance,
        transfer IS NOT NULL AND (
            place NOT IN (-1, 0) OR missing IS DISTINCT FROM place * asked
        ) AS is_astray,
        sum(
            CASE
                -- By hand it comes from outside, and goes there.
                WHEN transfer IS NULL THEN 0
                ELSE change + set_out * coalesce(asked, 0)
            END
        ) OVER (ORDER BY id) <> 0 AS is_unbalanced
    FROM transits
)
SELECT
    count(*),
    array_agg('position ' || id ORDER BY id) FILTER (WHERE balance < 0),
    array_agg('position ' || id ORDER BY id) FILTER (WHERE is_astray),
    array_agg('position ' || id ORDER BY id) FILTER (WHERE is_unbalanced)
FROM checked
"""

ENDS = Look(
    ENDED,
    """
    SELECT
        stream_id::text,
        count(*) FILTER (WHERE type = 'TransferRequested') <> 1
        OR count(*) FILTER (
            WHERE type IN ('TransferCompleted', 'TransferCompensated')
        ) <> 1
    FROM events
    WHERE starts_with(stream_id, 'transfer-')
    GROUP BY stream_id
    """,
)


def check_money(connection: psycopg.Connection[Any], verdict: Verdict) -> None:
    """Follow the money through the log."""
    row = connection.execute(AT_EVERY_POSITION).fetchone()
    assert row is not None
    positions, *cases = row
    for invariant, found in zip(
        (NOT_NEGATIVE, ONE_PLACE, CONSERVED), cases, strict=True
    ):
        verdict.note(invariant, positions, found or ())
    look(connection, [ENDS], verdict)


class Ends(NamedTuple):
    """How many transfers were asked for, and how they have ended."""

    requested: int
    completed: int
    compensated: int


def count_ends(connection: psycopg.Connection[Any]) -> Ends:
    row = connection.execute(
        """
        SELECT
            count(*) FILTER (WHERE type = 'TransferRequested'),
            count(*) FILTER (WHERE type = 'TransferCompleted'),
            count(*) FILTER (WHERE type = 'TransferCompensated')
        FROM events WHERE starts_with(stream_id, 'transfer-')
        """
    ).fetchone()
    assert row is not None
    return Ends(*row)
