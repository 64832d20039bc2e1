-- The command whose turn it is in a stream, if that turn has come; NULL otherwise.
--
-- Order is (due time, seq). One that waits for its next try holds up those behind it:
-- they were accepted later and take effect later.
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
    SELECT
        c.id,
        greatest(coalesce(c.not_before, c.accepted_at), c.next_try_at) AS due_at
    INTO head
    FROM public.commands AS c
    WHERE c.stream_id = stream AND c.status = 'accepted'
    ORDER BY coalesce(c.not_before, c.accepted_at), c.seq
    LIMIT 1;
    RETURN CASE WHEN head.due_at <= clock_timestamp() THEN head.id END;
END
$$;
