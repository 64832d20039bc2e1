-- Return what is wrong with a checkpoint, or NULL. All readers of the log use this check.
--
-- 'ahead': it is beyond the last id that was drawn. 'other': the event at the checkpoint
-- is not the one that was recorded with it, because the log was restored or the
-- checkpoint was moved by hand. Uses `last_drawn`, not `settled`, which may fall for a
-- moment: a writer reads its floor before it holds it, and others may draw and end in
-- between.
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
