-- Store wrapped keys of subjects. A forgotten subject never gets a key again.
--
-- *added* is a list of objects: id, subject (NULL: *stream*), command_id, master, wrapped
-- (hex). Raises a violation of keys_subject_key if the subject got its own key meanwhile:
-- encrypt again with that one.
CREATE OR REPLACE FUNCTION public.keep_keys(added jsonb, stream text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    key record;
BEGIN
    FOR key IN
        SELECT
            a.id, coalesce(a.subject, stream) AS subject, a.command_id, a.master,
            decode(a.wrapped, 'hex') AS wrapped
        FROM jsonb_to_recordset(added) AS a (
            id uuid, subject varchar, command_id uuid, master varchar, wrapped text
        )
        ORDER BY 2
    LOOP
        -- Once we have the lock, a concurrent forgetting of this subject is committed. A
        -- statement of its own, so that the next one sees it.
        PERFORM pg_advisory_xact_lock_shared(
            hashtext('recount forget'), hashtext(key.subject)
        );
        INSERT INTO vault.keys (id, subject, command_id, master, wrapped)
        SELECT key.id, key.subject, key.command_id, key.master, key.wrapped
        WHERE NOT EXISTS (
            SELECT FROM vault.keys AS k
            -- Their own key, or the mark in its place: one row, however many commands
            -- have a key for them.
            WHERE k.subject = key.subject
                AND k.command_id IS NULL
                AND k.destroyed_at IS NOT NULL
        );
        IF NOT FOUND THEN
            -- What it was to open is born forgotten.
            INSERT INTO vault.keys (id, subject, command_id, destroyed_at)
            VALUES (
                key.id, key.subject, coalesce(key.command_id, key.id),
                clock_timestamp()
            );
        END IF;
    END LOOP;
END
$$;
