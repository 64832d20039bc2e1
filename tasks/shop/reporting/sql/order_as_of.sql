-- Return the state of an order at a moment: one row, or none before its first event.
--
-- The columns are those of the read model order_details, without its history. Personal
-- fields are encrypted in the events, and so NULL here. Events count up to the first
-- that occurred after the moment: imported times need not rise.
--
-- This repeats `evolve` of `domain/orders/order.py`, and its upcasters. An unknown
-- event is an error, as in Python: a state without it would be wrong, and no caller
-- would notice. It reads the log with the rights of its caller.
CREATE FUNCTION reporting.order_as_of(number bigint, moment timestamptz)
RETURNS TABLE (
    order_id bigint,
    version integer,
    customer_id text,
    customer_name text,
    customer_email text,
    status text,
    currency text,
    lines jsonb,
    gross bigint,
    discount numeric,
    total bigint,
    freight bigint,
    paid bigint,
    refunded bigint,
    address jsonb,
    required_date date,
    tracking_number text,
    created_at timestamptz,
    paid_at timestamptz,
    shipped_at timestamptz,
    delivered_at timestamptz,
    cancelled_at timestamptz
)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    happened record;
    major text;
BEGIN
    order_id := number;
    version := 0;
    status := 'none';
    total := 0;
    paid := 0;
    refunded := 0;
    FOR happened IN
        SELECT e.version, e.type, e.data, e.metadata, e.occurred_at
        FROM public.events AS e
        WHERE e.stream_id = 'order-' || number
        ORDER BY e.version
    LOOP
        IF happened.version <> version + 1 THEN
            RAISE EXCEPTION 'versions % to % of order-% are missing',
                version + 1, happened.version - 1, number
                USING ERRCODE = 'data_corrupted',
                HINT = 'run ./recount verify';
        END IF;
        EXIT WHEN happened.occurred_at > moment;
        version := happened.version;
        major := split_part(coalesce(happened.metadata ->> 'schema', '1.0'), '.', 1);
        CASE happened.type || ' ' || major
            WHEN 'OrderCreated 1', 'OrderCreated 2' THEN
                customer_id := happened.data ->> 'customer_id';
                currency := happened.data ->> 'currency';
                total := happened.data ->> 'total';
                freight := happened.data ->> 'freight';
                required_date := happened.data ->> 'required_date';
                -- Version 1 had no discount on the whole order.
                discount := CASE major
                    WHEN '1' THEN 0.0 ELSE (happened.data ->> 'discount')::numeric
                END;
                status := 'pending';
                created_at := happened.occurred_at;
                -- Each line gets what the lines so far come to more than those before it,
                -- so that the amounts add up (`line_amounts` of `domain/money.py`).
                SELECT
                    sum(s.unit_price * s.quantity),
                    jsonb_agg(
                        jsonb_build_object(
                            'product', s.product,
                            'product_id', s.product_id,
                            'quantity', s.quantity,
                            'unit_price', s.unit_price,
                            'discount', s.discount,
                            'amount', round(s.up_to_here) - round(s.before)
                        ) ORDER BY s.place
                    )
                INTO gross, lines
                FROM (
                    SELECT
                        l.*,
                        sum(l.exact) OVER (ORDER BY l.place) AS up_to_here,
                        sum(l.exact) OVER (ORDER BY l.place) - l.exact AS before
                    FROM (
                        SELECT
                            i.place,
                            i.item ->> 'product' AS product,
                            i.item ->> 'product_id' AS product_id,
                            (i.item ->> 'quantity')::bigint AS quantity,
                            (i.item ->> 'unit_price')::bigint AS unit_price,
                            coalesce(i.item ->> 'discount', '0') AS discount,
                            (i.item ->> 'unit_price')::numeric
                                * (i.item ->> 'quantity')::numeric
                                * (1 - coalesce((i.item ->> 'discount')::numeric, 0))
                                AS exact
                        FROM jsonb_array_elements(happened.data -> 'items')
                            WITH ORDINALITY AS i (item, place)
                    ) AS l
                ) AS s;
            WHEN 'PaymentReceived 1' THEN
                -- An imported history may know of the payment after the parcel.
                status := CASE status WHEN 'pending' THEN 'paid' ELSE status END;
                paid := happened.data ->> 'amount';
                paid_at := happened.occurred_at;
            WHEN 'OrderShipped 1' THEN
                status := 'shipped';
                tracking_number := happened.data ->> 'tracking_no';
                shipped_at := happened.occurred_at;
            WHEN 'DeliveryConfirmed 1' THEN
                status := 'delivered';
                delivered_at := happened.data ->> 'delivered_at';
            WHEN 'OrderCancelled 1' THEN
                status := 'cancelled';
                cancelled_at := happened.occurred_at;
            WHEN 'PaymentRefunded 1' THEN
                refunded := refunded + (happened.data ->> 'amount')::bigint;
            ELSE
                RAISE EXCEPTION 'order_as_of does not know % of schema version %',
                    happened.type, major
                    USING ERRCODE = 'feature_not_supported',
                    HINT = 'run alembic upgrade head with the newest version in use';
        END CASE;
    END LOOP;
    IF version > 0 THEN
        RETURN NEXT;
    END IF;
END
$$;

COMMENT ON FUNCTION reporting.order_as_of IS
    'An order as it was at a moment, computed from its events: the columns of readmodels.order_details without the history; amounts in minor units; customer_name, customer_email and address are NULL, as they are encrypted in the log. No row: there was no such order then.';
