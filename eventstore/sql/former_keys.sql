-- Return keys that are not wrapped with *in_force*, at most *most*, and lock them.
CREATE OR REPLACE FUNCTION public.former_keys(in_force text, most integer)
RETURNS TABLE (id uuid, master varchar, wrapped bytea)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT k.id, k.master, k.wrapped FROM vault.keys AS k
        WHERE k.master <> in_force
        ORDER BY k.id
        LIMIT most
        FOR UPDATE;
END
$$;
