-- Add a user with these roles. Returns false if the name was ever used.
CREATE OR REPLACE FUNCTION public.add_user(new_name text, new_roles text[])
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO access.users (name) VALUES (new_name)
    ON CONFLICT ON CONSTRAINT users_pkey DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO access.user_roles (user_name, role)
    SELECT DISTINCT new_name, r.role FROM unnest(new_roles) AS r (role);
    RETURN true;
END
$$;
