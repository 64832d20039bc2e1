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
ONE_EVENT = "an event is in the log once"

KINDS: Mapping[str, Iterable[str]] = {
    "RegisterCustomer": ["CustomerRegistered"],
    "PlaceFirstOrder": ["CustomerRegistered FirstOrderRequested"],
    "ChangeCustomerDetails": ["CustomerDetailsChanged"],
    "ForgetCustomer": ["CustomerForgotten"],
    "AddProduct": ["ProductAdded"],
    "ChangePrice": ["PriceChanged"],
    "RenameProduct": ["ProductRenamed"],
    "DiscontinueProduct": ["ProductDiscontinued"],
    "PlaceOrder": ["OrderCreated"],
    "ChangeItems": ["OrderItemsChanged"],
    "ChangeAddress": ["ShippingAddressChanged"],
    "AddNote": ["NoteAdded"],
    "ReceivePayment": ["PaymentReceived"],
    "VoidPayment": ["PaymentVoided"],
    "ShipOrder": ["OrderShipped"],
    "ShipParcel": ["ParcelShipped", "OrderShipped"],
    "CorrectTracking": ["TrackingCorrected"],
    "ConfirmDelivery": ["DeliveryConfirmed"],
    "ReturnOrder": ["OrderReturned"],
    "PutOffCancellation": ["CancellationPutOff"],
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
# named the last one in its stream must be one of the first kind. An order is left alone
# when it is time to cancel it if anything was paid or shipped of it, or if nothing is
# due, or it was put off to another day than the command says.
LOOKS = [
    Look(
        HAPPENED,
        """
        WITH idle (command, already, undone) AS (VALUES
            ('CancelOrder', '{OrderCancelled}'::text[], '{}'::text[]),
            ('ChangeItems', '{OrderCreated,OrderItemsChanged}', '{}'),
            (
                'CorrectTracking',
                '{TrackingCorrected,ParcelShipped,OrderShipped}', '{}'
            ),
            ('PutOffCancellation', '{CancellationPutOff}', '{}'),
            ('ChangePrice', '{ProductAdded,PriceChanged}', '{ProductDiscontinued}'),
            ('RenameProduct', '{ProductAdded,ProductRenamed}', '{ProductDiscontinued}'),
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
                CASE
                    WHEN c.type = 'CancelUnpaidOrder' THEN (
                        SELECT
                            bool_or(e.type IN (
                                'OrderCancelled', 'OrderShipped', 'ParcelShipped'
                            ))
                            OR sum(
                                (e.data ->> 'amount')::numeric
                                * CASE e.type
                                    WHEN 'PaymentReceived' THEN 1
                                    WHEN 'PaymentVoided' THEN -1
                                    ELSE 0
                                END
                            ) > 0
                            OR bool_and((e.data ->> 'total')::numeric = 0)
                            OR (
                                array_agg(e.data ->> 'until' ORDER BY e.version DESC)
                                FILTER (WHERE e.type = 'CancellationPutOff')
                            )[1] IS DISTINCT FROM c.data ->> 'until'
                        FROM events AS e
                        WHERE e.stream_id = c.stream_id AND e.id <= c.position
                    )
                    ELSE (
                        SELECT e.type = ANY (idle.already)
                        FROM events AS e
                        WHERE e.stream_id = c.stream_id
                            AND e.id <= c.position
                            AND e.type = ANY (idle.already || idle.undone)
                        ORDER BY e.version DESC
                        LIMIT 1
                    )
                END,
                false
            )
        FROM commands AS c
        LEFT JOIN done ON done.id = c.id
        LEFT JOIN idle ON idle.command = c.type
        WHERE c.status = 'succeeded'
        """,
    ),
    # What both have by name, but for the personal, which is encrypted, and for what the
    # command leaves open; and where the command says that its effect is. A line of an
    # order has in the event what the command says of it, and what that leaves to the
    # price list or as it was.
    Look(
        SAY_THE_SAME,
        """
        SELECT
            c.id::text,
            (
                SELECT bool_or(said.value <> e.data -> said.key)
                FROM jsonb_each(c.data) AS said
                WHERE said.key NOT IN ('$personal', 'items')
                    AND said.value <> 'null' AND e.data ? said.key
            ) IS TRUE
            OR (
                SELECT bool_or(
                    NOT coalesce(
                        done.item @> (jsonb_strip_nulls(said.item) - 'line'), false
                    )
                    OR (said.item ->> 'line')::bigint
                        <> (done.item ->> 'number')::bigint
                )
                FROM jsonb_array_elements(c.data -> 'items')
                    WITH ORDINALITY AS said (item, place)
                FULL JOIN jsonb_array_elements(e.data -> 'items')
                    WITH ORDINALITY AS done (item, place) USING (place)
            ) IS TRUE
            OR c.position <> max(e.id) OVER (PARTITION BY c.id)
            OR e.metadata ->> 'actor' <> c.metadata ->> 'actor'
        FROM events AS e
        JOIN commands AS c ON c.id = (e.metadata ->> 'command_id')::uuid
        """,
    ),
    Look(
        ONE_EVENT,
        """
        SELECT metadata ->> 'event_id', count(*) > 1 FROM events GROUP BY 1
        """,
    ),
]
