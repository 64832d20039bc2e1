-- Return how many commands of a stream have a turn, or are due and get one.
--
-- One that is accepted now has its turn behind them.
CREATE OR REPLACE FUNCTION public.count_waiting(stream text)
RETURNS bigint LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
-- As in `next_due`: each by the index that has just these, in this order.
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM (
            SELECT FROM public.commands AS c
            WHERE c.stream_id = stream
                AND c.status = 'accepted'
                AND (c.not_before IS NULL OR c.turn IS NOT NULL)
            ORDER BY coalesce(c.turn, c.seq)
            OFFSET 0
        ) AS in_turn
    ) + (
        SELECT count(*) FROM (
            SELECT FROM public.commands AS c
            WHERE c.stream_id = stream
                AND c.status = 'accepted'
                AND c.not_before IS NOT NULL
                AND c.turn IS NULL
                AND c.not_before <= clock_timestamp()
            ORDER BY c.not_before, c.seq
            OFFSET 0
        ) AS other
    );
END
$$;
