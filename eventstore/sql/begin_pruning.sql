-- Record that finished commands are about to be pruned, and up to when. Returns its id.
--
-- It is committed before the first command is deleted. From then on an older event without
-- its command is no fault, and a command that is sent again under a pruned key gets other
-- event ids (see `take`).
CREATE OR REPLACE FUNCTION public.begin_pruning(
    finished_before timestamptz,
    acted_by text,
    because text
)
RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    begun bigint;
BEGIN
    -- Ids rise with the numbers.
    LOCK TABLE public.prunings IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO public.prunings (finished_before, acted_by, because, after_seq)
    VALUES (
        least(begin_pruning.finished_before, clock_timestamp()),
        begin_pruning.acted_by, begin_pruning.because,
        coalesce(pg_sequence_last_value('public.commands_seq_seq'), 0)
    )
    RETURNING id INTO begun;
    RETURN begun;
END
$$;
