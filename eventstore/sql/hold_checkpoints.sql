-- Lock the checkpoints of the subscriptions *names* that are free, and return where they are.
--
-- Not those that are set apart (`next_try_at`), that another session holds, or that belong
-- to a generation which is not live any more. Each row has `settled` as it was before any of
-- them was checked; read events in a later statement. *fault* is that of
-- `checkpoint_fault`, looked up once for equal checkpoints. *has_parked*: there are streams
-- that are parked for it.
CREATE OR REPLACE FUNCTION public.hold_checkpoints(names text[])
RETURNS TABLE (
    name varchar, checkpoint bigint, has_stopped boolean, fault text, settled bigint,
    has_parked boolean
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    goal bigint := public.settled();
    held record;
    checked_place bigint;
    checked_event varchar;
    fault_found text;
BEGIN
    FOR held IN
        SELECT s.name, s.checkpoint, s.event_id, s.error IS NOT NULL AS has_stopped
        FROM public.subscriptions AS s
        WHERE s.name = ANY (names) AND s.next_try_at IS NULL
            AND (
                s.name !~ '^[a-z][a-z0-9_]*_g[0-9]+$'
                OR EXISTS (
                    SELECT FROM public.generations AS g
                    WHERE s.name = g.read_model || '_g' || g.live
                )
            )
        ORDER BY s.name
        FOR UPDATE SKIP LOCKED
    LOOP
        IF held.checkpoint IS DISTINCT FROM checked_place
            OR held.event_id IS DISTINCT FROM checked_event
        THEN
            fault_found := public.checkpoint_fault(held.checkpoint, held.event_id);
            checked_place := held.checkpoint;
            checked_event := held.event_id;
        END IF;
        RETURN QUERY SELECT
            held.name, held.checkpoint, held.has_stopped, fault_found, goal,
            -- In a snapshot from behind the lock: who had it may have parked something.
            EXISTS (
                SELECT FROM public.parked_streams AS p WHERE p.subscription = held.name
            );
    END LOOP;
END
$$;
