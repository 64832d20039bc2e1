-- Return the keys *ids*, and the own keys of *subjects* and of the subjects of those keys.
--
-- A destroyed key has NULL in *wrapped*.
CREATE OR REPLACE FUNCTION public.find_keys(ids uuid[], subjects text[])
RETURNS TABLE (
    id uuid, subject varchar, is_own boolean, master varchar, wrapped bytea
)
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
        WITH named AS MATERIALIZED (
            SELECT k.* FROM vault.keys AS k WHERE k.id = ANY (ids)
        )
        SELECT n.id, n.subject, n.command_id IS NULL, n.master, n.wrapped
        FROM named AS n
        UNION
        SELECT k.id, k.subject, true, k.master, k.wrapped
        FROM vault.keys AS k
        WHERE k.command_id IS NULL
            AND k.subject = ANY (
                subjects || ARRAY(SELECT n.subject::text FROM named AS n)
            );
END
$$;
