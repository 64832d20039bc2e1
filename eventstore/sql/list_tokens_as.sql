-- Return the tokens of a session's user, or for an admin those of all.
CREATE OR REPLACE FUNCTION public.list_tokens_as(of_session bytea, is_of_all boolean)
RETURNS TABLE (
    prefix varchar,
    user_name varchar,
    scopes varchar[],
    created_at timestamptz,
    expires_at timestamptz,
    standing text
)
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    of_user varchar;
BEGIN
    IF is_of_all THEN
        PERFORM public.require_admin(of_session);
        RETURN QUERY SELECT * FROM public.list_tokens();
        RETURN;
    END IF;
    SELECT f.user_name INTO of_user FROM public.find_session(of_session) AS f;
    IF FOUND THEN
        RETURN QUERY SELECT * FROM public.list_tokens(of_user);
    END IF;
END
$$;
