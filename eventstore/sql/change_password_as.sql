-- Replace the password of a session's user by another, if *old_hashed* is the hash of the
-- present one. All sessions of the user end. Returns false if it is not, or the session is
-- not good.
CREATE OR REPLACE FUNCTION public.change_password_as(
    of_session bytea,
    old_hashed text,
    new_hashed text
)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    of_user varchar;
BEGIN
    SELECT u.name INTO of_user
    FROM public.find_session(of_session) AS f
    JOIN access.users AS u ON u.name = f.user_name
    WHERE sha256(convert_to(u.password, 'UTF8'))
        = sha256(convert_to(old_hashed, 'UTF8'))
    FOR UPDATE OF u;
    RETURN FOUND AND public.set_password(of_user, new_hashed);
END
$$;
