-- Record that finished commands are about to be pruned, and up to when. Returns its id.
--
-- It is committed before the first command is deleted. From then on an older event without
-- its command is no fault, and a command that is sent again under a pruned key gets other
-- event ids (see `take`).
CREATE OR REPLACE FUNCTION public.begin_pruning(
    end_time timestamptz,
    operator_name text,
    reason text
)
RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    pruning_id bigint;
BEGIN
    -- Ids rise with the numbers.
    LOCK TABLE public.prunings IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO public.prunings (finished_before, acted_by, because, after_seq)
    VALUES (
        least(end_time, clock_timestamp()),
        operator_name, reason,
        coalesce(pg_sequence_last_value('public.commands_seq_seq'), 0)
    )
    RETURNING id INTO pruning_id;
    RETURN pruning_id;
END
$$;
