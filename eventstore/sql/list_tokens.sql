-- Return the tokens of one user, or of all, without their hashes.
CREATE OR REPLACE FUNCTION public.list_tokens(of_user text DEFAULT NULL)
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
BEGIN
    RETURN QUERY
        SELECT
            t.prefix,
            t.user_name,
            ARRAY(
                SELECT s.scope FROM access.token_scopes AS s
                WHERE s.prefix = t.prefix ORDER BY 1
            ),
            t.created_at,
            t.expires_at,
            CASE
                WHEN t.revoked_at IS NOT NULL THEN 'revoked'
                WHEN u.disabled_at IS NOT NULL THEN 'user disabled'
                WHEN t.expires_at <= clock_timestamp() THEN 'expired'
                ELSE 'valid'
            END
        FROM access.tokens AS t
        JOIN access.users AS u ON u.name = t.user_name
        WHERE of_user IS NULL OR t.user_name = of_user
        ORDER BY t.user_name, t.created_at;
END
$$;
