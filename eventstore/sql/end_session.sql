-- End a session, or all sessions of its user. Returns how many were ended.
CREATE OR REPLACE FUNCTION public.end_session(of_hash bytea, is_everywhere boolean)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    ended bigint;
BEGIN
    DELETE FROM access.sessions AS s
    WHERE s.hash = of_hash
        OR (is_everywhere AND s.user_name IN (
            SELECT f.user_name FROM public.find_session(of_hash) AS f
        ));
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;
