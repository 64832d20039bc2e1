-- Return the state of an order at a moment: one row, or none before its first event.
--
-- The columns are those of the read model order_details, without its history. Personal
-- fields are encrypted in the events, and so NULL here. Events count up to the first
-- that occurred after the moment: imported times need not rise.
--
-- This repeats `evolve` of `domain/orders/state.py`, the standing of an order, and the
-- upcasters. An unknown event is an error, as in Python: a state without it would be
-- wrong, and no caller would notice. It reads the log with the rights of its caller.
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
    freight bigint,
    total bigint,
    carriage bigint,
    paid bigint,
    refunded bigint,
    due bigint,
    credit bigint,
    terms bigint,
    payments jsonb,
    address jsonb,
    required_date date,
    put_off_until date,
    parcels jsonb,
    tracking_number text,
    notes jsonb,
    created_at timestamptz,
    paid_at timestamptz,
    shipped_at timestamptz,
    delivered_at timestamptz,
    returned_at timestamptz,
    cancelled_at timestamptz
)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    happened record;
    major text;
    -- The moment of the event, as it stands in JSON.
    at text;
    -- How far the order is: the highest of these that an event tells.
    steps CONSTANT text[] := ARRAY['shipped', 'delivered', 'returned', 'cancelled'];
    reached integer := 0;
    -- The pieces that an event is about: an array of objects with line and quantity.
    moved jsonb;
    balance bigint;
BEGIN
    order_id := number;
    version := 0;
    paid := 0;
    refunded := 0;
    lines := '[]';
    payments := '[]';
    parcels := '[]';
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
        at := to_char(
            happened.occurred_at AT TIME ZONE 'UTC',
            CASE
                WHEN date_trunc('second', happened.occurred_at) = happened.occurred_at
                    THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
            END
        );
        CASE happened.type || ' ' || major
            WHEN 'OrderCreated 1', 'OrderCreated 2', 'OrderCreated 3' THEN
                customer_id := happened.data ->> 'customer_id';
                currency := happened.data ->> 'currency';
                required_date := happened.data ->> 'required_date';
                created_at := happened.occurred_at;
                -- Version 1 had no discount on the whole order.
                discount := CASE major
                    WHEN '1' THEN 0.0 ELSE (happened.data ->> 'discount')::numeric
                END;
                -- Before version 3 the freight was noted, and in no total.
                IF major = '3' THEN
                    freight := happened.data ->> 'freight';
                    carriage := happened.data ->> 'carriage';
                    terms := happened.data ->> 'terms';
                ELSE
                    freight := 0;
                    carriage := happened.data ->> 'freight';
                END IF;
            WHEN 'OrderItemsChanged 1' THEN
                discount := happened.data ->> 'discount';
                freight := happened.data ->> 'freight';
                reached := greatest(
                    reached,
                    CASE WHEN (happened.data ->> 'is_shipped')::boolean THEN 1 END,
                    CASE WHEN (happened.data ->> 'is_returned')::boolean THEN 3 END
                );
            WHEN 'PaymentReceived 1', 'PaymentReceived 2' THEN
                paid := paid + (happened.data ->> 'amount')::bigint;
                payments := payments || jsonb_build_object(
                    -- Of version 1 an order had one, of all that was due.
                    'payment', coalesce(happened.data -> 'payment', '1'),
                    'amount', happened.data -> 'amount',
                    'received_at', at,
                    'voided_at', NULL
                );
            WHEN 'PaymentVoided 1' THEN
                paid := paid - (happened.data ->> 'amount')::bigint;
                SELECT coalesce(
                    jsonb_agg(
                        CASE
                            WHEN p.payment -> 'payment' = happened.data -> 'payment'
                                THEN p.payment || jsonb_build_object('voided_at', at)
                            ELSE p.payment
                        END ORDER BY p.place
                    ),
                    '[]'
                )
                INTO payments
                FROM jsonb_array_elements(payments)
                    WITH ORDINALITY AS p (payment, place);
            WHEN 'ParcelShipped 1', 'OrderShipped 1' THEN
                shipped_at := happened.occurred_at;
                reached := greatest(reached, (happened.type = 'OrderShipped')::integer);
                moved := happened.data -> 'lines';
                IF happened.type = 'OrderShipped' THEN
                    -- The last parcel has all the rest.
                    SELECT coalesce(
                        jsonb_agg(
                            jsonb_build_object(
                                'line', l.line -> 'number',
                                'quantity', (l.line ->> 'quantity')::bigint
                                    - (l.line ->> 'shipped')::bigint
                            ) ORDER BY l.place
                        ),
                        '[]'
                    )
                    INTO moved
                    FROM jsonb_array_elements(lines)
                        WITH ORDINALITY AS l (line, place)
                    WHERE (l.line ->> 'quantity')::bigint
                        > (l.line ->> 'shipped')::bigint;
                END IF;
                parcels := parcels || jsonb_build_object(
                    'parcel', jsonb_array_length(parcels) + 1,
                    'tracking_number', happened.data -> 'tracking_no',
                    'shipped_at', at,
                    'lines', moved
                );
            WHEN 'TrackingCorrected 1' THEN
                parcels := jsonb_set(
                    parcels,
                    ARRAY[
                        ((happened.data ->> 'parcel')::integer - 1)::text,
                        'tracking_number'
                    ],
                    happened.data -> 'tracking_no'
                );
            WHEN 'DeliveryConfirmed 1' THEN
                delivered_at := happened.data ->> 'delivered_at';
                reached := greatest(reached, 2);
            WHEN 'OrderReturned 1' THEN
                returned_at := happened.occurred_at;
                freight := happened.data ->> 'freight';
                moved := happened.data -> 'lines';
                reached := greatest(
                    reached, CASE WHEN (happened.data ->> 'is_all')::boolean THEN 3 END
                );
            WHEN 'OrderCancelled 1' THEN
                cancelled_at := happened.occurred_at;
                reached := greatest(reached, 4);
            WHEN 'CancellationPutOff 1' THEN
                put_off_until := happened.data ->> 'until';
            WHEN 'PaymentRefunded 1' THEN
                refunded := refunded + (happened.data ->> 'amount')::bigint;
            WHEN 'ShippingAddressChanged 1', 'NoteAdded 1' THEN
                -- What they tell is personal.
                NULL;
            ELSE
                RAISE EXCEPTION 'order_as_of does not know % of schema version %',
                    happened.type, major
                    USING ERRCODE = 'feature_not_supported',
                    HINT = 'run alembic upgrade head with the newest version in use';
        END CASE;
        IF happened.type IN ('OrderCreated', 'OrderItemsChanged', 'OrderReturned') THEN
            total := happened.data ->> 'total';
        END IF;
        IF happened.type IN ('OrderCreated', 'OrderItemsChanged') THEN
            -- What was moved of a line stays moved while its number is there.
            SELECT jsonb_agg(
                jsonb_build_object(
                    'number', coalesce(i.item -> 'number', to_jsonb(i.place)),
                    'product', i.item -> 'product',
                    'product_id', i.item -> 'product_id',
                    'quantity', i.item -> 'quantity',
                    'shipped', coalesce(l.line -> 'shipped', '0'),
                    'returned', coalesce(l.line -> 'returned', '0'),
                    'unit_price', i.item -> 'unit_price',
                    'discount', coalesce(i.item -> 'discount', '"0"')
                ) ORDER BY i.place
            )
            INTO lines
            FROM jsonb_array_elements(happened.data -> 'items')
                WITH ORDINALITY AS i (item, place)
            LEFT JOIN jsonb_array_elements(lines) AS l (line)
                ON l.line -> 'number' = i.item -> 'number';
        ELSIF happened.type IN ('ParcelShipped', 'OrderShipped', 'OrderReturned') THEN
            SELECT jsonb_agg(
                l.line || jsonb_build_object(
                    l.counted, (l.line ->> l.counted)::bigint + coalesce(m.pieces, 0)
                ) ORDER BY l.place
            )
            INTO lines
            FROM (
                SELECT
                    e.line,
                    e.place,
                    CASE happened.type
                        WHEN 'OrderReturned' THEN 'returned' ELSE 'shipped'
                    END AS counted
                FROM jsonb_array_elements(lines) WITH ORDINALITY AS e (line, place)
            ) AS l
            LEFT JOIN (
                SELECT
                    e.part -> 'line' AS line, sum((e.part ->> 'quantity')::bigint) AS pieces
                FROM jsonb_array_elements(moved) AS e (part)
                GROUP BY e.part -> 'line'
            ) AS m ON m.line = l.line -> 'number';
        END IF;
    END LOOP;
    IF version = 0 THEN
        RETURN;
    END IF;
    -- What is not cancelled is owed; of what is cancelled nothing is.
    balance := CASE reached WHEN 4 THEN 0 ELSE total END - paid + refunded;
    due := greatest(0, balance);
    credit := greatest(0, -balance);
    status := coalesce(steps[reached], CASE WHEN due > 0 THEN 'pending' ELSE 'paid' END);
    tracking_number := parcels -> -1 ->> 'tracking_number';
    SELECT p.payment ->> 'received_at'
    INTO paid_at
    FROM jsonb_array_elements(payments) WITH ORDINALITY AS p (payment, place)
    WHERE p.payment ->> 'voided_at' IS NULL
    ORDER BY p.place DESC
    LIMIT 1;
    -- Each line gets what the lines so far come to more than those before it, so that the
    -- amounts add up (`line_amounts` of `domain/money.py`).
    SELECT
        sum(s.unit_price * s.quantity),
        jsonb_agg(
            s.line || jsonb_build_object(
                'amount', round(s.up_to_here) - round(s.up_to_here - s.exact)
            ) ORDER BY s.place
        )
    INTO gross, lines
    FROM (
        SELECT l.*, sum(l.exact) OVER (ORDER BY l.place) AS up_to_here
        FROM (
            SELECT
                e.line,
                e.place,
                (e.line ->> 'unit_price')::bigint AS unit_price,
                (e.line ->> 'quantity')::bigint AS quantity,
                (e.line ->> 'unit_price')::numeric
                    * ((e.line ->> 'quantity')::numeric - (e.line ->> 'returned')::numeric)
                    * (1 - (e.line ->> 'discount')::numeric) AS exact
            FROM jsonb_array_elements(lines) WITH ORDINALITY AS e (line, place)
        ) AS l
    ) AS s;
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION reporting.order_as_of IS
    'An order as it was at a moment, computed from its events: the columns of readmodels.order_details without the history; amounts in minor units; customer_name, customer_email, address and notes are NULL, as they are encrypted in the log. No row: there was no such order then.';
