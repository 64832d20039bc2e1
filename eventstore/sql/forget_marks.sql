-- Clear the marks that *runner* left when its drain ended by an error: it did not die.
--
-- Its commands rest for a moment, since what interrupted it may last; where it marked
-- none, the one that it was *asked* for rests, so that it does not fail again at once.
-- It reads all that waits, which is rare work.
CREATE OR REPLACE FUNCTION public.forget_marks(runner text, asked uuid, detail jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    marked uuid[];
BEGIN
    SELECT array_agg(c.id) INTO marked
    FROM public.commands AS c
    WHERE c.status = 'accepted' AND c.started_at IS NOT NULL AND c.ran_by = runner;
    IF marked IS NULL THEN
        -- It may be finished, or somebody else's by now: a mark of theirs has to stay,
        -- or it would tell nobody that they died.
        UPDATE public.commands AS c SET attempts = c.attempts + 1
        WHERE c.id = asked AND c.status = 'accepted' AND c.started_at IS NULL;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        marked := ARRAY[asked];
    END IF;
    PERFORM public.give_back(marked, 'interrupted', detail, true);
END
$$;
