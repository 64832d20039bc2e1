-- Return whether this session may report as a process, by its name: role:host:pid.
--
-- Only `beat` and `end_beat` call it; they run as the owner, who may report as any. Without
-- roles there is one login, which may too.
CREATE OR REPLACE FUNCTION public.speaks_for(process text)
RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT pg_has_role(session_user, current_user, 'MEMBER')
        OR NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = 'recount_worker')
        OR EXISTS (
            SELECT FROM pg_roles AS r
            -- Beat has the rights of a worker.
            WHERE r.rolname = 'recount_' || CASE split_part(process, ':', 1)
                    WHEN 'beat' THEN 'worker' ELSE split_part(process, ':', 1) END
                AND pg_has_role(session_user, r.oid, 'MEMBER')
        )
$$;
