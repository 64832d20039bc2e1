-- Release a stream. Returns the command that is due in it now, or NULL.
--
-- Looks after the unlock: a command that was accepted while we held the lock found it
-- taken and relies on us. With the last stream, the session's idle timeout is set back to
-- what it was before the first, not to the database's default.
CREATE OR REPLACE FUNCTION public.release(stream text)
RETURNS uuid LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF pg_advisory_unlock(public.lock_key(2, hashtextextended(stream, 0))) THEN
        PERFORM set_config('eventstore.held', (
            greatest(
                nullif(current_setting('eventstore.held', true), '')::integer - 1, 0
            )
        )::text, false);
        IF current_setting('eventstore.held') = '0' THEN
            -- Nothing is known of it where the transaction that took was rolled back.
            PERFORM set_config(
                'idle_session_timeout',
                coalesce(nullif(current_setting('eventstore.idle_before', true), ''), '0'),
                false
            );
        END IF;
    END IF;
    RETURN public.next_due(stream);
END
$$;
