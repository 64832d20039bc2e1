-- Store keys that were wrapped again. A key that was destroyed meanwhile stays destroyed.
CREATE OR REPLACE FUNCTION public.rewrap_keys(
    ids uuid[], masters text[], wrapped_anew bytea[]
)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE vault.keys AS k
    SET master = a.master, wrapped = a.wrapped
    FROM unnest(ids, masters, wrapped_anew) AS a (id, master, wrapped)
    WHERE k.id = a.id AND k.destroyed_at IS NULL;
END
$$;
