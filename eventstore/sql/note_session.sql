-- Note that a session that is good is used, at most once a minute.
CREATE OR REPLACE FUNCTION public.note_session(of_hash bytea)
RETURNS void
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE access.sessions AS s
    SET seen_at = clock_timestamp()
    WHERE s.hash = of_hash
        AND EXISTS (SELECT FROM public.find_session(of_hash) AS f WHERE f.is_to_note);
END
$$;
