-- Let go of a stream, and return the command that is due in it now, or NULL.
--
-- The look comes after the unlock: a command that was accepted while we held the lock
-- found it taken, and relies on us.
CREATE OR REPLACE FUNCTION public.release(stream text)
RETURNS uuid LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_unlock(public.lock_key(2, hashtextextended(stream, 0)));
    RETURN public.next_due(stream);
END
$$;
