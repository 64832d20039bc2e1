-- Store a new token of a session's user by its hash. Returns false if it is not good.
CREATE OR REPLACE FUNCTION public.create_token_as(
    of_session bytea,
    new_prefix text,
    hashed bytea,
    new_scopes text[],
    expiry interval
)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    of_user varchar;
BEGIN
    SELECT f.user_name INTO of_user FROM public.find_session(of_session) AS f;
    RETURN FOUND
        AND public.create_token(of_user, new_prefix, hashed, new_scopes, expiry);
END
$$;
