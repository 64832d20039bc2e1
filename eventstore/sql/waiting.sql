-- The streams after *after_stream*, at most *most*, whose first command waits too long.
--
-- Waiting too long is *patience* for one whose message is lost, and any time for one that
-- has a time of its own (scheduled, or tried before): nobody sends for these.
-- It jumps from stream to stream in an index of the waiting, so a stream with a hundred
-- thousand costs what a stream with one costs. The scheduled are found by their time: a
-- hundred thousand streams in which something is due next month cost nothing.
-- Streams are in the order of their bytes, whatever the database's language is: the index
-- of the waiting in all of a stream has another, and cannot be taken for this one.
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
    moment_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH RECURSIVE unscheduled AS (
        (
            SELECT c.stream_id
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND c.not_before IS NULL
                AND c.stream_id COLLATE "C" > after_stream
            ORDER BY c.stream_id COLLATE "C"
            LIMIT 1
        )
        UNION ALL
        SELECT n.stream_id
        FROM unscheduled
        CROSS JOIN LATERAL (
            SELECT c.stream_id
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND c.not_before IS NULL
                AND c.stream_id COLLATE "C" > unscheduled.stream_id
            ORDER BY c.stream_id COLLATE "C"
            LIMIT 1
        ) AS n
    ), due AS MATERIALIZED (
        SELECT c.stream_id
        FROM public.commands AS c
        WHERE c.status = 'accepted' AND c.not_before IS NOT NULL
            AND c.not_before <= moment_now
        -- In this order only their own index has them: no other is walked through.
        ORDER BY c.not_before, c.seq
    ), overdue AS MATERIALIZED (
        SELECT h.stream_id, h.id
        FROM unscheduled
        CROSS JOIN LATERAL (
            SELECT c.stream_id, c.id, c.accepted_at, c.not_before, c.next_try_at
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND c.stream_id = unscheduled.stream_id
            ORDER BY coalesce(c.not_before, c.accepted_at), c.seq
            LIMIT 1
        ) AS h
        WHERE CASE
            WHEN h.not_before IS NULL AND h.next_try_at IS NULL
                THEN h.accepted_at <= horizon
            ELSE greatest(h.not_before, h.next_try_at) <= moment_now
        END
        LIMIT most
    ), overdue_scheduled AS MATERIALIZED (
        SELECT h.stream_id, h.id
        FROM (
            SELECT DISTINCT d.stream_id COLLATE "C" AS stream_id
            FROM due AS d
            WHERE d.stream_id COLLATE "C" > after_stream
            ORDER BY 1
        ) AS s
        CROSS JOIN LATERAL (
            SELECT c.stream_id, c.id, c.accepted_at, c.not_before, c.next_try_at
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND c.stream_id = s.stream_id COLLATE "default"
            ORDER BY coalesce(c.not_before, c.accepted_at), c.seq
            LIMIT 1
        ) AS h
        WHERE CASE
            WHEN h.not_before IS NULL AND h.next_try_at IS NULL
                THEN h.accepted_at <= horizon
            ELSE greatest(h.not_before, h.next_try_at) <= moment_now
        END
        LIMIT most
    )
    SELECT f.stream_id, f.id
    FROM (
        SELECT o.stream_id, o.id FROM overdue AS o
        UNION
        SELECT o.stream_id, o.id FROM overdue_scheduled AS o
    ) AS f
    ORDER BY f.stream_id COLLATE "C"
    LIMIT most;
END
$$;
