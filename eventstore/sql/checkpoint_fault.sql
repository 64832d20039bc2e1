-- What is wrong with a checkpoint: the one check that all readers of the log share.
--
-- 'ahead' is one beyond the last id that was drawn, 'other' one whose last event is not
-- the one that was noted with it: the log was restored, or somebody moved the checkpoint.
-- NULL: it is right. `last_drawn` and not `settled`, which may fall for a moment: a writer
-- reads its floor before it holds it, and others may draw and end in between.
CREATE OR REPLACE FUNCTION public.checkpoint_fault(place bigint, noted varchar)
RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF place > public.last_drawn() THEN
        RETURN 'ahead';
    END IF;
    IF noted IS DISTINCT FROM public.event_id_at(place) THEN
        RETURN 'other';
    END IF;
    RETURN NULL;
END
$$;
