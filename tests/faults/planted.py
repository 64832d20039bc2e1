"""Breaches of each invariant, as the owner of the tables can plant them by hand."""

from tests.faults.checker import (
    dues,
    effects,
    later,
    money,
    promises,
    readers,
    refusals,
    streams,
    turns,
)
from tests.faults.checker.folds import invariant_of

# {Type} stands for the id of the first command of that type.
EVENT_OF = "(SELECT id FROM events WHERE metadata ->> 'command_id' = '{%s}')"
COLUMNS = "stream_id, type, version, data, metadata, occurred_at"
ACCOUNT = invariant_of("accounts")
STATEMENT = invariant_of("account_statement")
ORDER_LIST = invariant_of("order_list")
DETAILS = invariant_of("order_details")

PLANTED: dict[str, tuple[str, set[str]]] = {
    "a command that is not in the journal": (
        "DELETE FROM commands WHERE id = '{ShipOrder}'",
        {promises.KEPT, streams.CAUSE},
    ),
    "an effect that was lost": (
        # The last of its stream, so that nothing but the effect is missing.
        """
        DELETE FROM events WHERE id = """
        + EVENT_OF % "ConfirmDelivery",
        {effects.HAPPENED, ORDER_LIST, DETAILS},
    ),
    "an effect that was doubled": (
        f"""
        INSERT INTO events ({COLUMNS})
        SELECT stream_id, type, version + 1, data, metadata, now() FROM events
        WHERE id = {EVENT_OF % "ConfirmDelivery"};
        UPDATE subscriptions SET
            checkpoint = (SELECT max(id) FROM events),
            event_id = event_id_at((SELECT max(id) FROM events))
        """,
        {effects.ONCE, effects.ONE_EVENT, effects.SAY_THE_SAME, DETAILS},
    ),
    "an effect of something that was refused": (
        "UPDATE commands SET status = 'rejected' WHERE id = '{ShipOrder}'",
        {effects.ONLY_THEN},
    ),
    "a command that does not end": (
        "UPDATE commands SET status = 'accepted' WHERE id = '{ForgetCustomer}'",
        {promises.FINAL, effects.ONLY_THEN},
    ),
    "a status that nobody knows": (
        """
        ALTER TABLE commands DROP CONSTRAINT commands_status_check;
        UPDATE commands SET status = 'lost' WHERE id = '{ShipOrder}'
        """,
        {promises.STATUS, promises.FINAL, effects.ONLY_THEN},
    ),
    "a command that was cancelled by nobody": (
        """UPDATE commands SET status = 'cancelled'
        WHERE type = 'Withdraw' AND status = 'rejected'""",
        {later.TAKEN_BACK},
    ),
    "a command that was taken back and yet done": (
        "UPDATE commands SET status = 'rejected' WHERE status = 'cancelled'",
        {later.TAKEN_BACK, later.NOT_BEFORE},
    ),
    "a command that was put off": (
        """UPDATE commands SET not_before = not_before + interval '1 year'
        WHERE status = 'succeeded'""",
        {promises.AS_SENT, later.NOT_BEFORE},
    ),
    "a refusal without a reason": (
        """UPDATE commands SET data = data || '{{"amount": 1}}'
        WHERE type = 'Withdraw' AND status = 'rejected'""",
        {refusals.REASON, promises.AS_SENT},
    ),
    "another command than was sent": (
        """UPDATE commands SET data = data || '{{"amount": 898}}'
        WHERE id = '{RefundPayment}'""",
        {promises.AS_SENT, effects.SAY_THE_SAME},
    ),
    "an event that says something else": (
        """UPDATE events SET data = data || '{{"tracking_no": "1Z-000"}}'
        WHERE id = """
        + EVENT_OF % "ShipOrder",
        {effects.SAY_THE_SAME, ORDER_LIST},
    ),
    "a total that is no sum": (
        """UPDATE events SET data = data || '{{"total": 1}}'
        WHERE id = """
        + EVENT_OF % "PlaceOrder",
        {
            *(dues.TOTALS, dues.PAYMENTS, ORDER_LIST, DETAILS),
            *map(invariant_of, ("customers", "figures", "sales", "sold_lines")),
        },
    ),
    "an effect in another stream": (
        """UPDATE events SET stream_id = 'customer-EVE', version = 1
        WHERE id = """
        + EVENT_OF % "ForgetCustomer",
        {effects.OWN_STREAM, invariant_of("customers")},
    ),
    "a hole in a stream": (
        "UPDATE events SET version = 7 WHERE id = " + EVENT_OF % "ConfirmDelivery",
        {streams.VERSIONS, DETAILS},
    ),
    "ids that do not rise with versions": (
        f"""
        UPDATE events SET version = 9 WHERE id = {EVENT_OF % "ShipOrder"};
        UPDATE events SET version = 3 WHERE id = {EVENT_OF % "ConfirmDelivery"};
        UPDATE events SET version = 4 WHERE id = {EVENT_OF % "ShipOrder"}
        """,
        {streams.VERSIONS, streams.TIME},
    ),
    "an event of nobody": (
        """UPDATE events SET metadata = metadata - 'command_id'
        WHERE type = 'CustomerForgotten'""",
        {streams.CAUSE},
    ),
    "a conversation that broke off": (
        """UPDATE commands
        SET metadata = metadata || '{{"correlation_id":
            "00000000-0000-0000-0000-000000000000"}}'
        WHERE type = 'CompleteTransfer'""",
        {streams.CONVERSATION},
    ),
    "a follow-up without a cause": (
        """UPDATE commands
        SET metadata = metadata || '{{"causation_id":
            "00000000-0000-0000-0000-000000000000"}}'
        WHERE type = 'DepositRefund' AND data ->> 'order_id' = '2'""",
        {streams.CONVERSATION, readers.FOLLOWED},
    ),
    "a negative balance": (
        """UPDATE events SET data = data || '{{"amount": 90000}}'
        WHERE id = """
        + EVENT_OF % "Withdraw",
        {money.NOT_NEGATIVE, effects.SAY_THE_SAME, ACCOUNT, STATEMENT},
    ),
    "money of a transfer that came twice": (
        """
        UPDATE events SET data = data || '{{"transfer_id": 1}}'
        WHERE type = 'MoneyDeposited' AND data ->> 'amount' = '1'
        """,
        {money.ONE_PLACE, money.CONSERVED, readers.FOLLOWED, STATEMENT},
    ),
    "a transfer that does not end": (
        """DELETE FROM events
        WHERE type = 'TransferCompleted' AND stream_id = 'transfer-1'""",
        {money.ENDED, effects.HAPPENED, invariant_of("transfers")},
    ),
    "a process manager that acted twice": (
        """
        INSERT INTO commands (
            id, stream_id, type, data, metadata, principal, fingerprint, status,
            position
        )
        SELECT
            gen_random_uuid(), stream_id, type, data, metadata, principal, fingerprint,
            'succeeded', (SELECT max(id) FROM events WHERE stream_id = c.stream_id)
        FROM commands AS c WHERE type = 'CompleteTransfer' LIMIT 1
        """,
        {readers.ACTED_ONCE},
    ),
    "a process manager that did not act": (
        """DELETE FROM commands WHERE type = 'CompleteTransfer'
        AND stream_id = 'transfer-1'""",
        {readers.FOLLOWED, streams.CAUSE},
    ),
    "a reader that lags": (
        """UPDATE subscriptions SET checkpoint = checkpoint - 1
        WHERE name = 'order_list_g1'""",
        {readers.AT_THE_END},
    ),
    "a reader beyond the end": (
        """UPDATE subscriptions SET checkpoint = checkpoint + 1000
        WHERE name = 'order_list_g1'""",
        {readers.AT_THE_END},
    ),
    "a row that was folded twice": (
        "UPDATE readmodels.accounts_g1 SET balance = balance + 1",
        {ACCOUNT},
    ),
    "a row that is missing": (
        "DELETE FROM readmodels.order_list_g1 WHERE order_id = 2",
        {ORDER_LIST},
    ),
    "a line too many": (
        """
        INSERT INTO readmodels.ordered_products_g1
        SELECT 'GHOST', product_id, unit_price, 1, last_ordered_at
        FROM readmodels.ordered_products_g1 LIMIT 1
        """,
        {invariant_of("ordered_products")},
    ),
    "a sale of more pieces than there were": (
        "UPDATE readmodels.sales_g1 SET pieces = pieces + 1",
        {invariant_of("sales")},
    ),
    "a sold line that is worth more": (
        "UPDATE readmodels.sold_lines_g1 SET amount = amount + 1",
        {invariant_of("sold_lines")},
    ),
    "a price that nobody set": (
        "UPDATE readmodels.products_g1 SET unit_price = 1 WHERE product_id = 'RC-1'",
        {invariant_of("products")},
    ),
    "an order that owes more than it does": (
        "UPDATE readmodels.order_list_g1 SET due = due + 1 WHERE order_id = 4",
        {ORDER_LIST},
    ),
    "a payment of more than was due": (
        """UPDATE events SET data = data || '{{"amount": 20000}}'
        WHERE type = 'PaymentReceived' AND data ->> 'amount' = '10599'""",
        {dues.PAYMENTS, effects.SAY_THE_SAME, ORDER_LIST, DETAILS},
    ),
    "a payment that was taken back with another amount": (
        """UPDATE events SET data = data || '{{"amount": 4999}}'
        WHERE type = 'PaymentVoided'""",
        {dues.PAYMENTS, ORDER_LIST, DETAILS},
    ),
    "a refund of what is due": (
        """UPDATE events SET data = data || '{{"amount": 5251}}'
        WHERE type = 'PaymentRefunded' AND data ->> 'amount' = '5250'""",
        {dues.PAYMENTS, effects.SAY_THE_SAME, ORDER_LIST, DETAILS},
    ),
    "more that came back than was sent": (
        """UPDATE events SET data = jsonb_set(data, '{{lines,0,quantity}}', '9')
        WHERE type = 'OrderReturned' AND NOT (data ->> 'is_all')::boolean""",
        {
            *(dues.PIECES, dues.TOTALS, dues.ALL_GONE, effects.SAY_THE_SAME),
            *(DETAILS, invariant_of("sales")),
        },
    ),
    "a parcel with a line that there is not": (
        """UPDATE events SET data = jsonb_set(data, '{{lines,0,line}}', '7')
        WHERE type = 'ParcelShipped' AND stream_id = 'order-4'""",
        {dues.PIECES, effects.SAY_THE_SAME},
    ),
    "an order of which all came back and that does not know": (
        """UPDATE events SET data = data || '{{"is_all": false}}'
        WHERE type = 'OrderReturned'""",
        {dues.ALL_GONE, ORDER_LIST, DETAILS},
    ),
    "an order of which all is shipped and that does not know": (
        """UPDATE events SET data = data || '{{"is_shipped": false}}'
        WHERE type = 'OrderItemsChanged'""",
        {dues.ALL_GONE, ORDER_LIST, DETAILS, invariant_of("figures")},
    ),
    "an order that was shipped and is to be paid first": (
        """UPDATE events SET data = data || '{{"terms": null}}'
        WHERE type = 'OrderCreated' AND stream_id = 'order-4'""",
        {dues.PREPAID, effects.SAY_THE_SAME, ORDER_LIST, DETAILS},
    ),
    "a line that says something else": (
        """UPDATE events
        SET data = jsonb_set(data, '{{items,0,product_id}}', '"RC-2"')
        WHERE type = 'OrderCreated' AND stream_id = 'order-4'""",
        {effects.SAY_THE_SAME},
    ),
    "a turn that comes after an effect": (
        """
        UPDATE commands SET not_before = accepted_at - interval '1 hour', turn = 900001
        WHERE type = 'WithdrawForTransfer' AND stream_id = (
            SELECT stream_id FROM commands WHERE type = 'Withdraw' ORDER BY seq LIMIT 1
        )
        """,
        {turns.IN_TURN},
    ),
    "turns of what is scheduled that are not in the order of its times": (
        """
        UPDATE commands AS c SET
            not_before = accepted_at - make_interval(hours => o.place),
            turn = 900000 + o.place
        FROM (
            SELECT id, row_number() OVER (PARTITION BY stream_id ORDER BY seq)::integer
            FROM commands WHERE starts_with(principal, 'process:')
        ) AS o (id, place)
        WHERE c.id = o.id
        """,
        {turns.TIMES, turns.IN_TURN},
    ),
    "a command that was not sent": (
        """
        INSERT INTO commands (
            id, stream_id, type, data, metadata, principal, fingerprint, status,
            position
        )
        SELECT
            gen_random_uuid(), stream_id, type, data, metadata, principal, fingerprint,
            'rejected', (SELECT max(id) FROM events WHERE stream_id = c.stream_id)
        FROM commands AS c WHERE type = 'Withdraw'
        """,
        {promises.NO_MORE},
    ),
}
