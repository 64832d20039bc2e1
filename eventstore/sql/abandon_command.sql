-- Give up a failed command, for good.
--
-- One conditional update, in the caller's transaction: what has to hear of it is sent with
-- it. What made it fail stays in its row. No row: there is no such command.
CREATE OR REPLACE FUNCTION public.abandon_command(
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
    SET status = 'abandoned', finished_at = clock_timestamp()
    WHERE c.id = command AND c.status = 'failed';
    IF FOUND THEN
        INSERT INTO public.command_incidents (command_id, kind, detail)
        VALUES (command, 'abandoned', jsonb_build_object(
            'by', acted_by, 'because', because
        ));
        RETURN QUERY SELECT true, 'abandoned'::varchar;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT false, c.status FROM public.commands AS c WHERE c.id = command;
END
$$;
