-- Set a flag, and tell whether it was down: whoever raised it sends the signal.
--
-- Whoever reads the log takes the flag down before it reads, so at most one signal is
-- waiting and none that matters is missed.
CREATE OR REPLACE FUNCTION public.raise_signal(signal text)
RETURNS boolean LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.signals (name) VALUES (signal)
    ON CONFLICT ON CONSTRAINT signals_pkey DO NOTHING;
    RETURN FOUND;
END
$$;
