-- Set the roles of a user. Returns false if there is no such user.
CREATE OR REPLACE FUNCTION public.set_roles(of_user text, new_roles text[])
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- Of two at once the second waits, and its roles stand, not both.
    PERFORM FROM access.users AS u WHERE u.name = of_user FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM access.user_roles AS r WHERE r.user_name = of_user;
    INSERT INTO access.user_roles (user_name, role)
    SELECT DISTINCT of_user, r.role FROM unnest(new_roles) AS r (role);
    RETURN true;
END
$$;
