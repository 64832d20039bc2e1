-- Return the users by name, with their roles, and how many usable tokens and sessions they
-- have.
CREATE OR REPLACE FUNCTION public.list_users()
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
    RETURN QUERY
        SELECT
            u.name,
            ARRAY(
                SELECT r.role FROM access.user_roles AS r
                WHERE r.user_name = u.name ORDER BY 1
            ),
            u.password IS NOT NULL,
            (
                SELECT count(*) FROM access.tokens AS t
                WHERE t.user_name = u.name AND u.disabled_at IS NULL
                    AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp()
            ),
            (
                SELECT count(*) FROM access.sessions AS s
                JOIN public.find_session(s.hash) ON true
                WHERE s.user_name = u.name
            ),
            u.created_at,
            u.disabled_at
        FROM access.users AS u
        ORDER BY u.name;
END
$$;
