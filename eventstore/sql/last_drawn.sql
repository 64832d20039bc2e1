-- Return the last id that any transaction has drawn from the log's sequence, committed or not.
--
-- A sequence is read outside of snapshots: this is the value of this moment. Never SELECT
-- from it as a table: every 32nd draw writes a value up to 32 ahead into the row, for the
-- write-ahead log, and only then the drawn one. A SELECT reads the row without the lock
-- that hides this, and a floor or an end that is too high loses events.
CREATE OR REPLACE FUNCTION public.last_drawn()
RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    drawn bigint := pg_sequence_last_value('public.events_id_seq');
    first bigint;
BEGIN
    IF drawn IS NULL THEN
        -- A fresh sequence says last_value 1 and has drawn nothing. Asked again after it
        -- was read: if it is still fresh, no session was writing to it meanwhile.
        SELECT last_value INTO first FROM public.events_id_seq;
        drawn := coalesce(pg_sequence_last_value('public.events_id_seq'), first - 1);
    END IF;
    RETURN drawn;
END
$$;
