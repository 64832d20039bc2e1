-- Do with a user what the admin of a session wants. Returns false if there is no such user,
-- or, for `add`, if there was one.
CREATE OR REPLACE FUNCTION public.change_user_as(
    of_session bytea,
    what text,
    of_user text,
    new_roles text[],
    hashed text
)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM public.require_admin(of_session);
    CASE what
        WHEN 'add' THEN
            RETURN public.add_user(of_user, new_roles)
                AND (hashed IS NULL OR public.set_password(of_user, hashed));
        WHEN 'roles' THEN
            RETURN public.set_roles(of_user, new_roles);
        WHEN 'disable' THEN
            RETURN public.set_disabled(of_user, true);
        WHEN 'enable' THEN
            RETURN public.set_disabled(of_user, false);
        WHEN 'password' THEN
            RETURN public.set_password(of_user, hashed);
        WHEN 'sign out' THEN
            RETURN public.end_sessions_of(of_user) > 0;
    END CASE;
END
$$;
