-- The event_id of the last event at a position or before it; NULL where there is none.
--
-- A checkpoint is often a gap, so it is the event before it that says which log it is of.
-- An event without such an id is told by its position. VOLATILE: each call has a snapshot
-- of its own, newer than what `settled` told in the same statement.
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
