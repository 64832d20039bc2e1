"""Accounts, their statements, and transfers: what the events make of each."""

from typing import LiteralString

Fold = tuple[LiteralString, LiteralString, LiteralString]

MOVED: LiteralString = """
    CASE
        WHEN type = 'MoneyWithdrawn' THEN -(data ->> 'amount')::bigint
        WHEN type IN ('MoneyDeposited', 'WithdrawalReturned')
            THEN (data ->> 'amount')::bigint
        ELSE 0
    END
"""

FOLDS: dict[str, Fold] = {
    "accounts": (
        "account_id",
        f"""
        SELECT
            account_id,
            version,
            status,
            balance,
            status = 'closed' AND balance > 0 AS needs_a_look
        FROM (
            SELECT
                substr(stream_id, 9) AS account_id,
                max(version) AS version,
                sum({MOVED})::bigint AS balance,
                CASE
                    WHEN max(version) FILTER (WHERE type = 'AccountClosed')
                        > max(version) FILTER (WHERE type = 'AccountOpened')
                        THEN 'closed'
                    ELSE 'open'
                END AS status
            FROM events
            WHERE stream_id LIKE 'account-%'
            GROUP BY stream_id
            -- What was only ever refused is a mistyped number.
            HAVING bool_or(type = 'AccountOpened')
        ) AS account
        """,
        """
        SELECT
            account_id::text, version::integer, status::text, balance::bigint,
            needs_a_look
        FROM readmodels.accounts
        """,
    ),
    "account_statement": (
        "position",
        f"""
        SELECT
            id AS position,
            substr(stream_id, 9) AS account_id,
            ({MOVED})::bigint AS change,
            (sum({MOVED}) OVER (PARTITION BY stream_id ORDER BY version))::bigint
                AS balance,
            (data ->> 'transfer_id')::bigint AS transfer_id
        FROM events
        WHERE type IN (
            'MoneyDeposited', 'MoneyWithdrawn', 'WithdrawalReturned',
            'DepositRejected', 'WithdrawalRejected'
        )
        """,
        """
        SELECT
            position::bigint, account_id::text, change::bigint, balance::bigint,
            transfer_id::bigint
        FROM readmodels.account_statement
        """,
    ),
    "transfers": (
        "transfer_id",
        """
        SELECT
            substr(stream_id, 10)::bigint AS transfer_id,
            max(version) AS version,
            (array_agg(
                CASE type
                    WHEN 'TransferRequested' THEN 'requested'
                    WHEN 'TransferStepAbandoned' THEN 'given up'
                    WHEN 'TransferCompleted' THEN 'completed'
                    ELSE 'compensated'
                END
                ORDER BY version DESC
            ))[1] AS status,
            max(data ->> 'from_account')
                FILTER (WHERE type = 'TransferRequested') AS from_account,
            max(data ->> 'to_account')
                FILTER (WHERE type = 'TransferRequested') AS to_account,
            max((data ->> 'amount')::bigint)
                FILTER (WHERE type = 'TransferRequested') AS amount,
            max(data ->> 'rule') FILTER (WHERE type = 'TransferCompensated') AS rule
        FROM events
        WHERE starts_with(stream_id, 'transfer-')
        GROUP BY stream_id
        """,
        """
        SELECT
            transfer_id::bigint, version::integer, status::text, from_account::text,
            to_account::text, amount::bigint, rule::text
        FROM readmodels.transfers
        """,
    ),
}
