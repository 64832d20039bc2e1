"""What the log tells of money, at every position: it knows the table and no code."""

from typing import Any, NamedTuple

import psycopg

# By event, what it does to its account, and to the transfer that it is a step of. A
# transfer's money is where it was (0), or on its way (-1), and nowhere else.
AT_EVERY_POSITION = """
WITH moves AS (
    SELECT
        id,
        stream_id,
        (data ->> 'transfer_id')::bigint AS transfer,
        (data ->> 'amount')::bigint
            * CASE type WHEN 'MoneyWithdrawn' THEN -1 ELSE 1 END AS change,
        (data ->> 'amount')::bigint AS amount
    FROM events
    WHERE type IN ('MoneyDeposited', 'MoneyWithdrawn', 'WithdrawalReturned')
), sums AS (
    SELECT
        id,
        transfer,
        amount,
        sum(change) OVER (PARTITION BY stream_id ORDER BY id) AS balance,
        sum(change) OVER (ORDER BY id) AS all_accounts,
        sum(change) FILTER (WHERE transfer IS NULL) OVER (ORDER BY id) AS by_hand,
        sum(sign(change)) OVER (PARTITION BY transfer ORDER BY id) AS place,
        sum(change) OVER (PARTITION BY transfer ORDER BY id) AS missing
    FROM moves
), checked AS (
    SELECT
        id,
        balance,
        transfer IS NOT NULL AND (
            place NOT IN (-1, 0) OR missing <> place * amount
        ) AS is_astray,
        all_accounts + sum(
            CASE
                WHEN transfer IS NULL THEN 0
                WHEN place = -1 THEN amount
                ELSE -amount
            END
        ) OVER (ORDER BY id) AS there,
        coalesce(by_hand, 0) AS paid_in
    FROM sums
)
SELECT
    count(*),
    count(*) FILTER (WHERE balance < 0),
    count(*) FILTER (WHERE is_astray),
    count(*) FILTER (WHERE there <> paid_in)
FROM checked
"""

ENDS = """
SELECT
    count(DISTINCT stream_id) FILTER (WHERE type = 'TransferRequested'),
    count(*) FILTER (WHERE type = 'TransferCompleted'),
    count(*) FILTER (WHERE type = 'TransferCompensated')
FROM events WHERE stream_id LIKE 'transfer-%'
"""


class Found(NamedTuple):
    """How many positions were looked at, and at how many something is wrong."""

    positions: int
    negative: int
    astray: int
    unbalanced: int

    @property
    def is_sound(self) -> bool:
        return not (self.negative or self.astray or self.unbalanced)


class Ends(NamedTuple):
    """How many transfers were asked for, and how they have ended."""

    requested: int
    completed: int
    compensated: int


def check_money(connection: psycopg.Connection[Any]) -> Found:
    row = connection.execute(AT_EVERY_POSITION).fetchone()
    assert row is not None
    return Found(*row)


def count_ends(connection: psycopg.Connection[Any]) -> Ends:
    row = connection.execute(ENDS).fetchone()
    assert row is not None
    return Ends(*row)
