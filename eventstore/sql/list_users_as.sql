-- Return the users for the admin of a session.
CREATE OR REPLACE FUNCTION public.list_users_as(of_session bytea)
RETURNS TABLE (
    name varchar,
    roles varchar[],
    has_password boolean,
    tokens bigint,
    sessions bigint,
    created_at timestamptz,
    disabled_at timestamptz
)
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM public.require_admin(of_session);
    RETURN QUERY SELECT * FROM public.list_users();
END
$$;
