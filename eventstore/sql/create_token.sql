-- Store a new token by its hash. Returns false if there is no such user, or it is disabled.
CREATE OR REPLACE FUNCTION public.create_token(
    of_user text,
    new_prefix text,
    hashed bytea,
    new_scopes text[],
    expiry interval
)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO access.tokens (prefix, user_name, hash, expires_at)
    SELECT new_prefix, u.name, hashed, clock_timestamp() + expiry
    FROM access.users AS u
    WHERE u.name = of_user AND u.disabled_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO access.token_scopes (prefix, scope)
    SELECT DISTINCT new_prefix, s.scope FROM unnest(new_scopes) AS s (scope);
    RETURN true;
END
$$;
