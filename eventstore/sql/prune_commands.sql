-- Delete the finished commands of a pruning among the next *most* after *start_seq*.
--
-- The incidents of a command and the key to its data go with it. Waiting and failed
-- commands stay. *last_seq* is where to continue; NULL when done. It walks through all
-- commands: a clock may have been set back in between, so the time of one command says
-- nothing about those after it.
CREATE OR REPLACE FUNCTION public.prune_commands(
    pruning bigint,
    start_seq bigint,
    most integer,
    OUT pruned integer,
    OUT last_seq bigint
)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
    end_time timestamptz;
    finished uuid[];
BEGIN
    -- `accept_many` reads at its end also the commands that it found at its beginning.
    PERFORM pg_advisory_xact_lock(
        public.lock_key(3, hashtextextended('accept_many', 0))
    );
    SELECT p.finished_before INTO STRICT end_time
    FROM public.prunings AS p WHERE p.id = pruning;
    SELECT
        max(c.seq),
        coalesce(array_agg(c.id) FILTER (
            WHERE c.status IN ('succeeded', 'rejected', 'abandoned', 'cancelled')
                AND c.finished_at < end_time
        ), '{}')
    INTO last_seq, finished
    FROM (
        SELECT n.id, n.seq, n.status, n.finished_at
        FROM public.commands AS n
        WHERE n.seq > start_seq
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
