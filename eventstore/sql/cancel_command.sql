-- Take back a scheduled command whose time has not come; say so, and what it is now.
--
-- One that has its turn is due, also when the clock was set back since.
-- One conditional update. Whoever runs a command locks its row before its events are
-- written, and looks at its status: it is run, or taken back, and never both. *sender*
-- restricts it to the commands of one principal; NULL does not. No row: there is no such
-- command.
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
