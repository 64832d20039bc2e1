-- Whether the session is one of those that run commands: not a client's, nor the web's.
--
-- Where there are no roles, everything is one login, and that is it.
CREATE OR REPLACE FUNCTION public.is_process()
RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(
        bool_or(pg_has_role(session_user, r.oid, 'MEMBER')), true
    )
    FROM pg_roles AS r
    WHERE r.rolname IN ('recount_worker', 'recount_relay')
$$;
