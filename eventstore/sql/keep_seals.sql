-- Refuse UPDATE, DELETE and TRUNCATE of seals.
CREATE OR REPLACE FUNCTION public.keep_seals()
RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'seals are append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'seals_append_only';
END
$$;

-- The first migrations make all functions of today, before there is this table.
DO $$
BEGIN
    IF to_regclass('public.seals') IS NOT NULL THEN
        CREATE OR REPLACE TRIGGER seals_refuse_change
        BEFORE UPDATE OR DELETE OR TRUNCATE ON public.seals
        FOR EACH STATEMENT EXECUTE FUNCTION public.keep_seals();

        ALTER TABLE public.seals ENABLE ALWAYS TRIGGER seals_refuse_change;
    END IF;
END
$$;
