-- Store the hash of a user's password, and end the user's sessions. Returns false if there is
-- no such user.
CREATE OR REPLACE FUNCTION public.set_password(of_user text, hashed text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- What is kept by mistake in the clear would be in every backup.
    IF NOT coalesce(starts_with(hashed, '$argon2id$'), false) THEN
        RAISE EXCEPTION 'a password is kept as its argon2id hash'
            USING ERRCODE = 'check_violation';
    END IF;
    UPDATE access.users AS u SET password = hashed WHERE u.name = of_user;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM public.end_sessions_of(of_user);
    RETURN true;
END
$$;
