-- The command whose turn it is in a stream, if it can be run now; NULL otherwise.
--
-- Order is by turn: `seq`, or what `give_turns` drew for a scheduled one. No clock has a
-- say in it. One that rests before its next try holds up those behind it: they take
-- effect later. Where nothing has a turn it is the first scheduled one that is due, which
-- gets one when it is taken.
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
