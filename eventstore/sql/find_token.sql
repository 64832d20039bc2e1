-- Return the token with a prefix if it can be used now: its hash, its user and its scopes.
--
-- The web may look up a prefix that it was sent, and nothing else: it reads neither users
-- nor tokens. It compares the hash itself, in constant time.
CREATE OR REPLACE FUNCTION public.find_token(of_prefix text)
RETURNS TABLE (hash bytea, user_name varchar, roles varchar[], scopes varchar[])
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT
            t.hash,
            t.user_name,
            ARRAY(SELECT r.role FROM access.user_roles AS r WHERE r.user_name = u.name),
            ARRAY(SELECT s.scope FROM access.token_scopes AS s WHERE s.prefix = t.prefix)
        FROM access.tokens AS t
        JOIN access.users AS u ON u.name = t.user_name
        WHERE t.prefix = of_prefix
            AND t.revoked_at IS NULL
            AND t.expires_at > clock_timestamp()
            AND u.disabled_at IS NULL;
END
$$;
