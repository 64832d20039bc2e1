-- Return the current roles of the senders of these commands: none if the user is disabled.
--
-- Commands of `local` and of our own processes return no row; without any user, none does.
-- The sender is read from the journal, not from metadata, where a process may name the
-- user it acts for.
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
    -- The roles once a sender, however many commands of theirs were taken.
    RETURN QUERY
        WITH sent AS MATERIALIZED (
            SELECT c.id, c.principal AS sender
            FROM unnest(command_ids) AS asked (id)
            CROSS JOIN LATERAL (
                SELECT w.id, w.principal FROM public.commands AS w
                WHERE w.id = asked.id
                OFFSET 0
            ) AS c
            WHERE c.principal <> 'local' AND NOT starts_with(c.principal, 'process:')
        ), known AS MATERIALIZED (
            SELECT
                s.sender,
                ARRAY(
                    SELECT r.role
                    FROM access.user_roles AS r
                    JOIN access.users AS u ON u.name = r.user_name
                    WHERE r.user_name = s.sender AND u.disabled_at IS NULL
                ) AS has
            FROM (SELECT DISTINCT sent.sender FROM sent) AS s
        )
        SELECT sent.id, sent.sender::text, known.has
        FROM sent
        JOIN known ON known.sender = sent.sender;
END
$$;
