-- Forget subjects: destroy their keys, delete snapshots of their streams, redact errors about them.
--
-- A subject that never had a key gets a destroyed one, so that it can get none later.
CREATE OR REPLACE FUNCTION public.destroy_keys(subjects text[])
RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    forgotten text;
BEGIN
    FOR forgotten IN SELECT s FROM unnest(subjects) AS s ORDER BY s LOOP
        PERFORM pg_advisory_xact_lock(
            hashtext('recount forget'), hashtext(forgotten)
        );
        UPDATE vault.keys AS k
        SET wrapped = NULL, master = NULL, destroyed_at = clock_timestamp()
        WHERE k.subject = forgotten AND k.destroyed_at IS NULL;
        INSERT INTO vault.keys (id, subject, destroyed_at)
        VALUES (gen_random_uuid(), forgotten, clock_timestamp())
        ON CONFLICT (subject) WHERE command_id IS NULL DO NOTHING;
        DELETE FROM public.snapshots AS s WHERE s.stream_id = forgotten;
    END LOOP;
    PERFORM public.redact_errors_of(subjects);
END
$$;
