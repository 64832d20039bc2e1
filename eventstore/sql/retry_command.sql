-- Accept a failed command again, with its history. Of two concurrent calls one does it.
--
-- It keeps its turn: it comes before later commands of its stream that still wait. Returns
-- no row if there is no such command.
CREATE OR REPLACE FUNCTION public.retry_command(
    command uuid,
    acted_by text,
    because text
)
RETURNS TABLE (was_done boolean, now_is varchar)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    UPDATE public.commands AS c
    SET status = 'accepted',
        started_at = NULL,
        next_try_at = NULL,
        finished_at = NULL,
        position = NULL,
        error = NULL
    WHERE c.id = command AND c.status = 'failed';
    IF FOUND THEN
        -- Runners that died before it do not count any more: `take` starts again here.
        INSERT INTO public.command_incidents (command_id, kind, detail)
        VALUES (command, 'retried', jsonb_build_object(
            'by', acted_by, 'because', because
        ));
        RETURN QUERY SELECT true, 'accepted'::varchar;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT false, c.status FROM public.commands AS c WHERE c.id = command;
END
$$;
