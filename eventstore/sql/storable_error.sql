-- Return the error of a command as it may be stored: redacted if its subject was forgotten.
--
-- The command was decided with data that was readable then; the subject may have been
-- forgotten since.
CREATE OR REPLACE FUNCTION public.storable_error(command uuid, command_error jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    subject_id text;
BEGIN
    IF NOT command_error ? 'message' THEN
        RETURN command_error;
    END IF;
    FOR subject_id IN
        SELECT c.stream_id FROM public.commands AS c WHERE c.id = command
        UNION
        SELECT k.subject FROM vault.keys AS k WHERE k.command_id = command
        ORDER BY 1
    LOOP
        -- As in `keep_keys`: once we have the lock, a concurrent forgetting is committed,
        -- and a later one finds what we write.
        PERFORM pg_advisory_xact_lock_shared(
            hashtext('recount forget'), hashtext(subject_id)
        );
        PERFORM FROM vault.keys AS k
        WHERE k.subject = subject_id
            AND k.command_id IS NULL
            AND k.destroyed_at IS NOT NULL;
        IF FOUND THEN
            RETURN public.redacted_error(command_error);
        END IF;
    END LOOP;
    RETURN command_error;
END
$$;
