"""What commands have done: once, in one piece, in the stream that they named."""

from collections.abc import Iterable, Mapping

from tests.faults.checker.journal import Command
from tests.faults.checker.looking import Look
from tests.faults.checker.verdict import Verdict

HAPPENED = "what succeeded has happened, or was a declared no-op"
ONLY_THEN = "only what succeeded has happened"
ONCE = "a command takes effect once, and in one piece"
OWN_STREAM = "a command takes effect in the stream that it named"
SAY_THE_SAME = "a command and its events say the same"
TOTALS = "an order's total is the sum of its lines"
ONE_EVENT = "an event is in the log once"

KINDS: Mapping[str, Iterable[str]] = {
    "RegisterCustomer": ["CustomerRegistered"],
    "ChangeCustomerDetails": ["CustomerDetailsChanged"],
    "ForgetCustomer": ["CustomerForgotten"],
    "PlaceOrder": ["OrderCreated"],
    "ReceivePayment": ["PaymentReceived"],
    "ShipOrder": ["OrderShipped"],
    "ConfirmDelivery": ["DeliveryConfirmed"],
    "CancelOrder": ["OrderCancelled"],
    "CancelUnpaidOrder": ["OrderCancelled"],
    "RefundPayment": ["PaymentRefunded"],
    "OpenAccount": ["AccountOpened"],
    "Deposit": ["MoneyDeposited"],
    "Withdraw": ["MoneyWithdrawn"],
    "CloseAccount": ["AccountClosed"],
    "WithdrawForTransfer": ["MoneyWithdrawn", "WithdrawalRejected"],
    "DepositFromTransfer": ["MoneyDeposited", "DepositRejected"],
    "ReturnWithdrawal": ["WithdrawalReturned"],
    "DepositRefund": ["MoneyDeposited", "AccountOpened MoneyDeposited"],
    "TransferMoney": ["TransferRequested"],
    "CompleteTransfer": ["TransferCompleted"],
    "CompensateTransfer": ["TransferCompensated"],
    "AbandonTransferStep": ["TransferStepAbandoned"],
}
"""By type of command, which events it makes: one of these, or nothing."""


def check_effects(journal: Mapping[str, Command], verdict: Verdict) -> None:
    """Look at what each command has done."""
    commands = journal.values()
    done = [command for command in commands if command.events]
    others = [command for command in commands if command.status != "succeeded"]
    verdict.note(ONLY_THEN, len(others), (c.id for c in others if c.events))
    verdict.note(ONCE, len(done), (c.id for c in done if not is_one_piece(c)))
    verdict.note(OWN_STREAM, len(done), (c.id for c in done if c.streams != [c.stream]))


def is_one_piece(command: Command) -> bool:
    """Say whether its events are those of one decision, next to each other."""
    made = KINDS.get(command.type)
    assert command.first_version is not None
    assert command.last_version is not None
    reach = command.last_version - command.first_version + 1
    return (
        (made is None or " ".join(command.events) in made)
        and command.appends == 1
        and (len(command.streams) > 1 or reach == len(command.events))
    )


# What has already happened where a command has nothing to do. Of the events that are
# named the last one in its stream must be one of the first kind.
LOOKS = [
    Look(
        HAPPENED,
        """
        WITH idle (command, already, undone) AS (VALUES
            ('CancelOrder', '{OrderCancelled}'::text[], '{}'::text[]),
            (
                'CancelUnpaidOrder',
                '{PaymentReceived,OrderCancelled,OrderShipped}', '{}'
            ),
            ('CloseAccount', '{AccountClosed}', '{AccountOpened}'),
            ('CompleteTransfer', '{TransferCompleted}', '{}'),
            ('CompensateTransfer', '{TransferCompensated}', '{}'),
            ('ForgetCustomer', '{CustomerForgotten}', '{}'),
            (
                'ChangeCustomerDetails',
                '{CustomerRegistered,CustomerDetailsChanged}', '{CustomerForgotten}'
            )
        ), done AS MATERIALIZED (
            SELECT DISTINCT (metadata ->> 'command_id')::uuid AS id FROM events
        )
        SELECT
            c.id::text,
            done.id IS NULL AND NOT coalesce(
                (
                    SELECT e.type = ANY (idle.already)
                    FROM events AS e
                    WHERE e.stream_id = c.stream_id
                        AND e.id <= c.position
                        AND e.type = ANY (idle.already || idle.undone)
                    ORDER BY e.version DESC
                    LIMIT 1
                ),
                false
            )
        FROM commands AS c
        LEFT JOIN done ON done.id = c.id
        LEFT JOIN idle ON idle.command = c.type
        WHERE c.status = 'succeeded'
        """,
    ),
    # What both have by name, but for the personal, which is encrypted; and where the
    # command says that its effect is.
    Look(
        SAY_THE_SAME,
        """
        SELECT
            c.id::text,
            (
                SELECT bool_or(said.value <> e.data -> said.key)
                FROM jsonb_each(c.data) AS said
                WHERE said.key <> '$personal' AND e.data ? said.key
            ) IS TRUE
            OR c.position <> max(e.id) OVER (PARTITION BY c.id)
            OR e.metadata ->> 'actor' <> c.metadata ->> 'actor'
        FROM events AS e
        JOIN commands AS c ON c.id = (e.metadata ->> 'command_id')::uuid
        """,
    ),
    Look(
        TOTALS,
        """
        SELECT
            e.stream_id::text,
            (e.data ->> 'total')::numeric <> (
                SELECT round(
                    sum(
                        (item ->> 'unit_price')::numeric
                        * (item ->> 'quantity')::numeric
                        * (1 - coalesce((item ->> 'discount')::numeric, 0))
                    ) * (1 - coalesce((e.data ->> 'discount')::numeric, 0))
                )
                FROM jsonb_array_elements(e.data -> 'items') AS item
            )
        FROM events AS e
        WHERE e.type = 'OrderCreated'
        """,
    ),
    Look(
        ONE_EVENT,
        """
        SELECT metadata ->> 'event_id', count(*) > 1 FROM events GROUP BY 1
        """,
    ),
]
