-- Return the event_id of the last event at or before a position, or NULL.
--
-- A checkpoint is often a gap, so the event before it identifies the log. An event without
-- an event_id is identified by its position. VOLATILE: each call has its own snapshot,
-- newer than the result of `settled` in the same statement.
CREATE OR REPLACE FUNCTION public.event_id_at(place bigint)
RETURNS varchar LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (
        SELECT coalesce(e.metadata ->> 'event_id', e.id::text)
        FROM public.events AS e
        WHERE e.id <= place
        ORDER BY e.id DESC
        LIMIT 1
    );
END
$$;
