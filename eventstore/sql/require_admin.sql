-- Raise an error unless the session with this hash is good, and an admin's.
--
-- The web changes users only while an admin asks: it must show that admin's session, and
-- can read none.
CREATE OR REPLACE FUNCTION public.require_admin(of_session bytea)
RETURNS void
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.find_session(of_session) AS f WHERE 'admin' = ANY (f.roles)
    ) THEN
        RAISE EXCEPTION 'only the session of an admin may do this'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;
