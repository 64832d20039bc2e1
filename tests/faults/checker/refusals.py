"""What was refused: money that could have been moved is no reason to refuse it."""

from tests.faults.checker.looking import Look

REASON = "what an account refuses it has a reason to refuse"

# What the account had when it was decided; who may send it, and on which version, are
# reasons of another kind.
LOOKS = [
    Look(
        REASON,
        """
        SELECT
            c.id::text,
            CASE c.type
                WHEN 'OpenAccount' THEN NOT had.is_open
                WHEN 'Withdraw'
                    THEN had.is_open
                        AND had.balance >= (c.data ->> 'amount')::bigint
                ELSE had.is_open
                    AND had.balance + (c.data ->> 'amount')::bigint <= 10 ^ 15
            END
        FROM commands AS c
        CROSS JOIN LATERAL (
            SELECT
                coalesce(
                    max(e.version) FILTER (WHERE e.type = 'AccountOpened') > coalesce(
                        max(e.version) FILTER (WHERE e.type = 'AccountClosed'), 0
                    ),
                    false
                ) AS is_open,
                coalesce(
                    sum(
                        (e.data ->> 'amount')::bigint
                        * CASE e.type WHEN 'MoneyWithdrawn' THEN -1 ELSE 1 END
                    ) FILTER (
                        WHERE e.type IN (
                            'MoneyDeposited', 'MoneyWithdrawn', 'WithdrawalReturned'
                        )
                    ),
                    0
                ) AS balance
            FROM events AS e
            WHERE e.stream_id = c.stream_id AND e.id <= coalesce(c.position, 0)
        ) AS had
        WHERE c.status = 'rejected'
            AND c.type IN ('OpenAccount', 'Deposit', 'Withdraw')
            AND c.error ->> 'rule' NOT IN ('NotAllowed', 'StaleVersion')
        """,
    ),
]
