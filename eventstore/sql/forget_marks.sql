-- Clear the marks that *runner* left when its drain ended with an error: it did not die.
--
-- The first of its commands rests for a moment, because the cause may last. If it marked
-- none, the command it was *asked* for rests, so that it does not fail again at once.
-- Reads all waiting commands; it is rarely called.
CREATE OR REPLACE FUNCTION public.forget_marks(runner text, asked uuid, detail jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    marked uuid[];
BEGIN
    -- Locked, in the same order as in `take`: a runner that takes one of their streams
    -- meanwhile replaces the mark by its own, which must stay.
    SELECT array_agg(m.id ORDER BY m.seq) INTO marked
    FROM (
        SELECT c.id, c.seq
        FROM public.commands AS c
        WHERE c.status = 'accepted' AND c.started_at IS NOT NULL AND c.ran_by = runner
        ORDER BY c.seq
        FOR UPDATE
    ) AS m;
    IF marked IS NULL THEN
        -- It may be finished, or taken by another runner: that runner's mark must stay,
        -- or its death would not be noticed.
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
