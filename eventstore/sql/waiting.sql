-- Return up to *most* streams after *after_stream* whose first command waits too long.
--
-- Too long means more than *patience* for a command whose message is lost, and any time
-- for one with its own time (scheduled, or tried before), because no message is sent for
-- these. One that was accepted in the future waits too long: the clock was set back.
-- Due scheduled commands get their turns first. They are found by their time, so a hundred
-- thousand that are due next month cost nothing; at most a thousand a call.
-- It jumps from stream to stream in the index of waiting commands, so a stream with a
-- hundred thousand commands costs what one with a single command costs. Streams are in
-- byte order, whatever the database's collation: the index of one stream's waiting commands
-- has another order and cannot be used by mistake.
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
    horizon bigint := public.lost_before();
    clock_now timestamptz := clock_timestamp();
    due_stream varchar;
    turns_given integer := 0;
BEGIN
    FOR due_stream IN
        SELECT DISTINCT d.stream_id
        FROM (
            SELECT c.stream_id
            FROM public.commands AS c
            WHERE c.status = 'accepted'
                AND c.not_before IS NOT NULL
                AND c.turn IS NULL
                AND c.not_before <= clock_now
            -- In this order only their own index has them: no other is walked through.
            ORDER BY c.not_before, c.seq
            LIMIT 1000
        ) AS d
    LOOP
        turns_given := turns_given + public.give_turns(due_stream, false);
        EXIT WHEN turns_given >= 1000;
    END LOOP;
    RETURN QUERY
    WITH RECURSIVE streams AS (
        (
            SELECT c.stream_id
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND (c.not_before IS NULL OR c.turn IS NOT NULL)
                AND c.stream_id COLLATE "C" > after_stream
            ORDER BY c.stream_id COLLATE "C"
            LIMIT 1
        )
        UNION ALL
        SELECT n.stream_id
        FROM streams
        CROSS JOIN LATERAL (
            SELECT c.stream_id
            FROM public.commands AS c
            WHERE c.status = 'accepted' AND (c.not_before IS NULL OR c.turn IS NOT NULL)
                AND c.stream_id COLLATE "C" > streams.stream_id
            ORDER BY c.stream_id COLLATE "C"
            LIMIT 1
        ) AS n
    )
    SELECT h.stream_id, h.id
    FROM streams
    CROSS JOIN LATERAL (
        SELECT
            c.stream_id, c.id, c.seq, c.accepted_at, c.not_before, c.next_try_at,
            c.attempts
        FROM public.commands AS c
        WHERE c.stream_id = streams.stream_id
            AND c.status = 'accepted'
            AND (c.not_before IS NULL OR c.turn IS NOT NULL)
        ORDER BY coalesce(c.turn, c.seq)
        LIMIT 1
    ) AS h
    WHERE CASE
        WHEN h.not_before IS NULL AND h.next_try_at IS NULL
            THEN h.seq <= horizon AND NOT (
                h.accepted_at > clock_now - patience AND h.accepted_at <= clock_now
            )
        ELSE NOT public.rests(h.next_try_at, h.attempts, clock_now)
    END
    LIMIT most;
END
$$;
