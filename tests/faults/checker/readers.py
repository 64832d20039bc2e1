"""Whoever reads the log: all have come to its end, and have acted once for an event."""

from typing import Any, LiteralString

import psycopg

from tests.faults.checker.looking import Look

AT_THE_END = "every reader has come to the end of the log, and not beyond it"
ACTED_ONCE = "a process manager acts on an event once"
FOLLOWED = "what must follow an event follows it"

STANDINGS: LiteralString = """
WITH log AS (
    SELECT
        (SELECT coalesce(max(id), 0) FROM events) AS head,
        CASE WHEN is_called THEN last_value ELSE 0 END AS drawn
    FROM events_id_seq
), readers (name) AS (
    SELECT read_model || '_g' || live FROM generations
    UNION ALL
    SELECT name FROM process_managers
)
SELECT
    readers.name,
    s.checkpoint NOT BETWEEN log.head AND log.drawn
        OR s.stopped_at_position IS NOT NULL
        OR s.error IS NOT NULL
        OR checkpoint_fault(s.checkpoint, s.event_id) IS NOT NULL
FROM log
CROSS JOIN readers
LEFT JOIN subscriptions AS s ON s.name = readers.name
"""

LOOKS = [
    Look(AT_THE_END, STANDINGS),
    Look(
        ACTED_ONCE,
        """
        SELECT format('%s: %s', principal, metadata ->> 'causation_id'), count(*) > 1
        FROM commands
        WHERE starts_with(principal, 'process:')
        GROUP BY principal, metadata ->> 'causation_id', type
        """,
    ),
    # What cancels unpaid orders is left out: a shop may do without it.
    Look(
        FOLLOWED,
        """
        WITH follows (event, follow_up) AS (VALUES
            ('TransferRequested', 'WithdrawForTransfer'),
            ('MoneyWithdrawn', 'DepositFromTransfer'),
            ('MoneyDeposited', 'CompleteTransfer'),
            ('WithdrawalRejected', 'CompensateTransfer'),
            ('WithdrawalReturned', 'CompensateTransfer'),
            ('DepositRejected', 'ReturnWithdrawal'),
            ('TransferStepAbandoned', NULL),
            ('PaymentRefunded', 'DepositRefund')
        ), sent AS MATERIALIZED (
            SELECT metadata ->> 'causation_id' AS cause, array_agg(type) AS types
            FROM commands
            WHERE starts_with(principal, 'process:')
            GROUP BY 1
        )
        SELECT
            format('%s version %s', e.stream_id, e.version),
            CASE follows.event
                WHEN 'TransferStepAbandoned' THEN CASE e.data ->> 'step'
                    WHEN 'withdrawal' THEN 'CompensateTransfer'
                    ELSE 'ReturnWithdrawal'
                END
                ELSE follows.follow_up
            END <> ALL (coalesce(sent.types, '{}'))
        FROM events AS e
        JOIN follows ON follows.event = e.type
        LEFT JOIN sent ON sent.cause = e.metadata ->> 'event_id'
        WHERE NOT e.metadata ? 'source'
            -- Money that comes or goes by hand is no step of anything.
            AND (
                e.type NOT IN ('MoneyWithdrawn', 'MoneyDeposited')
                OR e.data ->> 'transfer_id' IS NOT NULL
            )
        """,
    ),
]

WAITING = """
    SELECT count(*) FROM commands
    WHERE status = 'accepted' AND coalesce(not_before <= clock_timestamp(), true)
"""


BEHIND = f"SELECT count(*) FROM ({STANDINGS}) AS s (name, is_behind) WHERE is_behind"


def is_at_rest(connection: psycopg.Connection[Any]) -> bool:
    """Say whether nothing that is due waits, and all readers are at the end."""
    asked = [connection.execute(query).fetchone() for query in (WAITING, BEHIND)]
    return asked == [(0,), (0,)]
