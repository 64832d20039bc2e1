-- Return the key of a command by the command's id.
--
-- It decrypts that command only. The web, which wrote the command, may call this; it
-- cannot read the keys that decrypt events.
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
