-- The streams after *after_stream*, at most *most*, whose first command waits too long.
--
-- Waiting too long is *patience* for one whose message is lost, and any time for one that
-- has a time of its own (scheduled, or tried before): nobody sends for these.
-- It jumps from stream to stream in the index of the waiting, so a stream with a
-- hundred thousand costs what a stream with one costs.
CREATE OR REPLACE FUNCTION public.waiting(
    patience interval,
    most integer,
    after_stream text
)
RETURNS TABLE (stream_id varchar, command_id uuid)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
    horizon timestamptz := public.lost_before(patience);
BEGIN
    RETURN QUERY
    WITH RECURSIVE heads AS (
        (
            SELECT c.stream_id, c.id, c.accepted_at, c.not_before, c.next_try_at
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND c.stream_id > after_stream
            ORDER BY c.stream_id, coalesce(c.not_before, c.accepted_at), c.seq
            LIMIT 1
        )
        UNION ALL
        SELECT h.*
        FROM heads
        CROSS JOIN LATERAL (
            SELECT c.stream_id, c.id, c.accepted_at, c.not_before, c.next_try_at
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND c.stream_id > heads.stream_id
            ORDER BY c.stream_id, coalesce(c.not_before, c.accepted_at), c.seq
            LIMIT 1
        ) AS h
    )
    SELECT heads.stream_id, heads.id
    FROM heads
    WHERE CASE
        WHEN heads.not_before IS NULL AND heads.next_try_at IS NULL
            THEN heads.accepted_at <= horizon
        ELSE greatest(heads.not_before, heads.next_try_at) <= clock_timestamp()
    END
    LIMIT most;
END
$$;
