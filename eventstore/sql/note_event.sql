-- Record the event at a checkpoint whenever a reader moves it.
--
-- A reader sets `moved_at` with each move and need not know `event_id`: neither the
-- previous version, whose workers may still run, nor the sealing function does. Moving a
-- checkpoint by hand leaves `moved_at`, so the recorded event no longer matches, and every
-- reader refuses it.
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
