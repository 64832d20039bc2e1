"""Orders, their customers, and products: what the events make of each."""

from typing import LiteralString

Fold = tuple[LiteralString, LiteralString, LiteralString]

# One status, the last of these that is true; the rest is sums and what was said last.
ORDERS: LiteralString = """
    SELECT
        order_id, version, customer_id, total, freight, items, gross, terms,
        paid, refunded, payments, put_off_until, parcels, pieces, ordered, back,
        coalesce(corrected, tracking_number) AS tracking_number,
        is_off,
        greatest(balance, 0) AS due,
        greatest(-balance, 0) AS credit,
        CASE
            WHEN is_off THEN 'cancelled'
            WHEN is_back THEN 'returned'
            WHEN has_arrived THEN 'delivered'
            WHEN is_gone THEN 'shipped'
            WHEN balance > 0 THEN 'pending'
            ELSE 'paid'
        END AS status
    FROM (
        SELECT
            *,
            CASE WHEN is_off THEN 0 ELSE total END - paid + refunded AS balance,
            CASE WHEN is_closed THEN ordered ELSE in_parcels END AS pieces
        FROM (
            SELECT
                substr(stream_id, 7)::bigint AS order_id,
                max(version) AS version,
                max(data ->> 'customer_id') FILTER (WHERE type = 'OrderCreated')
                    AS customer_id,
                max((data ->> 'terms')::integer) FILTER (WHERE type = 'OrderCreated')
                    AS terms,
                (array_agg((data ->> 'total')::bigint ORDER BY version DESC)
                    FILTER (WHERE data ? 'total'))[1] AS total,
                (array_agg(asked_freight ORDER BY version DESC)
                    FILTER (WHERE asked_freight IS NOT NULL))[1]
                    + coalesce(max(carriage), 0) AS freight,
                (array_agg(jsonb_array_length(data -> 'items') ORDER BY version DESC)
                    FILTER (WHERE data ? 'items'))[1] AS items,
                (array_agg(gross ORDER BY version DESC)
                    FILTER (WHERE data ? 'items'))[1] AS gross,
                (array_agg(ordered ORDER BY version DESC)
                    FILTER (WHERE data ? 'items'))[1] AS ordered,
                coalesce(sum(
                    CASE type
                        WHEN 'PaymentReceived' THEN amount
                        WHEN 'PaymentVoided' THEN -amount
                    END
                ), 0)::bigint AS paid,
                coalesce(sum(amount) FILTER (WHERE type = 'PaymentRefunded'), 0)::bigint
                    AS refunded,
                count(*) FILTER (WHERE type = 'PaymentReceived') AS payments,
                (array_agg((data ->> 'until')::date ORDER BY version DESC)
                    FILTER (WHERE type = 'CancellationPutOff'))[1] AS put_off_until,
                max(parcels) AS parcels,
                coalesce(sum(moved) FILTER (WHERE type = 'ParcelShipped'), 0)::bigint
                    AS in_parcels,
                coalesce(sum(moved) FILTER (WHERE type = 'OrderReturned'), 0)::bigint
                    AS back,
                (array_agg(data ->> 'tracking_no' ORDER BY version DESC)
                    FILTER (WHERE type IN ('ParcelShipped', 'OrderShipped')))[1]
                    AS tracking_number,
                (array_agg(data ->> 'tracking_no' ORDER BY version DESC) FILTER (
                    WHERE type = 'TrackingCorrected'
                        AND (data ->> 'parcel')::bigint = parcels
                ))[1] AS corrected,
                bool_or(type = 'OrderShipped') AS is_closed,
                bool_or(type = 'OrderShipped' OR data @> '{"is_shipped": true}')
                    AS is_gone,
                bool_or(
                    data @> '{"is_all": true}' OR data @> '{"is_returned": true}'
                ) AS is_back,
                bool_or(type = 'DeliveryConfirmed') AS has_arrived,
                bool_or(type = 'OrderCancelled') AS is_off
            FROM (
                SELECT
                    e.stream_id, e.version, e.type, e.data,
                    (e.data ->> 'amount')::bigint AS amount,
                    count(*) FILTER (WHERE e.type IN ('ParcelShipped', 'OrderShipped'))
                        OVER (PARTITION BY e.stream_id) AS parcels,
                    CASE
                        WHEN is_old THEN 0 ELSE (e.data ->> 'freight')::bigint
                    END AS asked_freight,
                    CASE
                        WHEN is_old THEN (e.data ->> 'freight')::bigint
                        ELSE (e.data ->> 'carriage')::bigint
                    END AS carriage,
                    of_lines.gross, of_lines.ordered, of_pieces.moved
                FROM events AS e
                CROSS JOIN LATERAL (
                    SELECT e.type = 'OrderCreated'
                        AND split_part(e.metadata ->> 'schema', '.', 1)::integer < 3
                        AS is_old
                ) AS age
                CROSS JOIN LATERAL (
                    SELECT
                        sum(
                            (item ->> 'unit_price')::bigint
                            * (item ->> 'quantity')::bigint
                        )::bigint AS gross,
                        sum((item ->> 'quantity')::bigint)::bigint AS ordered
                    FROM jsonb_array_elements(e.data -> 'items') AS item
                ) AS of_lines
                CROSS JOIN LATERAL (
                    SELECT sum((piece ->> 'quantity')::bigint) AS moved
                    FROM jsonb_array_elements(e.data -> 'lines') AS piece
                ) AS of_pieces
                WHERE starts_with(e.stream_id, 'order-')
            ) AS told
            GROUP BY stream_id
        ) AS summed
    ) AS balanced
"""

FOLDS: dict[str, Fold] = {
    "order_list": (
        "order_id",
        f"""
        SELECT
            order_id, customer_id, total, due, credit, status, items, parcels,
            tracking_number, terms
        FROM ({ORDERS}) AS orders
        """,
        """
        SELECT
            order_id::bigint, customer_id::text, total::bigint, due::bigint,
            credit::bigint, status::text, item_count::integer, parcels::bigint,
            tracking_number::text, terms::integer
        FROM readmodels.order_list
        """,
    ),
    "order_details": (
        "order_id",
        f"""
        SELECT
            order_id, version, status, total, paid, refunded, due, credit, terms,
            payments, put_off_until, pieces, back
        FROM ({ORDERS}) AS orders
        """,
        """
        SELECT
            order_id::bigint, version::integer, status::text, total::bigint,
            paid::bigint, refunded::bigint, due::bigint, credit::bigint, terms::integer,
            jsonb_array_length(payments)::bigint AS payments, put_off_until::date,
            moved.pieces, moved.back
        FROM readmodels.order_details
        CROSS JOIN LATERAL (
            SELECT
                sum((line ->> 'shipped')::bigint)::bigint AS pieces,
                sum((line ->> 'returned')::bigint)::bigint AS back
            FROM jsonb_array_elements(lines) AS line
        ) AS moved
        """,
    ),
    "figures": (
        "scope",
        f"""
        SELECT
            'orders' AS scope,
            count(*) AS orders,
            sum(gross)::bigint AS gross,
            sum(total)::bigint AS total,
            sum(freight)::bigint AS freight,
            count(*) FILTER (WHERE status IN ('pending', 'paid')) AS not_shipped
        FROM ({ORDERS}) AS orders
        HAVING count(*) > 0
        """,
        """
        SELECT
            scope::text, orders::bigint, gross::bigint, total::bigint, freight::bigint,
            not_shipped::bigint
        FROM readmodels.figures
        """,
    ),
    "sales": (
        "order_id",
        f"""
        SELECT
            order_id, customer_id, is_off, ordered - back AS pieces, back,
            total - freight AS amount
        FROM ({ORDERS}) AS orders
        """,
        """
        SELECT
            order_id::bigint, customer_id::text, is_cancelled AS is_off, pieces::bigint,
            returned::bigint AS back, amount::bigint
        FROM readmodels.sales
        """,
    ),
    "sold_lines": (
        "order_id",
        f"""
        SELECT order_id, ordered - back AS pieces, total - freight AS amount
        FROM ({ORDERS}) AS orders
        WHERE NOT is_off AND ordered > back
        """,
        """
        SELECT
            order_id::bigint, sum(pieces)::bigint AS pieces,
            sum(amount)::bigint AS amount
        FROM readmodels.sold_lines GROUP BY order_id
        """,
    ),
    "customers": (
        "customer_id",
        f"""
        SELECT
            customer_id,
            version,
            is_forgotten,
            count(order_id) AS orders,
            count(order_id) FILTER (WHERE is_off) AS cancelled,
            coalesce(sum(total) FILTER (WHERE NOT is_off), 0)::bigint AS worth
        FROM (
            SELECT
                substr(stream_id, 10) AS customer_id,
                max(version) AS version,
                bool_or(type = 'CustomerForgotten') AS is_forgotten
            FROM events
            WHERE starts_with(stream_id, 'customer-')
            GROUP BY stream_id
        ) AS customer
        LEFT JOIN (
            SELECT order_id, customer_id, total, is_off FROM ({ORDERS}) AS orders
        ) AS ordered USING (customer_id)
        GROUP BY customer_id, version, is_forgotten
        """,
        """
        SELECT
            customer_id::text, version::integer, is_forgotten, orders::bigint,
            cancelled::bigint, worth::bigint
        FROM readmodels.customers
        """,
    ),
    "ordered_products": (
        "product",
        """
        SELECT item ->> 'product' AS product, count(*) AS times_ordered
        FROM events
        CROSS JOIN LATERAL jsonb_array_elements(data -> 'items') AS item
        WHERE type = 'OrderCreated'
        GROUP BY 1
        """,
        """
        SELECT product::text, times_ordered::bigint FROM readmodels.ordered_products
        """,
    ),
    "products": (
        "product_id",
        """
        SELECT
            substr(stream_id, 9) AS product_id,
            max(version) AS version,
            (array_agg(data ->> 'name' ORDER BY version DESC)
                FILTER (WHERE data ? 'name'))[1] AS name,
            (array_agg((data ->> 'unit_price')::bigint ORDER BY version DESC)
                FILTER (WHERE data ? 'unit_price'))[1] AS unit_price,
            (array_agg(type ORDER BY version DESC) FILTER (
                WHERE type IN ('ProductAdded', 'ProductDiscontinued')
            ))[1] = 'ProductAdded' AS is_listed
        FROM events
        WHERE starts_with(stream_id, 'product-')
        GROUP BY stream_id
        """,
        """
        SELECT
            product_id::text, version::integer, name::text, unit_price::bigint,
            discontinued_at IS NULL AS is_listed
        FROM readmodels.products
        """,
    ),
}
