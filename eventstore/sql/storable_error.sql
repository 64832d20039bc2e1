-- Return the error of a command as it may be stored: redacted if its subject was forgotten.
--
-- The command was decided with data that was readable then; the subject may have been
-- forgotten since.
CREATE OR REPLACE FUNCTION public.storable_error(command uuid, error jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    about text;
BEGIN
    IF NOT error ? 'message' THEN
        RETURN error;
    END IF;
    FOR about IN
        SELECT c.stream_id FROM public.commands AS c WHERE c.id = command
        UNION
        SELECT k.subject FROM vault.keys AS k WHERE k.command_id = command
        ORDER BY 1
    LOOP
        -- As in `keep_keys`: who is being forgotten at this moment has been, once we get
        -- the lock, and who is forgotten later finds what we write.
        PERFORM pg_advisory_xact_lock_shared(
            hashtext('recount forget'), hashtext(about)
        );
        PERFORM FROM vault.keys AS k
        WHERE k.subject = about AND k.command_id IS NULL AND k.destroyed_at IS NOT NULL;
        IF FOUND THEN
            RETURN public.redacted_error(error);
        END IF;
    END LOOP;
    RETURN error;
END
$$;
