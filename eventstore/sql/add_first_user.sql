-- Add the first user, an admin, with the hash of a password. Returns false if there is one.
CREATE OR REPLACE FUNCTION public.add_first_user(new_name text, hashed text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- Of two at once one is the first.
    LOCK TABLE access.users IN SHARE ROW EXCLUSIVE MODE;
    RETURN NOT public.has_users()
        AND public.add_user(new_name, '{admin}')
        AND public.set_password(new_name, hashed);
END
$$;
