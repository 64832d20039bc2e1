-- The key that came with a command, for whoever knows the command's id.
--
-- It opens that command alone, so the web, which has written it, may ask for it. The keys
-- that open events it cannot get.
CREATE OR REPLACE FUNCTION public.command_key(command uuid)
RETURNS TABLE (id uuid, master varchar, wrapped bytea)
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN QUERY
        SELECT k.id, k.master, k.wrapped FROM vault.keys AS k
        WHERE k.command_id = command;
END
$$;
