-- Disable a user, and all tokens with it, or enable it again. Sessions end for good. Returns
-- false if there is none.
CREATE OR REPLACE FUNCTION public.set_disabled(of_user text, is_disabled boolean)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    UPDATE access.users AS u
    SET disabled_at = CASE
        WHEN is_disabled THEN coalesce(u.disabled_at, clock_timestamp())
    END
    WHERE u.name = of_user;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF is_disabled THEN
        PERFORM public.end_sessions_of(of_user);
    END IF;
    RETURN true;
END
$$;
