-- Record that a process manager acts on events up to a position.
--
-- Returns the position up to which it had acted before: it must skip events up to there,
-- even if its checkpoint was set back. The row stays locked until the end of the
-- transaction in which its commands are written and its checkpoint moves. Raises ES004 if
-- the position that it acted on is not in this log, and restrict_violation if it was never
-- deployed.
CREATE OR REPLACE FUNCTION public.record_progress(process text, up_to bigint)
RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    before bigint;
    noted varchar;
BEGIN
    SELECT p.acted_up_to, p.event_id INTO before, noted
    FROM public.process_managers AS p
    WHERE p.name = process
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'process manager % was never deployed', process
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- What it would pass over as acted on must be what it acted on, in this very log.
    IF public.checkpoint_fault(before, noted) IS NOT NULL THEN
        RAISE EXCEPTION 'process manager % acted up to %, which is not in this log',
            process, before
            USING ERRCODE = 'ES004';
    END IF;
    UPDATE public.process_managers AS p
    SET
        acted_up_to = greatest(before, up_to),
        event_id = public.event_id_at(greatest(before, up_to))
    WHERE p.name = process;
    RETURN before;
END
$$;
