-- Whoever moves a checkpoint in order says when; the event below it is noted here.
--
-- A reader tells `moved_at` with each move, and nobody has to know of `event_id`: neither
-- the version before, whose workers may be running still, nor the function that seals. Who
-- sets a checkpoint by hand leaves `moved_at` as it was, and what was noted then is not
-- what stands below it: each reader refuses it.
CREATE OR REPLACE FUNCTION public.note_event()
RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.event_id := public.event_id_at(NEW.checkpoint);
    RETURN NEW;
END
$$;

-- The first migrations make all functions of today, before there is this column.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = to_regclass('public.subscriptions') AND attname = 'event_id'
    ) THEN
        CREATE OR REPLACE TRIGGER subscriptions_note_event
        BEFORE UPDATE ON public.subscriptions
        FOR EACH ROW WHEN (
            NEW.moved_at IS DISTINCT FROM OLD.moved_at
            AND NEW.event_id IS NOT DISTINCT FROM OLD.event_id
        )
        EXECUTE FUNCTION public.note_event();
    END IF;
END
$$;
