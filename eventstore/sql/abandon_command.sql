-- Abandon a command: one that failed, or one that waits in a stream that cannot be decided on.
--
-- One conditional update in the caller's transaction; the caller sends the follow-up
-- command in the same transaction. Takes the stream's lock, so that no runner decides the
-- command at the same time, and reads no event. The error stays in the row. Returns no row
-- if there is no such command.
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
DECLARE
    stream varchar;
BEGIN
    SELECT c.stream_id INTO stream FROM public.commands AS c WHERE c.id = command;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- The lock of a runner that drains it. It is released with the transaction.
    PERFORM pg_advisory_xact_lock(
        public.lock_key(2, hashtextextended(stream::text, 0))
    );
    UPDATE public.commands AS c
    SET status = 'abandoned', finished_at = clock_timestamp()
    WHERE c.id = command AND (
        c.status = 'failed'
        -- One whose turn simply has not come is not given up by a slip.
        OR c.status = 'accepted' AND (c.not_before IS NULL OR c.turn IS NOT NULL)
            AND EXISTS (
                SELECT FROM public.commands AS stuck
                JOIN public.command_incidents AS i ON i.command_id = stuck.id
                WHERE stuck.stream_id = stream AND stuck.status = 'accepted'
                    AND i.kind IN ('error', 'conflict')
                    -- What an operator has tried again has not failed since.
                    AND NOT EXISTS (
                        SELECT FROM public.command_incidents AS r
                        WHERE r.command_id = stuck.id AND r.kind = 'retried'
                            AND r.id > i.id
                    )
            )
    );
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
