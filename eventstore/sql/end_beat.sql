-- Delete the heartbeat of a process that ends in good order. A killed process stays visible.
CREATE OR REPLACE FUNCTION public.end_beat(process_name text)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT public.speaks_for(process_name) THEN
        RAISE EXCEPTION 'it cannot end %', process_name
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM public.heartbeats AS h WHERE h.process = process_name;
END
$$;
