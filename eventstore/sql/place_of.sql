-- Return the position of the event with an event_id: 0 for no event, NULL if not in this log.
--
-- Searches from the end of the log, where the last read event is.
CREATE OR REPLACE FUNCTION public.place_of(event varchar)
RETURNS bigint LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF event IS NULL THEN
        RETURN 0;
    END IF;
    RETURN (
        SELECT e.id FROM public.events AS e
        WHERE coalesce(e.metadata ->> 'event_id', e.id::text) = event
        ORDER BY e.id DESC
        LIMIT 1
    );
END
$$;
