-- Return the user of a session that is good now, with the roles, and whether it is time to
-- note that it is used.
--
-- A session is good for 12 hours after it was last used, and for 7 days. That is said here,
-- so that no other program can prolong one.
CREATE OR REPLACE FUNCTION public.find_session(of_hash bytea)
RETURNS TABLE (user_name varchar, roles varchar[], is_to_note boolean)
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT
            s.user_name,
            ARRAY(SELECT r.role FROM access.user_roles AS r WHERE r.user_name = u.name),
            s.seen_at < clock_timestamp() - interval '1 minute'
        FROM access.sessions AS s
        JOIN access.users AS u ON u.name = s.user_name
        WHERE s.hash = of_hash
            AND s.created_at > clock_timestamp() - interval '7 days'
            AND s.seen_at > clock_timestamp() - interval '12 hours'
            AND u.disabled_at IS NULL;
END
$$;
