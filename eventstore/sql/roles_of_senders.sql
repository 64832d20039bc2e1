-- The roles that the senders of these commands have now: none, if one was disabled.
--
-- No row comes for what needs none: commands of `local` and of our own processes, and all
-- of them where there is no user yet. The journal tells who sent a command, not its
-- metadata, in which a process may name whom it acts for.
CREATE OR REPLACE FUNCTION public.roles_of_senders(command_ids uuid[])
RETURNS TABLE (command_id uuid, principal text, roles varchar[])
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    IF NOT public.has_users() THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT
            c.id,
            c.principal::text,
            ARRAY(
                SELECT r.role
                FROM access.user_roles AS r
                JOIN access.users AS u ON u.name = r.user_name
                WHERE r.user_name = c.principal AND u.disabled_at IS NULL
            )
        FROM unnest(command_ids) AS asked (id)
        CROSS JOIN LATERAL (
            SELECT w.id, w.principal FROM public.commands AS w
            WHERE w.id = asked.id
            OFFSET 0
        ) AS c
        WHERE c.principal <> 'local' AND NOT starts_with(c.principal, 'process:');
END
$$;
