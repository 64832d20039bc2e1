-- Delete the heartbeat of a process that ends in good order. A killed process stays visible.
CREATE OR REPLACE FUNCTION public.end_beat(process text)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT public.speaks_for(process) THEN
        RAISE EXCEPTION 'it cannot end %', process
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM public.heartbeats AS h WHERE h.process = end_beat.process;
END
$$;
