-- Redact the errors of all commands that are about *subjects*.
--
-- A command is about a subject if it has a key of that subject, or if it is in the
-- subject's stream, or in a stream with an event that has such a key: an error may quote
-- the whole state. Commands are found by their incidents, of which there are few; the
-- journal itself has millions of rows.
CREATE OR REPLACE FUNCTION public.redact_errors_of(subjects text[])
RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    keys text[];
    keyed_commands uuid[];
    streams text[];
    found_commands uuid[];
BEGIN
    SELECT array_agg(k.id::text), array_agg(k.command_id)
    INTO keys, keyed_commands
    FROM vault.keys AS k
    WHERE k.subject = ANY (subjects);

    SELECT array_agg(DISTINCT i.command_id)
    INTO found_commands
    FROM public.command_incidents AS i
    WHERE i.detail ->> 'message' <> '(forgotten)';

    SELECT array_agg(s.stream_id)
    INTO streams
    FROM (
        SELECT DISTINCT c.stream_id
        FROM public.commands AS c
        WHERE c.id = ANY (found_commands)
    ) AS s
    WHERE s.stream_id = ANY (subjects) OR EXISTS (
        SELECT FROM public.events AS e
        WHERE e.stream_id = s.stream_id
            AND e.data -> '$personal' ->> 'key' = ANY (keys)
    );

    SELECT array_agg(c.id)
    INTO found_commands
    FROM public.commands AS c
    WHERE c.id = ANY (found_commands)
        AND (c.id = ANY (keyed_commands) OR c.stream_id = ANY (streams));

    UPDATE public.command_incidents AS i
    SET detail = public.redacted_error(i.detail)
    WHERE i.command_id = ANY (found_commands) AND i.detail ? 'message';
    -- One that waits has no error, and may be held by a runner that waits for us.
    UPDATE public.commands AS c
    SET error = public.redacted_error(c.error)
    WHERE c.id = ANY (found_commands)
        AND c.status IN ('failed', 'abandoned')
        AND c.error ? 'message';
END
$$;
