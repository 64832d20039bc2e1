-- Return the command whose turn it is in a stream if it can be run now, else NULL.
--
-- The order is by turn: `seq`, or the number that `give_turns` drew for a scheduled
-- command. No clock is involved. A command that rests before its next try blocks those
-- behind it, because they must take effect later. If no command has a turn, it is the first
-- due scheduled one, which gets its turn when it is taken.
CREATE OR REPLACE FUNCTION public.next_due(stream text)
RETURNS uuid LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
-- The index has the waiting in just this order; figures about a table of which almost
-- all is finished would talk the planner out of it.
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
    head record;
BEGIN
    SELECT n.* INTO head
    FROM (
        (
            SELECT c.id, c.next_try_at, c.attempts
            FROM public.commands AS c
            WHERE c.stream_id = stream
                AND c.status = 'accepted'
                AND (c.not_before IS NULL OR c.turn IS NOT NULL)
            ORDER BY coalesce(c.turn, c.seq)
            LIMIT 1
        )
        -- In this order, and the second is not run where the first has found one.
        UNION ALL
        (
            SELECT c.id, c.next_try_at, c.attempts
            FROM public.commands AS c
            WHERE c.stream_id = stream
                AND c.status = 'accepted'
                AND c.not_before IS NOT NULL
                AND c.turn IS NULL
                AND c.not_before <= clock_timestamp()
            ORDER BY c.not_before, c.seq
            LIMIT 1
        )
        LIMIT 1
    ) AS n;
    IF head.next_try_at IS NOT NULL
        AND public.rests(head.next_try_at, head.attempts, clock_timestamp())
    THEN
        RETURN NULL;
    END IF;
    RETURN head.id;
END
$$;
