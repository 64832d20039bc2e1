"""Orders, their customers, and products: what the events make of each."""

from typing import LiteralString

Fold = tuple[LiteralString, LiteralString, LiteralString]

# A payment that is known of only after the parcel, as an import may have it, changes
# how far an order is no more.
ORDERS: LiteralString = """
    SELECT
        substr(stream_id, 7)::bigint AS order_id,
        max(version) AS version,
        max(data ->> 'customer_id') FILTER (WHERE type = 'OrderCreated') AS customer_id,
        max((data ->> 'total')::bigint) FILTER (WHERE type = 'OrderCreated') AS total,
        max(jsonb_array_length(data -> 'items'))
            FILTER (WHERE type = 'OrderCreated') AS items,
        (array_agg(data ->> 'amount' ORDER BY version DESC)
            FILTER (WHERE type = 'PaymentReceived'))[1]::bigint AS paid,
        coalesce(
            sum((data ->> 'amount')::bigint) FILTER (WHERE type = 'PaymentRefunded'), 0
        )::bigint AS refunded,
        (array_agg(data ->> 'tracking_no' ORDER BY version DESC)
            FILTER (WHERE type = 'OrderShipped'))[1] AS tracking_number,
        (array_agg(
            CASE type
                WHEN 'OrderShipped' THEN 'shipped'
                WHEN 'DeliveryConfirmed' THEN 'delivered'
                WHEN 'OrderCancelled' THEN 'cancelled'
            END
            ORDER BY version DESC
        ) FILTER (
            WHERE type IN ('OrderShipped', 'DeliveryConfirmed', 'OrderCancelled')
        ))[1] AS outcome
    FROM events
    WHERE starts_with(stream_id, 'order-')
    GROUP BY stream_id
"""
STATUS: LiteralString = """
    coalesce(outcome, CASE WHEN paid IS NULL THEN 'pending' ELSE 'paid' END)
"""

FOLDS: dict[str, Fold] = {
    "order_list": (
        "order_id",
        f"""
        SELECT
            order_id, customer_id, total, {STATUS} AS status, items, tracking_number
        FROM ({ORDERS}) AS orders
        """,
        """
        SELECT
            order_id::bigint, customer_id::text, total::bigint, status::text,
            item_count::integer, tracking_number::text
        FROM readmodels.order_list
        """,
    ),
    "order_details": (
        "order_id",
        f"""
        SELECT
            order_id, version, {STATUS} AS status, total, coalesce(paid, 0) AS paid,
            refunded
        FROM ({ORDERS}) AS orders
        """,
        """
        SELECT
            order_id::bigint, version::integer, status::text, total::bigint,
            paid::bigint, refunded::bigint
        FROM readmodels.order_details
        """,
    ),
    "figures": (
        "scope",
        f"""
        SELECT
            'orders' AS scope,
            count(*) AS orders,
            sum(total)::bigint AS total,
            count(*) FILTER (WHERE {STATUS} IN ('pending', 'paid')) AS not_shipped
        FROM ({ORDERS}) AS orders
        HAVING count(*) > 0
        """,
        """
        SELECT scope::text, orders::bigint, total::bigint, not_shipped::bigint
        FROM readmodels.figures
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
            count(order_id) FILTER (WHERE outcome = 'cancelled') AS cancelled,
            coalesce(
                sum(total) FILTER (WHERE outcome IS DISTINCT FROM 'cancelled'), 0
            )::bigint AS worth
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
            SELECT order_id, customer_id, total, outcome FROM ({ORDERS}) AS orders
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
    "products": (
        "product",
        """
        SELECT item ->> 'product' AS product, count(*) AS times_ordered
        FROM events
        CROSS JOIN LATERAL jsonb_array_elements(data -> 'items') AS item
        WHERE type = 'OrderCreated'
        GROUP BY 1
        """,
        """
        SELECT product::text, times_ordered::bigint FROM readmodels.products
        """,
    ),
}
