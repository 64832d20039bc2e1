-- Revoke a token of a session's user, or for an admin anybody's. Returns false if there is none.
CREATE OR REPLACE FUNCTION public.revoke_token_as(of_session bytea, of_prefix text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM access.tokens AS t
        JOIN public.find_session(of_session) AS f
            ON f.user_name = t.user_name OR 'admin' = ANY (f.roles)
        WHERE t.prefix = of_prefix
    ) AND public.revoke_token(of_prefix);
END
$$;
