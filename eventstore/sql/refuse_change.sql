-- Refuse UPDATE, DELETE and TRUNCATE of events.
CREATE OR REPLACE FUNCTION public.refuse_change()
RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'events_append_only';
END
$$;

CREATE OR REPLACE TRIGGER events_refuse_change
BEFORE UPDATE OR DELETE OR TRUNCATE ON public.events
FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

ALTER TABLE public.events ENABLE ALWAYS TRIGGER events_refuse_change;
