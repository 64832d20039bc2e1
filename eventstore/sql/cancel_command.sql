-- Cancel a scheduled command that is not due. Returns whether it did, and the status.
--
-- A command that has its turn is due, even if the clock was set back since. One
-- conditional update: a runner locks the row and looks at its status before it writes
-- events, so a command is either run or cancelled. With *sender*, only commands of that
-- principal. Returns no row if there is no such command.
CREATE OR REPLACE FUNCTION public.cancel_command(
    command uuid,
    acted_by text,
    because text,
    sender text
)
RETURNS TABLE (was_done boolean, now_is varchar)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    UPDATE public.commands AS c
    SET status = 'cancelled', finished_at = clock_timestamp()
    WHERE c.id = command
        AND c.status = 'accepted'
        AND c.turn IS NULL
        AND c.not_before > clock_timestamp()
        AND c.principal = coalesce(sender, c.principal);
    IF FOUND THEN
        INSERT INTO public.command_incidents (command_id, kind, detail)
        VALUES (command, 'cancelled', jsonb_build_object(
            'by', acted_by, 'because', because
        ));
        RETURN QUERY SELECT true, 'cancelled'::varchar;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT false, c.status FROM public.commands AS c
        WHERE c.id = command AND c.principal = coalesce(sender, c.principal);
END
$$;
