-- The last id that any transaction, committed or not, has drawn from the log's sequence.
--
-- A sequence is read outside of snapshots: this is the value of this very moment. A
-- fresh one says last_value 1 with is_called false, and has drawn nothing yet.
CREATE OR REPLACE FUNCTION public.last_drawn()
RETURNS bigint LANGUAGE sql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END
    FROM public.events_id_seq
$$;
