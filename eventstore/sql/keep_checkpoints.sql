-- A checkpoint only moves forward: moving it back would deliver events twice.
--
-- To run a projection from the beginning, delete its row, as a rebuild does. The checkpoint
-- of the sealer is a copy of where the newest seal ends, and may be corrected.
CREATE OR REPLACE FUNCTION public.keep_checkpoints()
RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'checkpoint % would go back from % to %',
        OLD.name, OLD.checkpoint, NEW.checkpoint
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'checkpoints_go_forwards';
END
$$;

CREATE OR REPLACE TRIGGER subscriptions_keep_checkpoints
BEFORE UPDATE ON public.subscriptions
FOR EACH ROW WHEN (NEW.checkpoint < OLD.checkpoint AND NEW.name <> 'seals')
EXECUTE FUNCTION public.keep_checkpoints();
