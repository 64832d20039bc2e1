-- Set a flag. Returns whether it was down: then the caller sends the signal.
--
-- A reader takes the flag down before it reads, so at most one signal is waiting and no
-- needed one is missed.
CREATE OR REPLACE FUNCTION public.raise_signal(signal text)
RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.signals (name) VALUES (signal)
    ON CONFLICT ON CONSTRAINT signals_pkey DO NOTHING;
    RETURN FOUND;
END
$$;
