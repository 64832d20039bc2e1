-- A checkpoint moves forwards alone: what goes back hands out events once more.
--
-- Who wants a projection from the beginning takes its row away, as a rebuild does. What is
-- sealed, the chain of seals tells, and its checkpoint is only a copy of that.
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
