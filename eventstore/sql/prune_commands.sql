-- Delete the finished commands of a pruning among the next *most* after *after_seq*.
--
-- The incidents of a command and the key to its data go with it. Waiting and failed
-- commands stay. *reached* is where to continue; NULL when done. It walks through all
-- commands: a clock may have been set back in between, so the time of one command says
-- nothing about those after it.
CREATE OR REPLACE FUNCTION public.prune_commands(
    pruning bigint,
    after_seq bigint,
    most integer,
    OUT pruned integer,
    OUT reached bigint
)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
    end_of_them timestamptz;
    finished uuid[];
BEGIN
    -- Who accepts many finds them again at the end of it, also what was known before.
    PERFORM pg_advisory_xact_lock(
        public.lock_key(3, hashtextextended('accept_many', 0))
    );
    SELECT p.finished_before INTO STRICT end_of_them
    FROM public.prunings AS p WHERE p.id = pruning;
    SELECT
        max(c.seq),
        coalesce(array_agg(c.id) FILTER (
            WHERE c.status IN ('succeeded', 'rejected', 'abandoned', 'cancelled')
                AND c.finished_at < end_of_them
        ), '{}')
    INTO reached, finished
    FROM (
        SELECT n.id, n.seq, n.status, n.finished_at
        FROM public.commands AS n
        WHERE n.seq > after_seq
        ORDER BY n.seq
        LIMIT most
    ) AS c;
    DELETE FROM vault.keys AS k WHERE k.command_id = ANY (finished);
    DELETE FROM public.command_incidents AS i WHERE i.command_id = ANY (finished);
    DELETE FROM public.commands AS c WHERE c.id = ANY (finished);
    GET DIAGNOSTICS pruned = ROW_COUNT;
    UPDATE public.prunings AS p SET count = p.count + pruned WHERE p.id = pruning;
END
$$;
