"""What orders cost, who has their pieces, and which payments they take."""

from typing import LiteralString

from tests.faults.checker.looking import Look

TOTALS = "an order costs what its lines and its freight do, without what came back"
ALL_GONE = "an order knows whether all of it is shipped, or came back"
PIECES = "no more is shipped than was ordered, and no more comes back than was shipped"
PAYMENTS = "an order takes what is due, and gives back what is not"
PREPAID = "what is to be paid first is shipped when nothing is due"

# Of each order, after each event that moves pieces or says what it costs, its lines:
# what is ordered, and what of it is in parcels or came back. Before version 3 lines had
# no number but their place, and nobody was asked for the freight.
PARTS: LiteralString = """
WITH told AS MATERIALIZED (
    SELECT
        stream_id::text, version, type, data,
        type = 'OrderCreated'
            AND split_part(metadata ->> 'schema', '.', 1)::integer < 3 AS is_old
    FROM events
    WHERE starts_with(stream_id, 'order-') AND type IN (
        'OrderCreated', 'OrderItemsChanged', 'OrderReturned', 'ParcelShipped',
        'OrderShipped'
    )
), lists AS (
    SELECT
        stream_id,
        version AS since,
        lead(version, 1, 2147483647) OVER (PARTITION BY stream_id ORDER BY version)
            AS until,
        data -> 'items' AS items,
        coalesce((data ->> 'discount')::numeric, 0) AS discount
    FROM told
    WHERE type IN ('OrderCreated', 'OrderItemsChanged')
), moved AS MATERIALIZED (
    SELECT
        stream_id, version, type,
        (piece ->> 'line')::bigint AS line, (piece ->> 'quantity')::numeric AS quantity
    FROM told
    CROSS JOIN LATERAL jsonb_array_elements(data -> 'lines') AS piece
    WHERE type IN ('ParcelShipped', 'OrderReturned')
), closed AS (
    SELECT stream_id, min(version) AS version
    FROM told WHERE type = 'OrderShipped' GROUP BY stream_id
), parts AS MATERIALIZED (
    SELECT
        e.stream_id, e.version, lists.discount AS of_all,
        coalesce((item ->> 'number')::bigint, place) AS line,
        (item ->> 'quantity')::numeric AS quantity,
        (item ->> 'unit_price')::numeric
            * (1 - coalesce((item ->> 'discount')::numeric, 0)) AS price,
        coalesce(closed.version <= e.version, false) AS is_closed
    FROM told AS e
    JOIN lists
        ON lists.stream_id = e.stream_id
        AND e.version >= lists.since AND e.version < lists.until
    LEFT JOIN closed ON closed.stream_id = e.stream_id
    CROSS JOIN LATERAL
        jsonb_array_elements(lists.items) WITH ORDINALITY AS listed (item, place)
), pieces AS MATERIALIZED (
    SELECT
        p.stream_id, p.version, p.of_all, p.line, p.quantity, p.price,
        coalesce(sum(m.quantity) FILTER (WHERE m.type = 'OrderReturned'), 0) AS back,
        CASE
            WHEN p.is_closed THEN p.quantity
            ELSE coalesce(sum(m.quantity) FILTER (WHERE m.type = 'ParcelShipped'), 0)
        END AS gone
    FROM parts AS p
    LEFT JOIN moved AS m
        ON m.stream_id = p.stream_id AND m.line = p.line AND m.version <= p.version
    GROUP BY
        p.stream_id, p.version, p.of_all, p.line, p.quantity, p.price, p.is_closed
), sums AS (
    SELECT
        stream_id, version,
        round(sum(price * (quantity - back)) * (1 - max(of_all))) AS worth,
        bool_and(gone >= quantity) AS is_gone,
        bool_and(back = quantity) AS is_back
    FROM pieces
    GROUP BY stream_id, version
)
"""
# After each event, what came in and went back up to it, and what the order costs.
MONEY: LiteralString = """
WITH steps AS (
    SELECT
        stream_id::text, version, type, metadata ? 'source' AS is_imported,
        data ->> 'terms' AS terms,
        (data ->> 'total')::numeric AS total,
        (data ->> 'amount')::numeric AS amount,
        (data ->> 'payment')::integer AS payment
    FROM events
    WHERE starts_with(stream_id, 'order-')
), sums AS (
    SELECT
        *,
        coalesce(sum(
            amount * CASE type
                WHEN 'PaymentReceived' THEN 1
                WHEN 'PaymentVoided' THEN -1
            END
        ) OVER so_far, 0) AS paid,
        coalesce(sum(amount) FILTER (WHERE type = 'PaymentRefunded') OVER so_far, 0)
            AS refunded,
        count(*) FILTER (WHERE type = 'PaymentReceived') OVER so_far AS payments,
        count(total) OVER so_far AS price,
        coalesce(bool_or(type = 'OrderCancelled') OVER so_far, false) AS is_off,
        first_value(terms) OVER so_far AS of_all
    FROM steps
    WINDOW so_far AS (PARTITION BY stream_id ORDER BY version)
), money AS (
    SELECT
        *,
        first_value(total) OVER (PARTITION BY stream_id, price ORDER BY version)
            AS cost
    FROM sums
)
"""

LOOKS = [
    Look(
        TOTALS,
        f"""
        {PARTS}
        SELECT
            format('%s version %s', e.stream_id, e.version),
            (e.data ->> 'total')::numeric <> sums.worth + CASE
                WHEN e.is_old THEN 0 ELSE (e.data ->> 'freight')::numeric
            END
        FROM told AS e
        JOIN sums USING (stream_id, version)
        WHERE e.type IN ('OrderCreated', 'OrderItemsChanged', 'OrderReturned')
        """,
    ),
    Look(
        ALL_GONE,
        f"""
        {PARTS}
        SELECT
            format('%s version %s', e.stream_id, e.version),
            CASE e.type
                WHEN 'OrderReturned' THEN (e.data ->> 'is_all')::boolean <> is_back
                ELSE (e.data ->> 'is_shipped')::boolean <> is_gone
                    OR (e.data ->> 'is_returned')::boolean <> is_back
            END
        FROM told AS e
        JOIN sums USING (stream_id, version)
        WHERE e.type IN ('OrderItemsChanged', 'OrderReturned')
        """,
    ),
    # What is moved of a line that there is not has no part, and so breaks it, too.
    Look(
        PIECES,
        f"""
        {PARTS}
        SELECT
            format('%s version %s, line %s', m.stream_id, m.version, m.line),
            p.gone > p.quantity OR p.back > p.gone
        FROM moved AS m
        LEFT JOIN pieces AS p USING (stream_id, version, line)
        """,
    ),
    Look(
        PAYMENTS,
        f"""
        {MONEY}
        SELECT
            format('%s version %s', m.stream_id, m.version),
            CASE m.type
                -- Of a cancelled order, too: it came.
                WHEN 'PaymentReceived' THEN m.paid - m.refunded > m.cost
                    OR coalesce(m.payment, 1) <> m.payments
                WHEN 'PaymentRefunded'
                    THEN m.refunded > m.paid - CASE WHEN is_off THEN 0 ELSE cost END
                ELSE m.paid < m.refunded OR (
                    SELECT
                        count(*) FILTER (WHERE o.type = 'PaymentReceived') <> 1
                        OR count(*) FILTER (WHERE o.type = 'PaymentVoided') <> 1
                        OR min(o.amount) <> max(o.amount)
                    FROM steps AS o
                    WHERE o.stream_id = m.stream_id AND o.payment = m.payment
                )
            END
        FROM money AS m
        WHERE m.type IN ('PaymentReceived', 'PaymentRefunded', 'PaymentVoided')
            AND NOT m.is_imported
        """,
    ),
    Look(
        PREPAID,
        f"""
        {MONEY}
        SELECT
            format('%s version %s', stream_id, version),
            of_all IS NULL AND paid - refunded < cost
        FROM money
        WHERE type IN ('ParcelShipped', 'OrderShipped') AND NOT is_imported
        """,
    ),
]
