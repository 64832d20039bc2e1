-- Return how many keys are not wrapped with the master key *in_force*.
CREATE OR REPLACE FUNCTION public.count_former_keys(in_force text)
RETURNS bigint LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT count(*) FROM vault.keys AS k WHERE k.master <> in_force);
END
$$;
