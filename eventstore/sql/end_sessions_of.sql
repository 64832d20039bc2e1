-- End all sessions of a user. Returns how many there were.
CREATE OR REPLACE FUNCTION public.end_sessions_of(of_user text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    ended bigint;
BEGIN
    DELETE FROM access.sessions AS s WHERE s.user_name = of_user;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;
