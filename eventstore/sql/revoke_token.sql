-- Revoke a token by its prefix. Returns false if there is none.
CREATE OR REPLACE FUNCTION public.revoke_token(of_prefix text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE access.tokens AS t
    SET revoked_at = coalesce(t.revoked_at, clock_timestamp())
    WHERE t.prefix = of_prefix;
    RETURN FOUND;
END
$$;
