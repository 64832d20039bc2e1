-- Clear the marks that *runner* left when it lost its connection: it did not die.
--
-- Its commands rest for a moment, since what interrupted it may last. It reads all that
-- waits, which is rare work: a runner calls this when its drain ended by an error.
CREATE OR REPLACE FUNCTION public.forget_marks(runner text, detail jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    marked uuid[];
BEGIN
    SELECT array_agg(c.id) INTO marked
    FROM public.commands AS c
    WHERE c.status = 'accepted' AND c.started_at IS NOT NULL AND c.ran_by = runner;
    PERFORM public.give_back(coalesce(marked, '{}'), 'interrupted', detail, true);
END
$$;
